//! From text to tape, with everything that can be wrong with the text.
//!
//! simd-json unescapes in place, so each message is copied into one buffer that is used again; nothing is allocated per message.

use std::fmt;

use sabot_arrow::Fault;
use sabot_decode::{Limits, NodeId, RowErrorKind};
use simd_json::{Buffers, ErrorType, Node, Tape};

/// A parsed message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Document<'a> {
    /// As it came.
    pub(crate) text: &'a [u8],
    /// Values and keys in the text's order; `nodes[0]` is the whole.
    pub(crate) nodes: &'a [Node<'a>],
}

impl Document<'_> {
    /// The node behind `node` and everything in it.
    pub(crate) fn after(&self, node: usize) -> usize {
        match self.nodes[node] {
            Node::Object { count, .. } | Node::Array { count, .. } => node + count + 1,
            _ => node + 1,
        }
    }
}

/// The buffers of parsing.
#[derive(Default)]
pub(crate) struct Parser {
    text: Vec<u8>,
    buffers: Buffers,
    tape: Option<Tape<'static>>,
    /// Ends of the containers that are open, while depth is counted.
    open: Vec<usize>,
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser").finish_non_exhaustive()
    }
}

impl Parser {
    /// Parses `text` and hands the document to `then`.
    pub(crate) fn parse<R>(
        &mut self,
        text: &[u8],
        limits: &Limits,
        then: impl FnOnce(Document<'_>) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        self.text.clear();
        self.text.extend_from_slice(text);
        let mut tape = self.tape.take().unwrap_or_else(Tape::null).reset();
        let result = match simd_json::fill_tape(&mut self.text, &mut self.buffers, &mut tape) {
            Ok(()) => {
                let document = Document { text, nodes: &tape.0 };
                check_depth(document, &mut self.open, limits.depth).and_then(|()| then(document))
            }
            Err(error) => Err(syntax_fault(text, &error)),
        };
        self.tape = Some(tape.reset());
        result
    }
}

/// Counting brackets first makes this free for nearly all messages.
fn check_depth(document: Document<'_>, open: &mut Vec<usize>, limit: usize) -> Result<(), Fault> {
    let brackets = document
        .text
        .iter()
        .filter(|byte| matches!(byte, b'{' | b'['))
        .count();
    if brackets <= limit {
        return Ok(());
    }
    open.clear();
    for (at, node) in document.nodes.iter().enumerate() {
        while open.pop_if(|end| *end <= at).is_some() {}
        if let Node::Object { .. } | Node::Array { .. } = node {
            open.push(document.after(at));
            if open.len() > limit {
                let byte_offset = crate::locate::Locator::new(document.text).offset(at);
                return Err(fault(byte_offset, RowErrorKind::LimitExceeded("nesting")));
            }
        }
    }
    Ok(())
}

#[cold]
fn syntax_fault(text: &[u8], error: &simd_json::Error) -> Fault {
    if let Err(error) = std::str::from_utf8(text) {
        return fault(error.valid_up_to(), RowErrorKind::InvalidUtf8);
    }
    if text
        .iter()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
    {
        return fault(text.len(), RowErrorKind::Truncated);
    }
    fault(
        error.index().min(text.len()),
        RowErrorKind::Syntax(describe(error.error())),
    )
}

fn describe(error: &ErrorType) -> &'static str {
    match error {
        ErrorType::ExpectedArrayComma | ErrorType::ExpectedArrayContent => {
            "expected a value, a comma or ] in an array"
        }
        ErrorType::ExpectedMapComma | ErrorType::ExpectedMapEnd => "expected a comma or } in an object",
        ErrorType::ExpectedObjectColon => "expected a colon behind a key",
        ErrorType::ExpectedObjectContent | ErrorType::ExpectedObjectKey | ErrorType::KeyMustBeAString => {
            "expected a key in quotes"
        }
        ErrorType::ExpectedNull
        | ErrorType::ExpectedTrue
        | ErrorType::ExpectedFalse
        | ErrorType::ExpectedBoolean => "expected true, false or null",
        ErrorType::InvalidEscape => "invalid escape in a string",
        ErrorType::InvalidUnicodeEscape | ErrorType::InvalidUnicodeCodepoint => {
            "invalid \\u escape in a string"
        }
        ErrorType::InvalidNumber | ErrorType::InvalidExponent | ErrorType::ExpectedNumber => "invalid number",
        ErrorType::UnterminatedString => "unterminated string",
        ErrorType::TrailingData => "data behind the value",
        ErrorType::Eof => "the text ends inside a value",
        ErrorType::UnexpectedCharacter => "unexpected character",
        _ => "not JSON",
    }
}

#[cold]
fn fault(byte_offset: usize, kind: RowErrorKind) -> Fault {
    Fault::Row {
        byte_offset,
        node: NodeId::ROOT,
        kind,
    }
}
