//! Schemas from a registry, while it is there and while it is not.
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::common::*;
use sabot_arrow::OnError;
use sabot_decode::{FetchError, SchemaKey, SchemaSource};
use sabot_kafka::{End, ErrorKind, RegistrySource, Source};
use sabot_registry::Client;
use sabot_registry_server::{Server, ServerOptions};

/// Registers the first schema, whose id is 1.
fn register(server: &Server) {
    let address = server.url();
    let mut stream = TcpStream::connect(address.trim_start_matches("http://").trim_end_matches('/')).unwrap();
    let body = r#"{"schema": "\"long\""}"#;
    let head = format!(
        "POST /subjects/t-value/versions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// What a registry that is gone does not answer takes as long as `deadline`.
fn source_of(server: &Server, deadline: Duration) -> RegistrySource {
    let client = Client::builder([server.url()])
        .deadline(deadline)
        .build()
        .unwrap();
    RegistrySource::new(client)
}

#[test]
fn what_a_registry_does_not_have_is_told_from_what_it_cannot_say() {
    let server = Server::start(ServerOptions::default()).unwrap();
    register(&server);
    let mut schemas = source_of(&server, PATIENCE);
    assert_eq!(&*schemas.fetch(SchemaKey::Id(1)).unwrap().text, "\"long\"");
    assert!(matches!(
        schemas.fetch(SchemaKey::Id(2)),
        Err(FetchError::Unknown {
            key: SchemaKey::Id(2),
            ..
        })
    ));
    assert!(matches!(
        schemas.fetch(SchemaKey::Absent),
        Err(FetchError::Unknown { .. })
    ));
    let mut hasty = source_of(&server, Duration::from_millis(300));
    server.shutdown();
    // What is cached is still there; what is not cannot be said.
    schemas.fetch(SchemaKey::Id(1)).unwrap();
    assert!(matches!(
        hasty.fetch(SchemaKey::Id(3)),
        Err(FetchError::Unavailable {
            key: SchemaKey::Id(3),
            ..
        })
    ));
}

#[test]
fn a_registry_that_stops_costs_nothing_but_time() {
    let server = Server::start(ServerOptions::default()).unwrap();
    register(&server);
    let broker = broker(1);
    produce(
        &broker,
        0,
        (0..10).map(|n| framed(1 + u32::from(n == 7), &n.to_string())),
    );
    let mut options = options(&broker);
    options.end = End::AtStart;
    options.batching.rows = 5;
    let schemas = Box::new(source_of(&server, Duration::from_secs(5)));
    let mut source = Source::open(options, assembler(OnError::Skip), schemas).unwrap();
    assert_eq!(numbers(&source.next_batch().unwrap().unwrap()), [0, 1, 2, 3, 4]);
    server.shutdown();
    // The schema of these is cached.
    assert_eq!(numbers(&source.next_batch().unwrap().unwrap()), [5, 6]);
    let error = source.next_batch().unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ErrorKind::SchemaUnavailable, Some(7))
    );
    assert_eq!(error.schema(), Some(SchemaKey::Id(2)));
}
