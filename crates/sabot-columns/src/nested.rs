//! Where the rows of nested columns begin: lists, maps and dense unions.

use arrow_buffer::{OffsetBuffer, ScalarBuffer};

use crate::Overflow;
use crate::pool::BufferPool;

/// Where each list (or map) of a column ends in its child.
#[derive(Debug)]
pub struct Offsets {
    /// `offsets[n]` is the child's length before list `n`; one more than there are lists.
    offsets: Vec<i32>,
}

impl Default for Offsets {
    fn default() -> Self {
        Self { offsets: vec![0] }
    }
}

impl Offsets {
    /// Lists held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Items in all lists together: the length that the child has between two lists.
    #[inline]
    #[must_use]
    pub fn items(&self) -> usize {
        self.offsets.last().map_or(0, |end| *end as usize)
    }

    /// Ends a list whose items were appended to the child: `items` more than at the end of the list
    /// before.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if a 32-bit offset cannot address them; nothing is appended then.
    #[inline]
    pub fn push(&mut self, items: usize) -> Result<(), Overflow> {
        let end = i32::try_from(self.items() + items).map_err(|_| Overflow)?;
        self.offsets.push(end);
        Ok(())
    }

    /// Ends a list for each of `counts`, whose items are appended to the child by the caller.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if a 32-bit offset cannot address them; nothing is appended then.
    pub fn extend(&mut self, counts: &[u32]) -> Result<(), Overflow> {
        let mut end = self.items();
        let total = counts.iter().map(|count| *count as usize).sum::<usize>();
        i32::try_from(end + total).map_err(|_| Overflow)?;
        self.offsets.extend(counts.iter().map(|count| {
            end += *count as usize;
            end as i32
        }));
        Ok(())
    }

    /// Drops every list from `len` on, and says how many items remain.
    pub fn truncate(&mut self, len: usize) -> usize {
        self.offsets.truncate(len + 1);
        self.items()
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(self.offsets.as_slice())
    }

    pub(crate) fn take(&mut self, pool: &mut BufferPool) -> OffsetBuffer<i32> {
        let offsets = pool.take(&mut self.offsets);
        self.offsets.push(0);
        OffsetBuffer::new(ScalarBuffer::from(offsets))
    }
}

/// Which child each row of a dense union is in, and where.
#[derive(Debug)]
pub struct UnionRows {
    type_ids: Vec<i8>,
    offsets: Vec<i32>,
    /// The children's lengths, by position.
    lengths: Vec<i32>,
}

impl UnionRows {
    pub(crate) fn new(children: usize) -> Self {
        Self {
            type_ids: Vec::new(),
            offsets: Vec::new(),
            lengths: vec![0; children],
        }
    }

    /// Rows held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.type_ids.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.type_ids.is_empty()
    }

    /// Appends a row that is in the child at position `child`, which is also its type id. The
    /// caller appends one value to that child.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if a 32-bit offset cannot address it; nothing is appended then.
    ///
    /// # Panics
    ///
    /// If there is no such child.
    #[inline]
    pub fn push(&mut self, child: i8) -> Result<(), Overflow> {
        let length = &mut self.lengths[child as usize];
        let next = length.checked_add(1).ok_or(Overflow)?;
        self.offsets.push(*length);
        self.type_ids.push(child);
        *length = next;
        Ok(())
    }

    /// Appends a row for each of `children`, as [`UnionRows::push`] does, and gives the places of
    /// their values in them.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if 32-bit offsets cannot address them; nothing is appended then.
    ///
    /// # Panics
    ///
    /// If there is no such child.
    pub fn extend(&mut self, children: &[i8]) -> Result<&[i32], Overflow> {
        let most = self.lengths.iter().max().copied().unwrap_or(0);
        let more = i32::try_from(children.len()).map_err(|_| Overflow)?;
        most.checked_add(more).ok_or(Overflow)?;
        let lengths = &mut self.lengths;
        self.offsets.extend(children.iter().map(|child| {
            let length = &mut lengths[*child as usize];
            *length += 1;
            *length - 1
        }));
        self.type_ids.extend_from_slice(children);
        Ok(&self.offsets[self.offsets.len() - children.len()..])
    }

    /// Drops every row from `len` on.
    pub fn truncate(&mut self, len: usize) {
        for at in (len..self.type_ids.len()).rev() {
            self.lengths[self.type_ids[at] as usize] = self.offsets[at];
        }
        self.type_ids.truncate(len);
        self.offsets.truncate(len);
    }

    /// The length of the child at position `child`.
    #[must_use]
    pub fn child_len(&self, child: usize) -> usize {
        self.lengths[child] as usize
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.type_ids.len() * 5
    }

    pub(crate) fn take(&mut self, pool: &mut BufferPool) -> (ScalarBuffer<i8>, ScalarBuffer<i32>) {
        self.lengths.fill(0);
        let type_ids = pool.take(&mut self.type_ids);
        let offsets = pool.take(&mut self.offsets);
        (ScalarBuffer::from(type_ids), ScalarBuffer::from(offsets))
    }
}
