//! The REST API as a client sees it.
#![expect(clippy::unwrap_used, reason = "a failed test has nothing left to do")]

use std::net::TcpStream;
use std::time::Duration;

use sabot_registry_server::{Fault, Server, ServerOptions};
use sabot_schema::{Schema, Subject};
use serde_json::{Value, json};

fn start() -> Server {
    Server::start(ServerOptions::default()).unwrap()
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        // Nor one that the environment names.
        .proxy(None)
        .build()
        .into()
}

/// Sends a request and gives the status and the body.
fn call(server: &Server, request: &str, body: &str) -> (u16, Value) {
    let (method, path) = request.split_once(' ').unwrap();
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{}{path}", server.url()));
    let mut response = if body.is_empty() {
        agent().run(request.body(()).unwrap()).unwrap()
    } else {
        agent().run(request.body(body.to_owned()).unwrap()).unwrap()
    };
    let content_type = response.headers().get("content-type").unwrap();
    assert_eq!(content_type, "application/vnd.schemaregistry.v1+json");
    let text = response.body_mut().read_to_string().unwrap();
    (
        response.status().as_u16(),
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

/// Whether `found` has everything that `expected` has.
fn holds(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => expected
            .iter()
            .all(|(key, value)| found.get(key).is_some_and(|found| holds(found, value))),
        _ => found == expected,
    }
}

fn run(server: &Server, script: &[(&str, &str, u16, Value)]) {
    for (request, body, status, expected) in script {
        let (found_status, found) = call(server, request, body);
        assert_eq!(found_status, *status, "{request} {body}: {found}");
        assert!(
            holds(&found, expected),
            "{request} {body}: {found}, not {expected}"
        );
    }
}

const STRING: &str = r#"{"schema":"{\"type\": \"string\"}"}"#;
const INT: &str = r#"{"schema":"\"int\"","schemaType":"AVRO","id":-1,"version":0}"#;

fn error(code: u32) -> Value {
    json!({ "error_code": code })
}

/// Subject `a` with the versions `STRING` and `INT`.
fn start_with_two_versions() -> Server {
    let server = start();
    run(
        &server,
        &[
            ("POST /subjects/a/versions", STRING, 200, json!({"id": 1})),
            ("PUT /config/a", r#"{"compatibility":"none"}"#, 200, json!({})),
            ("POST /subjects/a/versions", INT, 200, json!({"id": 2})),
        ],
    );
    server
}

#[test]
fn an_empty_registry_answers() {
    let server = start();
    run(
        &server,
        &[
            ("GET /", "", 200, json!({})),
            ("GET /subjects", "", 200, json!([])),
            ("GET /schemas/types", "", 200, json!(["JSON", "PROTOBUF", "AVRO"])),
            ("GET /nonsense", "", 404, error(404)),
            ("PATCH /subjects", "", 404, error(404)),
            ("GET /v1/metadata/version", "", 200, json!({})),
            ("GET /v1/metadata/id", "", 200, json!({"id": ""})),
        ],
    );
}

#[test]
fn schemas_are_registered_and_looked_up() {
    let server = start();
    run(
        &server,
        &[
            (
                "POST /subjects/a/versions",
                STRING,
                200,
                json!({"id": 1, "version": 1}),
            ),
            (
                "POST /subjects/a/versions",
                STRING,
                200,
                json!({"id": 1, "version": 1}),
            ),
            ("POST /subjects/a/versions", INT, 409, error(409)),
            (
                "PUT /config/a",
                r#"{"compatibility":"none"}"#,
                200,
                json!({"compatibility": "NONE"}),
            ),
            (
                "POST /subjects/a/versions",
                INT,
                200,
                json!({"id": 2, "version": 2}),
            ),
            (
                "POST /subjects/a",
                INT,
                200,
                json!({"subject": "a", "id": 2, "version": 2, "schema": "\"int\"", "schemaType": "AVRO"}),
            ),
            ("POST /subjects/a", r#"{"schema":"\"long\""}"#, 404, error(40403)),
            ("POST /subjects/b", INT, 404, error(40401)),
        ],
    );
}

#[test]
fn versions_are_found_by_subject() {
    let server = start_with_two_versions();
    run(
        &server,
        &[
            ("GET /subjects/a/versions", "", 200, json!([1, 2])),
            ("GET /subjects/a/versions?offset=1&limit=1", "", 200, json!([2])),
            ("GET /subjects/a/versions?limit=x", "", 400, error(400)),
            (
                "GET /subjects/a/versions/latest",
                "",
                200,
                json!({"subject": "a", "id": 2, "version": 2, "guid": "ef524ea1-b91e-7317-3d93-8ade36c1db32"}),
            ),
            ("GET /subjects/a/versions/-1", "", 200, json!({"version": 2})),
            ("GET /subjects/a/versions/1/schema", "", 200, json!("string")),
            ("GET /subjects/a/versions/3", "", 404, error(40402)),
            ("GET /subjects/a/versions/0", "", 422, error(42202)),
            ("GET /subjects/b/versions", "", 404, error(40401)),
        ],
    );
}

#[test]
fn schemas_are_found_by_id_and_guid() {
    let server = start_with_two_versions();
    run(
        &server,
        &[
            ("GET /schemas/ids/1", "", 200, json!({"schema": "\"string\""})),
            (
                "GET /schemas/ids/1?fetchMaxId=true&subject=a",
                "",
                200,
                json!({"maxId": 2, "subject": "a", "version": 1}),
            ),
            ("GET /schemas/ids/1/schema", "", 200, json!("string")),
            ("GET /schemas/ids/1/subjects", "", 200, json!(["a"])),
            (
                "GET /schemas/ids/1/versions",
                "",
                200,
                json!([{"subject": "a", "version": 1}]),
            ),
            ("GET /schemas/ids/9", "", 404, error(40403)),
            ("GET /schemas/ids/x", "", 404, error(404)),
            (
                "GET /schemas/guids/ef524ea1-b91e-7317-3d93-8ade36c1db32",
                "",
                200,
                json!({"schema": "\"int\""}),
            ),
            (
                "GET /schemas/guids/ef524ea1-b91e-7317-3d93-8ade36c1db32/ids",
                "",
                200,
                json!([{"context": ".", "id": 2}]),
            ),
            ("GET /schemas/guids/nonsense", "", 404, error(40403)),
        ],
    );
}

#[test]
fn deletion_has_two_steps() {
    let server = start_with_two_versions();
    run(
        &server,
        &[
            (
                "DELETE /subjects/a/versions/2?permanent=true",
                "",
                404,
                error(40407),
            ),
            ("DELETE /subjects/a/versions/2", "", 200, json!(2)),
            ("DELETE /subjects/a/versions/2", "", 404, error(40406)),
            ("GET /subjects/a/versions?deleted=true", "", 200, json!([1, 2])),
            ("GET /subjects/a/versions?deletedOnly=true", "", 200, json!([2])),
            ("DELETE /subjects/a", "", 200, json!([1])),
            ("DELETE /subjects/a", "", 404, error(40404)),
            ("GET /subjects?deleted=true", "", 200, json!(["a"])),
            ("DELETE /subjects/a?permanent=true", "", 200, json!([1, 2])),
        ],
    );
}

#[test]
fn levels_are_set_and_unset() {
    let server = start();
    run(
        &server,
        &[
            ("GET /config", "", 200, json!({"compatibilityLevel": "BACKWARD"})),
            ("GET /config/a", "", 404, error(40408)),
            (
                "GET /config/a?defaultToGlobal=true",
                "",
                200,
                json!({"compatibilityLevel": "BACKWARD"}),
            ),
            (
                "PUT /config",
                r#"{"compatibility":"SIDEWAYS"}"#,
                422,
                error(42203),
            ),
            ("PUT /config", r#"{"compatibilityGroup":"x"}"#, 400, error(400)),
            (
                "PUT /config",
                r#"{"compatibility":"FULL_TRANSITIVE"}"#,
                200,
                json!({"compatibility": "FULL_TRANSITIVE"}),
            ),
            (
                "DELETE /config",
                "",
                200,
                json!({"compatibilityLevel": "FULL_TRANSITIVE"}),
            ),
            ("DELETE /config/a", "", 404, error(40401)),
        ],
    );
}

#[test]
fn modes_are_set_and_unset() {
    let server = start();
    run(
        &server,
        &[
            ("GET /mode", "", 200, json!({"mode": "READWRITE"})),
            ("GET /mode/a", "", 404, error(40409)),
            ("PUT /mode/a", r#"{"mode":"ASLEEP"}"#, 422, error(42204)),
            (
                "PUT /mode/a",
                r#"{"mode":"readonly"}"#,
                200,
                json!({"mode": "READONLY"}),
            ),
            ("POST /subjects/a/versions", STRING, 422, error(42205)),
            ("DELETE /mode/a", "", 200, json!({"mode": "READONLY"})),
        ],
    );
}

#[test]
fn compatibility_is_checked() {
    let server = start();
    let record =
        r#"{"schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}"}"#;
    let empty = r#"{"schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}"}"#;
    run(
        &server,
        &[
            (
                "POST /compatibility/subjects/a/versions",
                empty,
                200,
                json!({"is_compatible": true}),
            ),
            (
                "POST /compatibility/subjects/a/versions/latest",
                empty,
                200,
                json!({"is_compatible": true}),
            ),
            (
                "POST /compatibility/subjects/a/versions/1",
                empty,
                404,
                error(40402),
            ),
            ("POST /subjects/a/versions", empty, 200, json!({"id": 1})),
            (
                "POST /compatibility/subjects/a/versions/1",
                record,
                200,
                json!({"is_compatible": false}),
            ),
            (
                "POST /compatibility/subjects/a/versions",
                r#"{"schema":"{"}"#,
                422,
                error(42201),
            ),
            (
                "POST /compatibility/subjects/a/versions?verbose=true",
                r#"{"schema":"{"}"#,
                200,
                json!({"is_compatible": false}),
            ),
            (
                "POST /compatibility/subjects/a/versions?verbose=true",
                empty,
                200,
                json!({"is_compatible": true, "messages": []}),
            ),
        ],
    );
    let (_, verbose) = call(
        &server,
        "POST /compatibility/subjects/a/versions?verbose=true",
        record,
    );
    let message = verbose["messages"][0].as_str().unwrap();
    assert!(message.starts_with(
        "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'a' at path '/fields/0'"
    ));
}

#[test]
fn subjects_hold_any_character_and_lie_in_contexts() {
    let server = start();
    let slashes = "%3A.x%2Fy%3Aa%2Fb%20c%25%3A%E2%9C%93";
    let shown = ":.x/y:a/b c%:✓";
    run(
        &server,
        &[
            (
                &format!("POST /subjects/{slashes}/versions"),
                STRING,
                200,
                json!({"id": 1}),
            ),
            ("GET /subjects", "", 200, json!([shown])),
            (
                &format!("GET /subjects/{slashes}/versions/1"),
                "",
                200,
                json!({"subject": shown}),
            ),
            ("GET /contexts", "", 200, json!([".", ".x/y"])),
            ("GET /contexts/.x%2Fy/subjects", "", 200, json!([shown])),
            (
                "GET /contexts/.x%2Fy/subjects/a%2Fb%20c%25%3A%E2%9C%93/versions",
                "",
                200,
                json!([1]),
            ),
            (
                "GET /contexts/.x%2Fy/schemas/ids/1",
                "",
                200,
                json!({"schema": "\"string\""}),
            ),
            ("GET /schemas/ids/1", "", 404, error(40403)),
            (
                &format!("GET /schemas/ids/1?subject={slashes}"),
                "",
                200,
                json!({"subject": shown}),
            ),
            (
                "GET /schemas/ids/1?subject=%3A.x%2Fy%3A",
                "",
                200,
                json!({"schema": "\"string\""}),
            ),
            (
                "PUT /contexts/.x%2Fy/config",
                r#"{"compatibility":"NONE"}"#,
                200,
                json!({"compatibility": "NONE"}),
            ),
            (
                &format!("GET /config/{slashes}?defaultToGlobal=true"),
                "",
                200,
                json!({"compatibilityLevel": "NONE"}),
            ),
            ("GET /config", "", 200, json!({"compatibilityLevel": "BACKWARD"})),
            ("GET /subjects/%zz/versions", "", 400, error(400)),
            ("GET /subjects/%ff/versions", "", 400, error(400)),
            ("POST /subjects/__GLOBAL/versions", STRING, 422, error(42208)),
        ],
    );
}

#[test]
fn references_metadata_and_rules_come_back_as_they_went() {
    let server = start();
    call(
        &server,
        "POST /subjects/f/versions",
        r#"{"schema":"{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}"}"#,
    );
    let body = json!({
        "schema": "{\"type\":\"array\",\"items\":\"F\"}",
        "references": [{"name": "F", "subject": "f", "version": 1}],
        "metadata": {"tags": {"a": ["x", "y"]}, "properties": {"owner": "me"}, "sensitive": ["owner"]},
        "ruleSet": {
            "domainRules": [{
                "name": "r", "doc": "d", "kind": "TRANSFORM", "mode": "WRITEREAD", "type": "ENCRYPT", "tags": ["PII"],
                "params": {"k": "v"}, "expr": "e", "onSuccess": "NONE", "onFailure": "ERROR,NONE", "disabled": false
            }],
        },
    });
    let (status, _) = call(&server, "POST /subjects/g/versions", &body.to_string());
    assert_eq!(status, 200);
    for path in [
        "/subjects/g/versions/1",
        "/schemas/ids/2",
        "/subjects/g/metadata?key=owner&value=me",
    ] {
        let (_, found) = call(&server, &format!("GET {path}"), "");
        assert!(holds(&found, &body), "{path}: {found}");
    }
    run(
        &server,
        &[
            ("GET /subjects/f/versions/1/referencedby", "", 200, json!([2])),
            ("DELETE /subjects/f", "", 422, error(42206)),
            (
                "POST /subjects/h/versions",
                r#"{"schema":"\"int\"","ruleSet":{"domainRules":[{"name":"r"}]}}"#,
                422,
                error(42210),
            ),
            (
                "POST /subjects/h/versions",
                r#"{"schema":"\"int\"","references":[{"name":"r","subject":"z","version":0}]}"#,
                422,
                error(42201),
            ),
            (
                "POST /subjects/h/versions",
                r#"{"schema":"\"int\"","schemaType":"XML"}"#,
                422,
                error(42201),
            ),
            ("POST /subjects/h/versions", "nonsense", 400, error(400)),
            ("POST /subjects/h/versions", "{}", 422, error(42201)),
        ],
    );
}

#[test]
fn ids_can_be_imported() {
    let server = start();
    run(
        &server,
        &[
            (
                "POST /subjects/a/versions",
                r#"{"schema":"\"int\"","id":7}"#,
                422,
                error(42205),
            ),
            ("PUT /mode/a", r#"{"mode":"IMPORT"}"#, 200, json!({})),
            (
                "POST /subjects/a/versions",
                r#"{"schema":"\"int\"","id":7,"version":3}"#,
                200,
                json!({"id": 7, "version": 3}),
            ),
        ],
    );
}

#[test]
fn bodies_are_bounded() {
    let server = Server::start(ServerOptions::default().with_body_limit_bytes(100)).unwrap();
    run(
        &server,
        &[
            ("POST /subjects/a/versions", STRING, 200, json!({"id": 1})),
            (
                "POST /subjects/a/versions",
                &format!("{STRING}{}", " ".repeat(100)),
                413,
                error(413),
            ),
        ],
    );
}

#[test]
fn passwords_are_asked_for_and_not_shown() {
    let options = ServerOptions::default().with_basic_auth("user", "secret");
    assert!(!format!("{options:?}").contains("secret"));
    let server = Server::start(options).unwrap();
    assert!(!format!("{server:?}").contains("secret"));
    run(&server, &[("GET /subjects", "", 401, error(401))]);
    let get = |credentials: &str| {
        let url = format!("{}/subjects", server.url());
        agent()
            .get(url)
            .header("authorization", format!("Basic {credentials}"))
            .call()
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(get("dXNlcjpzZWNyZXQ="), 200);
    assert_eq!(get("dXNlcjp3cm9uZw=="), 401);
}

#[test]
fn faults_come_in_order_and_requests_are_counted() {
    let server = start();
    let faults = server.faults();
    faults.next_requests(
        2,
        Fault::Status {
            status: 429,
            retry_after_s: Some(3),
        },
    );
    faults.next_requests(1, Fault::Disconnect);
    faults.next_requests(1, Fault::Delay(Duration::from_millis(1)));
    faults.next_requests(0, Fault::Disconnect);
    let get = || agent().get(format!("{}/subjects", server.url())).call();
    for _ in 0..2 {
        let response = get().unwrap();
        assert_eq!(response.status().as_u16(), 429);
        assert_eq!(response.headers().get("retry-after").unwrap(), "3");
    }
    let broken = get().and_then(|mut response| response.body_mut().read_to_string());
    assert!(broken.is_err(), "{broken:?}");
    assert_eq!(get().unwrap().status().as_u16(), 200);
    faults.next_requests(5, Fault::Disconnect);
    faults.clear();
    assert_eq!(get().unwrap().status().as_u16(), 200);
    assert_eq!(
        (
            faults.requests(),
            faults.requests_to("GET /subjects"),
            faults.requests_to("GET /")
        ),
        (5, 5, 0)
    );
}

#[test]
fn a_server_stops_with_its_connections() {
    let server = start();
    let idle = TcpStream::connect(server.address()).unwrap();
    server
        .with_store(|store| store.register(&Subject::from("a"), Schema::avro("\"int\""), false))
        .unwrap();
    run(&server, &[("GET /subjects", "", 200, json!(["a"]))]);
    let address = server.address();
    server.shutdown();
    assert!(TcpStream::connect(address).is_err());
    drop(idle);
    // The address is free again.
    let again = Server::start(ServerOptions::default().with_address(address));
    assert!(again.is_ok(), "{again:?}");
}

/// A schema as deep as is taken neither ends the server's thread nor that of whoever asks the
/// store.
#[test]
fn deep_schemas_are_survived() {
    let server = start();
    for depth in [20, 60, 100, 126, 127, 128, 5_000] {
        let text = format!(
            "{}\"int\"{}",
            r#"{"type":"array","items":"#.repeat(depth),
            "}".repeat(depth)
        );
        let body = json!({ "schema": text }).to_string();
        let (status, found) = call(&server, &format!("POST /subjects/d{depth}/versions"), &body);
        assert_eq!(status, if depth < 100 { 200 } else { status }, "{depth} {found}");
        assert!(matches!(status, 200 | 422), "{depth} {found}");
        let local =
            server.with_store(|store| store.register(&Subject::from("local"), Schema::avro(text), false));
        assert_eq!(
            local.is_ok() || local.as_ref().is_err_and(|error| error.code() == 409),
            status == 200,
            "{local:?}"
        );
    }
}
