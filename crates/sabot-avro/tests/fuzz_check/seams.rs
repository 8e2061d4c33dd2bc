//! Messages at the seams of the two engines: what a block of rows takes just so, just not, or not at all.
//!
//! Random schemas and values meet these too seldom to be relied upon: numbers at the edge of overflow, limits met exactly,
//! items without bytes, arrays in several blocks, rows of a list that have nothing where the row beside has something.
//! [`super::engines`] holds both engines against each other on all of them.

use sabot_decode::{Limits, Shape, Target, UnionType, WriterSchema};

use super::encode::encode_plainly;
use super::engines::Message;
use super::types::Base;
use super::values::Val;

/// Writers, a target, and messages that belong together.
#[derive(Debug, Clone)]
pub(crate) struct Seam {
    pub(crate) target: Target,
    pub(crate) writers: Vec<WriterSchema>,
    pub(crate) messages: Vec<Message>,
}

/// Every one of them.
pub(crate) fn all() -> Vec<Seam> {
    [
        numbers(),
        symbols(),
        texts(),
        defaults(),
        widths(),
        items(),
        blocks(),
        nested(),
        nothing(),
        holes(),
        sizes(),
        writers(),
        deep(),
        branches_that_fail(),
    ]
    .concat()
}

impl Seam {
    /// Of one writer, whose schema is the reader's.
    fn new(writer: &str, bodies: Vec<Vec<u8>>) -> Self {
        let mut target = Target::default();
        target.limits.row_items = 1000;
        Self {
            target,
            writers: vec![WriterSchema::avro(writer)],
            messages: bodies.into_iter().map(|body| (0, Some(body))).collect(),
        }
    }

    fn onto(mut self, reader: &str) -> Self {
        self.target.shape = Shape::Reader(WriterSchema::avro(reader));
        self
    }

    fn keeping(mut self, path: &str) -> Self {
        self.target.projection = Some(vec![path.to_owned()]);
        self
    }

    fn within(mut self, limit: impl FnOnce(&mut Limits)) -> Self {
        limit(&mut self.target.limits);
        self
    }

    fn and(mut self, writer: &str, bodies: Vec<Vec<u8>>) -> Self {
        let at = self.writers.len();
        self.writers.push(WriterSchema::avro(writer));
        self.messages
            .extend(bodies.into_iter().map(|body| (at, Some(body))));
        self
    }

    /// The messages in blocks of their like, as the one that is different, and in turn.
    pub(crate) fn arrangements(&self) -> Vec<Vec<Message>> {
        let mut arrangements = Vec::new();
        for (at, message) in self.messages.iter().enumerate() {
            arrangements.push(vec![message.clone(); 70]);
            let mut among = vec![self.messages[0].clone(); 70];
            let lane = [0, 1, 31, 62, 63][at % 5];
            among[lane] = message.clone();
            arrangements.push(among);
        }
        arrangements.push(self.messages.iter().cycle().take(130).cloned().collect());
        arrangements
    }
}

fn long(value: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_plainly(&Base::Long.into(), &Val::Long(value), &mut bytes);
    bytes
}

fn sized(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    [&long(bytes.as_ref().len() as i64), bytes.as_ref()].concat()
}

fn cat(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A record of fields `f0`, `f1` and so on of these types.
fn record(types: &[&str]) -> String {
    let fields = types.iter().enumerate();
    let fields: Vec<_> = fields
        .map(|(at, ty)| format!(r#"{{"name": "f{at}", "type": {ty}}}"#))
        .collect();
    format!(
        r#"{{"type": "record", "name": "R", "fields": [{}]}}"#,
        fields.join(", ")
    )
}

fn array(item: &str) -> String {
    format!(r#"{{"type": "array", "items": {item}}}"#)
}

fn map(value: &str) -> String {
    format!(r#"{{"type": "map", "values": {value}}}"#)
}

fn nullable(ty: &str) -> String {
    format!(r#"["null", {ty}]"#)
}

/// A field's type where it stands alone, where it may be null, in a list, in a nullable record, and its bodies there.
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

/// Units near overflow, numbers that are rounded, decimals of all their digits and more.
fn numbers() -> Vec<Seam> {
    let edges = |factor: i64| {
        let (most, least) = (i64::MAX / factor, i64::MIN / factor);
        let values = [1, most, most + 1, least, least - 1, i64::MAX, i64::MIN, 0, -1];
        values.map(long)
    };
    let millis = logical("long", "timestamp-millis");
    let rounded = [
        1 << 60 | 1 << 36 | 1,
        -(1 << 60 | 1 << 36 | 1),
        1 << 53 | 1,
        i64::MAX,
        i64::MIN,
        3,
    ];
    let decimal = |precision: u32| {
        format!(r#"{{"type": "bytes", "logicalType": "decimal", "precision": {precision}, "scale": 1}}"#)
    };
    let nines = |bytes: &[u8]| sized(bytes);
    let ints = [
        1,
        i64::from(i32::MAX),
        i64::from(i32::MIN),
        1 << 24 | 1,
        1 << 31,
        -(1 << 31) - 1,
    ];
    [
        everywhere(&millis, &logical("long", "timestamp-micros"), &edges(1000)),
        everywhere(&millis, &logical("long", "timestamp-nanos"), &edges(1_000_000)),
        everywhere(
            &logical("int", "time-millis"),
            &logical("long", "time-micros"),
            &ints.map(long),
        ),
        everywhere("\"long\"", "\"float\"", &rounded.map(long)),
        everywhere("\"long\"", "\"double\"", &rounded.map(long)),
        everywhere("\"int\"", "\"float\"", &ints.map(long)),
        everywhere(
            "\"int\"",
            "\"long\"",
            &[ints.map(long).to_vec(), vec![vec![0x82, 0x80, 0]]].concat(),
        ),
        everywhere(
            "\"float\"",
            "\"double\"",
            &[0.1, f32::NAN, f32::MIN_POSITIVE / 2.0].map(|value: f32| value.to_le_bytes().to_vec()),
        ),
        everywhere(
            &decimal(4),
            &decimal(4),
            &[
                &[1][..],
                &[0x27, 0x0f],
                &[0x27, 0x10],
                &[0xd8, 0xf1],
                &[0xd8, 0xf0],
                &[],
                &[0; 40],
                &[0xff; 40],
            ]
            .map(nines),
        ),
        everywhere(
            &decimal(50),
            &decimal(50),
            &[&[1][..], &[0x7f; 21], &[0x80; 20], &[0x7f; 33]].map(nines),
        ),
        everywhere(
            r#"{"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}"#,
            r#"{"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}"#,
            &[
                vec![1; 12],
                vec![0xff; 12],
                [[0; 4], [0; 4], [0xff; 4]].concat(),
                vec![2; 11],
            ],
        ),
        everywhere(
            "\"boolean\"",
            "\"boolean\"",
            &[vec![1], vec![0], vec![2], vec![0x81]],
        ),
    ]
    .concat()
}

/// Symbols that the reader has at another place, or not.
fn symbols() -> Vec<Seam> {
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
fn texts() -> Vec<Seam> {
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

/// Values that only the reader has, long ones too, where a batch has little room.
fn defaults() -> Vec<Seam> {
    let item = |fields: &str| {
        format!(r#"{{"type": "record", "name": "P", "fields": [{{"name": "x", "type": "int"}}{fields}]}}"#)
    };
    let default = |bytes: usize| {
        let text = "d".repeat(bytes);
        format!(
            r#", {{"name": "s", "type": "string", "default": "{text}"}}, {{"name": "n", "type": "null", "default": null}}"#
        )
    };
    let many = r#", {"name": "l", "type": {"type": "array", "items": "string"}, "default": ["one", "two"]},
        {"name": "e", "type": ["null", "int"], "default": null},
        {"name": "m", "type": {"type": "map", "values": "boolean"}, "default": {"k": true}}"#;
    let bodies = || {
        [1, 2, 5, 0, 40]
            .map(|count: i64| [long(7), items_of(count, &long(3))].concat())
            .to_vec()
    };
    let mut seams = Vec::new();
    for fields in [default(10), default(300), default(5000), many.to_owned()] {
        let writer = record(&["\"int\"", &array(&item(""))]);
        let reader = record(&["\"int\"", &array(&item(&fields))]);
        let seam = Seam::new(&writer, bodies()).onto(&reader);
        for bytes in [2000, 10_000, 70_000] {
            seams.push(seam.clone().within(|limits| {
                (limits.batch_bytes, limits.row_bytes) = (bytes, bytes);
            }));
        }
        seams.push(seam);
        let reader = item(&fields);
        let seam = Seam::new(&item(""), [1, 2, 3].map(long).to_vec()).onto(&reader);
        seams.push(seam.clone());
        seams.push(seam.within(|limits| (limits.batch_bytes, limits.row_bytes) = (20_000, 20_000)));
    }
    seams
}

/// An array of `count` times the same item, in one block.
fn items_of(count: i64, item: &[u8]) -> Vec<u8> {
    match count {
        0 => long(0),
        _ => [long(count), item.repeat(count as usize), long(0)].concat(),
    }
}

/// A byte in the message, many in the columns.
fn widths() -> Vec<Seam> {
    let wide = array(&nullable(r#"{"type": "fixed", "name": "F", "size": 256}"#));
    let nulls = |count: i64| items_of(count, &long(0));
    let bodies = || [1, 3, 4, 7, 8, 9, 16, 40].map(nulls).to_vec();
    let of = |batch_bytes: usize, row_bytes: usize| {
        Seam::new(&record(&[&wide]), bodies()).within(|limits| {
            (limits.batch_bytes, limits.row_bytes) = (batch_bytes, row_bytes);
        })
    };
    vec![
        of(2048, 2048),
        of(2304, 2304),
        of(1024, 4096),
        of(8192, 100),
        of(1 << 20, 1 << 20),
        of(40_000, 40_000),
    ]
}

/// As many items as a message may have, and one more, in one list and in several.
fn items() -> Vec<Seam> {
    let lists = record(&[
        &array("\"int\""),
        &map("\"boolean\""),
        &array(&nullable("\"string\"")),
    ]);
    let body = |ints: i64, entries: i64, texts: i64| {
        cat(&[
            &items_of(ints, &long(1)),
            &items_of(entries, &[sized("k"), vec![1]].concat()),
            &items_of(texts, &cat(&[&long(1), &sized("t")])),
        ])
    };
    let bodies = || {
        [
            (2, 1, 1),
            (6, 0, 0),
            (7, 0, 0),
            (0, 6, 0),
            (0, 7, 0),
            (2, 2, 2),
            (2, 2, 3),
            (0, 0, 6),
            (0, 0, 7),
            (0, 0, 0),
        ]
        .map(|(ints, entries, texts)| body(ints, entries, texts))
        .to_vec()
    };
    let limit = |limits: &mut Limits| limits.row_items = 6;
    let of_lists = record(&[&array(&array("\"int\""))]);
    let inner = |counts: &[i64]| {
        let lists: Vec<u8> = counts
            .iter()
            .flat_map(|count| items_of(*count, &long(1)))
            .collect();
        match counts.len() {
            0 => long(0),
            len => [long(len as i64), lists, long(0)].concat(),
        }
    };
    let lists_bodies = [&[1][..], &[2, 2], &[2, 3], &[6], &[0; 6], &[0; 7], &[]].map(inner);
    // In a list and in a union's branch: as struct, and of two writers, its lists are taken after all others.
    let in_branch = r#"["int", {"type": "array", "items": "int"}, "string"]"#;
    let branch_bodies = [(0, 0), (4, 2), (4, 3), (0, 6), (0, 7), (6, 0), (7, 0)].map(|(before, within)| {
        cat(&[
            &items_of(before, &long(1)),
            &long(1),
            &items_of(within, &long(1)),
            &long(5),
        ])
    });
    let mut in_union = Seam::new(
        &record(&[&array("\"int\""), in_branch, "\"int\""]),
        branch_bodies.to_vec(),
    )
    .within(limit);
    // The usual message has another branch, so that the union's branches are apart.
    in_union
        .messages
        .insert(0, (0, Some(cat(&[&long(0), &long(0), &long(1), &long(5)]))));
    in_union.target.mapping.unions = UnionType::Struct;
    let of_two = in_union
        .clone()
        .onto(&record(&[&array("\"int\""), in_branch, "\"long\""]))
        .and(
            &record(&[&array("\"int\""), in_branch, "\"long\""]),
            branch_bodies.to_vec(),
        );
    // With their sizes, one list behind the other.
    let with_size = |count: i64| match count {
        0 => long(0),
        _ => cat(&[
            &long(-count),
            &long(count),
            &long(1).repeat(count as usize),
            &long(0),
        ]),
    };
    let two_lists = [(1, 1), (4, 2), (4, 3), (6, 0), (0, 6), (0, 7), (7, 0)]
        .map(|(first, second)| cat(&[&with_size(first), &with_size(second)]));
    vec![
        in_union,
        of_two,
        Seam::new(
            &record(&[&array("\"int\""), &array("\"int\"")]),
            two_lists.to_vec(),
        )
        .within(limit),
        Seam::new(&lists, bodies()).within(limit),
        Seam::new(&lists, bodies()).within(limit).keeping("f2"),
        Seam::new(&lists, bodies()).within(limit).keeping("f0"),
        Seam::new(&lists, bodies()).within(|limits| limits.row_items = 0),
        Seam::new(&of_lists, lists_bodies.to_vec()).within(limit),
    ]
}

/// Arrays and maps in several blocks, and blocks that say how many bytes they take, rightly or wrongly.
fn blocks() -> Vec<Seam> {
    let bodies = |item: &[u8], bad_item: &[u8]| {
        let size = item.len() as i64;
        let two = cat(&[item, item]);
        vec![
            cat(&[&long(2), &two, &long(0), &long(5)]),
            // Several.
            cat(&[&long(1), item, &long(1), item, &long(0), &long(5)]),
            cat(&[
                &long(2),
                &two,
                &long(3),
                item,
                &two,
                &long(1),
                item,
                &long(0),
                &long(5),
            ]),
            // With sizes.
            cat(&[&long(-2), &long(2 * size), &two, &long(0), &long(5)]),
            cat(&[&long(-1), &long(size), item, &long(2), &two, &long(0), &long(5)]),
            cat(&[&long(2), &two, &long(-1), &long(size), item, &long(0), &long(5)]),
            // With sizes that are wrong: too small, too large, beyond the end, negative.
            cat(&[&long(-2), &long(2 * size - 1), &two, &long(0), &long(5)]),
            cat(&[&long(-2), &long(2 * size + 1), &two, &long(0), &long(5)]),
            cat(&[&long(-1), &long(size + 2), item, &long(0), &long(5)]),
            cat(&[&long(-1), &long(1000), item, &long(0), &long(5)]),
            cat(&[&long(-1), &long(-1), item, &long(0), &long(5)]),
            cat(&[
                &long(2),
                &two,
                &long(-1),
                &long(size - 1),
                item,
                &long(0),
                &long(5),
            ]),
            // Counts that cannot be.
            cat(&[&long(i64::MIN), &long(size), item, &long(0), &long(5)]),
            cat(&[&long(i64::MAX), item, &long(0), &long(5)]),
            cat(&[&long(1), item, &long(i64::MAX), &long(0), &long(5)]),
            cat(&[&long(-500), &long(2 * size), &two, &long(0), &long(5)]),
            cat(&[&[0x84, 0x80, 0], &two[..], &[0x80, 0], &long(5)]),
            // An item that is bad, in the first block and in the second.
            cat(&[&long(2), item, bad_item, &long(0), &long(5)]),
            cat(&[&long(1), item, &long(2), item, bad_item, &long(0), &long(5)]),
            cat(&[
                &long(-1),
                &long(bad_item.len() as i64),
                bad_item,
                &long(0),
                &long(5),
            ]),
            // Cut off.
            cat(&[&long(1), item]),
            cat(&[&long(1), item, &long(1)]),
            long(0),
            cat(&[&long(0), &long(5)]),
        ]
    };
    let pair = |first: &str| {
        format!(
            r#"{{"type": "record", "name": "P", "fields": [{{"name": "x", "type": "{first}"}}, {{"name": "y", "type": ["null", "string"]}}]}}"#
        )
    };
    let item = cat(&[&[1], &long(1), &sized("y")]);
    let mut seams = Vec::new();
    for (ty, item, bad) in [
        (array("\"long\""), long(1 << 40), vec![0xff; 10]),
        (array("\"string\""), sized("item"), sized([0xff])),
        (array("\"boolean\""), vec![1], vec![7]),
        (array(&pair("boolean")), item.clone(), cat(&[&[1], &long(2)])),
        (
            map("\"double\""),
            cat(&[&sized("key"), &1.5f64.to_le_bytes()]),
            cat(&[&sized([0xff]), &[0; 8]]),
        ),
        (
            map(&pair("boolean")),
            cat(&[&sized("key"), &item]),
            cat(&[&sized("key"), &[2], &long(0)]),
        ),
        (
            array(&array("\"int\"")),
            items_of(2, &long(9)),
            cat(&[&long(-1), &long(3), &long(9), &long(0)]),
        ),
        (
            array(r#"["null", "int", "string"]"#),
            cat(&[&long(2), &sized("s")]),
            cat(&[&long(3), &sized("s")]),
        ),
    ] {
        let writer = record(&[&ty, "\"int\""]);
        let seam = Seam::new(&writer, bodies(&item, &bad));
        seams.push(seam.clone().keeping("f1"));
        seams.push(seam.clone().within(|limits| limits.row_items = 3));
        seams.push(seam);
        // Behind a byte that says whether it is there.
        let mut there = bodies(&item, &bad);
        there.iter_mut().for_each(|body| body.insert(0, 2));
        there.push(cat(&[&long(0), &long(5)]));
        seams.push(Seam::new(&record(&[&nullable(&ty), "\"int\""]), there));
    }
    seams
}

/// Lists in lists, unions in lists, and rows that have more of them than their neighbours.
fn nested() -> Vec<Seam> {
    let lists = |inner: &[Vec<u8>]| match inner.len() {
        0 => long(0),
        len => [long(len as i64), inner.concat(), long(0)].concat(),
    };
    let ints = |count: i64| items_of(count, &long(count));
    let union = r#"["null", "int", "string", {"type": "record", "name": "P", "fields": [{"name": "x", "type": "string"}]}]"#;
    let (none, int, text, point) = (
        long(0),
        cat(&[&long(1), &long(-7)]),
        cat(&[&long(2), &sized("text")]),
        cat(&[&long(3), &sized("x")]),
    );
    let point_list = r#"{"type": "array", "items": ["null", {"type": "record", "name": "Q", "fields": [
        {"name": "s", "type": ["null", "string"]}, {"name": "l", "type": {"type": "array", "items": "string"}}]}]}"#;
    let point_of = |text: Option<&str>, texts: i64| {
        let s = text.map_or(long(0), |text| cat(&[&long(1), &sized(text)]));
        cat(&[&long(1), &s, &items_of(texts, &sized("in a list"))])
    };
    vec![
        Seam::new(
            &record(&[&array(&array("\"int\"")), "\"int\""]),
            [
                lists(&[ints(1), ints(2)]),
                lists(&[ints(0), ints(0)]),
                lists(&[]),
                lists(&(0..20).map(ints).collect::<Vec<_>>()),
                lists(&[ints(3), vec![2, 0xff]]),
                vec![6, 0, 0],
            ]
            .map(|body| cat(&[&body, &long(4)]))
            .to_vec(),
        ),
        Seam::new(
            &record(&[&map(&array(&map("\"string\"")))]),
            [
                lists(&[cat(&[&sized("k"), &lists(&[items_of(2, &[sized("a"), sized("b")].concat()), long(0)])])]),
                lists(&vec![cat(&[&sized("k"), &long(0)]); 3]),
                lists(&[cat(&[&sized("k"), &lists(&[items_of(1, &[sized("a"), sized([0xff])].concat())])])]),
                lists(&[cat(&[&sized([0xff]), &long(0)])]),
                long(0),
            ]
            .to_vec(),
        ),
        Seam::new(
            &record(&[&array(union), "\"boolean\""]),
            [
                lists(&[none.clone(), int.clone(), text.clone(), point.clone()]),
                lists(&[text.clone(), text.clone()]),
                lists(&[point.clone(), int.clone()]),
                lists(&[none.clone(), long(4)]),
                lists(&[long(-1)]),
                lists(&[vec![0x82, 0, 2], vec![0x80, 0]]),
                lists(&[]),
            ]
            .map(|body| cat(&[&body, &[1]]))
            .to_vec(),
        ),
        Seam::new(
            &record(&[union, union, "\"int\""].map(|ty| ty.replace("{\"type\": \"record\", \"name\": \"P\", \"fields\": [{\"name\": \"x\", \"type\": \"string\"}]}", "\"double\"")).each_ref().map(String::as_str)),
            vec![
                cat(&[&int, &text, &long(1)]),
                cat(&[&none, &none, &long(1)]),
                cat(&[&text, &long(3), &[1; 8], &long(1)]),
                cat(&[&long(3), &[1; 8], &int, &long(1)]),
                cat(&[&int, &long(4), &long(1)]),
                cat(&[&text, &int]),
            ],
        ),
        // Strings of items: where a neighbour has one, and where a block before had one.
        Seam::new(
            &record(&[point_list, "\"string\""]),
            [
                lists(&[point_of(Some("first"), 2), long(0), point_of(None, 0)]),
                lists(&[long(0), long(0), long(0), long(0)]),
                lists(&[point_of(None, 3), point_of(Some("a longer text than that"), 0), long(0)]),
                lists(&[point_of(Some("\u{e9}"), 1), point_of(Some(""), 1)]),
                lists(&vec![point_of(None, 0); 5]),
                long(0),
                lists(&[cat(&[&long(1), &long(1), &sized([0xff]), &long(0)])]),
            ]
            .map(|body| cat(&[&body, &sized("end")]))
            .to_vec(),
        ),
    ]
}

/// Items without bytes.
fn nothing() -> Vec<Seam> {
    let empty = r#"{"type": "record", "name": "Empty", "fields": []}"#;
    let none = r#"{"type": "fixed", "name": "None", "size": 0}"#;
    let counts = [1, 0, 5, 6, 7, 1000, 1001, i64::MAX, i64::MIN];
    let list = |count: i64| match count {
        0 => cat(&[&long(0), &long(8)]),
        // A negative count has a size behind it.
        count if count < 0 => cat(&[&long(count), &long(0), &long(0), &long(8)]),
        count => cat(&[&long(count), &long(0), &long(8)]),
    };
    let bodies = || {
        let mut bodies = counts.map(list).to_vec();
        bodies.push(cat(&[&long(2), &long(-3), &long(0), &long(0), &long(8)]));
        bodies.push(cat(&[&long(-3), &long(1), &long(0), &long(8)]));
        bodies
    };
    let mut seams = Vec::new();
    for ty in ["\"null\"", empty, none] {
        for (ty, bodies) in [
            (array(ty), bodies()),
            (
                array(&array(ty)),
                bodies().into_iter().map(|body| cat(&[&long(1), &body])).collect(),
            ),
            (
                map(ty),
                [1, 6, 7]
                    .map(|count| cat(&[&items_of(count, &sized("k")), &long(8)]))
                    .to_vec(),
            ),
        ] {
            let seam = Seam::new(&record(&[&ty, "\"int\""]), bodies);
            seams.push(seam.clone().within(|limits| limits.row_items = 6));
            seams.push(seam.clone().within(|limits| limits.row_items = 6).keeping("f1"));
            seams.push(seam);
        }
    }
    let item = |fields: &str| format!(r#"{{"type": "record", "name": "P", "fields": [{fields}]}}"#);
    let default = r#"{"name": "d", "type": "string", "default": "out of nothing"}"#;
    let seam = Seam::new(&record(&[&array(&item("")), "\"int\""]), bodies())
        .onto(&record(&[&array(&item(default)), "\"int\""]));
    seams.push(
        seam.clone()
            .within(|limits| (limits.batch_bytes, limits.row_bytes) = (3000, 3000)),
    );
    seams.push(seam);
    seams
}

/// Values of every type within records that may be null, in lists and outside of them: lanes with holes between them.
fn holes() -> Vec<Seam> {
    let fixed = r#"{"type": "fixed", "name": "F", "size": 3}"#;
    let symbol = r#"{"type": "enum", "name": "E", "symbols": ["A", "B"]}"#;
    let narrow = r#"{"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}"#;
    let wide = r#"{"type": "bytes", "logicalType": "decimal", "precision": 45}"#;
    let duration = r#"{"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}"#;
    let id = r#"{"type": "string", "logicalType": "uuid"}"#;
    let types: [(&str, Vec<u8>, Vec<u8>); 14] = [
        ("\"boolean\"", vec![1], vec![0]),
        ("\"int\"", long(-1), long(1 << 20)),
        ("\"long\"", long(-1), long(1 << 50)),
        (
            "\"float\"",
            1.5f32.to_le_bytes().to_vec(),
            (-2f32).to_le_bytes().to_vec(),
        ),
        (
            "\"double\"",
            1.5f64.to_le_bytes().to_vec(),
            (-2f64).to_le_bytes().to_vec(),
        ),
        ("\"string\"", sized("text"), sized("")),
        ("\"bytes\"", sized([0xff]), sized([0; 20])),
        (fixed, b"abc".to_vec(), b"xyz".to_vec()),
        (symbol, long(0), long(1)),
        (narrow, sized([1]), sized([0xff, 0])),
        (wide, sized([1]), sized([0x81; 15])),
        (duration, vec![1; 12], vec![2; 12]),
        (
            id,
            sized("89791762-2336-4186-9674-299b90a802e2"),
            sized("00000000-0000-0000-0000-000000000001"),
        ),
        ("\"null\"", vec![], vec![]),
    ];
    let fields = |wrap: &dyn Fn(&str) -> String| {
        let types: Vec<_> = types
            .iter()
            .map(|(ty, ..)| {
                if *ty == "\"null\"" {
                    (*ty).to_owned()
                } else {
                    wrap(ty)
                }
            })
            .collect();
        record(&types.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let plain = fields(&|ty| ty.to_owned());
    let first: Vec<u8> = types.iter().flat_map(|(_, first, _)| first.clone()).collect();
    let second: Vec<u8> = types.iter().flat_map(|(.., second)| second.clone()).collect();
    let nullables = fields(&nullable);
    // Which of the values are there.
    let some = |mask: u32| {
        let values = types.iter().enumerate();
        let values = values
            .filter(|(at, _)| *at < 13)
            .map(|(at, (_, first, second))| match mask >> at & 1 {
                0 => long(0),
                _ => cat(&[&long(1), if mask >> (at + 1) & 1 == 0 { first } else { second }]),
            });
        values.collect::<Vec<_>>().concat()
    };
    let masks = [u32::MAX, 0, 0x5555, 0xaaaa, 0x00f0, 0xff0f];
    let there = |body: &[u8]| cat(&[&long(1), body]);
    let rows = |bodies: &[Vec<u8>]| {
        let mut rows: Vec<_> = bodies.iter().map(|body| cat(&[&there(body), &long(3)])).collect();
        rows.push(cat(&[&long(0), &long(4)]));
        rows.push(cat(&[&long(1), &bodies[0][..bodies[0].len() - 1]]));
        rows
    };
    let lists = |bodies: &[Vec<u8>]| {
        let there: Vec<_> = bodies.iter().map(|body| there(body)).collect();
        vec![
            cat(&[&long(bodies.len() as i64), &there.concat(), &long(0), &long(3)]),
            cat(&[&long(3), &long(0), &there[0], &long(0), &long(0), &long(3)]),
            cat(&[&long(2), &long(0), &long(0), &long(0), &long(3)]),
            cat(&[&long(1), &there[1], &long(0), &long(3)]),
            cat(&[&long(0), &long(3)]),
            cat(&[&long(1), &there[0], &long(0)]),
        ]
    };
    let (plain_bodies, some_bodies) = ([first, second], masks.map(some));
    let of = |inner: &str, outer: &dyn Fn(&str) -> String, bodies: Vec<Vec<u8>>| {
        let inner = inner.replacen("\"R\"", "\"Inner\"", 1);
        Seam::new(&record(&[&outer(&nullable(&inner)), "\"int\""]), bodies)
    };
    let alone = |ty: &str| ty.to_owned();
    let twice = |ty: &str| {
        format!(
            r#"["null", {{"type": "record", "name": "Outer", "fields": [{{"name": "a", "type": {ty}}}, {{"name": "b", "type": "string"}}]}}]"#
        )
    };
    let twice_bodies = |bodies: &[Vec<u8>]| {
        let mut rows: Vec<_> = bodies
            .iter()
            .map(|body| cat(&[&long(1), &there(body), &sized("b"), &long(3)]))
            .collect();
        rows.push(cat(&[&long(1), &long(0), &sized("only b"), &long(3)]));
        rows.push(cat(&[&long(0), &long(3)]));
        rows.push(cat(&[&long(1), &long(0), &sized([0xff]), &long(3)]));
        rows
    };
    vec![
        Seam::new(&plain, plain_bodies.to_vec()),
        Seam::new(&nullables, some_bodies.to_vec()),
        of(&plain, &alone, rows(&plain_bodies)),
        of(&nullables, &alone, rows(&some_bodies)),
        of(&plain, &array, lists(&plain_bodies)),
        of(&nullables, &array, lists(&some_bodies)),
        of(&plain, &twice, twice_bodies(&plain_bodies)),
        of(&nullables, &twice, twice_bodies(&some_bodies)),
    ]
}

/// Messages that fill a block by their bytes, or are too long for one; and limits of rows and bytes.
fn sizes() -> Vec<Seam> {
    let writer = record(&["\"string\"", "\"int\""]);
    let text = |bytes: usize| cat(&[&sized("x".repeat(bytes)), &long(1)]);
    let bodies = || [10, 100, 1000, 5000, 12_000, 20_000, 0].map(text).to_vec();
    vec![
        Seam::new(&writer, bodies()),
        Seam::new(&writer, bodies()).keeping("f1"),
        Seam::new(&writer, bodies()).within(|limits| limits.batch_rows = 50),
        Seam::new(&writer, bodies()).within(|limits| limits.row_bytes = 102),
        Seam::new(&writer, bodies()).within(|limits| limits.row_bytes = 103),
        Seam::new(&writer, bodies()).within(|limits| limits.batch_bytes = 30_000),
    ]
}

/// Messages of several writers in one call.
fn writers() -> Vec<Seam> {
    let pair = |names: [&str; 2], types: [&str; 2]| {
        format!(
            r#"{{"type": "record", "name": "R", "fields": [{{"name": "{}", "type": {}}}, {{"name": "{}", "type": {}}}]}}"#,
            names[0], types[0], names[1], types[1]
        )
    };
    let (a, b) = (
        pair(["a", "b"], ["\"int\"", "\"string\""]),
        pair(["b", "a"], ["\"string\"", "\"long\""]),
    );
    let c = pair(
        ["c", "a"],
        ["{\"type\": \"array\", \"items\": \"int\"}", "[\"null\", \"int\"]"],
    );
    let onto = r#"{"type": "record", "name": "R", "fields": [{"name": "a", "type": ["null", "long"]},
        {"name": "b", "type": "string", "default": "no b"}]}"#;
    let seam = Seam::new(
        &a,
        vec![cat(&[&long(1), &sized("b")]), cat(&[&long(1), &sized([0xff])])],
    )
    .onto(onto)
    .and(
        &b,
        vec![cat(&[&sized(""), &long(1 << 40)]), cat(&[&sized("cut"), &[0x80]])],
    )
    .and(
        &c,
        vec![
            cat(&[&items_of(2, &long(1)), &long(1), &long(7)]),
            cat(&[&long(0), &long(0)]),
        ],
    );
    let mut small = seam.clone();
    small.target.limits.batch_rows = 20;
    vec![seam, small]
}

/// Values as deep as the block engine goes by itself, and deeper, with one at the bottom that the reader lacks.
fn deep() -> Vec<Seam> {
    let schema = |levels: usize, is_array: bool, bottom: &str| {
        let bottom = format!(
            r#"{{"type": "record", "name": "R{levels}", "fields": [{{"name": "v", "type": "long"}}{bottom}]}}"#
        );
        (0..levels).rev().fold(bottom, |below, level| {
            let below = if is_array { array(&below) } else { nullable(&below) };
            format!(
                r#"{{"type": "record", "name": "R{level}", "fields": [{{"name": "v", "type": "long"}}, {{"name": "n", "type": {below}}}]}}"#
            )
        })
    };
    let body = |levels: usize, is_array: bool, present: usize| {
        let mut body = Vec::new();
        for level in 0..=levels {
            body.extend(long(level as i64));
            match level {
                _ if level == levels => body.extend(long(-7)),
                _ if level == present => {
                    body.push(0);
                    break;
                }
                _ => body.push(2),
            }
        }
        // Each list that has an item ends behind it.
        body.extend(vec![0; if is_array { levels.min(present) } else { 0 }]);
        body
    };
    let mut seams = Vec::new();
    for levels in [14, 15, 16, 17, 18, 24] {
        for is_array in [false, true] {
            let writer = schema(levels, is_array, r#", {"name": "gone", "type": "long"}"#);
            let bodies = [levels, levels - 1, 3, levels, 0, levels]
                .map(|present| body(levels, is_array, present))
                .to_vec();
            let reader = schema(levels, is_array, "");
            seams.push(Seam::new(&writer, bodies.clone()).onto(&reader));
            seams.push(Seam::new(&writer, bodies));
        }
    }
    seams
}

/// A branch that the reader lacks, alone in its block, within a record that some rows do not have.
fn branches_that_fail() -> Vec<Seam> {
    let schema = |ty: &str| {
        let optional = nullable(&format!(
            r#"{{"type": "record", "name": "P", "fields": [{{"name": "x", "type": {ty}}}]}}"#
        ));
        record(&[r#""int""#, r#""int""#, &optional])
    };
    let absent = vec![2, 2, 0];
    let refused = cat(&[&[2, 2, 2, 2], &sized("x")]);
    let good = vec![2, 2, 2, 0, 10];
    let bodies = [
        &absent, &refused, &refused, &refused, &good, &absent, &absent, &good, &absent,
    ];
    let writer = schema(r#"["int", "string"]"#);
    let reader = schema(r#""int""#);
    [4, 5, bodies.len()]
        .map(|count| {
            Seam::new(
                &writer,
                bodies[..count].iter().map(|body| (*body).clone()).collect(),
            )
            .onto(&reader)
        })
        .to_vec()
}
