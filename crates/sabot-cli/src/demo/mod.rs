//! `sabot demo`: everything once, on a broker and a registry inside this process.
//!
//! Every number that it prints is counted while reading, and compared with what was written: how
//! many, which messages are broken, and the sums of two columns. If anything differs, it says so
//! and fails.

mod orders;
mod produce;
mod show;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use sabot::kafka::embedded::EmbeddedBroker;
use sabot::schema::Schema;
use sabot::{BadRow, Codec, Metadata, OnError, Sabot};
use sabot_registry_server::{Server, ServerOptions};

use crate::args::DemoArgs;
use crate::failure::Failure;
use crate::interrupt::Interrupt;

use orders::Defect;
use produce::{CLICKS, NOTES, ORDERS, Produced};
use show::Show;

/// Rows shown of each topic.
const SAMPLE_ROWS: usize = 6;

/// What was read of one topic.
#[derive(Debug, Default)]
pub(crate) struct Read {
    topic: &'static str,
    messages: u64,
    good: u64,
    bad: u64,
    bytes: u64,
    time: Duration,
    /// The first rows.
    sample: Option<RecordBatch>,
    /// The bad rows.
    reports: Vec<BadRow>,
    id_sum: i64,
    amount_cents_sum: i64,
}

/// How often a defect was found, and where first.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    count: u64,
    first: BadRow,
}

/// Runs the command.
pub(crate) fn run(args: &DemoArgs, color: bool) -> Result<(), Failure> {
    let interrupt = Interrupt::catch()?;
    let show = Show::new(color);
    show.title()?;

    let broker = EmbeddedBroker::start(1).map_err(|error| Failure::failed(sabot::with_causes(&error)))?;
    show.step("broker", &format!("librdkafka's own, on {}", broker.brokers()))?;
    let server = Server::start(ServerOptions::default())
        .map_err(|error| Failure::because("cannot start the registry", &error))?;
    let url = server.url();
    let schema_ids = register(&url)?;
    let [first, second] = schema_ids;
    show.step(
        "registry",
        &format!("{url}, subject {ORDERS}-value: version 1 (id {first}), version 2 (id {second})"),
    )?;

    let begin = Instant::now();
    let produced = produce::run(&broker, schema_ids, args.messages)?;
    show.produced(&produced, begin.elapsed())?;
    interrupt.check()?;

    let mut read = Vec::new();
    for (topic, codec) in [
        (ORDERS, Codec::avro()),
        (CLICKS, Codec::json()),
        (NOTES, Codec::string()),
    ] {
        read.push(read_topic(&broker, &url, topic, codec, &interrupt)?);
        interrupt.check()?;
    }
    show.rows(&read)?;
    let defects = defects(&read[0], &produced)?;
    show.defects(&defects)?;
    show.counts(&read, &produced)?;
    check(&read, &produced, &defects)?;
    show.verdict()
}

fn register(url: &str) -> Result<[u32; 2], Failure> {
    let failed = |error: sabot::registry::Error| Failure::failed(sabot::with_causes(&error));
    let client = sabot::registry::Client::new(url).map_err(failed)?;
    let subject = format!("{ORDERS}-value").into();
    let register = |text: &str| {
        client
            .register(&subject, &Schema::avro(text), false)
            .map(|registered| registered.id.0)
    };
    Ok([
        register(orders::VERSION_1).map_err(failed)?,
        register(orders::VERSION_2).map_err(failed)?,
    ])
}

fn read_topic(
    broker: &EmbeddedBroker,
    registry: &str,
    topic: &'static str,
    codec: Codec,
    interrupt: &Interrupt,
) -> Result<Read, Failure> {
    let failed = |error: sabot::Error| Failure::failed(sabot::with_causes(&error));
    let begin = Instant::now();
    let mut metadata = Metadata::NONE;
    (metadata.partition, metadata.offset) = (true, true);
    let stream = Sabot::kafka(broker.brokers())
        .topic(topic)
        .registry(registry)
        .key(Codec::string())
        .value(codec)
        .metadata(metadata)
        .on_error(OnError::Skip)
        .stop_at_end()
        .batch_rows(8192)
        .stopper(interrupt.stopper())
        .open()
        .map_err(failed)?;
    let mut read = Read {
        topic,
        ..Read::default()
    };
    for batch in stream {
        let batch = batch.map_err(failed)?;
        read.messages += batch.records as u64;
        read.good += batch.batch.num_rows() as u64;
        read.bad += batch.bad.len() as u64;
        read.bytes += batch.bytes;
        read.reports.extend_from_slice(&batch.bad);
        if topic == ORDERS {
            read.add_sums(&batch.batch);
        }
        if read.sample.is_none() && batch.batch.num_rows() > 0 {
            read.sample = Some(batch.batch.slice(0, batch.batch.num_rows().min(SAMPLE_ROWS)));
        }
        batch.ack();
    }
    read.time = begin.elapsed();
    Ok(read)
}

impl Read {
    fn add_sums(&mut self, batch: &RecordBatch) {
        if let Some(ids) = batch
            .column_by_name("id")
            .and_then(|column| column.as_primitive_opt::<Int64Type>())
        {
            self.id_sum += ids.iter().flatten().sum::<i64>();
        }
        let amounts = batch
            .column_by_name("amount")
            .and_then(|column| column.as_primitive_opt::<Decimal128Type>());
        if let Some(amounts) = amounts {
            let sum = amounts.iter().flatten().sum::<i128>();
            self.amount_cents_sum += i64::try_from(sum).unwrap_or_default();
        }
    }
}

/// Brings each report to the defect that was written there.
fn defects(read: &Read, produced: &Produced) -> Result<BTreeMap<Defect, Found>, Failure> {
    let mut defects: BTreeMap<Defect, Found> = BTreeMap::new();
    for report in &read.reports {
        let Some(defect) = produced.broken.get(&(report.partition, report.offset)) else {
            return Err(Failure::failed(format!(
                "a good message was taken for a bad one: {report}"
            )));
        };
        defects
            .entry(*defect)
            .and_modify(|found| found.count += 1)
            .or_insert_with(|| Found {
                count: 1,
                first: report.clone(),
            });
    }
    Ok(defects)
}

fn check(read: &[Read], produced: &Produced, defects: &BTreeMap<Defect, Found>) -> Result<(), Failure> {
    let broken = produced.broken.len() as u64;
    let expected = [
        (produced.orders(), broken),
        (produced.clicks, 0),
        (produced.notes, 0),
    ];
    let mut wrong = Vec::new();
    for (read, (messages, bad)) in read.iter().zip(expected) {
        if (read.messages, read.good, read.bad) != (messages, messages - bad, bad) {
            wrong.push(format!(
                "{}: {messages} produced, {bad} of them broken; {} read: {} good, {} bad",
                read.topic, read.messages, read.good, read.bad
            ));
        }
    }
    for defect in Defect::ALL {
        let written = produced.broken.values().filter(|other| **other == defect).count() as u64;
        let found = defects.get(&defect).map_or(0, |found| found.count);
        if written != found {
            wrong.push(format!("{}: {written} written, {found} found", defect.name()));
        }
    }
    let (ids, amounts) = (read[0].id_sum, read[0].amount_cents_sum);
    if (ids, amounts) != (produced.id_sum, produced.amount_cents_sum) {
        wrong.push(format!(
            "the sums of id and amount are {ids} and {amounts} instead of {} and {}",
            produced.id_sum, produced.amount_cents_sum
        ));
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failure::failed(format!(
            "the numbers do not add up: {}",
            wrong.join("; ")
        )))
    }
}
