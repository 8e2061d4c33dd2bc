//! From flags to the facade's builder and the output's specification.

use std::time::Duration;

use sabot::decode::RowErrorKind;
use sabot::kafka::DeadLetterOptions;
use sabot::registry::Client;
use sabot::wire::FrameError;
use sabot::{BadRow, Builder, Codec, End, Metadata, OnError, Sabot, Start, Tombstones};

use crate::args::{
    ConsumeArgs, DecodingArgs, MessageFormatArgs, MetaArg, OnErrorArg, SourceArgs, TombstonesArg, read_file,
};
use crate::conf::Connection;
use crate::failure::Failure;
use crate::offset::OffsetArg;
use crate::output::{Format, Layout, OutputSpec, ValueLayout};
use crate::serde::{Encoding, Part};
use crate::types;

/// What to write, and where.
pub(super) fn output(args: &ConsumeArgs, color: bool, has_registry: bool) -> Result<OutputSpec, Failure> {
    let output = &args.output;
    let destination = output.destination();
    let format = match &args.messages {
        messages if messages.envelope => Format::Envelope,
        MessageFormatArgs {
            format: Some(template),
            ..
        } => Format::Template(template.clone()),
        _ => output.format(&destination, color)?,
    };
    if args.decoding.meta_only {
        check_meta_only(&args.decoding, &format)?;
    }
    let is_message = matches!(format, Format::Envelope | Format::Template(_));
    let (key, value) = encodings(&args.decoding, &format, has_registry);
    let tombstones = match args.decoding.tombstones {
        // So that a null value can be told from a record of nulls.
        TombstonesArg::Null if is_message => Tombstones::Flag,
        TombstonesArg::Null => Tombstones::Null,
        TombstonesArg::Drop => Tombstones::Drop,
        TombstonesArg::Flag => Tombstones::Flag,
    };
    Ok(OutputSpec {
        layout: Layout {
            key: key.is_some(),
            metadata: if is_message {
                message_metadata(key.is_some())
            } else {
                metadata(&args.decoding)?
            },
            tombstones,
            error_columns: args.decoding.on_error == OnErrorArg::Null,
            value: match value {
                _ if args.decoding.meta_only => ValueLayout::Hidden,
                Encoding::Plain(_) => ValueLayout::Plain,
                _ => ValueLayout::Record,
            },
        },
        format,
        destination,
        rotate_rows: output.rotate_rows,
        sync: args.source.group.is_some(),
    })
}

/// Refuses what would leave nothing to write, or asks for what is left out.
fn check_meta_only(args: &DecodingArgs, format: &Format) -> Result<(), Failure> {
    match format {
        Format::Template(template) if template.shows_payload() => Err(Failure::usage(
            "%s and %S are of the payload, which --meta-only leaves out",
        )),
        Format::Template(_) | Format::Envelope => Ok(()),
        _ if args.meta.contains(&MetaArg::None) => Err(Failure::usage(
            "--meta none and --meta-only leave no column together",
        )),
        _ => Ok(()),
    }
}

/// How long opening may take.
pub(super) fn startup_timeout(args: &ConsumeArgs) -> Duration {
    Duration::from_secs(args.connection.timeout.max(1))
}

/// What to read, and how to decode it.
pub(super) fn source(
    args: &ConsumeArgs,
    spec: &OutputSpec,
    connection: Connection,
    registry: Option<Client>,
) -> Result<Builder, Failure> {
    let source = &args.source;
    let (key, value) = encodings(&args.decoding, &spec.format, registry.is_some());
    let all: Vec<_> = key.into_iter().chain([value]).collect();
    types::check(&args.decoding.types.types, &all)?;
    let linger = source
        .linger_ms
        .unwrap_or(if spec.is_file() { 1000 } else { 200 });
    let rows = spec
        .rotate_rows
        .map_or(source.batch_rows, |rotate| rotate.min(source.batch_rows));
    let mut builder = Sabot::kafka(connection.brokers)
        .properties(&connection.properties)
        .startup_timeout(startup_timeout(args))
        .value(value_codec(&args.decoding, spec, value)?)
        .metadata(spec.layout.metadata)
        .tombstones(spec.layout.tombstones)
        .batch_rows(rows)
        .linger(Duration::from_millis(linger));
    if let Some(key) = key {
        builder = builder.key(key.codec().mapping(types::mapping(
            &args.decoding.types.types,
            &spec.format,
            key,
        )));
    }
    if let Some(registry) = registry {
        builder = builder.registry_client(registry);
    }
    if let Some(group) = &source.group {
        builder = builder.group(group);
    }
    builder = match (args.decoding.on_error, args.decoding.skip_errors) {
        (_, true) | (OnErrorArg::Skip, _) => builder.on_error(OnError::Skip),
        (OnErrorArg::Fail, _) => builder.on_error(OnError::Fail),
        (OnErrorArg::Null, _) => builder.on_error(OnError::Null).error_columns(),
        (OnErrorArg::Dlq, _) => {
            let topic = args.decoding.dlq_topic.clone().unwrap_or_default();
            builder.dead_letter_options(DeadLetterOptions::new(topic))
        }
    };
    let builder = subscription(source, builder)?;
    bounds(source, builder)
}

fn subscription(args: &SourceArgs, mut builder: Builder) -> Result<Builder, Failure> {
    let mut topics: Vec<String> = args.topics.iter().chain(&args.more_topics).cloned().collect();
    if topics.is_empty() {
        return Err(Failure::usage("no topic is given: use -t TOPIC"));
    }
    if args.regex {
        for topic in topics.iter_mut().filter(|topic| !topic.starts_with('^')) {
            // Kafka's own convention: a pattern begins with a caret. This one still matches
            // anywhere.
            *topic = format!("^.*({topic})");
        }
    }
    if args.partitions.is_empty() {
        return Ok(builder.topics(topics));
    }
    if let Some(pattern) = topics.iter().find(|topic| topic.starts_with('^')) {
        return Err(Failure::usage(format!(
            "-p needs topics by name, and {pattern} is a pattern"
        )));
    }
    for topic in &topics {
        for partition in &args.partitions {
            builder = builder.partition(topic, *partition);
        }
    }
    Ok(builder)
}

fn bounds(args: &SourceArgs, mut builder: Builder) -> Result<Builder, Failure> {
    let (mut start, mut until) = (None, None);
    for offset in &args.offsets {
        let (target, value) = match *offset {
            OffsetArg::Until(ms) => {
                if until.replace(ms).is_some() {
                    return Err(Failure::usage("-o e@TIME is given twice"));
                }
                continue;
            }
            OffsetArg::Beginning => (&mut start, Start::Earliest),
            OffsetArg::End => (&mut start, Start::Latest),
            OffsetArg::Stored if args.group.is_none() => {
                return Err(Failure::usage("-o stored needs a group: add -G GROUP"));
            }
            OffsetArg::Stored => (&mut start, Start::Committed(sabot::kafka::Fallback::Earliest)),
            OffsetArg::At(at) => (&mut start, Start::Offset(at)),
            OffsetArg::Last(count) => (&mut start, Start::Last(count)),
            OffsetArg::Since(ms) => (&mut start, Start::Timestamp(ms)),
        };
        if target.replace(value).is_some() {
            return Err(Failure::usage("-o says twice where to begin"));
        }
    }
    if let Some(start) = start {
        builder = builder.start(start);
    }
    match (until, args.count) {
        (Some(_), Some(_)) => Err(Failure::usage("-c and -o e@TIME cannot be combined")),
        // A time as the end implies that the end is not waited for.
        (Some(ms), None) => Ok(builder.end(End::Timestamp(ms))),
        (None, count) => {
            let builder = if args.exit { builder.stop_at_end() } else { builder };
            Ok(match count {
                Some(count) => builder.limit(count),
                None => builder,
            })
        }
    }
}

/// How keys, if they are decoded, and values are encoded.
fn encodings(args: &DecodingArgs, format: &Format, has_registry: bool) -> (Option<Encoding>, Encoding) {
    let (mut key, mut value) = (None, None);
    for serde in &args.serdes {
        if serde.part != Some(Part::Value) {
            key = Some(serde.encoding);
        }
        if serde.part != Some(Part::Key) {
            value = Some(serde.encoding);
        }
    }
    let value = value.unwrap_or(match format {
        // Bytes cannot be bad, and nobody has to be asked what they mean.
        _ if args.meta_only => Encoding::Plain(sabot::plain::Serde::Bytes),
        _ if has_registry || args.schema_id.is_some() => Encoding::Avro,
        // As kcat: what comes in goes out.
        Format::Envelope | Format::Template(_) => Encoding::Plain(sabot::plain::Serde::Bytes),
        _ => Encoding::Plain(sabot::plain::Serde::String),
    });
    (key, value)
}

/// What to change about `-s`, where a bad key or value may be owed to what `-s` did not say.
pub(super) fn advice(args: &DecodingArgs, bad: &BadRow) -> Option<&'static str> {
    let says = |part| args.serdes.iter().any(|serde| serde.part == part);
    match bad.part {
        sabot::Part::Key if says(None) && !says(Some(Part::Key)) => {
            Some("-s SERDE is for keys and values alike; -s value=SERDE leaves the keys alone")
        }
        sabot::Part::Value
            if !says(None)
                && !says(Some(Part::Value))
                && matches!(bad.kind, RowErrorKind::Frame(FrameError::InvalidMagicByte(_))) =>
        {
            Some(
                "with a registry, values are taken for Avro unless -s says otherwise, such as -s value=string",
            )
        }
        _ => None,
    }
}

fn value_codec(args: &DecodingArgs, spec: &OutputSpec, encoding: Encoding) -> Result<Codec, Failure> {
    let mapping = types::mapping(&args.types.types, &spec.format, encoding);
    let mut codec = encoding.codec().mapping(mapping);
    if let Some(path) = &args.reader_schema {
        codec = codec.reader_schema(read_file(path)?);
    }
    if let Some(subject) = &args.subject {
        codec = codec.subject(subject);
    }
    if let Some(id) = args.schema_id {
        codec = codec.schema_id(id);
    }
    if (args.reader_schema.is_some() || args.subject.is_some() || args.schema_id.is_some())
        && encoding != Encoding::Avro
    {
        return Err(Failure::usage(
            "--reader-schema, --subject and --schema-id are for Avro values: add -s value=avro",
        ));
    }
    if !args.select.is_empty() {
        codec = codec.select(&args.select);
    }
    if args.types.check_tail {
        codec = codec.check_tail();
    }
    Ok(codec)
}

/// What the formats that speak of messages need.
fn message_metadata(has_key: bool) -> Metadata {
    let mut metadata = Metadata::ALL;
    metadata.key = !has_key;
    metadata
}

fn metadata(args: &DecodingArgs) -> Result<Metadata, Failure> {
    let mut metadata = Metadata::NONE;
    if args.no_meta {
        return Ok(metadata);
    }
    if args.meta.len() > 1 && args.meta.contains(&MetaArg::None) {
        return Err(Failure::usage("--meta none stands alone"));
    }
    for column in &args.meta {
        match column {
            MetaArg::Topic => metadata.topic = true,
            MetaArg::Partition => metadata.partition = true,
            MetaArg::Offset => metadata.offset = true,
            MetaArg::Timestamp => metadata.timestamp = true,
            MetaArg::TimestampType => metadata.timestamp_type = true,
            MetaArg::Key => metadata.key = true,
            MetaArg::Headers => metadata.headers = true,
            MetaArg::All => metadata = Metadata::ALL,
            MetaArg::None => {}
        }
    }
    Ok(metadata)
}
