//! The demonstration's Avro messages: two versions of a schema, and ten ways to break a message.
//!
//! The bytes are written by hand. That keeps a second Avro library out of the command, and a broken
//! message has to be made byte by byte anyway.

/// The subject's first version.
pub(super) const VERSION_1: &str = r#"{"type": "record", "name": "Order", "namespace": "demo", "fields": [
  {"name": "id", "type": "long"},
  {"name": "customer", "type": "string"},
  {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID", "SENT"]}},
  {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
  {"name": "placed_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
  {"name": "items", "type": {"type": "array", "items": {"type": "record", "name": "Item", "fields": [
    {"name": "sku", "type": "string"}, {"name": "quantity", "type": "int"}]}}},
  {"name": "note", "type": ["null", "string"]}]}"#;

/// The second version has a currency, with a default for orders of the first.
pub(super) const VERSION_2: &str = r#"{"type": "record", "name": "Order", "namespace": "demo", "fields": [
  {"name": "id", "type": "long"},
  {"name": "customer", "type": "string"},
  {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID", "SENT"]}},
  {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
  {"name": "currency", "type": "string", "default": "EUR"},
  {"name": "placed_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
  {"name": "items", "type": {"type": "array", "items": {"type": "record", "name": "Item", "fields": [
    {"name": "sku", "type": "string"}, {"name": "quantity", "type": "int"}]}}},
  {"name": "note", "type": ["null", "string"]}]}"#;

/// 2026-01-01T00:00:00Z.
const BEGIN_MS: i64 = 1_767_225_600_000;

/// What is broken about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Defect {
    Empty,
    WrongMagicByte,
    UnknownSchemaId,
    Truncated,
    TrailingBytes,
    BadUtf8,
    BadEnumIndex,
    BadUnionBranch,
    NegativeLength,
    EndlessVarint,
}

impl Defect {
    pub(super) const ALL: [Self; 10] = [
        Self::Empty,
        Self::WrongMagicByte,
        Self::UnknownSchemaId,
        Self::Truncated,
        Self::TrailingBytes,
        Self::BadUtf8,
        Self::BadEnumIndex,
        Self::BadUnionBranch,
        Self::NegativeLength,
        Self::EndlessVarint,
    ];

    /// In a few words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty message",
            Self::WrongMagicByte => "wrong magic byte",
            Self::UnknownSchemaId => "unknown schema id",
            Self::Truncated => "truncated",
            Self::TrailingBytes => "trailing bytes",
            Self::BadUtf8 => "bad UTF-8",
            Self::BadEnumIndex => "bad enum index",
            Self::BadUnionBranch => "bad union branch",
            Self::NegativeLength => "negative length",
            Self::EndlessVarint => "endless varint",
        }
    }
}

/// Writes the message of order `id` into `out`: by the schema `schema_id`, with a currency if it is
/// the second version, and with `defect` if it is to be broken.
pub(super) fn write(id: i64, schema_id: u32, has_currency: bool, defect: Option<Defect>, out: &mut Vec<u8>) {
    out.clear();
    if defect == Some(Defect::Empty) {
        return;
    }
    out.push(if defect == Some(Defect::WrongMagicByte) {
        0x2a
    } else {
        0
    });
    let named = if defect == Some(Defect::UnknownSchemaId) {
        schema_id + 1_000
    } else {
        schema_id
    };
    out.extend_from_slice(&named.to_be_bytes());
    match defect {
        Some(Defect::EndlessVarint) => out.extend_from_slice(&[0xff; 11]),
        _ => long(id, out),
    }
    match defect {
        Some(Defect::BadUtf8) => bytes(b"custom\xffer", out),
        Some(Defect::NegativeLength) => long(-8, out),
        _ => bytes(format!("customer-{}", id % 997).as_bytes(), out),
    }
    long(
        if defect == Some(Defect::BadEnumIndex) {
            7
        } else {
            id % 3
        },
        out,
    );
    bytes(&(amount_cents(id) as i32).to_be_bytes(), out);
    if has_currency {
        bytes([&b"EUR"[..], b"USD", b"JPY"][(id % 3) as usize], out);
    }
    long(BEGIN_MS + id * 250, out);
    items(id, out);
    match defect {
        Some(Defect::BadUnionBranch) => long(5, out),
        _ if id % 3 == 0 => {
            long(1, out);
            bytes(b"gift", out);
        }
        _ => long(0, out),
    }
    match defect {
        Some(Defect::Truncated) => out.truncate(out.len() - 3),
        Some(Defect::TrailingBytes) => out.extend_from_slice(b"\0\0"),
        _ => {}
    }
}

/// The order's amount, in hundredths.
pub(super) fn amount_cents(id: i64) -> i64 {
    100 + id * 37 % 100_000
}

fn items(id: i64, out: &mut Vec<u8>) {
    let count = 1 + id % 2;
    long(count, out);
    for item in 0..count {
        bytes(format!("sku-{}", (id + item) % 100).as_bytes(), out);
        long(1 + item, out);
    }
    long(0, out);
}

fn bytes(value: &[u8], out: &mut Vec<u8>) {
    long(value.len() as i64, out);
    out.extend_from_slice(value);
}

/// A zigzag varint.
fn long(value: i64, out: &mut Vec<u8>) {
    let mut rest = (value << 1 ^ value >> 63) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}
