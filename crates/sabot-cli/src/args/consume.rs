//! The command line of `sabot consume`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::{ConnectionArgs, OutputArgs, RegistryArgs, TypesArgs, at_least, paths};
use crate::offset::OffsetArg;
use crate::output::Template;
use crate::serde::SerdeArg;

/// `sabot consume`.
///
/// With -G, a batch is acknowledged only after its rows are written: to stdout, JSON lines and CSV
/// files once they are flushed; to Parquet, Arrow and JSON array files once the file is finished
/// and has its name (use --rotate-rows to finish files on the way). A process that is killed at any
/// moment loses nothing; it may write some rows twice.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ConsumeArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) decoding: DecodingArgs,
    #[command(flatten)]
    pub(crate) messages: MessageFormatArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What to read.
#[derive(Debug, Args)]
#[command(next_help_heading = "What to read")]
pub(crate) struct SourceArgs {
    /// A topic; ^... is a regular expression. May be repeated, or given without the flag.
    #[arg(short, long = "topic", value_name = "TOPIC")]
    pub(crate) topics: Vec<String>,

    /// Topics, as kcat takes them after -G.
    #[arg(value_name = "TOPIC")]
    pub(crate) more_topics: Vec<String>,

    /// Take every topic as a regular expression.
    #[arg(long)]
    pub(crate) regex: bool,

    /// Only this partition; several with commas between.
    #[arg(short, long = "partition", value_name = "N", value_delimiter = ',', value_parser = at_least(0_i32))]
    pub(crate) partitions: Vec<i32>,

    /// Join this consumer group and commit what was written.
    #[arg(short = 'G', long, value_name = "GROUP", env = "SABOT_GROUP")]
    pub(crate) group: Option<String>,

    /// Where to begin: beginning, end, stored, an offset N, -N before the end of each partition, or
    /// s@TIME; and e@TIME where to end. TIME is in milliseconds since 1970 or RFC 3339. With -G it
    /// is only for partitions where the group has committed nothing. [default: beginning]
    #[arg(short, long = "offset", value_name = "OFFSET", allow_hyphen_values = true, value_parser = OffsetArg::parse)]
    pub(crate) offsets: Vec<OffsetArg>,

    /// Stop at the end of what is there, instead of waiting for more.
    #[arg(short, long)]
    pub(crate) exit: bool,

    /// Stop after so many messages.
    #[arg(short, long, value_name = "N", visible_alias = "limit", value_parser = at_least(1_u64))]
    pub(crate) count: Option<u64>,

    /// The most rows of a batch.
    #[arg(long, value_name = "N", default_value_t = 8192, value_parser = at_least(1_usize))]
    pub(crate) batch_rows: usize,

    /// How long a batch may wait for more rows, in milliseconds. [default: 200; for files 1000]
    #[arg(long, value_name = "MS", value_parser = at_least(0_u64))]
    pub(crate) linger_ms: Option<u64>,
}

/// How to decode.
#[derive(Debug, Args)]
#[command(next_help_heading = "How to decode")]
pub(crate) struct DecodingArgs {
    /// How keys and values are encoded: avro, json, json-registry (JSON with a schema id before it,
    /// as a registry's serialisers write it), string (s), bytes, boolean, short (h), int (i), long
    /// (q), float, double or uuid; with key= or value= before it for one of them alone. [default:
    /// value=avro with a registry, else value=string]
    #[arg(short = 's', long = "serde", value_name = "[key=|value=]SERDE", value_parser = SerdeArg::parse)]
    pub(crate) serdes: Vec<SerdeArg>,

    /// Resolve Avro values onto the schema in this file.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "subject")]
    pub(crate) reader_schema: Option<PathBuf>,

    /// Resolve Avro values onto the latest version of this subject. [default: TOPIC-value, if the
    /// registry has it]
    #[arg(long, value_name = "SUBJECT")]
    pub(crate) subject: Option<String>,

    /// Values carry no schema id: all were written with this one.
    #[arg(long, value_name = "ID", value_parser = at_least(0_u32))]
    pub(crate) schema_id: Option<u32>,

    /// Keep these fields alone, in this order, as paths such as id,customer.name. A name with a dot
    /// or comma in it is in double quotes: '"unit.price",id'.
    #[arg(long, visible_alias = "columns", value_name = "PATHS", value_parser = paths)]
    pub(crate) select: Vec<String>,

    #[command(flatten)]
    pub(crate) types: TypesArgs,

    /// What becomes of a message that cannot be decoded.
    #[arg(long, value_name = "POLICY", default_value = "fail")]
    pub(crate) on_error: OnErrorArg,

    /// kcat's -E: the same as --on-error skip.
    #[arg(short = 'E', hide = true, conflicts_with = "on_error")]
    pub(crate) skip_errors: bool,

    /// The topic for dead letters.
    #[arg(long, value_name = "TOPIC", required_if_eq("on_error", "dlq"))]
    pub(crate) dlq_topic: Option<String>,

    /// What becomes of a message whose value is null.
    #[arg(long, value_name = "POLICY", default_value = "null")]
    pub(crate) tombstones: TombstonesArg,

    /// Metadata columns.
    #[arg(
        long,
        value_name = "COLUMNS",
        value_delimiter = ',',
        default_value = "topic,partition,offset,timestamp"
    )]
    pub(crate) meta: Vec<MetaArg>,

    /// No metadata columns.
    #[arg(long, conflicts_with = "meta")]
    pub(crate) no_meta: bool,

    /// Metadata alone: values are not decoded, and no registry is asked. -J leaves the payload out.
    #[arg(long, conflicts_with_all = [
        "serdes", "reader_schema", "subject", "schema_id", "select", "check_tail", "types", "no_meta",
    ])]
    pub(crate) meta_only: bool,
}

/// How to write messages instead of rows.
#[derive(Debug, Args)]
#[command(next_help_heading = "How to write")]
pub(crate) struct MessageFormatArgs {
    /// kcat's JSON: one object a message, with topic, partition, offset, tstype, ts, headers, key
    /// and payload.
    #[arg(short = 'J', conflicts_with_all = ["output", "format"])]
    pub(crate) envelope: bool,

    /// kcat's format string: %t topic, %p partition, %o offset, %k key, %s payload, %K and %S their
    /// bytes, %T timestamp, %h headers.
    #[arg(short, long, value_name = "FORMAT", conflicts_with = "output", value_parser = Template::parse)]
    pub(crate) format: Option<Template>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnErrorArg {
    /// Stop before it.
    Fail,
    /// Report it and go on.
    Skip,
    /// Report it and keep its row, with nulls, an _error column, and its value's bytes in a column
    /// _raw, also where only the key is bad.
    Null,
    /// Produce it to --dlq-topic and go on.
    Dlq,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TombstonesArg {
    /// Keep the row, with nulls.
    Null,
    /// Leave it out.
    Drop,
    /// Keep the row, and say so in a column _deleted.
    Flag,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum MetaArg {
    Topic,
    Partition,
    Offset,
    Timestamp,
    TimestampType,
    /// The key as it came.
    Key,
    Headers,
    All,
    None,
}
