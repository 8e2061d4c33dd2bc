//! From what a user writes to what goes over the wire.

use sabot_registry::{Client, Deleted, Deletion, ErrorKind};
use sabot_schema::{CompatibilityLevel, Mode, Schema, Subject, VersionSpec};

use crate::fake::{Fake, Reply};

#[test]
fn base_urls_are_checked() {
    for (url, base) in [
        ("http://host", "http://host"),
        (" HTTP://host:8081/ ", "http://host:8081"),
        ("https://host/apis/ccompat/v7/", "https://host/apis/ccompat/v7"),
        ("http://[::1]:8081", "http://[::1]:8081"),
        ("http://[::1]", "http://[::1]"),
        ("http://user@host", "http://host"),
        ("http://a:b@host:1/p//", "http://host:1/p"),
        ("http://a,http://b", r#"http://a", "http://b"#),
        (",http://a,,", "http://a"),
    ] {
        let client = Client::new(url).unwrap();
        let shown = format!("{client:?}");
        assert!(
            shown.starts_with(&format!(r#"Client {{ urls: ["{base}"], "#)),
            "{url}: {shown}"
        );
    }
    for url in [
        "",
        " ",
        ",",
        "host:8081",
        "localhost",
        "//host",
        "ftp://host",
        "http://",
        "http:///path",
        "http://:80",
        "http://host:",
        "http://host:x",
        "http://host:65536",
        "http://host:-1",
        "http://ho st",
        "http://host?q",
        "http://host#f",
        "http://a@b/c@d",
        "http://[::1",
        "http://a,host",
        "http://host/pa th",
        "http://h\nost",
    ] {
        let error = Client::new(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{url:?}: {error}");
        assert!(
            error.to_string().starts_with("invalid configuration: "),
            "{error}"
        );
    }
    let zero = std::time::Duration::ZERO;
    Client::builder(["http://a"]).timeout(zero).build().unwrap_err();
    Client::builder(["http://a"]).deadline(zero).build().unwrap_err();
}

#[test]
fn times_without_end_are_taken() {
    let fake = Fake::start(|_, _| Reply::schema());
    let max = std::time::Duration::MAX;
    let builder = Client::builder([fake.url()])
        .timeout(max)
        .deadline(max)
        .backoff(max, max)
        .latest_ttl(max);
    builder
        .negative_ttl(max)
        .build()
        .unwrap()
        .fetch(sabot_schema::SchemaKey::Id(1))
        .unwrap();
}

#[test]
fn every_call_asks_for_the_right_thing() {
    let subject = Subject::from("a/b c:%é?#");
    let path = "/r/subjects/a%2Fb%20c%3A%25%C3%A9%3F%23";
    let config = "/r/config/a%2Fb%20c%3A%25%C3%A9%3F%23";
    let mode = "/r/mode/a%2Fb%20c%3A%25%C3%A9%3F%23";
    let compatibility = format!("/r/compatibility{}/versions", &path[2..]);
    // What the registry answers matters elsewhere; here it is whatever lets the call end.
    let fake = Fake::start(|_, _| Reply::status(418));
    let client = Client::builder([format!("{}/r/", fake.url())]).build().unwrap();
    let schema = Schema::avro("\"int\"");
    let latest = VersionSpec::Latest;
    let (s, any) = (Some(&subject), None);
    let _ = client.subjects("", Deleted::Exclude);
    let _ = client.subjects(":.c:&", Deleted::Include);
    let _ = client.subjects("", Deleted::Only);
    let _ = client.versions(&subject, Deleted::Exclude);
    let _ = client.versions(&subject, Deleted::Include);
    let _ = client.version(&subject, latest, Deleted::Exclude);
    let _ = client.version(&subject, sabot_schema::Version::MAX, Deleted::Include);
    let _ = client.register(&subject, &schema, true);
    let _ = client.lookup(&subject, &schema, false, Deleted::Include);
    let _ = client.delete_subject(&subject, Deletion::Soft);
    let _ = client.delete_version(&subject, latest, Deletion::Hard);
    let _ = client.check_compatibility(&subject, None, &schema, false);
    let _ = client.check_compatibility(&subject, Some(latest), &schema, true);
    let _ = client.compatibility(any);
    let _ = client.compatibility(s);
    let _ = client.own_compatibility(&subject);
    let _ = client.set_compatibility(s, CompatibilityLevel::FullTransitive);
    let _ = client.delete_compatibility(any);
    let _ = client.mode(any);
    let _ = client.own_mode(&subject);
    let _ = client.set_mode(s, Mode::ReadOnly, true);
    let _ = client.delete_mode(s);
    let expected = [
        "GET /r/subjects".to_owned(),
        "GET /r/subjects?deleted=true&subjectPrefix=%3A.c%3A%26".to_owned(),
        "GET /r/subjects?deletedOnly=true".to_owned(),
        format!("GET {path}/versions"),
        format!("GET {path}/versions?deleted=true"),
        format!("GET {path}/versions/latest"),
        format!("GET {path}/versions/2147483647?deleted=true"),
        format!("POST {path}/versions?normalize=true"),
        format!("POST {path}?normalize=false&deleted=true"),
        format!("DELETE {path}?permanent=false"),
        format!("DELETE {path}/versions/latest?permanent=true"),
        format!("POST {compatibility}?verbose=true&normalize=false"),
        format!("POST {compatibility}/latest?verbose=true&normalize=true"),
        "GET /r/config?defaultToGlobal=true".to_owned(),
        format!("GET {config}?defaultToGlobal=true"),
        format!("GET {config}?defaultToGlobal=false"),
        format!("PUT {config}"),
        "DELETE /r/config".to_owned(),
        "GET /r/mode?defaultToGlobal=true".to_owned(),
        format!("GET {mode}?defaultToGlobal=false"),
        format!("PUT {mode}?force=true"),
        format!("DELETE {mode}"),
    ];
    assert_eq!(fake.lines(), expected);
    let bodies: Vec<_> = fake
        .asked()
        .into_iter()
        .map(|asked| asked.body)
        .filter(|body| !body.is_empty())
        .collect();
    let text = r#"{"schema":"\"int\""}"#;
    let expected = [
        text,
        text,
        text,
        text,
        r#"{"compatibility":"FULL_TRANSITIVE"}"#,
        r#"{"mode":"READONLY"}"#,
    ];
    assert_eq!(bodies, expected);
}

#[test]
fn subjects_that_vanish_from_a_url_are_refused() {
    let fake = Fake::start(|_, _| Reply::ok("[]"));
    let client = Client::new(&fake.url()).unwrap();
    for text in ["", ".", ".."] {
        let error = client
            .delete_subject(&Subject::from(text), Deletion::Hard)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
    assert_eq!(fake.count(), 0);
}
