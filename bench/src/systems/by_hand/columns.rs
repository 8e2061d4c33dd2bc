//! Growing columns, and the arrays that they become.

use std::mem;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, StringArray};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::cursor::{Bad, Cursor};

/// Strings up to so many bytes are copied without a loop.
const SHORT_BYTES: usize = 32;

/// A vector's content, and the same room for the next batch.
pub fn take<T>(values: &mut Vec<T>) -> Vec<T> {
    let capacity = values.capacity();
    mem::replace(values, Vec::with_capacity(capacity))
}

pub fn scalars<T: ArrowNativeType>(values: &mut Vec<T>) -> ScalarBuffer<T> {
    take(values).into()
}

pub fn booleans(values: &mut Vec<bool>) -> ArrayRef {
    Arc::new(BooleanArray::new(bits(values), None))
}

/// Which values are there.
pub fn nulls(present: &mut Vec<bool>) -> Option<NullBuffer> {
    Some(NullBuffer::new(bits(present))).filter(|nulls| nulls.null_count() > 0)
}

fn bits(values: &mut Vec<bool>) -> BooleanBuffer {
    let bits = BooleanBuffer::collect_bool(values.len(), |at| values[at]);
    values.clear();
    bits
}

/// The ends of strings or lists.
pub struct Offsets(Vec<i32>);

impl Default for Offsets {
    fn default() -> Self {
        Self(vec![0])
    }
}

impl Offsets {
    #[inline]
    pub fn push(&mut self, end: usize) -> Result<(), Bad> {
        self.0.push(i32::try_from(end).map_err(|_| Bad::Length)?);
        Ok(())
    }

    pub fn take(&mut self) -> OffsetBuffer<i32> {
        let offsets = take(&mut self.0);
        self.0.push(0);
        OffsetBuffer::new(offsets.into())
    }
}

/// A column of strings.
#[derive(Default)]
pub struct Strings {
    offsets: Offsets,
    values: Vec<u8>,
}

impl Strings {
    #[inline]
    pub fn read(&mut self, body: &mut Cursor<'_>) -> Result<(), Bad> {
        let length = body.length()?;
        let short = body.rest().first_chunk::<SHORT_BYTES>();
        let bytes = body.bytes(length)?;
        match short {
            Some(chunk) if length <= SHORT_BYTES => {
                let end = self.values.len() + length;
                self.values.extend_from_slice(chunk);
                self.values.truncate(end);
            }
            _ => self.values.extend_from_slice(bytes),
        }
        self.offsets.push(self.values.len())
    }

    pub fn push_empty(&mut self) -> Result<(), Bad> {
        self.offsets.push(self.values.len())
    }

    pub fn array(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, String> {
        let values = take(&mut self.values).into();
        let array = StringArray::try_new(self.offsets.take(), values, nulls);
        Ok(Arc::new(array.map_err(|error| error.to_string())?))
    }
}
