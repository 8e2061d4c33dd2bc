//! `sabot list`: topics, or the partitions of some, with their offsets.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use sabot::kafka::{Admin, ErrorKind, PartitionInfo, TopicInfo};

use crate::args::ListArgs;
use crate::conf::Connection;
use crate::console;
use crate::failure::Failure;
use crate::output::{self, TableOptions};
use crate::waiting::Waiting;

/// Runs the command.
pub(crate) fn run(args: &ListArgs, color: bool) -> Result<(), Failure> {
    let connection = Connection::new(&args.connection)?;
    let timeout = Duration::from_secs(args.connection.timeout.max(1));
    let fail = |error: sabot::kafka::Error| match error.kind() {
        ErrorKind::Config => Failure::usage(sabot::with_causes(&error)),
        _ => Failure::failed(sabot::with_causes(&error)),
    };
    let waiting = Waiting::for_brokers(&connection.brokers, false, timeout);
    let admin = Admin::connect(&connection.brokers, &connection.properties, timeout).map_err(fail)?;
    let rows = if args.topics.is_empty() {
        let mut topics = admin.topics().map_err(fail)?;
        topics.retain(|topic| args.all || !topic.name.starts_with("__"));
        topic_rows(&topics)
    } else {
        let topics = args
            .topics
            .iter()
            .map(|topic| admin.topic(topic))
            .collect::<Result<Vec<_>, _>>();
        partition_rows(&topics.map_err(fail)?)
    };
    drop(waiting);
    let rows = rows.map_err(|error| Failure::because("cannot list", &error))?;
    if rows.num_rows() == 0 {
        console::note("sabot: no topics");
    }
    if args.json || !std::io::stdout().is_terminal() {
        return output::print_json_lines(&rows);
    }
    output::print_table(
        &rows,
        &TableOptions {
            width: console::width(),
            color,
            flags: "",
        },
    )
}

fn topic_rows(topics: &[TopicInfo]) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let messages = |topic: &TopicInfo| topic.partitions.iter().map(offsets).sum::<Option<u64>>();
    batch([
        (
            "topic",
            Arc::new(
                topics
                    .iter()
                    .map(|topic| Some(topic.name.as_str()))
                    .collect::<StringArray>(),
            ),
        ),
        (
            "partitions",
            Arc::new(
                topics
                    .iter()
                    .map(|topic| topic.partitions.len() as u64)
                    .collect::<UInt64Array>(),
            ),
        ),
        (
            "replicas",
            Arc::new(
                topics
                    .iter()
                    .map(|topic| {
                        topic
                            .partitions
                            .iter()
                            .map(|partition| partition.replicas as u64)
                            .max()
                    })
                    .collect::<UInt64Array>(),
            ),
        ),
        (
            "offsets",
            Arc::new(topics.iter().map(messages).collect::<UInt64Array>()),
        ),
    ])
}

fn partition_rows(topics: &[TopicInfo]) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let each = || {
        topics
            .iter()
            .flat_map(|topic| topic.partitions.iter().map(move |partition| (topic, partition)))
    };
    batch([
        (
            "topic",
            Arc::new(
                each()
                    .map(|(topic, _)| Some(topic.name.as_str()))
                    .collect::<StringArray>(),
            ),
        ),
        (
            "partition",
            Arc::new(
                each()
                    .map(|(_, partition)| partition.partition)
                    .collect::<Int32Array>(),
            ),
        ),
        (
            "leader",
            Arc::new(
                each()
                    .map(|(_, partition)| partition.leader)
                    .collect::<Int32Array>(),
            ),
        ),
        (
            "replicas",
            Arc::new(
                each()
                    .map(|(_, partition)| partition.replicas as u64)
                    .collect::<UInt64Array>(),
            ),
        ),
        (
            "low",
            Arc::new(each().map(|(_, partition)| partition.low).collect::<Int64Array>()),
        ),
        (
            "high",
            Arc::new(
                each()
                    .map(|(_, partition)| partition.high)
                    .collect::<Int64Array>(),
            ),
        ),
        (
            "offsets",
            Arc::new(
                each()
                    .map(|(_, partition)| offsets(partition))
                    .collect::<UInt64Array>(),
            ),
        ),
    ])
}

/// Offsets between the oldest and the newest: at least as many as there are messages.
fn offsets(partition: &PartitionInfo) -> Option<u64> {
    Some(partition.high?.abs_diff(partition.low?))
}

fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> Result<RecordBatch, arrow_schema::ArrowError> {
    RecordBatch::try_from_iter(columns.map(|(name, column)| (name, column as Arc<dyn Array>)))
}
