//! Dictionaries whose values are found while decoding.
//!
//! The values are one after the other, as Arrow wants them, and a table leads from a value's hash
//! to those that have it: a value costs its text and a few words, and none is allocated on its own.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;
use sabot_columns::{ColumnIx, Columns, Layout, NodeIx, NodeKind};

/// Values in the order of their first appearance. Those that were added for a row, or a schema,
/// that turns out bad can be taken back.
///
/// ```
/// use arrow_array::cast::AsArray;
/// use sabot_codec::GrowingDictionary;
///
/// let mut dictionary = GrowingDictionary::new(None);
/// assert_eq!((dictionary.key("red"), dictionary.key("blue"), dictionary.key("red")), (Some(0), Some(1), Some(0)));
/// dictionary.keep();
/// // A row that turns out bad takes its new values along.
/// assert_eq!(dictionary.key("gre"), Some(2));
/// dictionary.rollback();
///
/// let values = dictionary.take()?;
/// assert_eq!(values.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["red", "blue"]);
/// # Ok::<(), arrow_schema::ArrowError>(())
/// ```
#[derive(Debug, Default)]
pub struct GrowingDictionary {
    hasher: RandomState,
    /// The newest value of each hash.
    newest: HashMap<u64, i32>,
    values: Vec<Value>,
    text: Vec<u8>,
    /// Values that belong to good rows.
    kept: usize,
    /// The value that every batch has, under key 0.
    first: Option<&'static str>,
}

/// The growing dictionaries of all columns of a decoder, of which each batch has its own values.
#[derive(Debug, Default)]
pub struct GrowingDictionaries {
    /// By the column of their keys in [`Columns::i32s`].
    by_column: Vec<Option<(NodeIx, GrowingDictionary)>>,
    /// Whether the row at hand asked for a key.
    is_used: bool,
}

impl GrowingDictionaries {
    /// Those of a layout's dictionary columns.
    #[must_use]
    pub fn new(layout: &Layout) -> Self {
        let mut by_column = Vec::new();
        for (column, node) in layout.nodes() {
            let NodeKind::Dictionary(keys) = node.kind else {
                continue;
            };
            // A placeholder's key is 0, and it should mean the same in every batch.
            let first = if node.field.is_nullable() { None } else { Some("") };
            if by_column.len() <= keys {
                by_column.resize_with(keys + 1, || None);
            }
            by_column[keys] = Some((column, GrowingDictionary::new(first)));
        }
        Self {
            by_column,
            is_used: false,
        }
    }

    /// The key of a value in the dictionary whose keys are in this column; `None` where there is no
    /// room for another.
    pub fn key(&mut self, keys: ColumnIx, value: &str) -> Option<i32> {
        self.is_used = true;
        let (_, dictionary) = self.by_column.get_mut(keys)?.as_mut()?;
        dictionary.key(value)
    }

    /// Keeps what the row at hand added, or takes it back if the row is bad.
    pub fn end_row(&mut self, columns: &mut Columns, is_good: bool) {
        if !std::mem::take(&mut self.is_used) {
            return;
        }
        columns.outside_bytes = 0;
        for (_, dictionary) in self.by_column.iter_mut().flatten() {
            if is_good {
                dictionary.keep();
            } else {
                dictionary.rollback();
            }
            columns.outside_bytes += dictionary.bytes();
        }
    }

    /// Gives the columns the values of the batch that ends, and starts anew.
    ///
    /// # Errors
    ///
    /// As [`GrowingDictionary::take`].
    pub fn end_batch(&mut self, columns: &mut Columns) -> Result<(), ArrowError> {
        for (column, dictionary) in self.by_column.iter_mut().flatten() {
            columns.set_dictionary(*column, dictionary.take()?);
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
struct Value {
    /// Where its text ends in the whole.
    end: i32,
    hash: u64,
    /// The value before it with the same hash.
    older: Option<i32>,
}

impl GrowingDictionary {
    /// Without values but for `first`, if there is one.
    #[must_use]
    pub fn new(first: Option<&'static str>) -> Self {
        let mut dictionary = Self {
            first,
            ..Self::default()
        };
        dictionary.add_first();
        dictionary
    }

    /// The key of `value`, new or not; `None` where there is no key left, or no room for its text.
    pub fn key(&mut self, value: &str) -> Option<i32> {
        let hash = self.hasher.hash_one(value);
        let newest = self.newest.get(&hash).copied();
        let mut candidate = newest;
        while let Some(key) = candidate {
            if self.text_of(key as usize) == value.as_bytes() {
                return Some(key);
            }
            candidate = self.values[key as usize].older;
        }
        let key = i32::try_from(self.values.len()).ok()?;
        let end = i32::try_from(self.text.len() + value.len()).ok()?;
        self.text.extend_from_slice(value.as_bytes());
        self.values.push(Value {
            end,
            hash,
            older: newest,
        });
        self.newest.insert(hash, key);
        Some(key)
    }

    /// Keeps what was added.
    pub fn keep(&mut self) {
        self.kept = self.values.len();
    }

    /// Takes back what was added since something was kept last.
    pub fn rollback(&mut self) {
        while self.values.len() > self.kept {
            let Some(value) = self.values.pop() else { return };
            match value.older {
                Some(older) => self.newest.insert(value.hash, older),
                None => self.newest.remove(&value.hash),
            };
        }
        self.text.truncate(self.start(self.kept));
    }

    /// Gives back the room that the values do not take, where they grow rarely.
    pub fn shrink_to_fit(&mut self) {
        self.text.shrink_to_fit();
        self.values.shrink_to_fit();
    }

    /// Takes all values out and leaves room for as many again.
    ///
    /// # Errors
    ///
    /// [`ArrowError`] if the values were no array of strings, which would be a fault of this
    /// dictionary.
    pub fn take(&mut self) -> Result<ArrayRef, ArrowError> {
        let offsets = self.offsets();
        let room = Self {
            newest: HashMap::with_capacity(self.newest.len()),
            values: Vec::with_capacity(self.values.len()),
            text: Vec::with_capacity(self.text.len()),
            first: self.first,
            ..Self::default()
        };
        let text = std::mem::replace(self, room).text;
        self.add_first();
        Ok(Arc::new(StringArray::try_new(
            offsets,
            Buffer::from_vec(text),
            None,
        )?))
    }

    /// All values, which stay: for a dictionary that grows from batch to batch.
    ///
    /// # Errors
    ///
    /// As [`GrowingDictionary::take`].
    pub fn values(&self) -> Result<ArrayRef, ArrowError> {
        let text = Buffer::from_slice_ref(&self.text);
        Ok(Arc::new(StringArray::try_new(self.offsets(), text, None)?))
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        const ENTRY_BYTES: usize = size_of::<Value>() + size_of::<(u64, i32)>();
        self.text.len() + self.values.len() * ENTRY_BYTES
    }

    fn offsets(&self) -> OffsetBuffer<i32> {
        let ends = self.values.iter().map(|value| value.end);
        let offsets: Vec<_> = std::iter::once(0).chain(ends).collect();
        OffsetBuffer::new(ScalarBuffer::from(offsets))
    }

    fn add_first(&mut self) {
        if let Some(first) = self.first {
            self.key(first);
            self.keep();
        }
    }

    fn text_of(&self, key: usize) -> &[u8] {
        &self.text[self.start(key)..self.values[key].end as usize]
    }

    fn start(&self, key: usize) -> usize {
        key.checked_sub(1)
            .map_or(0, |before| self.values[before].end as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::GrowingDictionary;
    use arrow_array::cast::AsArray;
    use std::hash::BuildHasher;

    #[test]
    fn values_of_a_bad_row_are_taken_back() {
        let mut dictionary = GrowingDictionary::new(None);
        assert_eq!((dictionary.key("a"), dictionary.key("")), (Some(0), Some(1)));
        dictionary.keep();
        assert_eq!(
            (dictionary.key("b"), dictionary.key("a"), dictionary.key("c")),
            (Some(2), Some(0), Some(3))
        );
        dictionary.rollback();
        assert_eq!((dictionary.key("c"), dictionary.key("")), (Some(2), Some(1)));
        let values = dictionary.take().unwrap();
        assert_eq!(
            values.as_string::<i32>().iter().flatten().collect::<Vec<_>>(),
            ["a", "", "c"]
        );
        assert_eq!((dictionary.bytes(), dictionary.key("c")), (0, Some(0)));
    }

    #[test]
    fn the_first_value_is_always_there() {
        let mut dictionary = GrowingDictionary::new(Some(""));
        for _ in 0..2 {
            dictionary.key("a");
            dictionary.rollback();
            assert_eq!((dictionary.key("b"), dictionary.key("")), (Some(1), Some(0)));
            assert_eq!(dictionary.take().unwrap().len(), 2);
        }
    }

    #[test]
    fn values_of_one_hash_are_told_apart() {
        let mut dictionary = GrowingDictionary::default();
        for value in ["a", "b", "c"] {
            dictionary.key(value);
        }
        // As if all three had collided.
        let hash = dictionary.hasher.hash_one("x");
        dictionary.newest = [(hash, 2)].into();
        for (at, value) in dictionary.values.iter_mut().enumerate() {
            (value.hash, value.older) = (hash, at.checked_sub(1).map(|older| older as i32));
        }
        dictionary.kept = 2;
        assert_eq!(dictionary.key("x"), Some(3));
        dictionary.rollback();
        assert_eq!(dictionary.newest[&hash], 1);
        assert_eq!(dictionary.key("x"), Some(2));
    }
}
