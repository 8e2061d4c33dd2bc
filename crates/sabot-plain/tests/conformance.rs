//! Every serde keeps the invariants of a decoder.

use sabot_decode::{SchemaKey, StringType, Target};
use sabot_plain::{PlainFactory, Serde};
use sabot_testkit::conformance::{self, Corpus};

#[test]
fn every_serde_conforms() {
    for serde in Serde::ALL {
        let (good, bad): (&[&[u8]], &[&[u8]]) = match serde {
            Serde::String => (&[b"", b"a", "größer und länger".as_bytes()], &[b"\xff", b"a\xc3"]),
            Serde::Bytes => (&[b"", b"\xff", b"\0\0\0"], &[]),
            Serde::Boolean => (&[b"\0", b"\x01"], &[b"", b"\x02", b"\0\0"]),
            Serde::Short => (&[b"\0\x01", b"\xff\xff"], &[b"", b"\0", b"\0\0\0"]),
            Serde::Int | Serde::Float => (&[b"\0\0\0\x01", b"\x80\0\0\0"], &[b"\0\0\0", b"\0\0\0\0\0"]),
            Serde::Long | Serde::Double => (&[&[0; 8], &[0xff; 8]], &[&[0; 7], &[0; 9]]),
            Serde::Uuid => (
                &[
                    b"89791762-2336-4186-9674-299b90a802e2",
                    b"00000000-0000-0000-0000-000000000000",
                ],
                &[b"89791762233641869674299b90a802e2"],
            ),
            other => panic!("{other:?} has no corpus"),
        };
        let corpus = good.iter().fold(Corpus::new(), |corpus, body| {
            corpus.good(SchemaKey::Absent, *body)
        });
        let corpus = bad
            .iter()
            .fold(corpus, |corpus, body| corpus.bad(SchemaKey::Absent, *body));
        for strings in [StringType::Utf8, StringType::LargeUtf8, StringType::Utf8View] {
            let mut target = Target::default();
            target.mapping.strings = strings;
            conformance::check(&PlainFactory::new(serde), &target, &corpus);
        }
    }
}
