//! A dictionary whose values are found while decoding.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};

/// Values in the order of their first appearance.
#[derive(Debug, Default)]
pub(crate) struct GrowingDictionary {
    keys: HashMap<Arc<str>, i32>,
    values: Vec<Arc<str>>,
    text_bytes: usize,
}

impl GrowingDictionary {
    /// The key of `value`, new or not; `None` where there is no key left.
    pub(crate) fn key(&mut self, value: &str) -> Option<i32> {
        if let Some(&key) = self.keys.get(value) {
            return Some(key);
        }
        let key = i32::try_from(self.values.len()).ok()?;
        let value: Arc<str> = value.into();
        self.text_bytes += value.len();
        self.values.push(Arc::clone(&value));
        self.keys.insert(value, key);
        Some(key)
    }

    /// Takes all values out.
    pub(crate) fn take(&mut self) -> ArrayRef {
        self.keys.clear();
        self.text_bytes = 0;
        Arc::new(StringArray::from_iter_values(self.values.drain(..)))
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        const ENTRY_BYTES: usize = 2 * size_of::<Arc<str>>() + size_of::<i32>();
        self.text_bytes + self.values.len() * ENTRY_BYTES
    }
}
