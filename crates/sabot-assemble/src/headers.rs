//! The `_headers` column while it gathers.

use std::sync::{Arc, OnceLock};

use arrow_array::builder::NullBufferBuilder;
use arrow_array::types::{BinaryType, Utf8Type};
use arrow_array::{ArrayRef, ListArray, StructArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields};

use sabot_columns::{Overflow, VarBytes};

use crate::Run;
use crate::vectors::take;

/// `List<Struct<key: Utf8, value: Binary>>`, of which values alone may be null.
pub(crate) fn data_type() -> DataType {
    DataType::List(Arc::clone(item()))
}

/// The headers of each row, in order.
#[derive(Debug)]
pub(crate) struct HeaderColumn {
    /// For each row the number of headers up to its end.
    ends: Vec<i32>,
    names: VarBytes<i32>,
    values: VarBytes<i32>,
    has_value: NullBufferBuilder,
}

impl Default for HeaderColumn {
    fn default() -> Self {
        Self {
            ends: Vec::new(),
            names: VarBytes::default(),
            values: VarBytes::default(),
            has_value: NullBufferBuilder::new(0),
        }
    }
}

impl HeaderColumn {
    /// Appends the row of the record at `index`. On an error it may have appended a part, which
    /// [`Self::truncate`] takes back.
    pub(crate) fn push(&mut self, run: &Run<'_>, index: usize) -> Result<(), Overflow> {
        let mut result = Ok(());
        run.visit_headers(index, |name, value| {
            if result.is_ok() {
                result = self.push_header(name, value);
            }
        });
        result?;
        self.ends
            .push(i32::try_from(self.names.len()).map_err(|_| Overflow)?);
        Ok(())
    }

    /// Keeps the first `rows` rows, and nothing of a row that was not appended whole.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        let headers = self.ends.last().map_or(0, |end| *end as usize);
        self.names.truncate(headers);
        self.values.truncate(headers);
        self.has_value.truncate(headers);
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.ends.as_slice())
            + self.names.bytes()
            + self.values.bytes()
            + self.has_value.allocated_size()
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let DataType::Struct(fields) = item().data_type() else {
            unreachable!("the item of the headers' list is a struct");
        };
        let names = self.names.take::<Utf8Type>(None)?;
        let values = self.values.take::<BinaryType>(self.has_value.finish())?;
        let entries = StructArray::try_new(fields.clone(), vec![Arc::new(names), Arc::new(values)], None)?;
        let mut offsets = Vec::with_capacity(self.ends.len() + 1);
        offsets.push(0);
        offsets.append(&mut take(&mut self.ends));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        Ok(Arc::new(ListArray::try_new(
            Arc::clone(item()),
            offsets,
            Arc::new(entries),
            None,
        )?))
    }

    fn push_header(&mut self, name: &[u8], value: Option<&[u8]>) -> Result<(), Overflow> {
        if std::str::from_utf8(name).is_ok() {
            self.names.push(name)?;
        } else {
            let mut escaped = Vec::new();
            write_escaped(name, &mut escaped);
            self.names.push(&escaped)?;
        }
        self.values.push(value.unwrap_or_default())?;
        self.has_value.append(value.is_some());
        Ok(())
    }
}

/// Writes a name that is not UTF-8 as UTF-8, without losing a byte: see
/// [`crate::Metadata::headers`].
#[cold]
fn write_escaped(name: &[u8], to: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for chunk in name.utf8_chunks() {
        for byte in chunk.valid().bytes() {
            to.push(byte);
            if byte == b'\\' {
                to.push(byte);
            }
        }
        for byte in chunk.invalid() {
            to.extend([
                b'\\',
                b'x',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]);
        }
    }
}

fn item() -> &'static FieldRef {
    static ITEM: OnceLock<FieldRef> = OnceLock::new();
    ITEM.get_or_init(|| {
        let fields = Fields::from(vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", DataType::Binary, true),
        ]);
        Arc::new(Field::new_list_field(DataType::Struct(fields), false))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Headers, RunHeaders, RunPart};

    /// The first record has two headers, the second none.
    struct Two;

    impl Headers for Two {
        fn visit(&self, index: usize, each: &mut dyn FnMut(&[u8], Option<&[u8]>)) {
            if index == 0 {
                each(b"a", Some(b"1"));
                each(b"a", None);
            }
        }
    }

    #[test]
    fn names_that_are_not_utf8_keep_every_byte() {
        for (name, expected) in [
            (&b"\xff"[..], r"\xff"),
            (b"a\xc3", r"a\xc3"),
            (b"a\\b\x80c", r"a\\b\x80c"),
            (b"\xe2\x82z\xc3\xa9", r"\xe2\x82zé"),
        ] {
            let mut text = Vec::new();
            write_escaped(name, &mut text);
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }

    #[test]
    fn truncating_drops_a_row_begun() {
        let mut column = HeaderColumn::default();
        let run = Run {
            topic: &Arc::from("t"),
            partition: 0,
            offsets: &[0, 1],
            timestamps: None,
            keys: RunPart::NULL,
            values: RunPart::NULL,
            headers: Some(RunHeaders {
                headers: &Two,
                first: 0,
            }),
        };
        column.push(&run, 0).unwrap();
        column.push(&run, 1).unwrap();
        column.push_header(b"b", Some(b"2")).unwrap();
        column.truncate(2);
        column.push(&run, 0).unwrap();
        column.truncate(5);
        let array = column.finish().unwrap();
        let expected = {
            let mut column = HeaderColumn::default();
            column.push(&run, 0).unwrap();
            column.push(&run, 1).unwrap();
            column.push(&run, 0).unwrap();
            column.finish().unwrap()
        };
        assert_eq!(&array, &expected);
        assert_eq!(array.len(), 3);
        assert_eq!(column.bytes(), HeaderColumn::default().bytes());
    }
}
