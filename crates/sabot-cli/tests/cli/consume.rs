//! `sabot consume` as a user runs it, against a broker and a registry in this process.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};

#[cfg(unix)]
use crate::common::interrupt;
use crate::common::{Stage, run, sabot};

const FIRST: &str =
    r#"{"id":0,"price":"12.34","at":"2023-11-14T22:13:20Z","detail":null,"span":"P1M2DT3.5S","#;

#[test]
fn every_text_format_has_every_row() {
    let stage = Stage::new(&["events"]);
    stage.send_events("events", 3);

    let (out, said) = run(stage.consume("-t events -e"), 0);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3, "JSON lines are what a pipe gets");
    assert!(lines[0].starts_with(FIRST), "{out}");
    assert!(
        lines[0].ends_with(
            r#""_topic":"events","_partition":0,"_offset":0,"_timestamp":"2023-11-14T22:13:20Z"}"#
        ),
        "{out}"
    );
    assert!(lines[1].contains(r#""detail":{"string":"hi"}"#), "{out}");
    assert!(lines[2].contains(r#""detail":{"Point":{"x":1.5}}"#), "{out}");
    assert!(said.contains("3 messages: 3 good, 0 bad"), "{said}");

    let (out, said) = run(stage.consume("-t events -e -q -O json --no-meta --select id"), 0);
    assert_eq!(out, "[\n{\"id\":0},\n{\"id\":1},\n{\"id\":2}\n]\n");
    assert_eq!(said, "");

    let (out, _) = run(
        stage.consume("-t events -e -O csv --no-meta --select id,detail"),
        0,
    );
    assert_eq!(
        out,
        "id,detail\r\n0,\r\n1,\"{\"\"string\"\":\"\"hi\"\",\"\"Point\"\":null}\"\r\n2,\"{\"\"string\"\":null,\"\"Point\"\":{\"\"x\"\":1.5}}\"\r\n"
    );

    let (out, _) = run(
        stage.consume("-t events -e -O table --no-meta --select id,price -s key=string --color always"),
        0,
    );
    assert!(out.contains("\x1b[1m"), "{out:?}");
    let (out, _) = run(
        stage.consume("events -e -O table --no-meta --select id,price -s key=string"),
        0,
    );
    assert_eq!(
        out,
        "key  │   id │ price\n─────┼──────┼──────\nk0   │    0 │ 12.34\nk1   │    1 │ 12.34\nk2   │    2 │ 12.34\n"
    );

    let (out, _) = run(stage.consume("-t events -e -o 2 -J"), 0);
    let envelope = r#"{"topic":"events","partition":0,"offset":2,"tstype":"create","ts":1700000000000,"headers":["h","v"],"key":"k2","payload":{"id":2,"#;
    assert!(out.starts_with(envelope), "{out}");

    let (out, _) = run(
        stage.consume("-t events -e -o -1 -s key=s --select id -f %t:%p:%o:%k:%s:%T:%h\\n"),
        0,
    );
    assert_eq!(out, "events:0:2:k2:{\"id\":2}:1700000000000:h=v\n");

    let (out, _) = run(stage.consume("-t events -c 2 --no-meta --select id"), 0);
    assert_eq!(out, "{\"id\":0}\n{\"id\":1}\n");
}

#[test]
fn without_a_registry_bytes_go_through_as_with_kcat() {
    let stage = Stage::new(&["raw"]);
    stage.send("raw", Some("k"), Some(b"a\xff"));
    stage.send("raw", None, None);
    stage.flush();
    let plain = |line: &str| {
        sabot(&format!(
            "consume -F none -b {} -t raw -e -q {line}",
            stage.broker.brokers()
        ))
    };
    let out = plain("-f %k=%s(%S)\\n").output().unwrap().stdout;
    assert_eq!(out, b"k=a\xff(2)\n=(-1)\n");
    let (out, _) = run(plain("-J"), 0);
    assert!(out.contains(r#""key":"k","payload":{"base64":"Yf8="}}"#), "{out}");
    assert!(out.contains(r#""key":null,"payload":null}"#), "{out}");
}

#[test]
fn what_is_read_can_be_chosen() {
    let stage = Stage::with_partitions(&["order-a", "order-b", "other"], 2);
    for topic in ["order-a", "order-b", "other"] {
        for partition in [0, 1] {
            stage.send_to(
                topic,
                partition,
                Some("k"),
                Some(format!("{topic}/{partition}").as_bytes()),
            );
        }
    }
    stage.send_to("order-a", 1, None, None);
    stage.flush();
    let sorted = |line: &str| {
        let (out, _) = run(stage.consume(&format!("-s value=string -q {line}")), 0);
        let mut lines: Vec<_> = out.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    for (line, expected) in [
        (
            "--regex -t der-[ab]$ -e --no-meta --tombstones drop",
            "{\"value\":\"order-a/0\"}\n{\"value\":\"order-a/1\"}\n{\"value\":\"order-b/0\"}\n{\"value\":\"order-b/1\"}",
        ),
        (
            "-t ^order-b -t other -e --meta partition",
            "{\"value\":\"order-b/0\",\"_partition\":0}\n{\"value\":\"order-b/1\",\"_partition\":1}\n{\"value\":\"other/0\",\"_partition\":0}\n{\"value\":\"other/1\",\"_partition\":1}",
        ),
        ("-t other -p 1 -e --no-meta", "{\"value\":\"other/1\"}"),
        (
            "-t other -p 0,1 -e --no-meta",
            "{\"value\":\"other/0\"}\n{\"value\":\"other/1\"}",
        ),
        ("-t order-a -o end -e", ""),
        (
            "-t order-a -p 1 -e --meta headers,key --tombstones null",
            "{\"value\":\"order-a/1\",\"_key\":\"aw==\",\"_headers\":[{\"key\":\"h\",\"value\":\"dg==\"}]}\n{\"value\":null,\"_key\":null,\"_headers\":[{\"key\":\"h\",\"value\":\"dg==\"}]}",
        ),
        (
            "-t order-a -p 1 -e --no-meta --tombstones flag",
            "{\"value\":\"order-a/1\",\"_deleted\":false}\n{\"value\":null,\"_deleted\":true}",
        ),
        // The group has committed nothing, and then one message.
        (
            "-G g -t order-a -p 1 -o stored -c 1 --no-meta",
            "{\"value\":\"order-a/1\"}",
        ),
        ("-G g -t order-a -p 1 -o stored -e --no-meta", "{\"value\":null}"),
        ("-G g -t order-a -p 1 -o stored -e --no-meta", ""),
    ] {
        assert_eq!(sorted(line), expected, "{line}");
    }
}

#[test]
fn metadata_can_be_all_that_is_written() {
    let stage = Stage::new(&["events"]);
    stage.send_events("events", 1);
    stage.send("events", None, Some(b"no Avro"));
    stage.send("events", None, None);
    stage.flush();
    // Nobody listens at this registry, and nobody is asked.
    let consume = |line: &str| {
        sabot(&format!(
            "consume -F none -b {} -r http://127.0.0.1:1 -t events -e -q --meta-only {line}",
            stage.broker.brokers()
        ))
    };
    let rows = |line: &str| run(consume(line), 0).0;
    assert_eq!(
        rows("--meta offset,key"),
        "{\"_offset\":0,\"_key\":\"azA=\"}\n{\"_offset\":1,\"_key\":null}\n{\"_offset\":2,\"_key\":null}\n"
    );
    assert_eq!(
        rows("-O csv --meta offset --tombstones flag"),
        "_offset,_deleted\r\n0,false\r\n1,false\r\n2,true\r\n"
    );
    assert_eq!(rows("--meta offset --tombstones drop -c 3").lines().count(), 2);
    assert_eq!(
        rows("-J -o 1 -c 1"),
        "{\"topic\":\"events\",\"partition\":0,\"offset\":1,\"tstype\":\"create\",\"ts\":1700000000000,\"headers\":[\"h\",\"v\"],\"key\":null}\n"
    );
    assert_eq!(rows("-f %o:%k:%K\\n"), "0:k0:2\n1::-1\n2::-1\n");

    let folder = tempfile::tempdir().unwrap();
    for line in ["", "-o end"] {
        let path = folder.path().join("out.parquet").display().to_string();
        rows(&format!("--overwrite --out {path} {line}"));
        let names = ["_topic", "_partition", "_offset", "_timestamp"];
        let schema = read_parquet(&path).schema();
        assert!(
            schema.fields().iter().map(|field| field.name()).eq(names),
            "{line}: {schema}"
        );
    }
    for line in ["-f %s\\n", "-f %S\\n", "--meta none"] {
        let (_, said) = run(consume(line), 2);
        assert!(said.contains("--meta-only"), "{line}: {said}");
    }
}

/// A name with a dot is quoted; what the first messages lack is a column all the same, and -v says so.
#[test]
fn fields_of_json_are_selected() {
    let stage = Stage::new(&["json"]);
    stage.send(
        "json",
        None,
        Some(br#"{"id":1,"unit.price":5,"who":{"name":"me"}}"#),
    );
    stage.flush();
    let consume = |paths: &str| {
        let mut command = stage.consume("-t json -e -q -v -s value=json -O csv --no-meta");
        command.args(["--select", paths]);
        run(command, 0)
    };
    let (out, said) = consume(r#""unit.price", id"#);
    assert_eq!(out, "unit.price,id\r\n5,1\r\n", "{said}");
    let (out, said) = consume("ID,who.name");
    assert_eq!(out, "ID,who\r\n,\"{\"\"name\"\":\"\"me\"\"}\"\r\n", "{said}");
    assert!(
        said.contains("field ID: ") && said.contains("did you mean id?"),
        "{said}"
    );
}

#[test]
fn json_of_a_registry_loses_its_schema_id_and_nothing_else() {
    let stage = Stage::new(&["json"]);
    stage.send("json", None, Some(b"\0\0\0\0\x07{\"id\":1}"));
    stage.send("json", None, Some(b"{\"id\":2}"));
    stage.flush();
    // There is no schema 7: none is asked for.
    let (out, said) = run(
        stage.consume("-t json -e -s json-registry --no-meta --on-error skip"),
        0,
    );
    assert_eq!(out, "{\"id\":1}\n");
    assert!(
        said.contains("offset 1: value, byte 0: invalid magic byte 0x7b"),
        "{said}"
    );
}

/// Who looks for the words of an error finds them in the headings of the page about errors.
#[test]
fn troubleshooting_quotes_what_is_said() {
    let stage = Stage::new(&["events"]);
    let unknown = [&[0, 0, 0, 0, 99], &stage.event(1)[5..]].concat();
    for (key, value) in [
        (None, &b"{}"[..]),
        (Some("text"), &stage.event(1)),
        (None, b""),
        (None, &unknown),
    ] {
        stage.send("events", key, Some(value));
    }
    stage.flush();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    let mut said = run(stage.consume("-t events -e -s avro --on-error skip"), 0).1;
    for (line, status) in [
        ("schema subjects -r http://127.0.0.1:1 --registry-timeout 1", 1),
        (
            &*format!("schema subjects -r http://{silent} --registry-timeout 1"),
            1,
        ),
        ("list -F none -b 127.0.0.1:1 --timeout 1", 1),
        (
            "list -F none -b 127.0.0.1:1 -X security.protocol=ssl --timeout 1",
            if cfg!(feature = "ssl") { 1 } else { 2 },
        ),
    ] {
        said.push_str(&run(sabot(line), status).1);
    }
    let page = include_str!("../../../../docs/troubleshooting.md");
    let headings = page.lines().filter_map(|line| line.strip_prefix("## \""));
    let quotes: Vec<_> = headings
        .flat_map(|heading| heading.trim_end_matches('"').split("\", \""))
        .collect();
    assert!(quotes.len() > 6, "{quotes:?}");
    for quote in quotes {
        let is_built_in = quote.starts_with("OpenSSL") && cfg!(feature = "ssl");
        let is_said = said.lines().any(|line| {
            let mut rest = Some(line);
            for part in quote.split("...") {
                rest = rest.and_then(|text| text.split_once(part)).map(|(_, rest)| rest);
            }
            rest.is_some()
        });
        assert!(is_said || is_built_in, "{quote}\nis not in\n{said}");
    }
}

#[test]
fn a_registry_that_does_not_answer_is_waited_for_as_long_as_told() {
    let stage = Stage::new(&["events"]);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let registry = format!("http://{}", silent.local_addr().unwrap());
    // An attempt takes ten seconds: whoever waits longer than told has time for several, and says
    // how many.
    let (_, said) = run(
        sabot(&format!(
            "consume -F none -b {} -r {registry} -t events -e --registry-timeout 1",
            stage.broker.brokers()
        )),
        1,
    );
    assert!(said.contains(&registry) && !said.contains("attempts"), "{said}");
    let (_, said) = run(
        sabot(&format!("schema subjects -r {registry} --registry-timeout 1")),
        1,
    );
    assert!(said.contains(&registry) && !said.contains("attempts"), "{said}");
}

#[test]
fn parquet_and_arrow_files_are_whole_and_hold_unions_and_intervals() {
    let stage = Stage::new(&["events"]);
    stage.send_events("events", 3);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();

    let parquet = path("out.parquet");
    run(stage.consume(&format!("-t events -e --out {parquet}")), 0);
    let rows = read_parquet(&parquet);
    assert_eq!(rows["id"].as_primitive::<Int64Type>().values(), &[0, 1, 2]);
    let detail = rows["detail"].as_struct();
    assert_eq!(detail.column_names(), ["string", "Point"]);
    assert!(detail.is_null(0) || detail.columns().iter().all(|branch| branch.is_null(0)));
    assert_eq!(detail["string"].as_string::<i32>().value(1), "hi");
    assert_eq!(
        rows["span"].as_struct()["nanoseconds"]
            .as_primitive::<Int64Type>()
            .value(0),
        3_500_000_000
    );

    let (_, said) = run(stage.consume(&format!("-t events -e --out {parquet}")), 1);
    assert!(said.contains("--overwrite"), "{said}");
    run(
        stage.consume(&format!("-t events -e -o 1 --overwrite --out {parquet}")),
        0,
    );
    assert_eq!(read_parquet(&parquet).num_rows(), 2);

    let arrow = path("out.arrow");
    run(stage.consume(&format!("-t events -e --out {arrow}")), 0);
    let reader = arrow_ipc::reader::FileReader::try_new(std::fs::File::open(&arrow).unwrap(), None).unwrap();
    assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 3);

    let stream = stage.consume("-t events -e -q -O arrow").output().unwrap().stdout;
    let reader = arrow_ipc::reader::StreamReader::try_new(stream.as_slice(), None).unwrap();
    assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 3);

    run(
        stage.consume(&format!(
            "-t events -e --rotate-rows 2 --out {}",
            path("part.parquet")
        )),
        0,
    );
    assert_eq!(read_parquet(&path("part-00000.parquet")).num_rows(), 2);
    assert_eq!(read_parquet(&path("part-00001.parquet")).num_rows(), 1);

    // A topic without a message still makes a file, with its schema.
    run(
        stage.consume(&format!("-t events -e -o 3 --out {}", path("empty.parquet"))),
        0,
    );
    assert_eq!(read_parquet(&path("empty.parquet")).num_columns(), 9);
    let piped = |format: &str| {
        let mut command = stage.consume(&format!("-t events -e -o 3 -O {format}"));
        command.output().unwrap().stdout
    };
    assert!(piped("parquet").ends_with(b"PAR1"));
    assert!(arrow_ipc::reader::StreamReader::try_new(&*piped("arrow"), None).is_ok());
    assert!(piped("csv").starts_with(b"id,"));
}

#[test]
fn bad_messages_follow_the_policy() {
    let stage = Stage::new(&["events", "dead"]);
    let good = stage.event(1);
    stage.send("events", Some("a"), Some(&good));
    stage.send("events", Some("b"), Some(&good[..9]));
    stage.send("events", Some("c"), Some(b"{\"id\": 1}"));
    stage.send("events", Some("d"), Some(&good));
    stage.flush();

    let (out, said) = run(stage.consume("-t events -e"), 1);
    assert_eq!(
        out.lines().count(),
        1,
        "what stands before the bad message is written"
    );
    assert!(
        said.contains("topic events, partition 0, offset 1, schema 1"),
        "{said}"
    );
    assert!(said.contains("--on-error skip"), "{said}");

    let (_, said) = run(stage.consume("-t events -e -s avro"), 1);
    assert!(
        said.contains("invalid magic byte 0x61") && said.contains("-s value=SERDE"),
        "{said}"
    );
    for (options, is_guessed) in [("", true), ("-s key=string", true), ("-s value=avro", false)] {
        let (_, said) = run(stage.consume(&format!("-t events -e -o 2 {options}")), 1);
        assert_eq!(said.contains("taken for Avro"), is_guessed, "{options}: {said}");
        assert!(!said.contains("value=SERDE"), "{options}: {said}");
    }

    let (out, said) = run(stage.consume("-t events -e --on-error skip"), 0);
    assert_eq!(out.lines().count(), 2);
    assert!(said.contains("sabot: bad message: events[0] at offset 1: value, schema 1, field at, byte 9: the message ends inside a value"), "{said}");
    assert!(
        said.contains("events[0] at offset 2: value, byte 0: invalid magic byte 0x7b"),
        "{said}"
    );
    assert!(said.contains("4 messages: 2 good, 2 bad"), "{said}");
    let (_, said) = run(stage.consume("-t events -e -E --max-errors-shown 1"), 0);
    assert!(
        said.contains("offset 1:") && !said.contains("offset 2:") && said.contains("2 bad"),
        "{said}"
    );

    let (out, _) = run(
        // The last field too: a row is only read as far as what is selected.
        stage.consume("-t events -e --on-error null --no-meta --select id,span"),
        0,
    );
    assert_eq!(out.lines().count(), 4);
    assert!(
        out.lines()
            .nth(1)
            .unwrap()
            .starts_with(r#"{"id":null,"span":null,"_error":"value, schema 1"#),
        "{out}"
    );

    let (out, _) = run(stage.consume("-t events -e --on-error dlq --dlq-topic dead"), 0);
    assert_eq!(out.lines().count(), 2);
    let dead = run(stage.consume("-t dead -e -s value=bytes -f %k:%h\\n"), 0).0;
    assert!(dead.starts_with("b:h=v,__connect.errors.topic=events,"), "{dead}");
    assert_eq!(dead.lines().count(), 2);
}

#[test]
fn a_group_goes_on_behind_what_was_written() {
    let stage = Stage::new(&["events"]);
    stage.send_events("events", 4);
    let consume = |line: &str| stage.consume(&format!("-G g --no-meta --select id -q {line}"));
    let ids = |line: &str| run(consume(line), 0).0;
    // Without joining it: the embedded broker shares partitions out quickly the first time only.
    let stored = "-t events -p 0 -o stored";
    assert_eq!(
        ids(&format!("{stored} -c 3")),
        "{\"id\":0}\n{\"id\":1}\n{\"id\":2}\n"
    );
    assert_eq!(ids(&format!("{stored} -c 1")), "{\"id\":3}\n");
    stage.send_events("events", 1);

    // A closed pipe: the row could not be written, so it is not acknowledged.
    let mut child = consume(&format!("{stored} -e"))
        .stdout(Stdio::from(closed_pipe()))
        .spawn()
        .unwrap();
    assert_eq!(
        child.wait().unwrap().code(),
        Some(0),
        "a closed pipe is no failure"
    );
    // A member of the group goes on there too.
    assert_eq!(ids("events -c 1"), "{\"id\":0}\n");
}

#[test]
fn a_reader_that_leaves_ends_it_without_a_word() {
    let stage = Stage::new(&["events"]);
    stage.send_events("events", 2_000);
    let mut child = stage
        .consume("-t events --batch-rows 10")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::with_capacity(1, child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert!(first.starts_with(FIRST), "{first}");
    // It waits for ever for more messages, so that only the closed pipe can end it.
    stage.send_events("events", 2_000);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    assert!(!said.to_lowercase().contains("pipe"), "{said}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_finishes_the_file() {
    let stage = Stage::new(&["events"]);
    stage.send_events("events", 5);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.parquet").display().to_string();
    let mut child = stage
        .consume(&format!("-t events --batch-rows 5 --out {path}"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The partial file appears with the first batch, which is full.
    let partial = folder.path().join(".out.parquet.partial");
    while !partial.exists() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!partial.exists());
    assert_eq!(read_parquet(&path).num_rows(), 5);
}

#[test]
fn wrong_usage_is_told_from_failure() {
    let stage = Stage::new(&["events"]);
    for (line, status, words) in [
        ("", 2, "no topic is given"),
        ("-t events -O xml", 2, "possible values"),
        ("-t events --out rows.jsonl.gz", 2, "add -O FORMAT"),
        ("-t events -o stored", 2, "-G GROUP"),
        ("-t events -c 1 -o e@0", 2, "cannot be combined"),
        ("-t events --rotate-rows 5", 2, "--out"),
        ("-t ^ev -p 0", 2, "pattern"),
        ("-t events -X no.such.property=secret", 2, "no.such.property"),
        ("-t events --reader-schema /no/such/file", 2, "/no/such/file"),
        ("-t nowhere -e", 1, "nowhere"),
        ("-t events -e --select nothing", 1, "nothing"),
        ("-t events -e --select .id", 2, "expected a name"),
        ("-t events --types time-zone=Berlin", 2, "time-zone takes"),
        (
            "-t events -s json --types enums=text",
            2,
            "--types enums= chooses among types",
        ),
        ("-t events -e --subject nobody", 1, "nobody"),
    ] {
        let (out, said) = run(stage.consume(line), status);
        assert_eq!(out, "", "{line}");
        assert!(said.contains(words), "{line}: {said}");
        assert!(!said.contains("secret"), "{line}: {said}");
    }
    let (_, said) = run(sabot("consume -F none -b 127.0.0.1:1 -t events --timeout 1"), 1);
    assert!(said.contains("127.0.0.1:1"), "{said}");
    let (_, said) = run(sabot("consume -F none -b b:9092,b:x -t events"), 2);
    assert!(said.contains("\"b:x\": the port"), "{said}");
}

/// The writing end of a pipe that nobody reads.
fn closed_pipe() -> std::io::PipeWriter {
    std::io::pipe().unwrap().1
}

fn read_parquet(path: &str) -> RecordBatch {
    let file = std::fs::File::open(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let builder = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let schema = builder.schema().clone();
    let mut batches = builder.build().unwrap().map(Result::unwrap);
    let first = batches.next().unwrap_or_else(|| RecordBatch::new_empty(schema));
    assert!(batches.next().is_none());
    first
}
