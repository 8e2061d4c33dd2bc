//! Payloads that come from anywhere. Nothing here needs the feature `kafka`: CI runs it without
//! librdkafka.

mod common;

use sabot::arrow_array::cast::AsArray;
use sabot::arrow_array::types::Int64Type;
use sabot::{Codec, ErrorKind, OnError, Sabot};

use common::{TwoVersions, V2};

#[test]
fn payloads_are_decoded_without_kafka() {
    let versions = TwoVersions::new();
    let (first, second) = (versions.value(0), versions.value(1));
    let open = |policy| {
        let builder = Sabot::payloads(Codec::avro().reader_schema(V2)).registry(versions.registry.url());
        builder.on_error(policy).open().unwrap()
    };
    let mut decoder = open(OnError::Skip);
    let (batch, bad) = decoder
        .decode(&[Some(&first), Some(b"{}"), None, Some(&second)])
        .unwrap();
    assert_eq!((batch.num_rows(), bad.len(), bad[0].offset), (3, 1, 1));
    assert_eq!(decoder.schema().as_ref(), Some(batch.schema_ref()));

    let mut decoder = open(OnError::Fail);
    let error = decoder.decode(&[Some(&first), Some(b"{}")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRecord);
    assert!(
        error
            .to_string()
            .starts_with("payload 1: value, byte 0: invalid magic byte"),
        "{error}"
    );
    // Nothing of the failed slice is left.
    assert_eq!(decoder.decode(&[Some(&second)]).unwrap().0.num_rows(), 1);
}

/// Messages of two schemas become the columns of the last; one of a third schema is bad.
#[test]
fn single_objects_name_their_schema_by_fingerprint() {
    let old = r#"{"type": "record", "name": "R", "fields": [{"name": "id", "type": "int"}]}"#;
    let new = r#"{"type": "record", "name": "R", "fields": [{"name": "id", "type": "long"},
        {"name": "new", "type": "string", "default": "none"}]}"#;
    let message = |schema: &str, body: &[u8]| {
        let fingerprint = sabot::avro::fingerprint(&sabot::schema::WriterSchema::avro(schema)).unwrap();
        [&sabot::wire::fingerprint_prefix(fingerprint), body].concat()
    };
    let messages = [
        message(old, &[2]),
        message(new, &[4, 2, b'x']),
        message("\"int\"", &[6]),
        vec![0, 0, 0, 0, 1, 2],
    ];
    let payloads: Vec<_> = messages.iter().map(|message| Some(&message[..])).collect();
    let mut decoder = Sabot::payloads(Codec::avro().single_object([old, new]))
        .on_error(OnError::Skip)
        .open()
        .unwrap();
    let (batch, bad) = decoder.decode(&payloads).unwrap();
    assert_eq!(batch["id"].as_primitive::<Int64Type>().values(), &[1, 2]);
    let new: Vec<_> = batch["new"].as_string::<i32>().iter().flatten().collect();
    assert_eq!(new, ["none", "x"]);
    let bad: Vec<_> = bad.iter().map(ToString::to_string).collect();
    assert!(
        bad[0].contains("no schema of this fingerprint is given"),
        "{bad:?}"
    );
    assert!(bad[1].contains("begins with 0x00"), "{bad:?}");

    let none = Sabot::payloads(Codec::avro().single_object([""; 0])).open();
    assert_eq!(none.unwrap_err().kind(), ErrorKind::Config);
}
