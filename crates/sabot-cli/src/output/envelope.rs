//! kcat's `-J`: one JSON object a message, with where it came from, its key and its payload.
//!
//! `{"topic":"t","partition":0,"offset":7,"tstype":"create","ts":1700000000000,"headers":["k","v"],"key":...,"payload":...}`
//!
//! As in kcat, headers are names and values in turn, and absent where there are none. Bytes that
//! are not UTF-8 (in a header, or in a key or value that is not decoded) are `{"base64":"..."}`,
//! where kcat writes broken text. There is no `broker`.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{Array, RecordBatch};
use arrow_schema::ArrowError;

use super::encode::{self, Encoder, RowEncoder};
use super::layout::{Layout, Parts, ValueLayout};
use super::render::Render;

/// Writes messages as envelopes.
#[derive(Debug)]
pub(crate) struct Envelope {
    layout: Layout,
}

impl Envelope {
    pub(crate) fn new(layout: Layout) -> Self {
        Self { layout }
    }
}

impl Render for Envelope {
    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let message = Message::new(&self.layout, batch)?;
        for row in 0..batch.num_rows() {
            envelope(&message, row, out);
        }
        Ok(())
    }
}

/// A batch seen as messages; shared with the `-f` templates.
pub(crate) struct Message<'a> {
    pub(crate) columns: Vec<Encoder<'a>>,
    pub(crate) parts: Parts,
    value: Option<RowEncoder<'a>>,
    has_value: bool,
    batch: &'a RecordBatch,
}

impl<'a> Message<'a> {
    pub(crate) fn new(layout: &Layout, batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let parts = layout.parts(batch);
        let plain = layout.value == ValueLayout::Plain && parts.value.len() == 1;
        let value = if plain {
            None
        } else {
            Some(RowEncoder::new(batch, &parts.value)?)
        };
        Ok(Self {
            columns: encode::columns(batch)?,
            parts,
            value,
            has_value: layout.value != ValueLayout::Hidden,
            batch,
        })
    }

    /// Whether the message's value is null.
    pub(crate) fn is_tombstone(&self, row: usize) -> bool {
        match (self.parts.deleted, &self.value) {
            (Some(at), _) => self.batch.column(at).as_boolean().value(row),
            (None, None) => self.columns[self.parts.value[0]].is_null(row),
            (None, Some(_)) => false,
        }
    }

    /// Appends the value as JSON.
    pub(crate) fn value_json(&self, row: usize, out: &mut Vec<u8>) {
        match &self.value {
            _ if self.is_tombstone(row) => out.extend_from_slice(b"null"),
            Some(object) => object.json(row, out),
            None => self.json(self.parts.value[0], row, out),
        }
    }

    /// Appends the value as text: a plain value bare, a record as JSON, nothing for null.
    pub(crate) fn value_text(&self, row: usize, out: &mut Vec<u8>) {
        match &self.value {
            _ if self.is_tombstone(row) => {}
            Some(object) => object.json(row, out),
            None => self.text(Some(self.parts.value[0]), row, out),
        }
    }

    /// Whether there is no key.
    pub(crate) fn key_is_null(&self, row: usize) -> bool {
        self.parts.key.is_none_or(|key| self.columns[key].is_null(row))
    }

    /// Appends a column as text, bytes as they are; nothing for null.
    pub(crate) fn text(&self, part: Option<usize>, row: usize, out: &mut Vec<u8>) {
        let Some(at) = part else { return };
        match self.bytes(at, row) {
            Some(bytes) => out.extend_from_slice(bytes),
            None => self.columns[at].text(row, out),
        }
    }

    /// Appends a column as JSON, bytes as [`bytes_json`] has them.
    fn json(&self, at: usize, row: usize, out: &mut Vec<u8>) {
        match self.bytes(at, row) {
            Some(bytes) => bytes_json(Some(bytes), out),
            None => self.columns[at].json(row, out),
        }
    }

    /// The bytes of a key or value that is not decoded further.
    fn bytes(&self, at: usize, row: usize) -> Option<&[u8]> {
        let column = self.batch.column(at).as_binary_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    /// Milliseconds since 1970, if the message has a timestamp.
    pub(crate) fn timestamp_ms(&self, row: usize) -> Option<i64> {
        let column = self.batch.column(self.parts.timestamp?);
        let column = column.as_primitive_opt::<TimestampMillisecondType>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    /// Calls `each` with the name and value of every header, in order.
    pub(crate) fn headers(&self, row: usize, mut each: impl FnMut(&str, Option<&[u8]>)) {
        let Some(column) = self.parts.headers else { return };
        let Some(list) = self.batch.column(column).as_list_opt::<i32>() else {
            return;
        };
        if list.is_null(row) {
            return;
        }
        let entries = list.value(row);
        let Some(entries) = entries.as_struct_opt() else {
            return;
        };
        let (Some(names), Some(values)) = (
            entries.column(0).as_string_opt::<i32>(),
            entries.column(1).as_binary_opt::<i32>(),
        ) else {
            return;
        };
        for at in 0..names.len() {
            each(names.value(at), values.is_valid(at).then(|| values.value(at)));
        }
    }
}

fn envelope(message: &Message<'_>, row: usize, out: &mut Vec<u8>) {
    let parts = &message.parts;
    out.push(b'{');
    for (name, part) in [
        ("topic", parts.topic),
        ("partition", parts.partition),
        ("offset", parts.offset),
    ] {
        let Some(at) = part else { continue };
        member(name, out);
        message.json(at, row, out);
    }
    if let Some(ms) = message.timestamp_ms(row) {
        let mut kind = Vec::new();
        message.text(parts.timestamp_type, row, &mut kind);
        member("tstype", out);
        out.extend_from_slice(if kind == b"LogAppendTime" {
            b"\"logappend\""
        } else {
            b"\"create\""
        });
        member("ts", out);
        out.extend_from_slice(ms.to_string().as_bytes());
    }
    let mut headers = 0;
    message.headers(row, |name, value| {
        if headers == 0 {
            member("headers", out);
        }
        out.push(if headers == 0 { b'[' } else { b',' });
        headers += 1;
        encode::quote(name, out);
        out.push(b',');
        bytes_json(value, out);
    });
    if headers > 0 {
        out.push(b']');
    }
    member("key", out);
    match parts.key {
        Some(key) => message.json(key, row, out),
        None => out.extend_from_slice(b"null"),
    }
    if message.has_value {
        member("payload", out);
        message.value_json(row, out);
    }
    out.extend_from_slice(b"}\n");
}

/// Bytes that are UTF-8 as a string, others as `{"base64":"..."}`.
fn bytes_json(value: Option<&[u8]>, out: &mut Vec<u8>) {
    match value.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => out.extend_from_slice(b"null"),
        Some((_, Ok(text))) => encode::quote(text, out),
        Some((bytes, Err(_))) => {
            out.extend_from_slice(b"{\"base64\":\"");
            encode::base64(bytes, out);
            out.extend_from_slice(b"\"}");
        }
    }
}

/// Appends `"name":`, with a comma unless it is the first.
fn member(name: &str, out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}
