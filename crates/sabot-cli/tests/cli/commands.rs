//! The other commands as a user runs them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
#[cfg(unix)]
use std::process::{Child, Stdio};

#[cfg(unix)]
use crate::common::interrupt;
use crate::common::{Stage, run, sabot};

#[test]
fn the_demo_adds_up() {
    let (out, said) = run(sabot("demo --messages 20000"), 0);
    for words in [
        "good + bad = produced",
        "20,000",
        "19,800",
        "bad enum index",
        "items[].quantity",
        "messages/s",
    ] {
        assert!(out.contains(words), "no {words} in\n{out}");
    }
    assert!(!out.contains("NO"), "{out}");
    assert_eq!(said, "");
}

/// Tests say all of the command's configuration themselves, and inherit none.
#[test]
fn no_variable_that_help_names_is_inherited() {
    let mut named = 0;
    for line in ["consume --help", "cat --help", "list --help", "schema --help"] {
        let (help, _) = run(sabot(line), 0);
        for (at, _) in help.match_indices("[env: ") {
            let name: String = help[at + 6..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let command = sabot("");
            let is_removed = command
                .get_envs()
                .any(|(removed, value)| removed == &*name && value.is_none());
            assert!(is_removed, "{line}: {name}");
            named += 1;
        }
    }
    assert!(named >= 8, "{named}");
}

#[test]
fn the_first_configuration_file_that_exists_is_read() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    std::fs::create_dir_all(path(".config/sabot")).unwrap();
    let files = [
        path(".config/kcat.conf"),
        path("kcats"),
        path(".config/sabot/sabot.conf"),
    ];
    // One after the other comes into being, and goes before those that were there. Its second line
    // is no property.
    for file in &files {
        std::fs::write(file, "client.id=x\nhunter2\n").unwrap();
        let mut command = sabot("list");
        command.env("HOME", home.path());
        if files[1].exists() {
            command.env("KCAT_CONFIG", &files[1]);
        }
        let (_, said) = run(command, 2);
        assert_eq!(
            said,
            format!("sabot: {}: line 2 is not NAME=VALUE\n", file.display())
        );
    }
    let mut command = sabot("list -F none");
    command.env("HOME", home.path());
    let (_, said) = run(command, 2);
    assert!(said.contains("SABOT_BROKERS"), "{said}");
}

#[test]
fn topics_and_partitions_are_listed() {
    let stage = Stage::new(&["events", "others"]);
    stage.send_events("events", 3);
    let list = |line: &str| sabot(&format!("list -F none -b {} {line}", stage.broker.brokers()));
    let (out, _) = run(list(""), 0);
    assert_eq!(
        out,
        "{\"topic\":\"events\",\"partitions\":1,\"replicas\":1,\"offsets\":3}\n{\"topic\":\"others\",\"partitions\":1,\"replicas\":1,\"offsets\":0}\n"
    );
    let (out, _) = run(list("-t events"), 0);
    assert!(
        out.starts_with(
            r#"{"topic":"events","partition":0,"leader":1,"replicas":1,"low":0,"high":3,"offsets":3}"#
        ),
        "{out}"
    );
    let (_, said) = run(list("-t nowhere"), 1);
    assert!(said.contains("nowhere"), "{said}");
}

#[test]
fn a_list_without_topics_says_so() {
    let stage = Stage::new(&[]);
    let (out, said) = run(sabot(&format!("list -F none -b {}", stage.broker.brokers())), 0);
    assert_eq!(out, "");
    assert!(said.ends_with("sabot: no topics\n"), "{said}");
}

/// A registry that answers everything with 404 and this body. Its URL; it lasts as long as the
/// test.
fn finds_nothing(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut body_bytes = 0;
            // The request: its head up to an empty line, and its body.
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    body_bytes = length.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            stream.read_exact(&mut vec![0; body_bytes]).unwrap();
            let length = body.len();
            write!(
                stream.get_mut(),
                "HTTP/1.1 404 Not Found\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    url
}

#[test]
fn any_schema_is_compatible_with_a_subject_without_versions() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("int.avsc");
    std::fs::write(&file, "\"int\"").unwrap();
    let check = |body, rest: &str, status| {
        let url = finds_nothing(body);
        let line = format!("schema check new {} -r {url} {rest}", file.display());
        run(sabot(&line), status)
    };
    let unknown = r#"{"error_code":40401,"message":"no such subject"}"#;
    for rest in ["", "--version latest"] {
        let (out, said) = check(unknown, rest, 0);
        assert_eq!(out, "compatible\n");
        assert_eq!(
            said,
            "subject new has no versions yet: any schema is compatible\n"
        );
    }
    // What asks for a version that is not there fails, and so does what is not answered by a
    // registry.
    let (_, said) = check(unknown, "--version 1", 1);
    assert!(said.contains("40401"), "{said}");
    check("nothing here", "", 1);
    // Nobody else has looked at the schema.
    std::fs::write(&file, "\"lnog\"").unwrap();
    let (out, said) = check(unknown, "", 1);
    assert_eq!(out, "");
    assert!(said.contains("int.avsc is no Avro schema: "), "{said}");
}

/// `sabot registry serve`, which ends with the value.
#[cfg(unix)]
struct Served {
    server: Child,
    url: String,
    folder: tempfile::TempDir,
}

#[cfg(unix)]
impl Served {
    fn start() -> Self {
        let mut server = sabot("registry serve --listen 127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        Self {
            server,
            url: url.trim().to_owned(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// What `sabot schema` prints to stdout and stderr.
    fn schema(&self, line: &str, status: i32) -> (String, String) {
        run(sabot(&format!("schema {line} -r {}", self.url)), status)
    }

    /// A file with the schema of a record whose field `b` is of this type.
    fn file(&self, b: &str) -> String {
        let path = self.folder.path().join(format!("{b}.avsc"));
        let schema = format!(r#"{{"type":"record","name":"R","fields":[{{"name":"b","type":"{b}"}}]}}"#);
        std::fs::write(&path, schema).unwrap();
        path.display().to_string()
    }
}

#[cfg(unix)]
impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_served_registry_takes_checks_and_gives_schemas() {
    let mut served = Served::start();
    let [int, long, string] = ["int", "long", "string"].map(|b| served.file(b));
    let out = |line: &str| served.schema(line, 0).0;
    assert_eq!(out("subjects"), "");
    assert_eq!(out(&format!("register s {int}")), "1\n");
    assert_eq!(out(&format!("check s {long}")), "compatible\n");
    let (incompatible, said) = served.schema(&format!("check s {string}"), 1);
    assert_eq!(incompatible, "incompatible\n");
    assert!(
        said.contains("TYPE_MISMATCH") && !said.contains("sabot:"),
        "{said}"
    );
    assert_eq!(out(&format!("register s {long}")), "2\n");
    assert_eq!(out("subjects"), "s\n");
    assert_eq!(out("versions s"), "1\n2\n");
    let shown = "{\n  \"type\": \"record\",\n  \"name\": \"R\",\n  \"fields\": [\n    {\n      \"name\": \"b\",\n      \"type\": \"long\"\n    }\n  ]\n}\n";
    assert_eq!(out("get s"), shown);
    assert_eq!(out("get --id 2"), shown);
    let first = out("get s 1 --json");
    assert!(
        first.starts_with("{\n  \"subject\": \"s\",\n  \"version\": 1,\n  \"id\": 1,\n"),
        "{first}"
    );

    interrupt(&served.server);
    assert_eq!(served.server.wait().unwrap().code(), Some(130));
}

#[cfg(unix)]
#[test]
fn the_registry_may_stand_in_the_configuration_file() {
    let served = Served::start();
    let (out, _) = served.schema(&format!("register s {}", served.file("int")), 0);
    assert_eq!(out, "1\n");
    let home = served.folder.path();
    let file = home.join(".config/sabot/sabot.conf");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(
        &file,
        format!("client.id=x\nschema.registry.url={}\n", served.url),
    )
    .unwrap();
    let mut command = sabot("schema subjects");
    command.env("HOME", home);
    assert_eq!(run(command, 0).0, "s\n");
    let (out, _) = run(sabot(&format!("schema versions s -F {}", file.display())), 0);
    assert_eq!(out, "1\n");
    let mut command = sabot("schema subjects -F none");
    command.env("HOME", home);
    let (_, said) = run(command, 2);
    assert!(said.contains("schema.registry.url"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_served_registry_changes_levels_and_deletes_versions() {
    let served = Served::start();
    let [int, long] = ["int", "long"].map(|b| served.file(b));
    let out = |line: &str| served.schema(line, 0).0;
    for (line, expected) in [
        (&*format!("register s {int}"), "1\n"),
        (&*format!("register s {long}"), "2\n"),
        ("config s", "BACKWARD\n"),
        ("config s --set full", "FULL\n"),
        ("config s --unset", "BACKWARD\n"),
        ("delete s 1", "1\n"),
        ("versions s", "2\n"),
        ("versions s --deleted", "1\n2\n"),
        ("delete s", "2\n"),
        ("subjects", ""),
    ] {
        assert_eq!(out(line), expected, "{line}");
    }
    let (_, said) = served.schema("get s", 1);
    assert!(said.contains("40401"), "{said}");
}

#[test]
fn completions_and_manual_pages_are_printed() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(
            run(sabot(&format!("completions {shell}")), 0)
                .0
                .contains("consume"),
            "{shell}"
        );
    }
    let (pages, _) = run(sabot("completions man"), 0);
    assert!(
        pages.contains(".TH sabot") && pages.contains("rotate\\-rows"),
        "{pages}"
    );
}

#[test]
fn help_is_no_failure_and_nonsense_is() {
    for line in ["--help", "consume --help", "--version"] {
        run(sabot(line), 0);
    }
    for (line, says) in [
        ("", "Usage"),
        ("frobnicate", "frobnicate"),
        ("consume --frobnicate", "--frobnicate"),
        ("consume -t a -c ten", "expected a whole number, 1 or more"),
        ("demo --messages ten", "from 1,000 to 2,000,000"),
        ("registry serve --listen here", "such as 127.0.0.1:8081"),
        ("consume -t a -c 0", "expected a whole number, 1 or more"),
        (
            "consume -t a --timeout 99999999999999999999",
            "the number is too large",
        ),
    ] {
        let (_, said) = run(sabot(line), 2);
        assert!(said.contains(says), "{line}: {said}");
    }
    let (_, said) = run(sabot("schema subjects"), 2);
    assert!(said.contains("SABOT_REGISTRY"), "{said}");
    let (_, said) = run(sabot("consume -F none -t a"), 2);
    assert!(said.contains("SABOT_BROKERS"), "{said}");
}
