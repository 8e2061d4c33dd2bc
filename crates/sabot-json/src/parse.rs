//! From text to tape, with everything that can be wrong with the text.
//!
//! simd-json unescapes in place, so each message is copied into one buffer that is used again;
//! nothing is allocated per message. Parsing takes up to 30 bytes for each byte of the message (one
//! tape node of 24 bytes for every token); after a large one they are given back.

use std::fmt;

use sabot_codec::Fault;
use sabot_decode::{Limits, RowErrorKind};
use simd_json::{Buffers, INPUT_PADDING, Node, Tape};

use crate::syntax::find_fault;

/// A parsed message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Document<'a> {
    /// As it came.
    pub(crate) text: &'a [u8],
    /// Values and keys in the text's order; `nodes[0]` is the whole.
    pub(crate) nodes: &'a [Node<'a>],
    /// Where brackets, commas, colons, and the first bytes of keys and scalars are in the text.
    pub(crate) structurals: &'a [u32],
}

impl Document<'_> {
    /// The node after `node` and everything in it.
    pub(crate) fn after(&self, node: usize) -> usize {
        match self.nodes[node] {
            Node::Object { count, .. } | Node::Array { count, .. } => node + count + 1,
            _ => node + 1,
        }
    }
}

/// The buffers of parsing.
pub(crate) struct Parser {
    text: Vec<u8>,
    buffers: Buffers,
    tape: Option<Tape<'static>>,
    depth: usize,
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser").finish_non_exhaustive()
    }
}

impl Parser {
    /// Buffers for messages up to this size are kept.
    const KEPT_TEXT_BYTES: usize = 1 << 20;

    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            text: Vec::new(),
            buffers: Buffers::with_max_depth(0, limits.depth),
            tape: None,
            depth: limits.depth,
        }
    }

    /// Parses `text` and hands the document to `then`.
    pub(crate) fn parse<R>(
        &mut self,
        text: &[u8],
        then: impl FnOnce(Document<'_>) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        self.text.clear();
        self.text.reserve(text.len() + INPUT_PADDING);
        self.text.extend_from_slice(text);
        self.text.extend_from_slice(&[b' '; INPUT_PADDING]);
        let mut tape = self.tape.take().unwrap_or_else(Tape::null).reset();
        let parsed = simd_json::fill_tape_padded(&mut self.text, text.len(), &mut self.buffers, &mut tape);
        let result = match parsed {
            Ok(()) => then(Document {
                text,
                nodes: &tape.0,
                structurals: self.buffers.structural_indexes(),
            }),
            Err(_) => {
                let (byte_offset, kind) =
                    find_fault(text, self.depth).unwrap_or((0, RowErrorKind::Syntax("not JSON")));
                Err(Fault::of_message(byte_offset, kind))
            }
        };
        self.tape = Some(tape.reset());
        if text.len() > Self::KEPT_TEXT_BYTES {
            self.text = Vec::new();
            self.buffers = Buffers::with_max_depth(0, self.depth);
            self.tape = None;
        }
        result
    }
}
