//! What lanes leave behind for columns that are appended to in order, where others come to the same columns too: the
//! items of lists in rounds, the branches of a union, the writer schemas of a mixed block.
//!
//! A string's place in the arena is noted, and all are appended once everybody has been there. Steps that have more below
//! them, or that only the row engine knows, are stepped over at first, and run when the order of their values is known.
//! They are read twice, which is the price of running them for many rows at once.

use sabot_arrow::{NodeIx, NodeKind, Span};
use sabot_cursor::PackedSpan;

use super::lanes::{Frame, LANES, Lanes};
use super::values::unpack;
use super::{Block, OpKind, Stuck};
use crate::plan::SkipSite;

/// The notes of all columns, by node.
#[derive(Debug, Default)]
pub(super) struct Notes {
    nodes: Vec<Note>,
    /// Whether a block ended in the midst of things, and left notes behind.
    pub(super) is_dirty: bool,
}

/// What was noted of one column.
#[derive(Debug, Default)]
pub(super) struct Note {
    /// Where its strings lie, by position.
    spans: Vec<Span>,
    /// What kind of step noted them.
    kind: Option<OpKind>,
    /// The values that were stepped over, by position.
    parts: Vec<Part>,
    /// Whether lists of this column came in several blocks when they were scanned last, or seem to.
    pub(super) has_several_blocks: bool,
    /// Whether some step leaves parts of this column, so that all have to. That follows from the plans, not from messages.
    pub(super) is_in_parts: bool,
}

/// A value that was stepped over.
#[derive(Debug, Clone, Copy)]
struct Part {
    start: u32,
    end: u32,
    /// The step that takes it; [`Part::NONE`] where nobody came.
    pc: u32,
    plan: u8,
    row: u8,
}

impl Part {
    const NONE: u32 = u32::MAX;
    const NOBODY: Self = Self {
        start: 0,
        end: 0,
        pc: Self::NONE,
        plan: 0,
        row: 0,
    };
}

impl Notes {
    pub(super) fn node(&mut self, node: NodeIx) -> &mut Note {
        let at = node.0 as usize;
        if self.nodes.len() <= at {
            self.nodes.resize_with(at + 1, Note::default);
        }
        &mut self.nodes[at]
    }

    /// Forgets what a block left behind that could not go on.
    pub(super) fn clear(&mut self) {
        for note in self.nodes.iter_mut().filter(|_| self.is_dirty) {
            note.spans.clear();
            note.parts.clear();
        }
        self.is_dirty = false;
    }
}

impl Block<'_> {
    /// Notes where the strings of a step lie.
    pub(super) fn note_strings(
        &mut self,
        pc: usize,
        lanes: &Lanes,
        spans: &[PackedSpan; LANES],
        frame: Frame,
    ) {
        let note = self.notes.node(self.plan.sites[pc].column);
        note.kind = Some(self.plan.ops[pc].kind);
        if note.spans.len() < frame.len {
            note.spans.resize(frame.len, Span::default());
        }
        let noted = &mut note.spans[..frame.len];
        for (to, span) in lanes.to.iter().zip(spans).take(lanes.len()) {
            noted[*to as usize] = unpack(*span);
        }
    }

    /// Steps over a value, and notes who is to take it.
    pub(super) fn note_parts(&mut self, pc: usize, lanes: &mut Lanes, frame: Frame) {
        let (site, starts) = (&self.plan.sites[pc], lanes.read.at);
        // The items are counted when they are taken.
        let items_left = (self.items_left, self.items_left_each);
        if let Some(SkipSite { step, is_in_default }) = site.skip {
            self.skip_step(is_in_default, step, lanes, self.plan.depth());
        }
        (self.items_left, self.items_left_each) = items_left;
        let parts = &mut self.notes.node(site.column).parts;
        if parts.len() < frame.len {
            parts.resize(frame.len, Part::NOBODY);
        }
        for lane in (0..lanes.len()).filter(|lane| lanes.is_within(*lane)) {
            parts[lanes.to[lane] as usize] = Part {
                start: starts[lane],
                end: lanes.read.at[lane],
                pc: pc as u32,
                plan: self.plan_at,
                row: lanes.row[lane],
            };
        }
    }

    /// Brings a column and all below it to the end of a shared frame, now that everybody has been there: with what was
    /// noted, and with nulls where nobody came.
    pub(super) fn finish(&mut self, node: NodeIx, frame: Frame) -> Result<(), Stuck> {
        if !self.notes.node(node).parts.is_empty() {
            self.check_parts(node, frame)?;
            let note = self.notes.node(node);
            let mut parts = std::mem::take(&mut note.parts);
            parts.resize(frame.len, Part::NOBODY);
            self.take_parts(node, &parts, frame)?;
            parts.clear();
            self.notes.node(node).parts = parts;
            return Ok(());
        }
        let note = self.notes.node(node);
        if !note.spans.is_empty() {
            let mut spans = std::mem::take(&mut note.spans);
            spans.resize(frame.len, Span::default());
            self.take_strings(node, &spans)?;
            spans.clear();
            self.notes.node(node).spans = spans;
            return Ok(());
        }
        let layout = self.layout;
        match &layout.node(node).kind {
            NodeKind::Struct(children) => {
                if let Some(validity) = layout.node(node).validity {
                    self.columns.validity[validity].grow(frame.end());
                }
                children.iter().try_for_each(|child| self.finish(*child, frame))
            }
            _ => Ok(self.columns.pad(node, frame.end())?),
        }
    }

    /// Parts cannot be put between what others have written already. Next time they leave parts too.
    fn check_parts(&mut self, node: NodeIx, frame: Frame) -> Result<(), Stuck> {
        if self.is_touched(node, frame.base) {
            self.notes.node(node).is_in_parts = true;
            return Err(Stuck { row: 0 });
        }
        Ok(())
    }

    /// Whether anything was written to a column, or below it, behind `base`.
    fn is_touched(&mut self, node: NodeIx, base: usize) -> bool {
        if !self.notes.node(node).spans.is_empty() || self.columns.len(node) > base {
            return true;
        }
        let layout = self.layout;
        match &layout.node(node).kind {
            NodeKind::Struct(children) => children
                .iter()
                .any(|child| !self.notes.node(*child).parts.is_empty() || self.is_touched(*child, base)),
            _ => false,
        }
    }

    fn take_strings(&mut self, node: NodeIx, spans: &[Span]) -> Result<(), Stuck> {
        let kind = self.notes.node(node).kind.unwrap_or(OpKind::Bytes);
        if !self.append_strings(kind, node, spans)? {
            let source = self.arena.window().padded();
            for span in spans {
                if std::str::from_utf8(span.of(source)).is_err() {
                    // The messages lie one behind the other. A default, which lies behind all of them, is never wrong.
                    let row = self.ends.partition_point(|end| *end <= span.start);
                    self.lost |= 1_u64.checked_shl(row as u32).unwrap_or(0);
                }
            }
        }
        Ok(())
    }

    /// Takes what was stepped over, up to 64 values at once where one step takes all of them.
    fn take_parts(&mut self, node: NodeIx, parts: &[Part], frame: Frame) -> Result<(), Stuck> {
        let outer = (self.plan, self.plan_at);
        for (at, chunk) in parts.chunks(LANES).enumerate() {
            let frame = Frame::new(frame.base + at * LANES, chunk.len());
            let mut present = chunk.iter().filter(|part| part.pc != Part::NONE);
            let Some(first) = present.next() else {
                self.columns.pad(node, frame.end())?;
                continue;
            };
            if present.all(|part| (part.pc, part.plan) == (first.pc, first.plan)) {
                self.set_plan(first.plan);
                self.take_chunk(first.pc as usize, chunk, frame)?;
            } else {
                self.take_mixed(node, chunk, frame)?;
            }
        }
        (self.plan, self.plan_at) = outer;
        Ok(())
    }

    fn take_chunk(&mut self, pc: usize, chunk: &[Part], frame: Frame) -> Result<(), Stuck> {
        let mut lanes = Lanes::new();
        for (to, part) in (0..).zip(chunk).filter(|(_, part)| part.pc != Part::NONE) {
            lanes.push(part.start..part.end, to, part.row);
        }
        lanes.is_dense = lanes.len() == frame.len;
        self.run(pc, self.plan.support.next(pc), &mut lanes, frame)?;
        self.lost |= lanes.rows(lanes.read.lost(false));
        Ok(())
    }

    /// Takes values of several steps, one after the other.
    fn take_mixed(&mut self, node: NodeIx, chunk: &[Part], frame: Frame) -> Result<(), Stuck> {
        for (at, part) in chunk.iter().enumerate() {
            if part.pc == Part::NONE {
                self.columns.pad(node, frame.base + at + 1)?;
                continue;
            }
            self.set_plan(part.plan);
            let mut lanes = Lanes::new();
            lanes.push(part.start..part.end, 0, part.row);
            let frame = Frame::new(frame.base + at, 1);
            let pc = part.pc as usize;
            self.by_rows(pc..self.plan.support.next(pc), &mut lanes, frame)?;
            self.lost |= lanes.rows(lanes.read.lost(false));
        }
        Ok(())
    }
}
