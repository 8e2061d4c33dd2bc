//! One schema id looked up that is known already, beside a `DashMap` with the same keys.

use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;

use dashmap::DashMap;
use fastrand::Rng;
use sabot_registry::{Client, ParsedCache};
use sabot_registry_server::{Server, ServerOptions};
use sabot_schema::{Schema, Subject};
use sabot_wire::SchemaKey;

use super::{Case, Rows, System, Workload};
use crate::buffer::Messages;

const SCHEMAS: u32 = 100;

pub fn workloads() -> Vec<Workload> {
    vec![Workload {
        suite: "registry",
        name: "registry/hit",
        cores: 1,
        counted: true,
        build: Box::new(build),
    }]
}

fn build(count: usize) -> Result<Case, String> {
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
    // All is cached now, and a server in the background would only disturb.
    server.shutdown();
    let mut rng = Rng::with_seed(1);
    let asked: Rc<[SchemaKey]> = (0..count).map(|_| keys[rng.usize(..keys.len())]).collect();
    let systems = vec![
        asking("sabot", &asked, move |key| black_box(client.fetch(key).is_ok())),
        asking("sabot parsed", &asked, move |key| {
            black_box(parsed.get(key).is_ok())
        }),
        asking("dashmap", &asked, move |key| {
            black_box(map.get(&key).map(|found| Arc::clone(found.value()))).is_some()
        }),
    ];
    Ok(Case {
        messages: Messages::default(),
        count,
        bytes_per_message: 0,
        held_batches: 0,
        systems,
        expected: None,
    })
}

/// A system that looks each key up.
fn asking(name: &'static str, asked: &Rc<[SchemaKey]>, find: impl Fn(SchemaKey) -> bool + 'static) -> System {
    let asked = Rc::clone(asked);
    let run = move |_: &Messages, _: &mut dyn FnMut(_)| {
        if asked.iter().all(|key| find(black_box(*key))) {
            Ok(())
        } else {
            Err("a known schema was not found".to_owned())
        }
    };
    System::new(name, run).making(Rows::None)
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
