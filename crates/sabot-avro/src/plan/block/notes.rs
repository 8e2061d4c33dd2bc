//! What lanes leave behind for columns that are appended to in order, where others come to the same columns too: the
//! items of lists in rounds, the branches of a union, the writer schemas of a mixed block.
//!
//! A string's place in the arena is noted, and all are appended once everybody has been there. Steps that have more below
//! them, or that only the row engine knows, are stepped over at first, and run when the order of their values is known.
//! They are read twice, which is the price of running them for many rows at once.

use sabot_columns::{NodeIx, NodeKind, Span};
use sabot_cursor::PackedSpan;

use super::lanes::{Extent, LANES, Lanes};
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
    deferred: Vec<Deferred>,
    /// Whether lists of this column came in several blocks when they were scanned last, or seem to.
    pub(super) has_several_blocks: bool,
    /// Whether some step defers values of this column, so that all have to. That follows from the plans, not from messages.
    pub(super) is_deferred: bool,
}

/// A value that was stepped over.
#[derive(Debug, Clone, Copy)]
struct Deferred {
    start: u32,
    end: u32,
    /// The step that takes it; [`Deferred::NONE`] where nobody came.
    pc: u32,
    plan: u8,
    row: u8,
}

impl Deferred {
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
            note.deferred.clear();
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
        extent: Extent,
    ) {
        let note = self.notes.node(self.plan.sites[pc].column);
        note.kind = Some(self.plan.ops[pc].kind);
        if note.spans.len() < extent.len {
            note.spans.resize(extent.len, Span::default());
        }
        let noted = &mut note.spans[..extent.len];
        for (to, span) in lanes.to.iter().zip(spans).take(lanes.len()) {
            noted[*to as usize] = unpack(*span);
        }
    }

    /// Steps over a value, and notes who is to take it.
    pub(super) fn defer(&mut self, pc: usize, lanes: &mut Lanes, extent: Extent) {
        let (site, starts) = (&self.plan.sites[pc], lanes.read.at);
        // The items are counted when they are taken.
        let items_left = (self.items_left, self.items_left_each);
        if let Some(SkipSite { step, is_in_default }) = site.skip {
            self.skip_step(is_in_default, step, lanes, self.plan.depth());
        }
        (self.items_left, self.items_left_each) = items_left;
        let deferred = &mut self.notes.node(site.column).deferred;
        if deferred.len() < extent.len {
            deferred.resize(extent.len, Deferred::NOBODY);
        }
        for lane in (0..lanes.len()).filter(|lane| lanes.is_within(*lane)) {
            deferred[lanes.to[lane] as usize] = Deferred {
                start: starts[lane],
                end: lanes.read.at[lane],
                pc: pc as u32,
                plan: self.plan_at,
                row: lanes.row[lane],
            };
        }
    }

    /// Brings a column and all below it to the end of a shared extent, now that everybody has been there: with what was
    /// noted, and with nulls where nobody came.
    pub(super) fn finish(&mut self, node: NodeIx, extent: Extent) -> Result<(), Stuck> {
        if !self.notes.node(node).deferred.is_empty() {
            self.check_deferred(node, extent)?;
            let note = self.notes.node(node);
            let mut deferred = std::mem::take(&mut note.deferred);
            deferred.resize(extent.len, Deferred::NOBODY);
            self.take_deferred(node, &deferred, extent)?;
            deferred.clear();
            self.notes.node(node).deferred = deferred;
            return Ok(());
        }
        let note = self.notes.node(node);
        if !note.spans.is_empty() {
            let mut spans = std::mem::take(&mut note.spans);
            spans.resize(extent.len, Span::default());
            self.take_strings(node, &spans)?;
            spans.clear();
            self.notes.node(node).spans = spans;
            return Ok(());
        }
        let layout = self.layout;
        match &layout.node(node).kind {
            NodeKind::Struct(children) => {
                if let Some(validity) = layout.node(node).validity {
                    self.columns.validity[validity].grow(extent.end());
                }
                children.iter().try_for_each(|child| self.finish(*child, extent))
            }
            _ => Ok(self.columns.pad(node, extent.end())?),
        }
    }

    /// What was deferred cannot be put between what others have written already. Next time they defer it too.
    fn check_deferred(&mut self, node: NodeIx, extent: Extent) -> Result<(), Stuck> {
        if self.is_touched(node, extent.base) {
            self.notes.node(node).is_deferred = true;
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
                .any(|child| !self.notes.node(*child).deferred.is_empty() || self.is_touched(*child, base)),
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
                    debug_assert!(row < self.ends.len(), "the string is a message's");
                    self.lost |= 1_u64.checked_shl(row as u32).unwrap_or(0);
                }
            }
        }
        Ok(())
    }

    /// Takes what was stepped over, up to 64 values at once where one step takes all of them.
    fn take_deferred(&mut self, node: NodeIx, deferred: &[Deferred], extent: Extent) -> Result<(), Stuck> {
        let outer = (self.plan, self.plan_at);
        for (at, chunk) in deferred.chunks(LANES).enumerate() {
            let extent = Extent::new(extent.base + at * LANES, chunk.len());
            let mut present = chunk.iter().filter(|value| value.pc != Deferred::NONE);
            let Some(first) = present.next() else {
                self.columns.pad(node, extent.end())?;
                continue;
            };
            if present.all(|value| (value.pc, value.plan) == (first.pc, first.plan)) {
                self.set_plan(first.plan);
                self.take_chunk(first.pc as usize, chunk, extent)?;
            } else {
                self.take_mixed(node, chunk, extent)?;
            }
        }
        (self.plan, self.plan_at) = outer;
        Ok(())
    }

    fn take_chunk(&mut self, pc: usize, chunk: &[Deferred], extent: Extent) -> Result<(), Stuck> {
        let mut lanes = Lanes::new();
        for (to, value) in (0..).zip(chunk).filter(|(_, value)| value.pc != Deferred::NONE) {
            lanes.push(value.start..value.end, to, value.row);
        }
        lanes.is_dense = lanes.len() == extent.len;
        self.run(pc, self.plan.support.next(pc), &mut lanes, extent)?;
        self.lost |= lanes.rows(lanes.read.lost(false));
        Ok(())
    }

    /// Takes values of several steps, one after the other.
    fn take_mixed(&mut self, node: NodeIx, chunk: &[Deferred], extent: Extent) -> Result<(), Stuck> {
        for (at, value) in chunk.iter().enumerate() {
            if value.pc == Deferred::NONE {
                self.columns.pad(node, extent.base + at + 1)?;
                continue;
            }
            self.set_plan(value.plan);
            let mut lanes = Lanes::new();
            lanes.push(value.start..value.end, 0, value.row);
            let extent = Extent::new(extent.base + at, 1);
            let pc = value.pc as usize;
            self.by_rows(pc..self.plan.support.next(pc), &mut lanes, extent)?;
            self.lost |= lanes.rows(lanes.read.lost(false));
        }
        Ok(())
    }
}
