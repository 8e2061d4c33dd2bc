//! One schema id looked up that is known already, beside a `DashMap` with the same keys.

use std::hint::black_box;
use std::sync::Arc;

use dashmap::DashMap;
use fastrand::Rng;
use sabot_registry::{Client, ParsedCache};
use sabot_registry_server::{Server, ServerOptions};
use sabot_schema::{Schema, Subject};
use sabot_wire::SchemaKey;

use crate::harness::{Measured, System, Workload, measure};
use crate::options::Options;

const SCHEMAS: u32 = 100;

pub fn run(options: &Options, results: &mut Vec<Measured>) -> Result<(), String> {
    let name = "registry/hit";
    if !options.wants(name) {
        return Ok(());
    }
    let server = Server::start(ServerOptions::default()).map_err(|error| error.to_string())?;
    let client = Client::new(&server.url()).map_err(|error| error.to_string())?;
    let keys = register(&client)?;
    let parsed = ParsedCache::new(client.clone(), 1000, |schema| {
        Ok::<_, std::fmt::Error>(schema.text.len())
    });
    let map = DashMap::new();
    for key in &keys {
        let text = client.fetch(*key).map_err(|error| error.to_string())?;
        let length = parsed.get(*key).map_err(|error| error.to_string())?;
        if *length != text.text.len() {
            return Err(format!("the cache has another schema for {key}"));
        }
        map.insert(*key, length);
    }
    let mut rng = Rng::with_seed(1);
    let asked: Vec<SchemaKey> = (0..options.messages)
        .map(|_| keys[rng.usize(..keys.len())])
        .collect();
    let workload = Workload {
        suite: "registry",
        name,
        messages: asked.len(),
        bytes_per_message: 0,
    };
    let systems = vec![
        System::new("sabot", || {
            for key in &asked {
                black_box(client.fetch(*black_box(key)).is_ok());
            }
        }),
        System::new("sabot parsed", || {
            for key in &asked {
                black_box(parsed.get(*black_box(key)).is_ok());
            }
        }),
        System::new("dashmap", || {
            for key in &asked {
                black_box(map.get(black_box(key)).map(|found| Arc::clone(found.value())));
            }
        }),
    ];
    results.extend(measure(&workload, systems, options.rounds));
    server.shutdown();
    Ok(())
}

/// Registers schemas that differ in a field's name; gives their keys.
fn register(client: &Client) -> Result<Vec<SchemaKey>, String> {
    let schema = |number: u32| {
        let field = format!(r#"{{"name": "f{number}", "type": "string"}}"#);
        Schema::avro(format!(
            r#"{{"type": "record", "name": "R", "fields": [{field}]}}"#
        ))
    };
    (0..SCHEMAS)
        .map(|number| {
            let subject = Subject::from(format!("topic{number}-value"));
            let registered = client
                .register(&subject, &schema(number), false)
                .map_err(|error| error.to_string())?;
            Ok(SchemaKey::from(registered.id))
        })
        .collect()
}
