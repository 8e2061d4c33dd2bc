//! What fills a batch, a block of rows or a limit just so, or goes a little beyond.

use sabot_decode::UnionType;
use sabot_testkit::avro::{array, cat, long, map, nullable, sized};

use super::{Seam, items_of, list_of, record};

/// Values that only the reader has, long ones too, where a batch has little room.
pub(super) fn defaults() -> Vec<Seam> {
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

/// A byte in the message, many in the columns.
pub(super) fn widths() -> Vec<Seam> {
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
pub(super) fn items() -> Vec<Seam> {
    [
        items_in_branches(),
        items_behind_sizes(),
        items_of_fields(),
        items_of_lists(),
        items_of_lists_in_other_rows(),
    ]
    .concat()
}

const ITEMS: usize = 6;

/// Lists within lists are taken 64 at a time, of whichever rows they are: each row is charged for
/// its own.
fn items_of_lists_in_other_rows() -> Vec<Seam> {
    let writer = record(&[&array(&array("\"int\"")), &array("\"int\"")]);
    let body = |(lists, inner, others): (i64, i64, i64)| {
        let inner = items_of(inner, &long(1));
        cat(&[&items_of(lists, &inner), &items_of(others, &long(1))])
    };
    let bodies = [(0, 0, 0), (0, 0, 0), (1, 60, 80), (1, 20, 75), (1, 20, 80)].map(body);
    vec![Seam::new(&writer, bodies.to_vec()).within(|limits| limits.row_items = 100)]
}

/// In a list and in a union's branch: as struct, and of two writers, its lists are taken after all
/// others.
fn items_in_branches() -> Vec<Seam> {
    let in_branch = r#"["int", {"type": "array", "items": "int"}, "string"]"#;
    let writer = record(&[&array("\"int\""), in_branch, "\"int\""]);
    let reader = record(&[&array("\"int\""), in_branch, "\"long\""]);
    let body = |(before, within)| {
        cat(&[
            &items_of(before, &long(1)),
            &long(1),
            &items_of(within, &long(1)),
            &long(5),
        ])
    };
    let bodies = [(0, 0), (4, 2), (4, 3), (0, 6), (0, 7), (6, 0), (7, 0)].map(body);
    let mut seam = Seam::new(&writer, bodies.to_vec()).within(|limits| limits.row_items = ITEMS);
    // The usual message has another branch, so that the union's branches are apart.
    let usual = cat(&[&long(0), &long(0), &long(1), &long(5)]);
    seam.messages.insert(0, (0, Some(usual)));
    seam.target.mapping.unions = UnionType::Struct;
    let of_two = seam.clone().onto(&reader).and(&reader, bodies.to_vec());
    vec![seam, of_two]
}

/// With their sizes, one list after the other.
fn items_behind_sizes() -> Vec<Seam> {
    let list = |count: i64| match count {
        0 => long(0),
        _ => cat(&[
            &long(-count),
            &long(count),
            &long(1).repeat(count as usize),
            &long(0),
        ]),
    };
    let bodies = [(1, 1), (4, 2), (4, 3), (6, 0), (0, 6), (0, 7), (7, 0)]
        .map(|(first, second)| cat(&[&list(first), &list(second)]));
    let writer = record(&[&array("\"int\""), &array("\"int\"")]);
    vec![Seam::new(&writer, bodies.to_vec()).within(|limits| limits.row_items = ITEMS)]
}

fn items_of_fields() -> Vec<Seam> {
    const COUNTS: [(i64, i64, i64); 10] = [
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
    ];
    let body = |(ints, entries, texts)| {
        cat(&[
            &items_of(ints, &long(1)),
            &items_of(entries, &[sized("k"), vec![1]].concat()),
            &items_of(texts, &cat(&[&long(1), &sized("t")])),
        ])
    };
    let writer = record(&[
        &array("\"int\""),
        &map("\"boolean\""),
        &array(&nullable("\"string\"")),
    ]);
    let seam = |most| Seam::new(&writer, COUNTS.map(body).to_vec()).within(|limits| limits.row_items = most);
    vec![
        seam(ITEMS),
        seam(ITEMS).keeping("f2"),
        seam(ITEMS).keeping("f0"),
        seam(0),
    ]
}

fn items_of_lists() -> Vec<Seam> {
    let body = |counts: &[i64]| {
        let lists: Vec<_> = counts.iter().map(|count| items_of(*count, &long(1))).collect();
        list_of(&lists)
    };
    let bodies = [&[1][..], &[2, 2], &[2, 3], &[6], &[0; 6], &[0; 7], &[]].map(body);
    let writer = record(&[&array(&array("\"int\""))]);
    vec![Seam::new(&writer, bodies.to_vec()).within(|limits| limits.row_items = ITEMS)]
}

/// Messages that fill a block by their bytes, or are too long for one; and limits of rows and
/// bytes.
pub(super) fn sizes() -> Vec<Seam> {
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
