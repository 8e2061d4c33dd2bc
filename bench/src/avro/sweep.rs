//! A random schema beside arrow-avro.

use fastrand::Rng;
use sabot_avro::AvroFactory;
use sabot_decode::{Target, WriterSchema};

use super::FIRST_ID;
use super::encode::Body;
use super::random::RandomSchema;
use crate::buffer::Messages;
use crate::suites::{Case, Expected, System};
use crate::sweep::Drawn;
use crate::systems::{ArrowAvro, Sabot};

/// Draws a schema, and so many messages of it.
pub fn draw(rng: &mut Rng, count: usize) -> Drawn {
    let drawn = RandomSchema::draw(rng);
    let (mut body, mut messages) = (Body::default(), Messages::default());
    while messages.len() < count && !messages.is_full() {
        body.clear();
        drawn.encode(rng, &mut body);
        messages.push(FIRST_ID, body.bytes());
    }
    let schema = drawn.text();
    let case = case(&schema, messages);
    Drawn { schema, case }
}

fn case(schema: &str, messages: Messages) -> Result<Case, String> {
    let writer = [(FIRST_ID, WriterSchema::avro(schema))];
    let sabot =
        Sabot::new(&AvroFactory, &Target::default(), &writer).map_err(|error| format!("sabot: {error}"))?;
    let arrow_avro = || ArrowAvro::new(&[(FIRST_ID, schema.to_owned())], None, &[]);
    let expected = Expected {
        name: "arrow-avro",
        messages: None,
        run: Box::new(arrow_avro()?),
    };
    Ok(Case {
        count: messages.len(),
        bytes_per_message: messages.mean_bytes(),
        messages,
        held_batches: 0,
        systems: vec![
            System::new("sabot", sabot),
            System::new("arrow-avro", arrow_avro()?),
        ],
        expected: Some(expected),
    })
}
