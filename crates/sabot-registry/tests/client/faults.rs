//! What the client does when a registry, or the network, misbehaves.

use std::time::{Duration, Instant};

use crate::fake::{Fake, Reply, nobody};
use sabot_registry::{Client, ClientBuilder, Deletion, ErrorKind};
use sabot_schema::{SchemaKey, Subject};

const ID: SchemaKey = SchemaKey::Id(1);
const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn quick(url: &str) -> ClientBuilder {
    Client::builder([url]).backoff(MS, MS)
}

#[test]
fn what_may_pass_is_tried_again() {
    let fake = Fake::script(vec![
        Reply::status(500),
        Reply::status(502),
        Reply::status(503),
        Reply::status(504),
        Reply::status(408),
        Reply::Answer(429, "Retry-After: 0\r\n".to_owned(), String::new()),
        Reply::Raw(Vec::new()),
        Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec()),
    ]);
    let client = quick(&fake.url()).retries(8).build().unwrap();
    assert_eq!(&*client.fetch(ID).unwrap().text, "\"string\"");
    assert_eq!(fake.count(), 9);
}

#[test]
fn what_will_not_pass_is_not_tried_again() {
    let raw = |text: &str| Reply::Raw(text.as_bytes().to_vec());
    let location = "Location: http://me:hunter22@elsewhere/\r\n".to_owned();
    let cases = [
        (Reply::status(401), ErrorKind::Unauthorized),
        (Reply::status(403), ErrorKind::Unauthorized),
        (Reply::code(404, 40403), ErrorKind::NotFound),
        (Reply::status(404), ErrorKind::Protocol),
        (
            Reply::Answer(404, String::new(), "<html>no</html>".to_owned()),
            ErrorKind::Protocol,
        ),
        (Reply::code(409, 40901), ErrorKind::Incompatible),
        (Reply::code(422, 42201), ErrorKind::Rejected),
        (Reply::status(400), ErrorKind::Rejected),
        (Reply::status(418), ErrorKind::Protocol),
        (Reply::status(501), ErrorKind::Server),
        (Reply::Answer(301, location, String::new()), ErrorKind::Protocol),
        (Reply::ok("<html>"), ErrorKind::Protocol),
        (Reply::ok(""), ErrorKind::Protocol),
        (Reply::ok("{}"), ErrorKind::Protocol),
        (Reply::ok("[1]"), ErrorKind::Protocol),
        (
            Reply::ok(format!("{:?}", "x".repeat(100_000))),
            ErrorKind::Protocol,
        ),
        (
            Reply::Answer(501, String::new(), "x\n".repeat(100_000)),
            ErrorKind::Server,
        ),
        (Reply::ok(r#"{"schema":7}"#), ErrorKind::Protocol),
        (Reply::ok("[".repeat(100_000)), ErrorKind::Protocol),
        (
            Reply::ok(r#"{"schema":"x","schemaType":"THRIFT"}"#),
            ErrorKind::Unreadable,
        ),
        (
            raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\u{ff}"),
            ErrorKind::Protocol,
        ),
        (
            raw("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}"),
            ErrorKind::Protocol,
        ),
        (raw("SSH-2.0-OpenSSH_9.6\r\n\r\n"), ErrorKind::Protocol),
    ];
    for (at, (reply, kind)) in cases.into_iter().enumerate() {
        let fake = Fake::script(vec![reply]);
        let error = quick(&fake.url()).build().unwrap().fetch(ID).unwrap_err();
        assert_eq!(error.kind(), kind, "case {at}: {error}");
        assert_eq!(
            error.is_not_found(),
            kind == ErrorKind::NotFound,
            "case {at}: {error}"
        );
        assert_eq!(fake.count(), 1, "case {at}: {error}");
        let text = error.to_string();
        assert!(!text.contains("hunter22"), "case {at}: {text}");
        assert!(
            text.len() < 1000 && !text.contains(char::is_control),
            "case {at}: {text}"
        );
    }
}

#[test]
fn an_error_says_what_where_and_how_often() {
    let fake = Fake::start(|_, _| Reply::code(500, 50002));
    let client = quick(&fake.url()).retries(2).build().unwrap();
    let error = client.fetch(SchemaKey::Id(7)).unwrap_err();
    let expected = format!(
        "fetching schema 7: the registry failed at {}: as told (HTTP 500, error code 50002); gave up after 3 attempts",
        fake.url()
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!((error.status(), error.code()), (Some(500), Some(50002)));
    assert_eq!(
        (error.url(), error.message()),
        (Some(fake.url().as_str()), "as told")
    );
    assert!(error.is_retryable());

    let fake = Fake::start(|_, _| Reply::Answer(404, String::new(), String::new()));
    let guid = "89791762-2336-4186-9674-299b90a802e2";
    let client = quick(&format!("{}/v7", fake.url())).build().unwrap();
    let error = client.fetch(SchemaKey::Guid(guid.parse().unwrap())).unwrap_err();
    let expected = format!(
        "fetching schema {guid}: unexpected answer at {}/v7: it does not know /schemas/guids/{guid} (HTTP 404); \
         is this the base URL of a schema registry?",
        fake.url()
    );
    assert_eq!(error.to_string(), expected);

    let url = nobody();
    let error = quick(&url).retries(0).build().unwrap().fetch(ID).unwrap_err();
    let expected = format!(
        "fetching schema 1: registry unreachable at {url}: connection refused; is the URL right, and the registry running?"
    );
    assert_eq!(error.to_string(), expected);
    let source = std::error::Error::source(&error)
        .unwrap()
        .downcast_ref::<std::io::Error>()
        .unwrap();
    assert_eq!(source.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn a_wait_beyond_the_deadline_is_not_begun() {
    for status in [429, 503] {
        let fake =
            Fake::start(move |_, _| Reply::Answer(status, "Retry-After: 3600\r\n".to_owned(), String::new()));
        let error = quick(&fake.url())
            .deadline(HOUR)
            .build()
            .unwrap()
            .fetch(ID)
            .unwrap_err();
        assert_eq!((error.status(), error.retry_after()), (Some(status), Some(HOUR)));
        assert!(error.to_string().contains("it asks to wait 3600 s"), "{error}");
        assert_eq!(fake.count(), 1);
    }
}

#[test]
fn the_deadline_ends_endless_retries() {
    let fake = Fake::start(|_, _| Reply::status(503));
    let client = quick(&fake.url())
        .retries(u32::MAX)
        .deadline(2 * SECOND)
        .build()
        .unwrap();
    assert_eq!(client.fetch(ID).unwrap_err().kind(), ErrorKind::Server);
    assert!(fake.count() > 1);
}

#[test]
fn silence_ends_with_the_attempt_or_with_the_deadline() {
    let silent = Fake::start(|_, _| Reply::Silence);
    let client = quick(&silent.url())
        .retries(1)
        .timeout(SECOND)
        .deadline(HOUR)
        .build()
        .unwrap();
    assert_eq!(client.fetch(ID).unwrap_err().kind(), ErrorKind::Timeout);
    // The server may come to look at the second question only after the client has given up on it.
    let begin = Instant::now();
    while silent.count() < 2 {
        assert!(
            begin.elapsed() < 120 * SECOND,
            "it was asked {} times",
            silent.count()
        );
        std::thread::sleep(MS);
    }

    let client = quick(&silent.url())
        .timeout(HOUR)
        .deadline(SECOND)
        .build()
        .unwrap();
    assert_eq!(client.fetch(ID).unwrap_err().kind(), ErrorKind::Timeout);
}

/// One address fails, and the deadline passes while the other is being connected to.
#[cfg(target_os = "linux")]
#[test]
fn the_deadline_does_not_hide_what_went_wrong_before() {
    // Nobody accepts connections here: beyond the backlog, the kernel lets them wait.
    let full = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = full.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, 500 * MS) {
        waiting.push(stream);
    }
    let sick = Fake::start(|_, _| Reply::status(503));
    let ask = || {
        let client = Client::builder([sick.url(), format!("http://{address}")])
            .deadline(3 * SECOND)
            .build()
            .unwrap();
        let error = client.fetch(ID).unwrap_err();
        assert_eq!(
            (error.status(), error.url()),
            (Some(503), Some(&*sick.url())),
            "{error}"
        );
    };
    // Which timeout the connection ends with depends on fractions of milliseconds.
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(ask);
        }
    });
}

#[test]
fn an_answer_that_trickles_is_cut_off() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n".to_vec();
    let slow_body = Fake::start(move |_, _| Reply::Endless(head.clone(), b" ".to_vec()));
    let slow_head = Fake::start(|_, _| Reply::Endless(b"HTTP/1.1 200 OK\r\nX: ".to_vec(), b"y".to_vec()));
    for fake in [slow_body, slow_head] {
        let client = quick(&fake.url()).retries(0).timeout(SECOND).build().unwrap();
        assert_eq!(client.fetch(ID).unwrap_err().kind(), ErrorKind::Timeout);
    }
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let long = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n".to_vec();
    let until_close = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    let cases = [
        (chunked, b"4\r\nabcd\r\n".repeat(1000)),
        (long, vec![b' '; 4000]),
        (until_close, vec![b' '; 4000]),
    ];
    for (head, then) in cases {
        let fake = Fake::start(move |_, _| Reply::Endless(head.clone(), then.clone()));
        let client = quick(&fake.url()).max_response_bytes(10_000).build().unwrap();
        let error = client.fetch(ID).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(
            error
                .to_string()
                .contains("the answer exceeds the limit of 10000 bytes"),
            "{error}"
        );
        assert_eq!(fake.count(), 1);
    }
    let endless_head =
        Fake::start(|_, _| Reply::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"X: yyyyy\r\n".repeat(100)));
    let error = quick(&endless_head.url())
        .retries(0)
        .build()
        .unwrap()
        .fetch(ID)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
}

#[test]
fn another_address_takes_over_and_keeps_the_work() {
    let live = Fake::start(|_, _| Reply::schema());
    let sick = Fake::start(|_, _| Reply::status(503));
    let urls = [nobody(), format!("{},{}", sick.url(), live.url())];
    let client = Client::builder(urls).retries(0).build().unwrap();
    client.fetch(ID).unwrap();
    client.fetch(SchemaKey::Id(2)).unwrap();
    assert_eq!((sick.count(), live.count()), (1, 2));
}

#[test]
fn an_answer_is_an_answer_whichever_address_gives_it() {
    for reply in [
        || Reply::code(404, 40403),
        || Reply::status(401),
        || Reply::status(404),
    ] {
        let first = Fake::start(move |_, _| reply());
        let second = Fake::start(|_, _| Reply::schema());
        let client = Client::builder([first.url(), second.url()]).build().unwrap();
        client.fetch(ID).unwrap_err();
        assert_eq!((first.count(), second.count()), (1, 0));
    }
}

#[test]
fn a_deletion_is_repeated_only_where_it_was_surely_not_done() {
    let subject = Subject::from("s");
    let ok = || Reply::ok("[1]");
    let fake = Fake::script(vec![Reply::status(503), Reply::status(429), ok()]);
    let client = Client::builder([nobody(), fake.url()])
        .backoff(MS, MS)
        .build()
        .unwrap();
    assert_eq!(client.delete_subject(&subject, Deletion::Soft).unwrap().len(), 1);
    assert_eq!(fake.count(), 3);
    for reply in [Reply::status(500), Reply::Raw(Vec::new())] {
        let fake = Fake::script(vec![reply, ok()]);
        let client = quick(&fake.url()).build().unwrap();
        assert!(
            client
                .delete_subject(&subject, Deletion::Soft)
                .unwrap_err()
                .is_retryable()
        );
        assert_eq!(fake.count(), 1);
    }
}

#[test]
fn speaking_tls_to_what_does_not_is_named() {
    // Not a `Fake`, which would wait for a line to end: a handshake holds line breaks only by
    // chance.
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = plain.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = plain.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let error = quick(&format!("https://{address}"))
        .build()
        .unwrap()
        .fetch(ID)
        .unwrap_err();
    answering.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
}
