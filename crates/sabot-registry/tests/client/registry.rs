//! The client against a registry that is in order.

use std::time::Duration;

use sabot_registry::{Client, Deleted, Deletion, ErrorKind};
use sabot_registry_server::{Fault, Server, ServerOptions};
use sabot_schema::{
    CompatibilityLevel, Context, FetchError, Mode, Reference, Rule, RuleSet, Schema, SchemaId, SchemaKey,
    SchemaKind, SchemaSource, Subject, Version, VersionSpec,
};

fn start() -> (Server, Client) {
    let server = Server::start(ServerOptions::default()).unwrap();
    let client = Client::builder([server.url()]).retries(0).build().unwrap();
    (server, client)
}

/// A record `name` with one field of each of `types`.
fn record(name: &str, types: &[&str]) -> Schema {
    let fields: Vec<_> = types
        .iter()
        .enumerate()
        .map(|(at, kind)| format!(r#"{{"name":"f{at}","type":"{kind}"}}"#))
        .collect();
    Schema::avro(format!(
        r#"{{"type":"record","name":"{name}","fields":[{}]}}"#,
        fields.join(",")
    ))
}

fn version(number: u32) -> Version {
    Version::new(number).unwrap()
}

#[test]
fn what_is_registered_is_found_by_every_key() {
    let (_server, client) = start();
    // Every character that a URL could trip over.
    for name in [
        "orders-value",
        "a/b",
        "a%2Fb",
        "a b+c&d=e?f#g",
        "übergröße",
        "x:y",
        "..a",
        ":.ctx:z/ä",
    ] {
        let subject = Subject::from(name);
        let schema = record("R", &["int"]);
        let registration = client.register(&subject, &schema, false).unwrap();
        let found = client
            .version(&subject, VersionSpec::Latest, Deleted::Exclude)
            .unwrap();
        assert_eq!(
            (&found.subject, found.version),
            (&subject, Version::FIRST),
            "{name}"
        );
        assert_eq!(
            (found.id, &found.schema.text),
            (registration.id, &schema.text),
            "{name}"
        );
        assert_eq!(registration.guid, Some(schema.guid()), "{name}");
        assert_eq!(
            client.lookup(&subject, &schema, false, Deleted::Exclude).unwrap(),
            found,
            "{name}"
        );
        assert_eq!(*client.latest(&subject).unwrap(), found, "{name}");
        let in_context = client.in_context(subject.context());
        for key in [registration.id.into(), SchemaKey::Guid(schema.guid())] {
            assert_eq!(in_context.fetch(key).unwrap().text, schema.text, "{name}");
        }
    }
    let all = client.subjects("", Deleted::Exclude).unwrap();
    assert_eq!(all.len(), 8);
    assert_eq!(
        client.subjects(":.ctx:", Deleted::Exclude).unwrap(),
        [Subject::from(":.ctx:z/ä")]
    );
    assert_eq!(client.subjects("a", Deleted::Exclude).unwrap().len(), 3);
}

#[test]
fn what_is_not_there_is_told_apart() {
    let (_server, client) = start();
    let subject = Subject::from("s");
    assert_eq!(client.fetch(SchemaKey::Id(1)).unwrap_err().code(), Some(40403));
    let guid = SchemaKey::Guid(record("R", &[]).guid());
    assert_eq!(client.fetch(guid).unwrap_err().code(), Some(40403));
    assert_eq!(client.latest(&subject).unwrap_err().code(), Some(40401));
    assert_eq!(
        client.versions(&subject, Deleted::Exclude).unwrap_err().code(),
        Some(40401)
    );
    client.register(&subject, &record("R", &["int"]), false).unwrap();
    let error = client
        .version(&subject, version(2), Deleted::Exclude)
        .unwrap_err();
    assert_eq!(error.code(), Some(40402));
    let error = client
        .lookup(&subject, &record("R", &["string"]), false, Deleted::Exclude)
        .unwrap_err();
    assert_eq!((error.code(), error.is_not_found()), (Some(40403), true));
}

#[test]
fn references_come_in_order_and_survive_soft_deletion() {
    let (server, client) = start();
    let of = |name: &str| Reference::new(name, format!("{name}/value"), Version::FIRST);
    let subject = |name: &str| Subject::from(format!("{name}/value"));
    client
        .register(&subject("Base"), &record("Base", &["int"]), false)
        .unwrap();
    let left = record("Left", &["Base"]).with_references([of("Base")]);
    let right = record("Right", &["Base"]).with_references([of("Base")]);
    client.register(&subject("Left"), &left, false).unwrap();
    client.register(&subject("Right"), &right, false).unwrap();
    let root = record("Root", &["Left", "Right"]).with_references([of("Left"), of("Right"), of("Base")]);
    let id = client.register(&subject("Root"), &root, false).unwrap().id;
    // Messages stay readable when their schema has been deleted softly.
    client.delete_subject(&subject("Root"), Deletion::Soft).unwrap();

    let before = server.faults().requests();
    let fetched = client.fetch(id.into()).unwrap();
    let names: Vec<_> = fetched.references.iter().map(|named| &*named.name).collect();
    assert_eq!(names, ["Base", "Left", "Right"]);
    assert_eq!((fetched.kind, &fetched.text), (SchemaKind::Avro, &root.text));
    assert_eq!(server.faults().requests() - before, 4);

    let registered = client
        .version(&subject("Root"), Version::FIRST, Deleted::Include)
        .unwrap();
    assert!(registered.deleted);
    assert_eq!(client.resolve(&registered).unwrap(), *fetched);
}

#[test]
fn deletion_of_a_version_has_two_steps() {
    let (_server, client) = start();
    let subject = Subject::from("s");
    for kind in ["int", "long"] {
        client.register(&subject, &record("R", &[kind]), false).unwrap();
    }
    assert_eq!(client.latest(&subject).unwrap().version, version(2));
    assert_eq!(
        client
            .delete_version(&subject, version(2), Deletion::Hard)
            .unwrap_err()
            .code(),
        Some(40407)
    );
    assert_eq!(
        client
            .delete_version(&subject, version(2), Deletion::Soft)
            .unwrap(),
        version(2)
    );
    assert_eq!(
        client.latest(&subject).unwrap().version,
        version(1),
        "the cache knows of the deletion"
    );
    assert_eq!(client.versions(&subject, Deleted::Exclude).unwrap(), [version(1)]);
    assert_eq!(
        client.versions(&subject, Deleted::Include).unwrap(),
        [version(1), version(2)]
    );
    assert_eq!(
        client
            .delete_version(&subject, version(2), Deletion::Hard)
            .unwrap(),
        version(2)
    );
    assert_eq!(client.versions(&subject, Deleted::Include).unwrap(), [version(1)]);
}

#[test]
fn so_has_deletion_of_a_subject() {
    let (_server, client) = start();
    let subject = Subject::from("s");
    client.register(&subject, &record("R", &["int"]), false).unwrap();
    assert_eq!(
        client
            .delete_subject(&subject, Deletion::Hard)
            .unwrap_err()
            .code(),
        Some(40405)
    );
    assert_eq!(
        client.delete_subject(&subject, Deletion::Soft).unwrap(),
        [version(1)]
    );
    assert_eq!(client.subjects("", Deleted::Exclude).unwrap(), []);
    assert_eq!(
        client.subjects("", Deleted::Only).unwrap(),
        std::slice::from_ref(&subject)
    );
    assert_eq!(
        client
            .delete_subject(&subject, Deletion::Soft)
            .unwrap_err()
            .code(),
        Some(40404)
    );
    assert_eq!(
        client.delete_subject(&subject, Deletion::Hard).unwrap(),
        [version(1)]
    );
    assert_eq!(
        client
            .delete_subject(&subject, Deletion::Hard)
            .unwrap_err()
            .code(),
        Some(40401)
    );
}

#[test]
fn compatibility_is_checked_and_set() {
    let (_server, client) = start();
    let subject = Subject::from("s");
    let some = Some(&subject);
    client.register(&subject, &record("R", &["int"]), false).unwrap();
    let (wider, narrower) = (record("R", &["long"]), record("R", &["string"]));
    let check = |schema, version| {
        client
            .check_compatibility(&subject, version, schema, false)
            .unwrap()
    };
    assert!(check(&wider, None).is_compatible);
    for version in [None, Some(VersionSpec::Latest), Some(Version::FIRST.into())] {
        let verdict = check(&narrower, version);
        assert!(
            !verdict.is_compatible && !verdict.messages.is_empty(),
            "{verdict:?}"
        );
    }
    let error = client.register(&subject, &narrower, false).unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Incompatible, Some(409))
    );
    assert_eq!(
        client
            .register(&subject, &Schema::avro("{"), false)
            .unwrap_err()
            .kind(),
        ErrorKind::Rejected
    );
    assert_eq!(
        client
            .register(&subject, &Schema::new(SchemaKind::Plain, ""), false)
            .unwrap_err()
            .kind(),
        ErrorKind::Configuration
    );

    assert_eq!(client.compatibility(None).unwrap(), CompatibilityLevel::Backward);
    assert_eq!(client.own_compatibility(&subject).unwrap(), None);
    for level in CompatibilityLevel::ALL {
        assert_eq!(client.set_compatibility(some, level).unwrap(), level);
        assert_eq!(client.compatibility(some).unwrap(), level);
        assert_eq!(client.own_compatibility(&subject).unwrap(), Some(level));
    }
    client.delete_compatibility(some).unwrap();
    client.set_compatibility(None, CompatibilityLevel::None).unwrap();
    assert_eq!(client.own_compatibility(&subject).unwrap(), None);
    assert_eq!(client.compatibility(some).unwrap(), CompatibilityLevel::None);
    client.register(&subject, &narrower, false).unwrap();
    client.delete_compatibility(None).unwrap();
    assert_eq!(client.compatibility(some).unwrap(), CompatibilityLevel::Backward);
}

#[test]
fn modes_are_read_and_set() {
    let (_server, client) = start();
    let subject = Subject::from("s");
    let some = Some(&subject);
    assert_eq!(
        (client.mode(some).unwrap(), client.own_mode(&subject).unwrap()),
        (Mode::ReadWrite, None)
    );
    assert_eq!(
        client.set_mode(some, Mode::ReadOnly, false).unwrap(),
        Mode::ReadOnly
    );
    assert_eq!(client.own_mode(&subject).unwrap(), Some(Mode::ReadOnly));
    let error = client.register(&subject, &record("R", &[]), false).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Rejected, Some(42205)));
    client.delete_mode(some).unwrap();
    assert_eq!(client.mode(some).unwrap(), Mode::ReadWrite);
}

#[test]
fn an_id_means_another_schema_in_another_context() {
    let (_server, client) = start();
    let context = Context::new("staging").unwrap();
    let staging = client.in_context(&context);
    let here = client
        .register(&Subject::from("s"), &record("Here", &[]), false)
        .unwrap();
    let there = client
        .register(&Subject::new(context.clone(), "s"), &record("There", &[]), false)
        .unwrap();
    assert_eq!((here.id, there.id), (SchemaId(1), SchemaId(1)));
    for _ in 0..2 {
        assert!(client.fetch(here.id.into()).unwrap().text.contains("Here"));
        assert!(staging.fetch(there.id.into()).unwrap().text.contains("There"));
    }
}

#[test]
fn encrypted_schemas_are_shown_but_not_decoded_with() {
    let (_server, client) = start();
    let encrypt = Rule {
        rule_type: Some("ENCRYPT".into()),
        ..Rule::named("hide-ssn")
    };
    let schema = record("R", &["string"]).with_rule_set(RuleSet {
        domain_rules: vec![encrypt],
        ..RuleSet::default()
    });
    let subject = Subject::from("s");
    let id = client.register(&subject, &schema, false).unwrap().id;
    assert_eq!(client.fetch(id.into()).unwrap_err().kind(), ErrorKind::Encrypted);
    let registered = client
        .version(&subject, VersionSpec::Latest, Deleted::Exclude)
        .unwrap();
    assert_eq!(registered.schema, schema);
    let error = client.resolve(&registered).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("resolving s version 1: encrypted fields: the rule \"hide-ssn\""),
        "{error}"
    );
}

#[test]
fn a_registry_with_a_password_lets_in_who_has_it() {
    let server = Server::start(ServerOptions::default().with_basic_auth("me", "s3cret:word")).unwrap();
    let host = server.address();
    for (url, user) in [
        (format!("http://me:s3cret%3Aword@{host}"), None),
        (server.url(), Some("s3cret:word")),
    ] {
        let builder = Client::builder([url]);
        let builder = user.map_or_else(
            || builder.clone(),
            |password| builder.clone().basic_auth("me", password),
        );
        assert!(
            builder
                .build()
                .unwrap()
                .subjects("", Deleted::Exclude)
                .unwrap()
                .is_empty()
        );
    }
    for builder in [
        Client::builder([server.url()]),
        Client::builder([server.url()]).basic_auth("me", "wrong"),
    ] {
        let error = builder
            .build()
            .unwrap()
            .subjects("", Deleted::Exclude)
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::Unauthorized, Some(401))
        );
    }
}

#[test]
fn a_registry_that_stumbles_is_asked_again() {
    let server = Server::start(ServerOptions::default()).unwrap();
    let brief = std::time::Duration::from_millis(1);
    let client = Client::builder([server.url()])
        .retries(3)
        .backoff(brief, brief)
        .build()
        .unwrap();
    let faults = server.faults();
    faults.next_requests(
        1,
        Fault::Status {
            status: 429,
            retry_after_s: Some(0),
        },
    );
    faults.next_requests(1, Fault::Disconnect);
    faults.next_requests(
        1,
        Fault::Status {
            status: 500,
            retry_after_s: None,
        },
    );
    let id = client
        .register(&Subject::from("s"), &record("R", &[]), false)
        .unwrap()
        .id;
    assert_eq!(faults.requests(), 4);
    faults.next_requests(
        4,
        Fault::Status {
            status: 503,
            retry_after_s: None,
        },
    );
    assert!(client.fetch(id.into()).unwrap_err().is_retryable());
    client.fetch(id.into()).unwrap();
    server.shutdown();
    // What is in the cache goes on working; what is not is not available.
    client.fetch(id.into()).unwrap();
    assert_eq!(
        client.fetch(SchemaKey::Id(99)).unwrap_err().kind(),
        ErrorKind::Unreachable
    );
}

#[test]
fn what_a_registry_does_not_have_is_told_from_what_it_cannot_say() {
    let server = Server::start(ServerOptions::default()).unwrap();
    let client = |deadline| {
        Client::builder([server.url()])
            .deadline(deadline)
            .build()
            .unwrap()
    };
    // The `fetch` of the trait, as a caller calls it.
    let fetch = |client: &mut Client, key| SchemaSource::fetch(client, key);
    let mut schemas = client(Duration::from_secs(30));
    let long = schemas
        .register(&"t-value".into(), &Schema::avro("\"long\""), false)
        .unwrap();
    let key = SchemaKey::Id(long.id.0);
    assert_eq!(&*fetch(&mut schemas, key).unwrap().text, "\"long\"");
    assert!(matches!(
        fetch(&mut schemas, SchemaKey::Id(2)),
        Err(FetchError::Unknown {
            key: SchemaKey::Id(2),
            ..
        })
    ));
    assert!(matches!(
        fetch(&mut schemas, SchemaKey::Absent),
        Err(FetchError::Unknown { .. })
    ));
    let mut hasty = client(Duration::from_millis(300));
    server.shutdown();
    // What is cached is still there; what is not cannot be said.
    fetch(&mut schemas, key).unwrap();
    assert!(matches!(
        fetch(&mut hasty, SchemaKey::Id(3)),
        Err(FetchError::Unavailable {
            key: SchemaKey::Id(3),
            ..
        })
    ));
}
