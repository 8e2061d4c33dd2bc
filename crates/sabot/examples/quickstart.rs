//! From messages to columns with nothing installed: a broker and a registry inside this process.
//!
//! `cargo run --example quickstart`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use sabot::kafka::embedded::EmbeddedBroker;
use sabot::kafka::{Message, Producer, Properties};
use sabot::schema::Schema;
use sabot::{Codec, OnError, Sabot};
use sabot_registry_server::{Server, ServerOptions};

const SCHEMA: &str = r#"{"type": "record", "name": "Order", "fields": [
    {"name": "id", "type": "long"}, {"name": "customer", "type": "string"}]}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let broker = EmbeddedBroker::start(1)?;
    broker.create_topic("orders", 3)?;
    let registry = Server::start(ServerOptions::default())?;
    produce(&broker, &registry)?;

    let stream = Sabot::kafka(broker.brokers())
        .topic("orders")
        .registry(registry.url())
        .key(Codec::string())
        .value(Codec::avro())
        .on_error(OnError::Skip)
        .stop_at_end()
        .open()?;
    if let Some(schema) = stream.schema() {
        println!(
            "{:?}",
            schema
                .fields()
                .iter()
                .map(|field| field.name())
                .collect::<Vec<_>>()
        );
    }
    for batch in stream {
        let batch = batch?;
        println!(
            "{} rows, {} bytes of messages",
            batch.batch.num_rows(),
            batch.bytes
        );
        for bad in &batch.bad {
            println!("left out: {bad}");
        }
        batch.ack();
    }
    Ok(())
}

/// Writes what Confluent's Avro serialiser would write: a zero, the schema's id, the body.
fn produce(broker: &EmbeddedBroker, registry: &Server) -> Result<(), Box<dyn Error>> {
    let client = sabot::registry::Client::new(&registry.url())?;
    let id = client
        .register(&"orders-value".into(), &Schema::avro(SCHEMA), false)?
        .id;
    let producer = Producer::new(broker.brokers(), &Properties::default())?;
    for order in 0..50_u8 {
        let mut value = vec![0];
        value.extend_from_slice(&id.0.to_be_bytes());
        value.extend_from_slice(&[order * 2, 6, b'A', b'n', b'n']);
        if order == 33 {
            // This one is cut off.
            value.pop();
        }
        let key = format!("order-{order}");
        let message = Message {
            topic: "orders",
            key: Some(key.as_bytes()),
            value: Some(&value),
            ..Message::default()
        };
        producer.send(&message)?;
    }
    Ok(producer.flush(Duration::from_secs(10))?)
}
