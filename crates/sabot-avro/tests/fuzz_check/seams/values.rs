//! Values of one type: numbers near their edges, symbols, text.

use sabot_testkit::avro::{array, cat, long, nullable, sized};

use super::{Seam, record};

/// Units near overflow, numbers that are rounded, decimals of all their digits and more.
pub(super) fn numbers() -> Vec<Seam> {
    [units(), promotions(), decimals(), durations(), booleans()].concat()
}

const INTS: [i64; 6] = [
    1,
    i32::MAX as i64,
    i32::MIN as i64,
    1 << 24 | 1,
    1 << 31,
    -(1 << 31) - 1,
];

fn units() -> Vec<Seam> {
    let edges = |factor: i64| {
        let (most, least) = (i64::MAX / factor, i64::MIN / factor);
        let values = [1, most, most + 1, least, least - 1, i64::MAX, i64::MIN, 0, -1];
        values.map(long)
    };
    let millis = logical("long", "timestamp-millis");
    [
        everywhere(&millis, &logical("long", "timestamp-micros"), &edges(1000)),
        everywhere(&millis, &logical("long", "timestamp-nanos"), &edges(1_000_000)),
        everywhere(
            &logical("int", "time-millis"),
            &logical("long", "time-micros"),
            &INTS.map(long),
        ),
    ]
    .concat()
}

fn promotions() -> Vec<Seam> {
    let rounded = [
        1 << 60 | 1 << 36 | 1,
        -(1 << 60 | 1 << 36 | 1),
        1 << 53 | 1,
        i64::MAX,
        i64::MIN,
        3,
    ];
    let longer_than_needed = vec![0x82, 0x80, 0];
    let floats = [0.1, f32::NAN, f32::MIN_POSITIVE / 2.0];
    [
        everywhere("\"long\"", "\"float\"", &rounded.map(long)),
        everywhere("\"long\"", "\"double\"", &rounded.map(long)),
        everywhere("\"int\"", "\"float\"", &INTS.map(long)),
        everywhere(
            "\"int\"",
            "\"long\"",
            &[INTS.map(long).to_vec(), vec![longer_than_needed]].concat(),
        ),
        everywhere(
            "\"float\"",
            "\"double\"",
            &floats.map(|value| value.to_le_bytes().to_vec()),
        ),
    ]
    .concat()
}

fn decimals() -> Vec<Seam> {
    let decimal = |precision: u32| {
        format!(r#"{{"type": "bytes", "logicalType": "decimal", "precision": {precision}, "scale": 1}}"#)
    };
    let narrow = [
        &[1][..],
        &[0x27, 0x0f],
        &[0x27, 0x10],
        &[0xd8, 0xf1],
        &[0xd8, 0xf0],
        &[],
        &[0; 40],
        &[0xff; 40],
    ];
    let wide = [&[1][..], &[0x7f; 21], &[0x80; 20], &[0x7f; 33]];
    [
        everywhere(&decimal(4), &decimal(4), &narrow.map(sized)),
        everywhere(&decimal(50), &decimal(50), &wide.map(sized)),
    ]
    .concat()
}

fn durations() -> Vec<Seam> {
    let duration = r#"{"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}"#;
    let bodies = [
        vec![1; 12],
        vec![0xff; 12],
        [[0; 4], [0; 4], [0xff; 4]].concat(),
        vec![2; 11],
    ];
    everywhere(duration, duration, &bodies)
}

fn booleans() -> Vec<Seam> {
    let bodies = [vec![1], vec![0], vec![2], vec![0x81]];
    everywhere("\"boolean\"", "\"boolean\"", &bodies)
}

/// Symbols that the reader has at another place, or not.
pub(super) fn symbols() -> Vec<Seam> {
    let of = |symbols: &str| format!(r#"{{"type": "enum", "name": "E", "symbols": [{symbols}]}}"#);
    let with_default = r#"{"type": "enum", "name": "E", "symbols": ["C", "A"], "default": "A"}"#;
    let written = of(r#""A", "B", "C""#);
    let indexes = [0, 1, 2, 3, -1, i64::from(i32::MAX)].map(long);
    [
        everywhere(&written, &written, &indexes),
        everywhere(&written, &of(r#""C", "A""#), &indexes),
        everywhere(&written, with_default, &indexes),
    ]
    .concat()
}

/// Text that is none, and that is cut off; UUIDs.
pub(super) fn texts() -> Vec<Seam> {
    let uuid = "89791762-2336-4186-9674-299b90a802e2";
    let texts = [
        &b"text"[..],
        b"",
        b"\xff",
        b"ab\xe2\x82",
        "größer als zwölf Bytes".as_bytes(),
        &[b'x'; 200],
    ];
    let cut = [vec![8, b'a'], vec![1], vec![0x88, 0, b'l', b'o', b'n', b'g']];
    let texts = [texts.map(sized).to_vec(), cut.to_vec()].concat();
    let id = logical("string", "uuid");
    let ids = [uuid, &uuid.replace('-', ""), "no uuid", ""].map(sized);
    [
        everywhere("\"string\"", "\"string\"", &texts),
        everywhere("\"bytes\"", "\"string\"", &texts),
        everywhere("\"string\"", "\"bytes\"", &texts),
        everywhere(&id, &id, &ids),
    ]
    .concat()
}

/// A field's type where it is by itself, where it may be null, in a list, in a nullable record, and
/// its bodies there.
fn everywhere(ty: &str, onto: &str, bodies: &[Vec<u8>]) -> Vec<Seam> {
    let inner = |ty: &str| {
        format!(
            r#"["null", {{"type": "record", "name": "Inner", "fields": [{{"name": "x", "type": {ty}}}, {{"name": "y", "type": "string"}}]}}]"#
        )
    };
    let good = bodies[0].clone();
    let map_bodies =
        |make: &dyn Fn(&[u8]) -> Vec<u8>| bodies.iter().map(|body| make(body)).collect::<Vec<_>>();
    vec![
        Seam::new(
            &record(&[ty, "\"int\""]),
            map_bodies(&|body| cat(&[body, &long(7)])),
        )
        .onto(&record(&[onto, "\"int\""])),
        Seam::new(
            &record(&[&nullable(ty)]),
            [map_bodies(&|body| cat(&[&long(1), body])), vec![long(0)]].concat(),
        )
        .onto(&record(&[&nullable(onto)])),
        Seam::new(
            &record(&[&array(ty)]),
            [
                map_bodies(&|body| cat(&[&long(3), &good, body, &good, &long(0)])),
                vec![cat(&[&long(1), &good, &long(0)]), long(0)],
            ]
            .concat(),
        )
        .onto(&record(&[&array(onto)])),
        Seam::new(
            &record(&[&inner(ty), "\"long\""]),
            [
                map_bodies(&|body| cat(&[&long(1), body, &sized("y"), &long(1)])),
                vec![cat(&[&long(0), &long(2)])],
            ]
            .concat(),
        )
        .onto(&record(&[&inner(onto), "\"long\""])),
    ]
}

fn logical(base: &str, name: &str) -> String {
    format!(r#"{{"type": "{base}", "logicalType": "{name}"}}"#)
}
