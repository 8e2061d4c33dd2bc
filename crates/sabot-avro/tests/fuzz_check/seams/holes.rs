//! Values of every type within records that may be null, in lists and outside of them: lanes with
//! holes between them.

use sabot_testkit::avro::{array, cat, long, nullable, sized};

use super::{Seam, list_of, record};

/// Each type with two of its values; null, which may not be in a union with itself, is the last.
struct Types(Vec<(&'static str, Vec<u8>, Vec<u8>)>);

/// Which of the values are there, by bits.
const MASKS: [u32; 6] = [u32::MAX, 0, 0x5555, 0xaaaa, 0x00f0, 0xff0f];

/// Records of all types, where each value is there and where each may be null: alone, and within
/// what may be null itself.
pub(super) fn holes() -> Vec<Seam> {
    let types = Types::new();
    let plain = types.record(str::to_owned);
    let nullables = types.record(nullable);
    let all = types.all().to_vec();
    let some: Vec<_> = MASKS.iter().map(|mask| types.some(*mask)).collect();
    let within = |outer: &dyn Fn(&str) -> String, inner: &str, bodies: Vec<Vec<u8>>| {
        let inner = inner.replacen("\"R\"", "\"Inner\"", 1);
        Seam::new(&record(&[&outer(&nullable(&inner)), "\"int\""]), bodies)
    };
    let alone = str::to_owned;
    vec![
        Seam::new(&plain, all.clone()),
        Seam::new(&nullables, some.clone()),
        within(&alone, &plain, rows(&all)),
        within(&alone, &nullables, rows(&some)),
        within(&array, &plain, lists(&all)),
        within(&array, &nullables, lists(&some)),
        within(&outer, &plain, twice(&all)),
        within(&outer, &nullables, twice(&some)),
    ]
}

impl Types {
    fn new() -> Self {
        let fixed = r#"{"type": "fixed", "name": "F", "size": 3}"#;
        let symbol = r#"{"type": "enum", "name": "E", "symbols": ["A", "B"]}"#;
        let narrow = r#"{"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}"#;
        let wide = r#"{"type": "bytes", "logicalType": "decimal", "precision": 45}"#;
        let duration = r#"{"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}"#;
        let id = r#"{"type": "string", "logicalType": "uuid"}"#;
        let (one_id, other_id) = (
            "89791762-2336-4186-9674-299b90a802e2",
            "00000000-0000-0000-0000-000000000001",
        );
        Self(vec![
            ("\"boolean\"", vec![1], vec![0]),
            ("\"int\"", long(-1), long(1 << 20)),
            ("\"long\"", long(-1), long(1 << 50)),
            (
                "\"float\"",
                1.5f32.to_le_bytes().into(),
                (-2f32).to_le_bytes().into(),
            ),
            (
                "\"double\"",
                1.5f64.to_le_bytes().into(),
                (-2f64).to_le_bytes().into(),
            ),
            ("\"string\"", sized("text"), sized("")),
            ("\"bytes\"", sized([0xff]), sized([0; 20])),
            (fixed, b"abc".to_vec(), b"xyz".to_vec()),
            (symbol, long(0), long(1)),
            (narrow, sized([1]), sized([0xff, 0])),
            (wide, sized([1]), sized([0x81; 15])),
            (duration, vec![1; 12], vec![2; 12]),
            (id, sized(one_id), sized(other_id)),
            ("\"null\"", vec![], vec![]),
        ])
    }

    fn record(&self, wrap: impl Fn(&str) -> String) -> String {
        let types = self.0.iter().map(|(ty, ..)| match *ty {
            "\"null\"" => (*ty).to_owned(),
            _ => wrap(ty),
        });
        let types: Vec<_> = types.collect();
        record(&types.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A body of the first values, and one of the second.
    fn all(&self) -> [Vec<u8>; 2] {
        [
            self.0.iter().flat_map(|(_, first, _)| first.clone()).collect(),
            self.0.iter().flat_map(|(.., second)| second.clone()).collect(),
        ]
    }

    /// A body of values that may be null, and are there where `mask` has a bit.
    fn some(&self, mask: u32) -> Vec<u8> {
        let values = self.0[..self.0.len() - 1].iter().enumerate();
        let values = values.map(|(at, (_, first, second))| match mask >> at & 1 {
            0 => long(0),
            _ => cat(&[&long(1), if mask >> (at + 1) & 1 == 0 { first } else { second }]),
        });
        values.collect::<Vec<_>>().concat()
    }
}

/// A record with this field, that may be null.
fn outer(ty: &str) -> String {
    format!(
        r#"["null", {{"type": "record", "name": "Outer", "fields": [{{"name": "a", "type": {ty}}}, {{"name": "b", "type": "string"}}]}}]"#
    )
}

fn there(body: &[u8]) -> Vec<u8> {
    cat(&[&long(1), body])
}

/// Each alone, and where there is none.
fn rows(bodies: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut rows: Vec<_> = bodies.iter().map(|body| cat(&[&there(body), &long(3)])).collect();
    rows.push(cat(&[&long(0), &long(4)]));
    rows.push(cat(&[&long(1), &bodies[0][..bodies[0].len() - 1]]));
    rows
}

/// In lists, with those that are not there beside them.
fn lists(bodies: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let there: Vec<_> = bodies.iter().map(|body| there(body)).collect();
    vec![
        cat(&[&list_of(&there), &long(3)]),
        cat(&[&long(3), &long(0), &there[0], &long(0), &long(0), &long(3)]),
        cat(&[&long(2), &long(0), &long(0), &long(0), &long(3)]),
        cat(&[&long(1), &there[1], &long(0), &long(3)]),
        cat(&[&long(0), &long(3)]),
        cat(&[&long(1), &there[0], &long(0)]),
    ]
}

/// In a record that may not be there either.
fn twice(bodies: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut rows: Vec<_> = bodies
        .iter()
        .map(|body| cat(&[&long(1), &there(body), &sized("b"), &long(3)]))
        .collect();
    rows.push(cat(&[&long(1), &long(0), &sized("only b"), &long(3)]));
    rows.push(cat(&[&long(0), &long(3)]));
    rows.push(cat(&[&long(1), &long(0), &sized([0xff]), &long(3)]));
    rows
}
