//! How the place of a value within a schema is written: in errors, and in projections.
//!
//! A path names fields from the outside in, with dots between them; `[]` is the items of a list,
//! `{}` the values of a map, and `<name>` a branch of a union: `order.lines[].price`,
//! `event<Created>.by`. A name that could be taken for something else is in double quotes, and a
//! quote within it is doubled: `"unit.price"`. So a path that an error prints can be given as a
//! projection.

use std::borrow::Cow;

/// Characters that part a path into segments, or a list of paths into paths.
const SPECIAL: [char; 9] = ['.', ',', '[', ']', '{', '}', '<', '>', '"'];

/// Joins the segments of a field path, outermost first: a dot before each field but the first.
///
/// A segment is `[]`, `{}`, or what [`field_segment`] and [`branch_segment`] make of a name.
///
/// ```
/// use sabot_decode::{branch_segment, field_segment, join_path};
///
/// assert_eq!(join_path(["order", "items", "[]", "price"]), "order.items[].price");
/// let segments = [field_segment("unit.price"), branch_segment("n.Eur").into(), field_segment("cents")];
/// assert_eq!(join_path(segments), r#""unit.price"<n.Eur>.cents"#);
/// ```
#[must_use]
pub fn join_path<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> String {
    let mut path = String::new();
    for segment in segments {
        let segment = segment.as_ref();
        if !path.is_empty() && !segment.starts_with(['[', '{', '<']) {
            path.push('.');
        }
        path.push_str(segment);
    }
    path
}

/// A field's name as a segment of a path: in quotes where it needs them.
///
/// ```
/// use sabot_decode::field_segment;
///
/// assert_eq!(field_segment("price"), "price");
/// assert_eq!(field_segment("unit.price"), r#""unit.price""#);
/// assert_eq!(field_segment(r#"12" disk"#), r#""12"" disk""#);
/// ```
#[must_use]
pub fn field_segment(name: &str) -> Cow<'_, str> {
    quoted(name, &SPECIAL)
}

/// The name of a union's branch as a segment of a path: `<name>`. The dots of a full name need no
/// quotes.
#[must_use]
pub fn branch_segment(name: &str) -> String {
    format!("<{}>", quoted(name, &SPECIAL[1..]))
}

fn quoted<'n>(name: &'n str, special: &[char]) -> Cow<'n, str> {
    let is_plain = !name.is_empty() && name.trim() == name && !name.contains(special);
    if is_plain {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("\"{}\"", name.replace('"', "\"\"")))
    }
}
