//! One message, cut at every position and with each byte changed, among good ones: through broker,
//! registry, consumer and codec, the good ones come out as if they were alone, and every message is
//! accounted for.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::time::Duration;

use apache_avro::Schema;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use sabot::kafka::embedded::EmbeddedBroker;
use sabot::kafka::{Message, Producer, Properties};
use sabot::{BadRow, Codec, Metadata, OnError, Sabot};
use sabot_registry_server::{Server, ServerOptions};

const SCHEMA: &str = r#"{"type": "record", "name": "Order", "namespace": "shop", "fields": [
    {"name": "id", "type": "long"},
    {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID"]}},
    {"name": "note", "type": ["null", "string"]},
    {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
    {"name": "placed", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "items", "type": {"type": "array", "items": {"type": "record", "name": "Item", "fields": [
        {"name": "sku", "type": "string"}, {"name": "quantity", "type": "int"}]}}},
    {"name": "labels", "type": {"type": "map", "values": "double"}},
    {"name": "gift", "type": "boolean"}]}"#;

/// What the reference implementation writes for order `id`.
fn body(schema: &Schema, id: i64) -> Vec<u8> {
    let item = |sku: &str, quantity| {
        Value::Record(vec![
            ("sku".into(), Value::String(sku.into())),
            ("quantity".into(), Value::Int(quantity)),
        ])
    };
    let note = if id % 2 == 0 {
        Value::Null
    } else {
        Value::String(format!("größer {id}"))
    };
    let value = Value::Record(vec![
        ("id".into(), Value::Long(id)),
        ("status".into(), Value::Enum(1, "PAID".into())),
        (
            "note".into(),
            Value::Union(u32::from(id % 2 != 0), Box::new(note)),
        ),
        (
            "amount".into(),
            Value::Decimal((id as i32).to_be_bytes().to_vec().into()),
        ),
        ("placed".into(), Value::TimestampMicros(id * 1_000_000)),
        ("items".into(), Value::Array(vec![item("a", 1), item("bc", -2)])),
        (
            "labels".into(),
            Value::Map([("x".to_owned(), Value::Double(0.5))].into()),
        ),
        ("gift".into(), Value::Boolean(true)),
    ]);
    GenericDatumWriter::builder(schema)
        .build()
        .unwrap()
        .write_value_to_vec(value)
        .unwrap()
}

struct Services {
    broker: EmbeddedBroker,
    registry: Server,
    producer: Producer,
}

impl Services {
    fn start() -> Self {
        let broker = EmbeddedBroker::start(1).unwrap();
        let registry = Server::start(ServerOptions::default()).unwrap();
        let producer = Producer::new(broker.brokers(), &Properties::default()).unwrap();
        Self {
            broker,
            registry,
            producer,
        }
    }

    fn produce(&self, topic: &str, values: &[Vec<u8>]) {
        self.broker.create_topic(topic, 1).unwrap();
        for value in values {
            self.producer
                .send(&Message {
                    topic,
                    value: Some(value),
                    ..Message::default()
                })
                .unwrap();
        }
        self.producer.flush(Duration::from_secs(30)).unwrap();
    }

    /// All rows of a topic in one batch, and its bad ones.
    fn read(&self, topic: &str, batch_rows: usize) -> (RecordBatch, Vec<BadRow>) {
        let mut metadata = Metadata::NONE;
        metadata.offset = true;
        let stream = Sabot::kafka(self.broker.brokers())
            .topic(topic)
            .registry(self.registry.url())
            .value(Codec::avro().reader_schema(SCHEMA))
            .metadata(metadata)
            .on_error(OnError::Skip)
            .batch_rows(batch_rows)
            .stop_at_end()
            .open()
            .unwrap();
        let (mut batches, mut bad) = (Vec::new(), Vec::new());
        for batch in stream {
            let batch = batch.unwrap();
            batches.push(batch.batch);
            bad.extend(batch.bad);
        }
        (concat_batches(&batches[0].schema(), &batches).unwrap(), bad)
    }
}

/// The message cut at every position, then with each byte changed in two ways.
fn spoilt(message: &[u8]) -> Vec<Vec<u8>> {
    let cut = (0..message.len()).map(|len| message[..len].to_vec());
    let changed = (0..message.len()).flat_map(|at| {
        [0xff_u8, 0x01].map(|mask| {
            let mut changed = message.to_vec();
            changed[at] ^= mask;
            changed
        })
    });
    cut.chain(changed).collect()
}

fn frame(id: u32, body: &[u8]) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], body].concat()
}

/// The rows at even offsets, without their offsets.
fn even_rows(batch: &RecordBatch) -> RecordBatch {
    let offsets = batch["_offset"].as_primitive::<Int64Type>();
    let is_even: BooleanArray = offsets
        .iter()
        .map(|offset| offset.map(|offset| offset % 2 == 0))
        .collect();
    let mut even = filter_record_batch(batch, &is_even).unwrap();
    even.remove_column(batch.schema().index_of("_offset").unwrap());
    even
}

#[test]
fn good_rows_come_out_as_if_the_spoilt_ones_had_never_been_there() {
    let services = Services::start();
    let client = sabot::registry::Client::new(&services.registry.url()).unwrap();
    let id = client
        .register(
            &"spoilt-value".into(),
            &sabot::schema::Schema::avro(SCHEMA),
            false,
        )
        .unwrap()
        .id
        .0;
    let schema = Schema::parse_str(SCHEMA).unwrap();

    let whole = frame(id, &body(&schema, 1_000_001));
    let spoilt = spoilt(&whole);
    let good: Vec<_> = (0..spoilt.len())
        .map(|order| frame(id, &body(&schema, order as i64)))
        .collect();
    let mixed: Vec<_> = good
        .iter()
        .zip(&spoilt)
        .flat_map(|(good, spoilt)| [good.clone(), spoilt.clone()])
        .collect();
    let alone: Vec<_> = good
        .iter()
        .flat_map(|good| [good.clone(), good.clone()])
        .collect();
    services.produce("spoilt", &mixed);
    services.produce("alone", &alone);

    let (expected, none) = services.read("alone", 8192);
    assert!(none.is_empty());
    let expected = even_rows(&expected);
    assert_eq!(expected.num_rows(), good.len());
    for batch_rows in [8192, 7] {
        let (rows, bad) = services.read("spoilt", batch_rows);
        assert_eq!(even_rows(&rows), expected, "batches of {batch_rows}");
        assert_eq!(
            rows.num_rows() + bad.len(),
            mixed.len(),
            "a message is neither a row nor reported"
        );
        assert!(
            bad.iter().all(|bad| bad.offset % 2 == 1),
            "a good message is called bad"
        );
        // A message that ends early is never good, and each report can be traced.
        for cut in 0..whole.len() as i64 {
            let report = bad.iter().find(|bad| bad.offset == 2 * cut + 1);
            let report = report.unwrap_or_else(|| panic!("cut to {cut} bytes, and taken for good"));
            assert!(i64::from(report.byte_offset) <= cut, "{report}");
        }
    }
}
