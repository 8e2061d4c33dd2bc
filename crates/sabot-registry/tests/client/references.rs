//! Schemas that refer to others, in ways that a well-behaved registry would not allow.

use std::time::Duration;

use sabot_registry::{Client, Error, ErrorKind};
use sabot_schema::{NamedSchema, SchemaKey, WriterSchema};

use crate::fake::{Asked, Fake, Reply};

/// A schema whose text is `text` and which refers to each of `to` as `(name, subject)`, at version
/// 1.
fn schema(subject: &str, text: &str, to: &[(String, String)]) -> String {
    let to: Vec<_> = to
        .iter()
        .map(|(name, subject)| format!(r#"{{"name":"{name}","subject":"{subject}","version":1}}"#))
        .collect();
    format!(
        r#"{{"subject":"{subject}","version":1,"id":1,"schema":"{text}","references":[{}]}}"#,
        to.join(",")
    )
}

/// The subject that a request asks for; `None` for the root, which is asked for by id.
fn subject(asked: &Asked) -> Option<String> {
    let rest = asked.line.strip_prefix("GET /subjects/")?;
    Some(
        rest.strip_suffix("/versions/1?deleted=true")
            .expect("because every reference is of version 1")
            .to_owned(),
    )
}

/// Fetches a schema from a registry in which `to` says what each subject (`root` to begin with)
/// refers to, under the same name.
fn fetch(to: impl Fn(&str) -> Vec<String> + Send + Sync + 'static) -> (Result<WriterSchema, Error>, usize) {
    let fake = Fake::start(move |asked, _| {
        let subject = subject(asked).unwrap_or_else(|| "root".to_owned());
        let to: Vec<_> = to(&subject)
            .into_iter()
            .map(|name| (name.clone(), name))
            .collect();
        Reply::ok(schema(&subject, &format!("text of {subject}"), &to))
    });
    let client = Client::builder([fake.url()])
        .retries(0)
        .max_response_bytes(1 << 20)
        .build()
        .unwrap();
    let fetched = client.fetch(SchemaKey::Id(1)).map(|schema| (*schema).clone());
    (fetched, fake.count())
}

fn names(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn a_diamond_comes_in_order_of_dependency() {
    let (fetched, requests) = fetch(|subject| match subject {
        "root" => names(&["left", "right"]),
        "left" | "right" => names(&["base"]),
        _ => Vec::new(),
    });
    let named = |name: &str| NamedSchema {
        name: name.into(),
        text: format!("text of {name}").into(),
    };
    let fetched = fetched.unwrap();
    assert_eq!(&*fetched.text, "text of root");
    assert_eq!(*fetched.references, ["base", "left", "right"].map(named));
    assert_eq!(requests, 4);
}

#[test]
fn a_cycle_is_named() {
    let (fetched, _) = fetch(|subject| match subject {
        "root" => names(&["a"]),
        "a" => names(&["b"]),
        "b" => names(&["c"]),
        _ => names(&["a"]),
    });
    let error = fetched.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::References);
    assert!(
        error
            .to_string()
            .ends_with("unusable references: a cycle: a -> b -> c -> a"),
        "{error}"
    );
    assert!(error.is_unusable() && !error.is_retryable());

    let (fetched, _) = fetch(|_| names(&["itself"]));
    assert!(
        fetched
            .unwrap_err()
            .to_string()
            .ends_with("a cycle: itself -> itself")
    );
}

#[test]
fn depth_breadth_and_bytes_are_bounded() {
    let next = |subject: &str| {
        subject
            .trim_start_matches(char::is_alphabetic)
            .parse::<usize>()
            .map_or(0, |n| n + 1)
    };
    let (fetched, requests) = fetch(move |subject| vec![format!("n{}", next(subject))]);
    assert_eq!(fetched.unwrap_err().kind(), ErrorKind::References);
    assert_eq!(requests, 65);

    let (fetched, requests) = fetch(move |subject| match next(subject) {
        64 => Vec::new(),
        n => vec![format!("n{n}")],
    });
    assert_eq!(fetched.unwrap().references.len(), 64);
    assert_eq!(requests, 65);

    let wide = |width: usize| {
        fetch(move |subject| match subject {
            "root" => (0..width).map(|n| format!("n{n}")).collect(),
            _ => Vec::new(),
        })
        .0
    };
    assert_eq!(wide(1000).unwrap().references.len(), 1000);
    assert_eq!(wide(1001).unwrap_err().kind(), ErrorKind::References);

    let fake = Fake::start(|asked, number| {
        let to = [(format!("n{number}"), format!("n{number}"))];
        Reply::ok(schema(
            &subject(asked).unwrap_or_default(),
            &"x".repeat(1000),
            &to,
        ))
    });
    let client = Client::builder([fake.url()])
        .max_response_bytes(5500)
        .build()
        .unwrap();
    assert_eq!(
        client.fetch(SchemaKey::Id(1)).unwrap_err().kind(),
        ErrorKind::TooLarge
    );
    assert_eq!(fake.count(), 6);
}

#[test]
fn a_reference_lies_in_the_context_of_what_refers_to_it() {
    let fake = Fake::start(|_, number| {
        let to = |text: &str| vec![(text.to_owned(), text.to_owned())];
        Reply::ok(match number {
            // The one reference that is not pinned, as -1.
            0 => schema(":.a:root", "root", &to("b/c")).replace(r#""version":1}]"#, r#""version":-1}]"#),
            1 => schema(":.a:b/c", "b", &to(":.z:d")),
            2 => schema(":.z:d", "d", &to("e")),
            _ => schema(":.z:e", "e", &[]),
        })
    });
    let client = Client::builder([fake.url()]).build().unwrap();
    let context = sabot_schema::Context::new("a").unwrap();
    assert_eq!(
        client
            .in_context(&context)
            .fetch(SchemaKey::Id(1))
            .unwrap()
            .references
            .len(),
        3
    );
    let expected = [
        "GET /schemas/ids/1?subject=%3A.a%3A",
        "GET /subjects/%3A.a%3Ab%2Fc/versions/latest?deleted=true",
        "GET /subjects/%3A.z%3Ad/versions/1?deleted=true",
        "GET /subjects/%3A.z%3Ae/versions/1?deleted=true",
    ];
    assert_eq!(fake.lines(), expected);
}

#[test]
fn a_failed_reference_says_of_what_it_is() {
    let fake = Fake::start(|asked, _| match subject(asked) {
        None => Reply::ok(schema(
            "root",
            "root",
            &[("com.A".to_owned(), "a-value".to_owned())],
        )),
        Some(_) => Reply::code(404, 40402),
    });
    let client = Client::builder([fake.url()])
        .negative_ttl(Duration::ZERO)
        .build()
        .unwrap();
    let error = client.fetch(SchemaKey::Id(5)).unwrap_err();
    let expected = format!(
        "fetching schema 5: resolving reference com.A (subject a-value, version 1): fetching a-value version 1: \
         not found at {}: as told (HTTP 404, error code 40402)",
        fake.url()
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn encrypted_fields_are_an_error_that_says_so() {
    let rules = |rules: &str| Reply::ok(format!(r#"{{"schema":"x","ruleSet":{{{rules}}}}}"#));
    let rule =
        |kind: &str, more: &str| format!(r#"{{"name":"hide-ssn","type":"{kind}","mode":"WRITEREAD"{more}}}"#);
    for (text, encrypted) in [
        (format!(r#""domainRules":[{}]"#, rule("ENCRYPT", "")), true),
        (
            format!(r#""domainRules":[{},{}]"#, rule("CEL", ""), rule("ENCRYPT", "")),
            true,
        ),
        (
            format!(r#""encodingRules":[{}]"#, rule("ENCRYPT_PAYLOAD", "")),
            true,
        ),
        (
            format!(r#""domainRules":[{}]"#, rule("ENCRYPT", r#","disabled":true"#)),
            false,
        ),
        (
            format!(r#""domainRules":[{}],"migrationRules":null"#, rule("CEL", "")),
            false,
        ),
    ] {
        let fake = Fake::script(vec![rules(&text)]);
        match Client::builder([fake.url()])
            .build()
            .unwrap()
            .fetch(SchemaKey::Id(5))
        {
            Ok(_) => assert!(!encrypted, "{text}"),
            Err(error) => {
                assert!(encrypted && error.is_unusable(), "{text}: {error}");
                let said = error.to_string();
                assert!(
                    said.starts_with("fetching schema 5: encrypted fields: the rule \"hide-ssn\" encrypts"),
                    "{said}"
                );
            }
        }
    }
}
