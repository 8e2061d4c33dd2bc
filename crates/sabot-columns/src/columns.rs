//! Columns that are written by appending, and truncated to any row.
//!
//! All values of a decoder are in typed arrays, addressed by position: a plan's step is a kind and
//! a position, never a pointer. No lengths are saved for a rollback: [`Columns::truncate`] derives
//! the lengths of strings and children from the offsets. The trade-off is that the fields are
//! public and codecs must append to a node's whole subtree consistently; what they get wrong shows
//! at [`Columns::finish`], as an error.

mod arrays;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::{IntervalMonthDayNano, i256};
use sabot_decode::FlushError;

use crate::pool::BufferPool;
use crate::{Bits, FixedBytes, Layout, NodeIx, NodeKind, Offsets, Overflow, UnionRows, VarBytes, Views};

/// The columns of one decoder, one typed array of columns for each storage type.
///
/// A row is appended by appending one value to every root node's subtree, then calling
/// [`Columns::end_row`].
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_schema::{DataType, Field, Schema};
/// use sabot_columns::{Columns, Layout, NodeKind};
///
/// let schema = Arc::new(Schema::new(vec![
///     Field::new("id", DataType::Int64, false),
///     Field::new("note", DataType::Utf8, true),
/// ]));
/// let mut columns = Columns::new(Arc::new(Layout::new(&schema)?));
/// let note = Arc::clone(columns.layout()).node(columns.layout().roots()[1]).clone();
/// let (NodeKind::Bytes(texts), Some(validity)) = (note.kind, note.validity) else { unreachable!() };
///
/// columns.i64s[0].push(7);
/// columns.validity[validity].push(true);
/// columns.bytes[texts].push(b"seven")?;
/// columns.end_row();
/// // Half a row, taken back.
/// columns.i64s[0].push(8);
/// columns.rollback();
///
/// assert_eq!(columns.finish()?.num_rows(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "the fields are named for what they store; NodeKind says which types that serves"
)]
pub struct Columns {
    layout: Arc<Layout>,
    rows: usize,
    /// The values of the dictionaries, by the keys' column in `i32s`.
    dictionaries: Vec<Option<ArrayRef>>,
    pool: BufferPool,
    /// Bytes that the codec holds for these rows outside of the columns, such as the values of a
    /// dictionary that grows. They count as buffered; [`Columns::finish`] sets this to 0.
    pub outside_bytes: usize,
    pub validity: Vec<Bits>,
    /// Lengths of the columns of nulls.
    pub nulls: Vec<usize>,
    pub bools: Vec<Bits>,
    pub i8s: Vec<Vec<i8>>,
    pub i16s: Vec<Vec<i16>>,
    pub i32s: Vec<Vec<i32>>,
    pub i64s: Vec<Vec<i64>>,
    pub u8s: Vec<Vec<u8>>,
    pub u16s: Vec<Vec<u16>>,
    pub u32s: Vec<Vec<u32>>,
    pub u64s: Vec<Vec<u64>>,
    pub f32s: Vec<Vec<f32>>,
    pub f64s: Vec<Vec<f64>>,
    pub i128s: Vec<Vec<i128>>,
    pub i256s: Vec<Vec<i256>>,
    pub intervals: Vec<Vec<IntervalMonthDayNano>>,
    pub bytes: Vec<VarBytes<i32>>,
    pub large_bytes: Vec<VarBytes<i64>>,
    pub views: Vec<Views>,
    pub fixed: Vec<FixedBytes>,
    pub lists: Vec<Offsets>,
    pub unions: Vec<UnionRows>,
}

/// Runs one expression on whichever array of primitives a node's values are in.
macro_rules! with_values {
    (ref $columns:expr, $kind:expr, $values:ident => $body:expr, else $($rest:tt)+) => {
        match $kind {
            NodeKind::I8(column) => { let $values = &$columns.i8s[*column]; $body }
            NodeKind::I16(column) => { let $values = &$columns.i16s[*column]; $body }
            NodeKind::I32(column) | NodeKind::Dictionary(column) => { let $values = &$columns.i32s[*column]; $body }
            NodeKind::I64(column) => { let $values = &$columns.i64s[*column]; $body }
            NodeKind::U8(column) => { let $values = &$columns.u8s[*column]; $body }
            NodeKind::U16(column) => { let $values = &$columns.u16s[*column]; $body }
            NodeKind::U32(column) => { let $values = &$columns.u32s[*column]; $body }
            NodeKind::U64(column) => { let $values = &$columns.u64s[*column]; $body }
            NodeKind::F32(column) => { let $values = &$columns.f32s[*column]; $body }
            NodeKind::F64(column) => { let $values = &$columns.f64s[*column]; $body }
            NodeKind::I128(column) => { let $values = &$columns.i128s[*column]; $body }
            NodeKind::I256(column) => { let $values = &$columns.i256s[*column]; $body }
            NodeKind::Interval(column) => { let $values = &$columns.intervals[*column]; $body }
            $($rest)+
        }
    };
    ($columns:expr, $kind:expr, $values:ident => $body:expr, else $($rest:tt)+) => {
        match $kind {
            NodeKind::I8(column) => { let $values = &mut $columns.i8s[*column]; $body }
            NodeKind::I16(column) => { let $values = &mut $columns.i16s[*column]; $body }
            NodeKind::I32(column) | NodeKind::Dictionary(column) => { let $values = &mut $columns.i32s[*column]; $body }
            NodeKind::I64(column) => { let $values = &mut $columns.i64s[*column]; $body }
            NodeKind::U8(column) => { let $values = &mut $columns.u8s[*column]; $body }
            NodeKind::U16(column) => { let $values = &mut $columns.u16s[*column]; $body }
            NodeKind::U32(column) => { let $values = &mut $columns.u32s[*column]; $body }
            NodeKind::U64(column) => { let $values = &mut $columns.u64s[*column]; $body }
            NodeKind::F32(column) => { let $values = &mut $columns.f32s[*column]; $body }
            NodeKind::F64(column) => { let $values = &mut $columns.f64s[*column]; $body }
            NodeKind::I128(column) => { let $values = &mut $columns.i128s[*column]; $body }
            NodeKind::I256(column) => { let $values = &mut $columns.i256s[*column]; $body }
            NodeKind::Interval(column) => { let $values = &mut $columns.intervals[*column]; $body }
            $($rest)+
        }
    };
}
pub(crate) use with_values;

impl Columns {
    /// Empty columns for `layout`.
    #[must_use]
    pub fn new(layout: Arc<Layout>) -> Self {
        let counts = layout.counts.clone();
        Self {
            rows: 0,
            outside_bytes: 0,
            pool: BufferPool::default(),
            dictionaries: vec![None; counts.i32s],
            validity: many(counts.validity),
            nulls: vec![0; counts.nulls],
            bools: many(counts.bools),
            i8s: many(counts.i8s),
            i16s: many(counts.i16s),
            i32s: many(counts.i32s),
            i64s: many(counts.i64s),
            u8s: many(counts.u8s),
            u16s: many(counts.u16s),
            u32s: many(counts.u32s),
            u64s: many(counts.u64s),
            f32s: many(counts.f32s),
            f64s: many(counts.f64s),
            i128s: many(counts.i128s),
            i256s: many(counts.i256s),
            intervals: many(counts.intervals),
            bytes: many(counts.bytes),
            large_bytes: many(counts.large_bytes),
            views: many(counts.views),
            fixed: counts.fixed.into_iter().map(FixedBytes::new).collect(),
            lists: many(counts.lists),
            unions: counts.unions.into_iter().map(UnionRows::new).collect(),
            layout,
        }
    }

    /// The layout.
    #[must_use]
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Rows ended: the checkpoint to which [`Columns::rollback`] goes back.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Gives a dictionary node its values; its keys are positions in them.
    ///
    /// # Panics
    ///
    /// If `node` is not a dictionary.
    pub fn set_dictionary(&mut self, node: NodeIx, values: ArrayRef) {
        let NodeKind::Dictionary(column) = self.layout.node(node).kind else {
            panic!("only a dictionary has dictionary values");
        };
        self.dictionaries[column] = Some(values);
    }

    /// Ends one row: what was appended since the last end is kept.
    #[inline]
    pub fn end_row(&mut self) {
        self.rows += 1;
    }

    /// Ends `count` rows at once.
    #[inline]
    pub fn end_rows(&mut self, count: usize) {
        self.rows += count;
    }

    /// Drops what was appended since the last row's end, however far each column came.
    pub fn rollback(&mut self) {
        self.truncate(self.rows);
    }

    /// Keeps the first `count` rows of what was appended since the last row's end, and drops what
    /// comes after them. The caller ends them.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use arrow_schema::{DataType, Field, Schema};
    /// # use sabot_columns::{Columns, Layout};
    /// # let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false)]));
    /// let mut columns = Columns::new(Arc::new(Layout::new(&schema)?));
    /// columns.i64s[0].push(1);
    /// columns.end_row();
    /// // A block of three rows, the last of which is bad.
    /// columns.i64s[0].extend([2, 3, 4]);
    /// columns.truncate_behind(2);
    /// columns.end_rows(2);
    /// assert_eq!(columns.i64s[0], [1, 2, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn truncate_behind(&mut self, count: usize) {
        let rows = self.rows;
        self.truncate(rows + count);
        self.rows = rows;
    }

    /// Drops every row from `rows` on, and anything appended after them.
    pub fn truncate(&mut self, rows: usize) {
        let layout = Arc::clone(&self.layout);
        for &root in layout.roots() {
            self.truncate_node(&layout, root, rows);
        }
        self.rows = self.rows.min(rows);
    }

    /// Appends a null to every root node, or a placeholder (0, false, empty) where null is not
    /// allowed. The caller ends the row.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if an offset is used up; roll back then.
    pub fn push_null_values(&mut self) -> Result<(), Overflow> {
        let layout = Arc::clone(&self.layout);
        layout
            .roots()
            .iter()
            .try_for_each(|&root| self.push_null_in(&layout, root))
    }

    /// Appends a null to `node` and its subtree, or a placeholder (0, false, empty) where null is
    /// not allowed. A union takes its first branch of type Null, else its first branch.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if an offset is used up; roll back then.
    pub fn push_null(&mut self, node: NodeIx) -> Result<(), Overflow> {
        let layout = Arc::clone(&self.layout);
        self.push_null_in(&layout, node)
    }

    /// Values that `node` has, or its validity has, if that is more; of a struct without validity,
    /// none.
    #[must_use]
    pub fn len(&self, node: NodeIx) -> usize {
        let node = self.layout.node(node);
        let validity = node.validity.map_or(0, |column| self.validity[column].len());
        validity.max(with_values!(ref self, &node.kind, values => values.len(), else
            NodeKind::Null(column) => self.nulls[*column],
            NodeKind::Bool(column) => self.bools[*column].len(),
            NodeKind::Bytes(column) => self.bytes[*column].len(),
            NodeKind::LargeBytes(column) => self.large_bytes[*column].len(),
            NodeKind::Views(column) => self.views[*column].len(),
            NodeKind::Fixed(column) => self.fixed[*column].len(),
            NodeKind::List(column, _) | NodeKind::Map(column, ..) => self.lists[*column].len(),
            NodeKind::Struct(_) => 0,
            NodeKind::Union(column, _) => self.unions[*column].len(),
        ))
    }

    /// Appends nulls to `node` and its subtree, or placeholders, until there are `len`.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use arrow_schema::{DataType, Field, Schema};
    /// # use sabot_columns::{Columns, Layout};
    /// # let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false)]));
    /// let mut columns = Columns::new(Arc::new(Layout::new(&schema)?));
    /// columns.i64s[0].push(7);
    /// columns.pad(columns.layout().roots()[0], 3)?;
    /// assert_eq!(columns.i64s[0], [7, 0, 0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Overflow`] if an offset is used up; roll back then.
    pub fn pad(&mut self, node: NodeIx, len: usize) -> Result<(), Overflow> {
        let layout = Arc::clone(&self.layout);
        self.pad_in(&layout, node, len)
    }

    /// Bytes held in all columns, and outside of them.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        fn primitives<T>(columns: &[Vec<T>]) -> usize {
            columns.iter().map(|values| size_of_val(values.as_slice())).sum()
        }
        let bits = |columns: &[Bits]| columns.iter().map(Bits::bytes).sum::<usize>();
        self.outside_bytes
            + bits(&self.validity)
            + bits(&self.bools)
            + primitives(&self.i8s)
            + primitives(&self.i16s)
            + primitives(&self.i32s)
            + primitives(&self.i64s)
            + primitives(&self.u8s)
            + primitives(&self.u16s)
            + primitives(&self.u32s)
            + primitives(&self.u64s)
            + primitives(&self.f32s)
            + primitives(&self.f64s)
            + primitives(&self.i128s)
            + primitives(&self.i256s)
            + primitives(&self.intervals)
            + self.bytes.iter().map(VarBytes::bytes).sum::<usize>()
            + self.large_bytes.iter().map(VarBytes::bytes).sum::<usize>()
            + self.views.iter().map(Views::bytes).sum::<usize>()
            + self.fixed.iter().map(FixedBytes::bytes).sum::<usize>()
            + self.lists.iter().map(Offsets::bytes).sum::<usize>()
            + self.unions.iter().map(UnionRows::bytes).sum::<usize>()
    }

    /// Hands over all rows as one batch and starts anew, with room for as many again.
    ///
    /// # Errors
    ///
    /// [`FlushError`] if the columns do not fit together, or a string is not UTF-8: a codec's
    /// fault.
    pub fn finish(&mut self) -> Result<RecordBatch, FlushError> {
        self.rollback();
        self.outside_bytes = 0;
        arrays::finish(self)
    }

    fn push_null_in(&mut self, layout: &Layout, ix: NodeIx) -> Result<(), Overflow> {
        let node = layout.node(ix);
        if let Some(column) = node.validity {
            self.validity[column].push(false);
        }
        with_values!(self, &node.kind, values => { values.push(Default::default()); Ok(()) }, else
            NodeKind::Null(column) => { self.nulls[*column] += 1; Ok(()) }
            NodeKind::Bool(column) => { self.bools[*column].push(false); Ok(()) }
            NodeKind::Bytes(column) => self.bytes[*column].push(&[]),
            NodeKind::LargeBytes(column) => self.large_bytes[*column].push(&[]),
            NodeKind::Views(column) => self.views[*column].push(&[]),
            NodeKind::Fixed(column) => { self.fixed[*column].push_zeros(); Ok(()) }
            NodeKind::List(column, _) | NodeKind::Map(column, ..) => self.lists[*column].push(0),
            NodeKind::Struct(children) => {
                children.iter().try_for_each(|&child| self.push_null_in(layout, child))
            }
            NodeKind::Union(column, children) => {
                let is_null = |child: &NodeIx| matches!(layout.node(*child).kind, NodeKind::Null(_));
                let branch = children.iter().position(is_null).unwrap_or(0);
                let Some(&child) = children.get(branch) else { return Ok(()) };
                self.unions[*column].push(branch as i8)?;
                self.push_null_in(layout, child)
            }
        )
    }

    fn pad_in(&mut self, layout: &Layout, ix: NodeIx, len: usize) -> Result<(), Overflow> {
        let node = layout.node(ix);
        if let Some(column) = node.validity {
            self.validity[column].grow(len);
        }
        with_values!(self, &node.kind, values => {
            if values.len() < len {
                values.resize(len, Default::default());
            }
            Ok(())
        }, else
            NodeKind::Null(column) => { self.nulls[*column] = self.nulls[*column].max(len); Ok(()) }
            NodeKind::Bool(column) => { self.bools[*column].grow(len); Ok(()) }
            NodeKind::Bytes(column) => (self.bytes[*column].len()..len).try_for_each(|_| self.bytes[*column].push(&[])),
            NodeKind::LargeBytes(column) => {
                (self.large_bytes[*column].len()..len).try_for_each(|_| self.large_bytes[*column].push(&[]))
            }
            NodeKind::Views(column) => (self.views[*column].len()..len).try_for_each(|_| self.views[*column].push(&[])),
            NodeKind::Fixed(column) => { self.fixed[*column].grow(len); Ok(()) }
            NodeKind::List(column, _) | NodeKind::Map(column, ..) => {
                (self.lists[*column].len()..len).try_for_each(|_| self.lists[*column].push(0))
            }
            NodeKind::Struct(children) => children.iter().try_for_each(|&child| self.pad_in(layout, child, len)),
            NodeKind::Union(column, _) => {
                (self.unions[*column].len()..len).try_for_each(|_| self.push_null_in(layout, ix))
            }
        )
    }

    fn truncate_node(&mut self, layout: &Layout, ix: NodeIx, rows: usize) {
        let node = layout.node(ix);
        if let Some(column) = node.validity {
            self.validity[column].truncate(rows);
        }
        with_values!(self, &node.kind, values => values.truncate(rows), else
            NodeKind::Null(column) => self.nulls[*column] = self.nulls[*column].min(rows),
            NodeKind::Bool(column) => self.bools[*column].truncate(rows),
            NodeKind::Bytes(column) => self.bytes[*column].truncate(rows),
            NodeKind::LargeBytes(column) => self.large_bytes[*column].truncate(rows),
            NodeKind::Views(column) => self.views[*column].truncate(rows),
            NodeKind::Fixed(column) => self.fixed[*column].truncate(rows),
            NodeKind::Struct(children) => {
                children.iter().for_each(|&child| self.truncate_node(layout, child, rows));
            }
            NodeKind::List(column, item) => {
                let items = self.lists[*column].truncate(rows);
                self.truncate_node(layout, *item, items);
            }
            NodeKind::Map(column, key, value) => {
                let items = self.lists[*column].truncate(rows);
                self.truncate_node(layout, *key, items);
                self.truncate_node(layout, *value, items);
            }
            NodeKind::Union(column, children) => {
                self.unions[*column].truncate(rows);
                for (at, &child) in children.iter().enumerate() {
                    let items = self.unions[*column].child_len(at);
                    self.truncate_node(layout, child, items);
                }
            }
        );
    }
}

fn many<T: Default>(count: usize) -> Vec<T> {
    std::iter::repeat_with(T::default).take(count).collect()
}
