//! What a decoder is asked to make.

use arrow_schema::SchemaRef;
use sabot_schema::WriterSchema;

use crate::Mapping;

/// What a decoder is asked to make: a schema, a part of it, a mapping to Arrow types, and limits.
///
/// ```
/// use sabot_decode::{EnumType, OutputSchema, Target, WriterSchema};
///
/// let mut target = Target::default();
/// target.output = OutputSchema::Reader(WriterSchema::avro(r#"{"type": "map", "values": "long"}"#));
/// target.mapping.enums = EnumType::Utf8;
/// target.limits.batch_rows = 8192;
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Target {
    /// Where the batches' schema comes from.
    pub output: OutputSchema,
    /// Fields to keep, as paths such as `order.id`; `None` keeps all. Each text is one path, or
    /// several with commas between them. It means the same for every codec:
    ///
    /// - A path keeps everything below it. Lists and maps are passed through, with or without `[]`
    ///   and `{}` (`order.lines[].price`).
    /// - Of a union's branches those are kept that are named (`event<Created>.by`): rows of the
    ///   others keep no more than which branch they are of.
    /// - A name with one of `.,[]{}<>"` in it, or a blank at either end, is in double quotes, in
    ///   which a quote is doubled: `"unit.price".cents`. Blanks around names are ignored. So the
    ///   path in an error can be given here as it is printed.
    /// - The columns come in the order in which paths first name them, and so do the fields of
    ///   structs. A path that keeps a struct whole keeps its fields in the schema's order, a union
    ///   its branches in its own. What is named twice is there once.
    /// - A path that leads nowhere is a [`PlanError`](crate::PlanError), which names the nearest
    ///   fields. Where a schema is inferred from a sample, which cannot tell what may come later, a
    ///   field that the sample lacks is a column of JSON text, as one that was always null is.
    pub projection: Option<Vec<String>>,
    /// With a projection: whether what comes after the last value kept is looked at too. By default
    /// a decoder may stop there, since the rest of a message says nothing about the columns; a
    /// message that is cut off, or goes on, after that value is then a good row.
    pub check_tail: bool,
    /// Which Arrow types to use where there is a choice.
    pub mapping: Mapping,
    /// How much one decoder may use.
    pub limits: Limits,
}

/// Where the batches' schema comes from.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum OutputSchema {
    /// The first writer schema (or, for data without one, a sample) fixes it.
    #[default]
    FirstWriter,
    /// A reader schema in the codec's own language; writer schemas are resolved onto it.
    Reader(WriterSchema),
    /// An Arrow schema.
    Arrow(SchemaRef),
}

/// How much one decoder may use. A row over a limit is a bad row; a batch over a limit is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Nesting of values within one message.
    pub depth: usize,
    /// Bytes of one message's body.
    pub row_bytes: usize,
    /// Items of all lists and maps of one message together.
    pub row_items: usize,
    /// Rows gathered before the decoder says that it is full.
    pub batch_rows: usize,
    /// Bytes gathered before the decoder says that it is full.
    pub batch_bytes: usize,
    /// Writer schemas remembered. The least recently prepared is forgotten first, and asked for
    /// again at need.
    pub plans: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 64,
            row_bytes: 64 << 20,
            row_items: 1 << 20,
            batch_rows: 1 << 20,
            batch_bytes: 256 << 20,
            plans: 4096,
        }
    }
}
