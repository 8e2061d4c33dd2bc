//! A decoder of one column, of a name and type at choice: each byte that is not 0xff is a row.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray, UnionArray};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema, SchemaRef, UnionFields, UnionMode};
use sabot_decode::{
    Body, Decoder, FieldPathId, FlushError, MessagePath, Payload, PlanError, Progress, RowError,
    RowErrorKind, SchemaKey, Slots, Stop, WriterSchema,
};

#[derive(Debug)]
pub(crate) struct OneColumn {
    schema: SchemaRef,
    /// Each row's byte and whether it is good.
    rows: Vec<(u8, bool)>,
}

impl OneColumn {
    /// An `Int32` column that is never null.
    pub(crate) fn ints(name: &str) -> Box<dyn Decoder> {
        Self::boxed(Field::new(name, DataType::Int32, false))
    }

    /// A dense union: odd bytes are numbers, even ones strings.
    pub(crate) fn unions(name: &str) -> Box<dyn Decoder> {
        let fields = [
            Field::new("n", DataType::Int32, false),
            Field::new("s", DataType::Utf8, false),
        ];
        let fields = UnionFields::try_new([0, 1], fields).unwrap();
        Self::boxed(Field::new(name, DataType::Union(fields, UnionMode::Dense), false))
    }

    fn boxed(field: Field) -> Box<dyn Decoder> {
        let schema =
            Schema::new_with_metadata(vec![field], [("about".to_owned(), "a test".to_owned())].into());
        Box::new(Self {
            schema: Arc::new(schema),
            rows: Vec::new(),
        })
    }

    fn column(&self) -> ArrayRef {
        let bytes = self.rows.iter().map(|(byte, _)| *byte);
        let DataType::Union(fields, _) = self.schema.field(0).data_type() else {
            return Arc::new(bytes.map(i32::from).collect::<Int32Array>());
        };
        let (mut ids, mut offsets, mut ints, mut strings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for byte in bytes {
            if byte % 2 == 1 {
                ids.push(0);
                offsets.push(ints.len() as i32);
                ints.push(i32::from(byte));
            } else {
                ids.push(1);
                offsets.push(strings.len() as i32);
                strings.push(byte.to_string());
            }
        }
        let children = vec![
            Arc::new(Int32Array::from(ints)) as ArrayRef,
            Arc::new(StringArray::from(strings)),
        ];
        Arc::new(UnionArray::try_new(fields.clone(), ids.into(), Some(offsets.into()), children).unwrap())
    }
}

impl Decoder for OneColumn {
    fn schema(&self) -> Option<&SchemaRef> {
        Some(&self.schema)
    }

    fn prepare_message(
        &mut self,
        _: SchemaKey,
        _: MessagePath<'_>,
        _: &WriterSchema,
    ) -> Result<(), PlanError> {
        Ok(())
    }

    fn decode(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        for row in rows {
            let kind = match row.body {
                Body::Bytes([byte]) if *byte != 0xff => {
                    self.rows.push((*byte, true));
                    continue;
                }
                Body::Bytes(_) => RowErrorKind::InvalidText,
                Body::Refused(kind) => kind,
                Body::Tombstone => {
                    self.rows.push((0, true));
                    continue;
                }
            };
            bad(RowError {
                slot: self.rows.len() as u32,
                byte_offset: 0,
                path: FieldPathId::ROOT,
                kind,
            });
            self.rows.push((0, false));
        }
        Progress {
            taken: rows.len(),
            stop: Stop::Done,
        }
    }

    fn slots(&self) -> usize {
        self.rows.len()
    }

    fn buffered_bytes(&self) -> usize {
        self.rows.len() * 2
    }

    fn flush(&mut self) -> Result<Slots, FlushError> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), vec![self.column()])?;
        let valid: BooleanBuffer = self.rows.drain(..).map(|(_, is_good)| is_good).collect();
        Ok(Slots {
            batch,
            valid: Some(valid),
        })
    }

    fn field_path(&self, _: FieldPathId) -> String {
        String::new()
    }
}
