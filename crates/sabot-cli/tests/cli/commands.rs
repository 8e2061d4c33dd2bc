//! The other commands as a user runs them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

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
    // One after the other comes into being, and goes before those that were there. Its second line is no property.
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

#[cfg(unix)]
#[test]
fn a_served_registry_takes_checks_and_gives_schemas() {
    let mut server = sabot("registry serve --listen 127.0.0.1:0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut url)
        .unwrap();
    let schema = |line: &str| sabot(&format!("schema {line} -r {}", url.trim()));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::File::create(&path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        path.display().to_string()
    };
    let first = file(
        "1.avsc",
        r#"{"type":"record","name":"R","fields":[{"name":"b","type":"int"}]}"#,
    );
    let second = file(
        "2.avsc",
        r#"{"type":"record","name":"R","fields":[{"name":"b","type":"long"}]}"#,
    );
    let wrong = file(
        "3.avsc",
        r#"{"type":"record","name":"R","fields":[{"name":"b","type":"string"}]}"#,
    );

    assert_eq!(run(schema("subjects"), 0).0, "");
    assert_eq!(run(schema(&format!("register s {first}")), 0).0, "1\n");
    assert_eq!(run(schema(&format!("check s {second}")), 0).0, "compatible\n");
    let (out, said) = run(schema(&format!("check s {wrong}")), 1);
    assert_eq!(out, "incompatible\n");
    assert!(
        said.contains("TYPE_MISMATCH") && !said.contains("sabot:"),
        "{said}"
    );
    assert_eq!(run(schema(&format!("register s {second}")), 0).0, "2\n");
    assert_eq!(run(schema("subjects"), 0).0, "s\n");
    assert_eq!(run(schema("versions s"), 0).0, "1\n2\n");
    let shown = "{\n  \"type\": \"record\",\n  \"name\": \"R\",\n  \"fields\": [\n    {\n      \"name\": \"b\",\n      \"type\": \"long\"\n    }\n  ]\n}\n";
    assert_eq!(run(schema("get s"), 0).0, shown);
    assert_eq!(run(schema("get --id 2"), 0).0, shown);
    let (out, _) = run(schema("get s 1 --json"), 0);
    assert!(
        out.starts_with("{\n  \"subject\": \"s\",\n  \"version\": 1,\n  \"id\": 1,\n"),
        "{out}"
    );
    assert_eq!(run(schema("config s"), 0).0, "BACKWARD\n");
    assert_eq!(run(schema("config s --set full"), 0).0, "FULL\n");
    assert_eq!(run(schema("config s --unset"), 0).0, "BACKWARD\n");
    assert_eq!(run(schema("delete s 1"), 0).0, "1\n");
    assert_eq!(run(schema("versions s --deleted"), 0).0, "1\n2\n");
    assert_eq!(run(schema("delete s"), 0).0, "2\n");
    let (_, said) = run(schema("get s"), 1);
    assert!(said.contains("40401"), "{said}");

    let id = server.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(server.wait().unwrap().code(), Some(130));
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
    for line in ["", "frobnicate", "consume --frobnicate"] {
        run(sabot(line), 2);
    }
    let (_, said) = run(sabot("schema subjects"), 2);
    assert!(said.contains("SABOT_REGISTRY"), "{said}");
    let (_, said) = run(sabot("consume -F none -t a"), 2);
    assert!(said.contains("SABOT_BROKERS"), "{said}");
}
