//! Writes that wait, where a block comes to a column in another order than that of its rows.
//!
//! Columns are appended to in order. A block engine does not always come in order: it reads the
//! items of lists in rounds, the branches of a union one after the other, and the writer schemas of
//! a mixed block one after the other. Numbers can go to their places all the same, but a string
//! cannot be put between two others, nor a list.
//!
//! So the positions that several groups of rows share are an [`Extent`] that is *shared*. While it
//! is, whoever comes notes in [`DeferredWrites`] what it would append:
//!
//! - of a string, where it is in the arena;
//! - of anything that has values of its own below it, or that only the row engine reads: where it
//!   begins and ends, and which step of which plan reads it. It is skipped for now and read later,
//!   so twice, which is the price of reading it together with others then.
//!
//! [`DeferredReader::finish`] appends all of it once everybody has been there.
//!
//! # Example
//!
//! Four rows of a union of a string and a long, of which the rows are: `"a"`, 7, 8, `"b"`. The
//! columns of the output are a text and a number, each of which is null in the rows of the other
//! branch.
//!
//! 1. The extent has the positions 0 to 3, and is shared by both branches.
//! 2. The string branch comes with rows 0 and 3. It notes two spans for the text column:
//!    `[0] = "a"`, `[3] = "b"`.
//! 3. The long branch comes with rows 1 and 2, and writes `[0, 7, 8, 0]`: numbers need no note.
//! 4. `finish` appends four spans to the text column in one go: `"a"`, nothing, nothing, `"b"`.
//!
//! # Invariants
//!
//! - A column has either strings or values deferred, never both in one extent: which of them
//!   follows from its steps.
//! - Positions that nobody comes to become nulls, or placeholders.
//! - What is deferred of a column is taken before its extent ends. Only a block that could not go
//!   on leaves something, and the next one begins with [`DeferredWrites::clear`].

use sabot_columns::{Columns, Layout, NodeIx, NodeKind, Overflow, Span};

use crate::{BLOCK_ROWS, Extent};

/// What was deferred, by column.
#[derive(Debug, Default)]
pub struct DeferredWrites {
    columns: Vec<ColumnWrites>,
    /// Whether a block ended before all was taken.
    is_left_over: bool,
}

/// What was deferred of one column.
#[derive(Debug, Default)]
struct ColumnWrites {
    /// Where its strings are, by position.
    spans: Vec<Span>,
    /// Whether the strings have to be UTF-8.
    is_text: bool,
    /// The values that were skipped, by position.
    values: Vec<DeferredValue>,
    /// Whether some step defers the values of this column, so that all have to. That follows from
    /// the plans, not from messages, and so is kept from block to block.
    is_always_deferred: bool,
}

/// A value that was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a format's block engine builds them")]
pub struct DeferredValue {
    /// Where it begins in the arena.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// The step that reads it.
    pub step: u32,
    /// The position of its plan among the block's.
    pub plan: u8,
    /// Its row in the block.
    pub row: u8,
}

impl DeferredValue {
    /// The step of a position that nobody came to.
    const NO_STEP: u32 = u32::MAX;
    const NOBODY: Self = Self {
        start: 0,
        end: 0,
        step: Self::NO_STEP,
        plan: 0,
        row: 0,
    };

    /// Whether somebody came to this position.
    #[inline]
    #[must_use]
    pub const fn is_some(&self) -> bool {
        self.step != Self::NO_STEP
    }
}

impl DeferredWrites {
    /// Begins a block: forgets what the one before left over, if it could not go on.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.is_left_over) {
            for column in &mut self.columns {
                column.spans.clear();
                column.values.clear();
            }
        }
    }

    /// Remembers that the block ended before all was taken.
    pub fn leave_over(&mut self) {
        self.is_left_over = true;
    }

    /// Whether the values of `column` have to be deferred wherever its extent is shared.
    #[must_use]
    pub fn is_always_deferred(&self, column: NodeIx) -> bool {
        let column = self.columns.get(column.0 as usize);
        column.is_some_and(|column| column.is_always_deferred)
    }

    /// Defers strings of `column`: their positions in the extent, and where they are. `is_text`:
    /// they have to be UTF-8.
    #[inline]
    pub fn strings(
        &mut self,
        column: NodeIx,
        is_text: bool,
        extent: Extent,
        strings: impl Iterator<Item = (u32, Span)>,
    ) {
        let column = self.column(column);
        column.is_text = is_text;
        if column.spans.len() < extent.len {
            column.spans.resize(extent.len, Span::default());
        }
        let spans = &mut column.spans[..extent.len];
        for (to, span) in strings {
            spans[to as usize] = span;
        }
    }

    /// Defers values of `column` that were skipped, with their positions in the extent.
    #[inline]
    pub fn values(
        &mut self,
        column: NodeIx,
        extent: Extent,
        values: impl Iterator<Item = (u32, DeferredValue)>,
    ) {
        let deferred = &mut self.column(column).values;
        if deferred.len() < extent.len {
            deferred.resize(extent.len, DeferredValue::NOBODY);
        }
        for (to, value) in values {
            deferred[to as usize] = value;
        }
    }

    fn column(&mut self, column: NodeIx) -> &mut ColumnWrites {
        let at = column.0 as usize;
        if self.columns.len() <= at {
            self.columns.resize_with(at + 1, ColumnWrites::default);
        }
        &mut self.columns[at]
    }

    /// Whether anything was written to a column, or below it, after `base`.
    fn is_touched(&self, layout: &Layout, columns: &Columns, node: NodeIx, base: usize) -> bool {
        let has = |node: NodeIx, what: fn(&ColumnWrites) -> bool| {
            self.columns.get(node.0 as usize).is_some_and(what)
        };
        if has(node, |column| !column.spans.is_empty()) || columns.len(node) > base {
            return true;
        }
        match &layout.node(node).kind {
            NodeKind::Struct(children) => children.iter().any(|child| {
                has(*child, |column| !column.values.is_empty())
                    || self.is_touched(layout, columns, *child, base)
            }),
            _ => false,
        }
    }
}

/// A block engine that defers writes: what a format adds to [`DeferredReader::finish`].
///
/// `'l` is the life of the columns' layout.
pub trait DeferredReader<'l>: Sized {
    /// Why a block could not go on.
    type Stop: From<Overflow>;

    /// The columns, their layout, and what was deferred.
    fn parts(&mut self) -> (&'l Layout, &mut Columns, &mut DeferredWrites);

    /// Appends strings to a column. Those that are no UTF-8, where `is_text` asks for it, lose
    /// their rows.
    ///
    /// # Errors
    ///
    /// Where the block cannot go on.
    fn append_strings(&mut self, column: NodeIx, is_text: bool, spans: &[Span]) -> Result<(), Self::Stop>;

    /// Reads values of one step of one plan, of which there are at most [`BLOCK_ROWS`]. At some
    /// positions there may be [none](DeferredValue::is_some).
    ///
    /// # Errors
    ///
    /// Where the block cannot go on.
    fn read_together(&mut self, values: &[DeferredValue], extent: Extent) -> Result<(), Self::Stop>;

    /// Reads one value, into an extent of one position.
    ///
    /// # Errors
    ///
    /// Where the block cannot go on.
    fn read_alone(&mut self, value: DeferredValue, extent: Extent) -> Result<(), Self::Stop>;

    /// What to say where values were not deferred by all who came to a column. They are from now
    /// on.
    fn out_of_order() -> Self::Stop;

    /// Brings a column and all below it to the end of a shared extent, now that everybody has been
    /// there: with what was deferred, and with nulls where nobody came.
    ///
    /// # Errors
    ///
    /// Where the block cannot go on.
    fn finish(&mut self, node: NodeIx, extent: Extent) -> Result<(), Self::Stop> {
        let (layout, columns, deferred) = self.parts();
        let column = deferred.column(node);
        if !column.values.is_empty() {
            let mut values = std::mem::take(&mut column.values);
            if deferred.is_touched(layout, columns, node, extent.base) {
                // Some step wrote to the column where another deferred: what was deferred would
                // have to go between.
                deferred.column(node).is_always_deferred = true;
                return Err(Self::out_of_order());
            }
            values.resize(extent.len, DeferredValue::NOBODY);
            self.read_deferred(node, &values, extent)?;
            // The vector is put back for its room.
            values.clear();
            self.parts().2.column(node).values = values;
            return Ok(());
        }
        if !column.spans.is_empty() {
            let (mut spans, is_text) = (std::mem::take(&mut column.spans), column.is_text);
            spans.resize(extent.len, Span::default());
            self.append_strings(node, is_text, &spans)?;
            spans.clear();
            self.parts().2.column(node).spans = spans;
            return Ok(());
        }
        match &layout.node(node).kind {
            NodeKind::Struct(children) => {
                if let Some(validity) = layout.node(node).validity {
                    columns.validity[validity].grow(extent.end());
                }
                children.iter().try_for_each(|child| self.finish(*child, extent))
            }
            _ => Ok(columns.pad(node, extent.end())?),
        }
    }

    /// Reads what was skipped, up to [`BLOCK_ROWS`] values at once where one step reads all of
    /// them.
    ///
    /// # Errors
    ///
    /// Where the block cannot go on.
    fn read_deferred(
        &mut self,
        node: NodeIx,
        values: &[DeferredValue],
        extent: Extent,
    ) -> Result<(), Self::Stop> {
        for (at, chunk) in values.chunks(BLOCK_ROWS).enumerate() {
            let extent = Extent::new(extent.base + at * BLOCK_ROWS, chunk.len());
            let mut present = chunk.iter().filter(|value| value.is_some());
            let Some(first) = present.next() else {
                self.parts().1.pad(node, extent.end())?;
                continue;
            };
            if present.all(|value| (value.step, value.plan) == (first.step, first.plan)) {
                self.read_together(chunk, extent)?;
                continue;
            }
            // Of several steps, one after the other, since each appends to the same columns.
            for (at, value) in chunk.iter().enumerate() {
                let extent = Extent::new(extent.base + at, 1);
                if value.is_some() {
                    self.read_alone(*value, extent)?;
                } else {
                    self.parts().1.pad(node, extent.end())?;
                }
            }
        }
        Ok(())
    }
}
