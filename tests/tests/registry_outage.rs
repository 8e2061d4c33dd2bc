//! A registry that goes away while a topic is read.

use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use sabot::kafka::embedded::EmbeddedBroker;
use sabot::kafka::{Message, Producer, Properties};
use sabot::registry::Client;
use sabot::schema::Schema;
use sabot::{Batch, Codec, ErrorKind, Metadata, OnError, Sabot, SchemaKey};
use sabot_registry_server::{Server, ServerOptions};

fn numbers(batch: &Batch) -> &[i64] {
    batch.batch["value"].as_primitive::<Int64Type>().values()
}

#[test]
fn a_registry_that_stops_costs_nothing_but_time() {
    let server = Server::start(ServerOptions::default()).unwrap();
    // What a registry that is gone does not answer takes as long as the deadline.
    let client = Client::builder([server.url()])
        .deadline(Duration::from_secs(5))
        .build()
        .unwrap();
    let known = client
        .register(&"other".into(), &Schema::avro("\"long\""), false)
        .unwrap()
        .id
        .0;

    let broker = EmbeddedBroker::start(1).unwrap();
    broker.create_topic("t", 1).unwrap();
    let producer = Producer::new(broker.brokers(), &Properties::default()).unwrap();
    for n in 0..10_u8 {
        let id = known + u32::from(n == 7);
        let value = [&[0], &id.to_be_bytes()[..], &[n * 2]].concat();
        let message = Message {
            topic: "t",
            value: Some(&value),
            ..Message::default()
        };
        producer.send(&message).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();

    let mut stream = Sabot::kafka(broker.brokers())
        .topic("t")
        .registry_client(client)
        .value(Codec::avro().first_writer_schema())
        .metadata(Metadata::NONE)
        .on_error(OnError::Skip)
        .batch_rows(5)
        .stop_at_end()
        .open()
        .unwrap();
    assert_eq!(numbers(&stream.next().unwrap().unwrap()), [0, 1, 2, 3, 4]);
    server.shutdown();
    // The schema of these is cached.
    assert_eq!(numbers(&stream.next().unwrap().unwrap()), [5, 6]);
    let error = stream.next().unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ErrorKind::SchemaUnavailable, Some(7))
    );
    assert_eq!(error.schema(), Some(SchemaKey::Id(known + 1)));
}
