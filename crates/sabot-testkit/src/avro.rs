//! Avro by hand: what the body of a message is put together from, and a schema's text.
//!
//! ```
//! use sabot_testkit::avro::{cat, long, sized};
//!
//! // An int, a string, and an array of one item.
//! let body = cat(&[&long(-1), &sized("ab"), &long(1), &long(7), &long(0)]);
//! assert_eq!(body, [1, 4, b'a', b'b', 2, 14, 0]);
//! ```

/// A zigzag varint: an int, a long, a branch, a symbol or a count.
#[must_use]
pub fn long(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// A length and its bytes: a string or bytes.
#[must_use]
pub fn sized(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [&long(bytes.len() as i64), bytes].concat()
}

/// One after another.
#[must_use]
pub fn cat(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// The schema of a primitive type with a logical type.
#[must_use]
pub fn logical(base: &str, name: &str) -> String {
    format!(r#"{{"type": "{base}", "logicalType": "{name}"}}"#)
}

/// The schema of an array.
#[must_use]
pub fn array(item: &str) -> String {
    format!(r#"{{"type": "array", "items": {item}}}"#)
}

/// The schema of a map.
#[must_use]
pub fn map(value: &str) -> String {
    format!(r#"{{"type": "map", "values": {value}}}"#)
}

/// The schema of an optional value, null first.
#[must_use]
pub fn nullable(ty: &str) -> String {
    format!(r#"["null", {ty}]"#)
}
