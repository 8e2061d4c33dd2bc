//! The names of the extension types that codecs give to columns, and look for in a given schema.
//!
//! Arrow's canonical extension types say in a field's metadata what its storage stands for. All
//! codecs have to spell them alike, so that a column of one can be read back by another.

use arrow_schema::Field;
use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;

/// 16 bytes that are a UUID.
pub const UUID: &str = "arrow.uuid";
/// Text that is JSON.
pub const JSON: &str = "arrow.json";

/// The name of a field's extension type, if it has one.
///
/// ```
/// use arrow_schema::{DataType, Field};
/// use sabot_codec::extension;
///
/// let note = Field::new("note", DataType::Utf8, true);
/// assert_eq!(extension::name(&note), None);
/// let json = note.with_metadata([extension::entry(extension::JSON)].into());
/// assert_eq!(extension::name(&json), Some("arrow.json"));
/// ```
#[must_use]
pub fn name(field: &Field) -> Option<&str> {
    field.metadata().get(EXTENSION_TYPE_NAME_KEY).map(String::as_str)
}

/// The entry of a field's metadata that gives it the extension type `name`.
#[must_use]
pub fn entry(name: &str) -> (String, String) {
    (EXTENSION_TYPE_NAME_KEY.to_owned(), name.to_owned())
}
