//! What is asked once, what is asked again, and who waits for whom.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use crate::fake::{Fake, Reply, nobody};
use sabot_registry::{Client, ClientBuilder, ErrorKind, ParsedCache};
use sabot_schema::{Context, SchemaKey, Subject};

const ID: SchemaKey = SchemaKey::Id(1);
const HOUR: Duration = Duration::from_secs(3600);

fn once(fake: &Fake) -> ClientBuilder {
    Client::builder([fake.url()])
        .retries(0)
        .negative_ttl(HOUR)
        .latest_ttl(HOUR)
}

#[test]
fn a_schema_is_fetched_once() {
    let fake = Fake::script(Vec::new());
    let client = once(&fake).build().unwrap();
    let guid = SchemaKey::Guid("89791762-2336-4186-9674-299b90a802e2".parse().unwrap());
    for key in [ID, guid] {
        assert_eq!(client.cached(key), None);
        let first = client.fetch(key).unwrap();
        assert!(Arc::ptr_eq(&first, &client.clone().fetch(key).unwrap()));
        assert!(Arc::ptr_eq(&first, &client.cached(key).unwrap()));
    }
    assert_eq!(
        fake.lines(),
        [
            "GET /schemas/ids/1",
            "GET /schemas/guids/89791762-2336-4186-9674-299b90a802e2"
        ]
    );
    client.clear_caches();
    assert_eq!(client.cached(ID), None);
    client.fetch(ID).unwrap();
    assert_eq!(fake.count(), 3);
}

#[test]
fn each_context_has_ids_of_its_own() {
    let fake = Fake::script(Vec::new());
    let client = once(&fake).build().unwrap();
    let staging = client.in_context(&Context::new("a b").unwrap());
    client.fetch(ID).unwrap();
    staging.fetch(ID).unwrap();
    staging.clone().fetch(ID).unwrap();
    assert_eq!(
        fake.lines(),
        ["GET /schemas/ids/1", "GET /schemas/ids/1?subject=%3A.a%20b%3A"]
    );
}

#[test]
fn absence_alone_is_remembered() {
    for code in [40401, 40402, 40403] {
        let fake = Fake::script(vec![Reply::code(404, code)]);
        let client = once(&fake).build().unwrap();
        for _ in 0..3 {
            assert_eq!(client.fetch(ID).unwrap_err().code(), Some(code));
        }
        assert_eq!(fake.count(), 1);

        let fake = Fake::script(vec![Reply::code(404, code)]);
        let client = once(&fake).negative_ttl(Duration::ZERO).build().unwrap();
        assert_eq!(client.fetch(ID).unwrap_err().code(), Some(code));
        client.fetch(ID).unwrap();
    }
    let passing = [
        Reply::status(401),
        Reply::status(403),
        Reply::status(404),
        Reply::code(404, 40408),
        Reply::status(408),
        Reply::status(429),
        Reply::status(500),
        Reply::status(503),
        Reply::ok("garbage"),
        Reply::Raw(Vec::new()),
    ];
    for (at, reply) in passing.into_iter().enumerate() {
        let fake = Fake::script(vec![reply]);
        let client = once(&fake).build().unwrap();
        client.fetch(ID).unwrap_err();
        assert!(client.fetch(ID).is_ok(), "case {at}");
        assert_eq!(fake.count(), 2, "case {at}");
    }
}

#[test]
fn registering_ends_absence() {
    let fake = Fake::script(vec![Reply::code(404, 40403), Reply::ok(r#"{"id":1}"#)]);
    let client = once(&fake).build().unwrap();
    client.fetch(ID).unwrap_err();
    let schema = sabot_schema::Schema::avro("\"string\"");
    assert_eq!(
        client.register(&Subject::from("s"), &schema, false).unwrap().id.0,
        1
    );
    client.fetch(ID).unwrap();
}

#[test]
fn the_latest_version_is_remembered_for_a_while() {
    let answer = || Reply::ok(r#"{"subject":"s","version":3,"id":9,"schema":"\"string\""}"#);
    let subject = Subject::from("s");
    let fake = Fake::start(move |_, _| answer());
    let client = once(&fake).build().unwrap();
    for _ in 0..3 {
        assert_eq!(client.latest(&subject).unwrap().version.get(), 3);
    }
    assert_eq!(fake.lines(), ["GET /subjects/s/versions/latest"]);
    let client = once(&fake).latest_ttl(Duration::ZERO).build().unwrap();
    client.latest(&subject).unwrap();
    client.latest(&subject).unwrap();
    assert_eq!(fake.count(), 3);
}

#[test]
fn many_threads_make_one_request() {
    const THREADS: usize = 16;
    for (reply, succeed) in [
        (Reply::schema as fn() -> Reply, true),
        (|| Reply::status(500), false),
    ] {
        let begun = Arc::new(AtomicUsize::new(0));
        let begun_there = Arc::clone(&begun);
        // Nothing is answered before every thread is about to ask.
        let fake = Fake::start(move |_, _| {
            while begun_there.load(Ordering::SeqCst) < THREADS {
                thread::yield_now();
            }
            thread::sleep(Duration::from_millis(50));
            reply()
        });
        let client = once(&fake).build().unwrap();
        let ask = || {
            begun.fetch_add(1, Ordering::SeqCst);
            client.fetch(ID)
        };
        let results: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(
            results.iter().all(|result| result.is_ok() == succeed),
            "{results:?}"
        );
        // A failure is not kept for those who come after it, so that any number of late threads may
        // have asked again.
        if succeed {
            assert_eq!(fake.count(), 1);
        }
    }
}

#[test]
fn hits_do_not_wait_for_a_request() {
    let (asked, was_asked) = channel();
    let (release, released) = channel::<()>();
    let (asked, released) = (Mutex::new(asked), Mutex::new(released));
    let fake = Fake::start(move |request, _| {
        if request.line.ends_with("/2") {
            asked.lock().unwrap().send(()).unwrap();
            released.lock().unwrap().recv().unwrap();
        }
        Reply::schema()
    });
    let client = once(&fake).build().unwrap();
    client.fetch(ID).unwrap();
    thread::scope(|scope| {
        let slow = scope.spawn(|| client.fetch(SchemaKey::Id(2)));
        was_asked.recv().unwrap();
        client.fetch(ID).unwrap();
        client.fetch(SchemaKey::Id(3)).unwrap();
        assert_eq!(client.cached(SchemaKey::Id(2)), None);
        release.send(()).unwrap();
        slow.join().unwrap().unwrap();
    });
}

#[test]
fn who_waits_for_another_has_a_deadline_too() {
    let fake = Fake::script(Vec::new());
    let client = once(&fake).deadline(Duration::from_secs(2)).build().unwrap();
    client.fetch(ID).unwrap();
    // Parsing, unlike a request, knows no deadline: the second thread gives up on the first.
    let (parsing, is_parsing) = channel();
    let (go_on, may_go_on) = channel::<()>();
    let ends = Mutex::new((parsing, may_go_on));
    let cache = ParsedCache::new(client, 8, move |_| {
        let ends = ends.lock().unwrap();
        ends.0.send(()).unwrap();
        ends.1.recv().unwrap();
        Ok::<_, std::fmt::Error>(())
    });
    thread::scope(|scope| {
        let leading = scope.spawn(|| cache.get(ID));
        is_parsing.recv().unwrap();
        assert_eq!(cache.get(ID).unwrap_err().kind(), ErrorKind::Timeout);
        go_on.send(()).unwrap();
        leading.join().unwrap().unwrap();
    });
}

#[test]
fn a_schema_is_parsed_once() {
    let fake = Fake::script(Vec::new());
    let parsed = Arc::new(AtomicUsize::new(0));
    let parsed_there = Arc::clone(&parsed);
    let cache = ParsedCache::new(once(&fake).build().unwrap(), 8, move |schema| {
        parsed_there.fetch_add(1, Ordering::SeqCst);
        Ok::<_, std::fmt::Error>(schema.text.len())
    });
    let barrier = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                barrier.wait();
                assert_eq!(*cache.get(ID).unwrap(), 8);
            });
        }
    });
    assert_eq!((parsed.load(Ordering::SeqCst), fake.count()), (1, 1));
}

#[test]
fn a_schema_that_does_not_parse_is_named_and_harms_no_other() {
    let fake = Fake::script(Vec::new());
    let times = AtomicUsize::new(0);
    let cache = ParsedCache::new(once(&fake).build().unwrap(), 8, move |_| {
        match times.fetch_add(1, Ordering::SeqCst) {
            0 => Err("no good"),
            1 => panic!("worse"),
            _ => Ok(()),
        }
    });
    let error = cache.get(ID).unwrap_err();
    assert_eq!(error.to_string(), "parsing schema 1: unreadable schema: no good");
    assert!(error.is_unusable() && !error.is_retryable());
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| cache.get(ID))).unwrap_err();
    cache.get(ID).unwrap();
    assert_eq!(fake.count(), 1);
}

#[test]
fn caches_are_bounded_and_keep_what_is_used() {
    let fake = Fake::script(Vec::new());
    let client = once(&fake).cache_capacity(4).build().unwrap();
    for id in 0..100 {
        client.fetch(SchemaKey::Id(id)).unwrap();
        client.fetch(SchemaKey::Id(0)).unwrap();
        let kept = (0..=id)
            .filter(|&id| client.cached(SchemaKey::Id(id)).is_some())
            .count();
        assert!(kept <= 4, "{kept}");
    }
    assert_eq!(fake.count(), 100, "id 0 was in use all the time");

    // Absence takes room as well: garbage in a topic must not fill the memory with ids that do not
    // exist.
    let fake = Fake::start(|_, _| Reply::code(404, 40403));
    let client = once(&fake).cache_capacity(4).build().unwrap();
    for id in (0..20).chain(0..20) {
        client.fetch(SchemaKey::Id(id)).unwrap_err();
    }
    assert_eq!(fake.count(), 40);
}

#[test]
fn keys_that_no_registry_can_know_are_not_asked_for() {
    let client = Client::builder([nobody()]).retries(0).build().unwrap();
    for (key, kind) in [
        (SchemaKey::Id(u32::MAX), ErrorKind::NotFound),
        (SchemaKey::Id(1 << 31), ErrorKind::NotFound),
        (SchemaKey::Absent, ErrorKind::UnsupportedKey),
        (SchemaKey::GlobalId(1), ErrorKind::UnsupportedKey),
        (SchemaKey::ContentId(1), ErrorKind::UnsupportedKey),
        (SchemaKey::Id((1 << 31) - 1), ErrorKind::Unreachable),
    ] {
        let error = client.fetch(key).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.is_unusable(), kind == ErrorKind::UnsupportedKey, "{error}");
    }
}

#[test]
fn who_waited_for_a_thread_that_panicked_takes_over() {
    let fake = Fake::script(Vec::new());
    let (parsing, is_parsing) = channel();
    let ends = Mutex::new((parsing, 0));
    let cache = ParsedCache::new(once(&fake).build().unwrap(), 8, move |_| {
        let turn = {
            let mut ends = ends.lock().unwrap();
            ends.1 += 1;
            ends.0.send(()).unwrap();
            ends.1
        };
        if turn == 1 {
            // Long enough for the other to begin to wait; were it late, it would fetch by itself
            // and pass as well.
            thread::sleep(Duration::from_millis(30));
            panic!("worse");
        }
        Ok::<_, std::fmt::Error>(turn)
    });
    thread::scope(|scope| {
        let leading = scope.spawn(|| cache.get(ID));
        is_parsing.recv().unwrap();
        assert_eq!(*cache.get(ID).unwrap(), 2);
        leading.join().unwrap_err();
    });
}
