//! What can be wrong: with a schema, with a row, with the program.
//!
//! They differ in how often they come, and so in what they may cost. A [`RowError`] may come with
//! every message and allocates nothing; a [`PlanError`] comes once a schema and says all there is
//! to say; a [`FlushError`] never should.

use std::error::Error;
use std::fmt;

use thiserror::Error;

use sabot_wire::MessagePath;

use crate::join_path;

/// A node of a decoder's plans: a field, an item, a branch. [`crate::Decoder::field_path`] names
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a number, which only its decoder can read"
)]
pub struct FieldPathId(pub u32);

impl FieldPathId {
    /// The whole message.
    pub const ROOT: Self = Self(0);
}

/// What was wrong with one row. Small and `Copy`: making one allocates nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "every decoder builds one for each bad row"
)]
pub struct RowError {
    /// The row's slot since the last flush.
    pub slot: u32,
    /// Where in the body the fault was noticed, in bytes from its start.
    pub byte_offset: u32,
    /// Which part of the schema was being read.
    pub path: FieldPathId,
    /// What was wrong.
    pub kind: RowErrorKind,
}

/// The ways in which one row can be bad.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum RowErrorKind {
    /// The payload is not framed as its codec expects.
    #[error("{0}")]
    Frame(#[from] sabot_wire::FrameError),
    /// The source of schemas has none under this payload's key.
    #[error("unknown schema id")]
    UnknownSchema,
    /// The writer schema cannot be read, or cannot be resolved onto the batches' schema.
    #[error("the writer schema cannot be used")]
    UnusableSchema,
    /// The payload says that it is a message which its writer schema does not have.
    #[error("the schema has no such message")]
    NoSuchMessage,
    /// The body ends inside a value.
    #[error("the message ends inside a value")]
    Truncated,
    /// Bytes are left after the last value.
    #[error("{0} bytes are left after the last value")]
    TrailingBytes(u32),
    /// A variable-length integer is longer than its type allows.
    #[error("the variable-length integer does not fit its type")]
    VarintOverflow,
    /// A length is negative or beyond the end of the message.
    #[error("the length {0} is negative or exceeds the message")]
    InvalidLength(i64),
    /// A string is not UTF-8.
    #[error("the string is not valid UTF-8")]
    InvalidUtf8,
    /// A boolean is neither 0 nor 1.
    #[error("the byte {0:#04x} is not a boolean")]
    InvalidBoolean(u8),
    /// A union's branch index is out of range.
    #[error("the union has no branch {0}")]
    InvalidUnionIndex(i64),
    /// An enum's symbol index is out of range.
    #[error("the enum has no symbol {0}")]
    InvalidEnumIndex(i64),
    /// The writer's enum symbol, or union branch, has no counterpart in the reader schema.
    #[error("the written value has no counterpart in the reader schema")]
    Unresolvable,
    /// A decimal has more digits than its precision.
    #[error("the decimal does not fit its precision")]
    DecimalOverflow,
    /// A number does not fit its column's type.
    #[error("the number does not fit the column's type")]
    NumberOutOfRange,
    /// Text could not be read as the column's type, for example as a date or a UUID.
    #[error("the text cannot be read as the column's type")]
    InvalidText,
    /// The value is of another type than its column.
    #[error("expected {expected}, found {found}")]
    TypeMismatch {
        /// What the column takes.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// Text is not well-formed.
    #[error("malformed: {0}")]
    Syntax(&'static str),
    /// A value is null or missing where the column does not allow it.
    #[error("a required value is missing")]
    MissingValue,
    /// A fixed-size payload has another size.
    #[error("expected {expected} bytes, found {found}")]
    WrongSize {
        /// Bytes of the type.
        expected: u32,
        /// Bytes of the payload.
        found: u32,
    },
    /// A limit of the target is exceeded.
    #[error("the message exceeds the limit of {0}")]
    LimitExceeded(&'static str),
}

/// A schema that cannot be used, and where in it the fault is.
///
/// ```
/// use sabot_decode::PlanError;
///
/// let error = PlanError::new("a field without a type").within("price").within("[]").within("items");
/// assert_eq!(error.field_path(), "items[].price");
/// assert_eq!(error.to_string(), "field items[].price: a field without a type");
/// ```
#[derive(Debug)]
pub struct PlanError(Box<PlanFault>);

#[derive(Debug)]
struct PlanFault {
    /// Path segments, innermost first: they are added while the error unwinds.
    path: Vec<String>,
    message: String,
    row_kind: RowErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl PlanError {
    /// A fault at the place where it is found.
    #[cold]
    pub fn new(message: impl Into<String>) -> Self {
        Self(Box::new(PlanFault {
            path: Vec::new(),
            message: message.into(),
            row_kind: RowErrorKind::UnusableSchema,
            source: None,
        }))
    }

    /// A schema that may be good, but has not the message at `path` that a payload claims to be.
    ///
    /// ```
    /// use sabot_decode::{MessagePath, PlanError, RowErrorKind};
    ///
    /// let error = PlanError::no_such_message(MessagePath::FIRST);
    /// assert_eq!(error.to_string(), "the schema has no message [0]");
    /// assert_eq!(error.row_kind(), RowErrorKind::NoSuchMessage);
    /// ```
    #[cold]
    #[must_use]
    pub fn no_such_message(path: MessagePath<'_>) -> Self {
        let mut error = Self::new(format!("the schema has no message {path}"));
        error.0.row_kind = RowErrorKind::NoSuchMessage;
        error
    }

    /// What is wrong with each payload that has this schema, and is this message of it.
    #[must_use]
    pub fn row_kind(&self) -> RowErrorKind {
        self.0.row_kind
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds the enclosing segment of the path: `[]` for items, `{}` for map values, and of fields
    /// and branches what [`field_segment`](crate::field_segment) and
    /// [`branch_segment`](crate::branch_segment) make of their names.
    #[must_use]
    pub fn within(mut self, segment: impl Into<String>) -> Self {
        self.0.path.push(segment.into());
        self
    }

    /// The field path, outermost first, such as `order.items[].price`; empty for the schema as a
    /// whole.
    #[must_use]
    pub fn field_path(&self) -> String {
        join_path(self.0.path.iter().rev())
    }

    /// What is wrong, without the path.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.field_path();
        if !path.is_empty() {
            write!(f, "field {path}: ")?;
        }
        f.write_str(&self.0.message)?;
        self.0
            .source
            .as_ref()
            .map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}

impl Error for PlanError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

/// Columns that do not fit together: a fault of the program, never of a message.
#[derive(Debug, Error)]
#[error("columns could not be assembled")]
#[expect(clippy::exhaustive_structs, reason = "it says only what Arrow said")]
pub struct FlushError(#[from] pub arrow_schema::ArrowError);
