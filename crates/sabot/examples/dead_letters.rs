//! Bad messages go to another topic, as they came, with Kafka Connect's headers that say what was
//! wrong.
//!
//! `cargo run --example dead_letters`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use sabot::arrow_array::{Array, cast::AsArray};
use sabot::kafka::embedded::EmbeddedBroker;
use sabot::kafka::{Message, Producer, Properties};
use sabot::{Codec, Metadata, Sabot};

fn main() -> Result<(), Box<dyn Error>> {
    let broker = EmbeddedBroker::start(1)?;
    for topic in ["clicks", "clicks-dead"] {
        broker.create_topic(topic, 1)?;
    }
    let producer = Producer::new(broker.brokers(), &Properties::default())?;
    for value in [
        r#"{"page": "/", "ms": 12}"#,
        r#"{"page": "/cart", "ms":"#,
        r#"{"page": "/pay", "ms": 7}"#,
    ] {
        producer.send(&Message {
            topic: "clicks",
            value: Some(value.as_bytes()),
            ..Message::default()
        })?;
    }
    producer.flush(Duration::from_secs(10))?;

    let stream = Sabot::kafka(broker.brokers())
        .topic("clicks")
        .value(Codec::json())
        .dead_letters("clicks-dead")
        .stop_at_end()
        .open()?;
    for batch in stream {
        let batch = batch?;
        println!("{} good, {} bad", batch.batch.num_rows(), batch.bad.len());
        batch.ack();
    }

    // A dead letter is delivered before its batch is given out: it is there now.
    let mut metadata = Metadata::NONE;
    metadata.headers = true;
    let letters = Sabot::kafka(broker.brokers())
        .topic("clicks-dead")
        .value(Codec::string())
        .metadata(metadata)
        .stop_at_end()
        .open()?;
    for batch in letters {
        let batch = batch?.batch;
        let values = batch["value"].as_string::<i32>();
        let headers = batch["_headers"].as_list::<i32>();
        for row in 0..batch.num_rows() {
            println!("{}", values.value(row));
            let entries = headers.value(row);
            let entries = entries.as_struct();
            let names = entries.column(0).as_string::<i32>();
            let texts = entries.column(1).as_binary::<i32>();
            for at in 0..names.len() {
                println!(
                    "  {}: {}",
                    names.value(at),
                    String::from_utf8_lossy(texts.value(at))
                );
            }
        }
    }
    Ok(())
}
