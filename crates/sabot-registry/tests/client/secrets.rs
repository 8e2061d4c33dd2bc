//! Credentials reach the registry, and nobody else.

use std::error::Error as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sabot_registry::{Client, ClientBuilder, ErrorKind, ParsedCache};
use sabot_schema::SchemaKey;

use crate::fake::{Fake, Reply, nobody};

const ID: SchemaKey = SchemaKey::Id(1);
const PASSWORD: &str = "p@ss/w:rd%?#é";
const ENCODED: &str = "p%40ss%2Fw%3Ard%25%3F%23%C3%A9";
const TOKEN: &str = "eyJ.t0ken-value";

/// Every spelling of them that could leak.
fn spellings() -> Vec<String> {
    let basic = STANDARD.encode(format!("me:{PASSWORD}"));
    [PASSWORD, ENCODED, TOKEN, &basic].map(str::to_owned).to_vec()
}

/// Every way to give credentials, for the registry at `host`, and the header that has to come of
/// it.
fn ways(scheme: &str, host: &str) -> Vec<(ClientBuilder, Option<String>)> {
    let plain = format!("{scheme}://{host}");
    let with_user = format!("{scheme}://me:{ENCODED}@{host}/");
    let basic = Some(format!("Basic {}", STANDARD.encode(format!("me:{PASSWORD}"))));
    let bearer = Some(format!("Bearer {TOKEN}"));
    vec![
        (Client::builder([&plain]), None),
        (
            Client::builder([&plain]).basic_auth("me", PASSWORD),
            basic.clone(),
        ),
        (Client::builder([&plain]).bearer(TOKEN), bearer.clone()),
        (Client::builder([&with_user]), basic.clone()),
        (Client::builder([&with_user]).bearer(TOKEN), bearer.clone()),
        (
            Client::builder([&plain]).basic_auth("you", "x").bearer(TOKEN),
            bearer,
        ),
        (
            Client::builder([&plain]).bearer("x").basic_auth("me", PASSWORD),
            basic,
        ),
    ]
}

fn assert_clean(text: &str) {
    for secret in spellings() {
        assert!(!text.contains(&secret), "{secret:?} leaks into {text}");
    }
}

#[test]
fn credentials_arrive() {
    let fake = Fake::start(|_, _| Reply::schema());
    for (at, (builder, header)) in ways("http", fake.address()).into_iter().enumerate() {
        builder.build().unwrap().fetch(ID).unwrap();
        assert_eq!(fake.asked()[at].authorization, header, "case {at}");
    }
}

#[test]
fn no_text_of_ours_shows_them() {
    // The worst server: it says back all it was told, in every place that could end up in an error.
    let echo = |status: u16| {
        Fake::start(move |asked, _| {
            let header = asked.authorization.clone().unwrap_or_default();
            let decoded = header
                .strip_prefix("Basic ")
                .map(|basic| STANDARD.decode(basic).unwrap());
            let decoded = String::from_utf8(decoded.unwrap_or_default()).unwrap();
            let body = format!(r#"{{"error_code":{status},"message":"{header} {decoded}"}}"#);
            // Where it is no schema, its own text is what the client complains of.
            let body = if status == 200 {
                format!("\"{header} {decoded}\"")
            } else {
                body
            };
            Reply::Answer(
                status,
                format!("Location: http://me:{ENCODED}@x/{header}\r\n"),
                body,
            )
        })
    };
    let fakes = [200, 301, 401, 403, 404, 422, 500].map(echo);
    let dead = nobody();
    let hosts = fakes
        .iter()
        .map(Fake::address)
        .chain([dead.trim_start_matches("http://")]);
    for (host, scheme) in hosts.flat_map(|host| [(host, "http"), (host, "ftp")]) {
        for (builder, _) in ways(scheme, host) {
            let builder = builder.retries(0);
            assert_clean(&format!("{builder:?} {builder:#?}"));
            let error = match builder.build() {
                Err(error) => error,
                Ok(client) => {
                    assert_clean(&format!(
                        "{client:?} {:?}",
                        ParsedCache::new(client.clone(), 1, |_| Ok::<_, std::fmt::Error>(()))
                    ));
                    client.fetch(ID).unwrap_err()
                }
            };
            assert_clean(&format!("{error} {error:?} {error:#?} {:?}", error.url()));
            let mut source = error.source();
            while let Some(cause) = source {
                assert_clean(&format!("{cause} {cause:?}"));
                source = cause.source();
            }
        }
    }
}

#[test]
fn a_url_with_a_slip_does_not_show_its_password() {
    for url in [
        format!("http://me:{PASSWORD}@host"),
        "http://me:s3cr/et-word@host:80".to_owned(),
        "http://me:s3cret-word@host:port".to_owned(),
        "http://me:s3cret-word@".to_owned(),
        "http://me:s3cret-word@ho st".to_owned(),
        "me:s3cret-word@host".to_owned(),
        "htp://me:s3cret-word@host".to_owned(),
        "http://me:%FFs3cret-word@host".to_owned(),
        "http://me:s3cret-word@host?x=1".to_owned(),
        "http://me:%0As3cret-word@[::1".to_owned(),
    ] {
        let builder = Client::builder([&url]);
        let shown = format!("{builder:?}");
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{url}");
        for text in [error.to_string(), format!("{error:?}"), shown] {
            assert!(!text.contains("et-word") && !text.contains("rd%"), "{text}");
        }
    }
    let proxied = Client::builder(["http://host"]).proxy("ftp://me:s3cret-word@proxy");
    assert!(!format!("{proxied:?} {:?}", proxied.clone().build().unwrap_err()).contains("s3cret-word"));
}

#[test]
fn credentials_that_would_split_a_header_are_refused() {
    for token in ["a\r\nX-Evil: 1", "a\nb", "é", "\0"] {
        let error = Client::builder(["http://host"])
            .bearer(token)
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
}

#[test]
fn a_proxy_is_asked_with_its_own_credentials() {
    let proxy = Fake::start(|_, _| Reply::status(502));
    let url = format!("http://you:proxy-word@{}", proxy.address());
    let client = Client::builder(["http://registry.invalid:8081"])
        .proxy(url)
        .bearer(TOKEN)
        .retries(0)
        .build()
        .unwrap();
    let error = client.fetch(ID).unwrap_err();
    assert_eq!(error.url(), Some("http://registry.invalid:8081"));
    assert_clean(&format!("{error} {error:?}"));
    assert!(!format!("{client:?} {error} {error:?} {:?}", error.source()).contains("proxy-word"));
    let expected = format!("Basic {}", STANDARD.encode("you:proxy-word"));
    assert_eq!(proxy.asked()[0].line, "CONNECT registry.invalid:8081");
    assert_eq!(proxy.asked()[0].authorization, Some(expected));
}
