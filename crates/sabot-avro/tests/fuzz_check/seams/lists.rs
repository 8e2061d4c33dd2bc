//! Arrays and maps: their blocks, what is within them, and items that take no bytes.

use sabot_testkit::avro::{array, cat, long, map, nullable, sized};

use super::{Seam, items_of, list_of, record};

/// Arrays and maps in several blocks, and blocks that say how many bytes they take, rightly or
/// wrongly.
pub(super) fn blocks() -> Vec<Seam> {
    let pair = |first: &str| {
        format!(
            r#"{{"type": "record", "name": "P", "fields": [{{"name": "x", "type": "{first}"}}, {{"name": "y", "type": ["null", "string"]}}]}}"#
        )
    };
    let item = cat(&[&[1], &long(1), &sized("y")]);
    let mut seams = Vec::new();
    for (ty, item, bad) in [
        (array("\"long\""), long(1 << 40), vec![0xff; 10]),
        (array("\"int\""), long(-300), long(1 << 32)),
        (array("\"float\""), 1.5f32.to_le_bytes().to_vec(), vec![1, 2]),
        (array("\"double\""), 1.5f64.to_le_bytes().to_vec(), vec![1, 2, 3]),
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
        let seam = Seam::new(&writer, block_bodies(&item, &bad));
        seams.push(seam.clone().keeping("f1"));
        seams.push(seam.clone().within(|limits| limits.row_items = 3));
        seams.push(seam);
        // After a byte that says whether it is there.
        let mut there = block_bodies(&item, &bad);
        there.iter_mut().for_each(|body| body.insert(0, 2));
        there.push(cat(&[&long(0), &long(5)]));
        seams.push(Seam::new(&record(&[&nullable(&ty), "\"int\""]), there));
    }
    seams
}

/// Lists of numbers of every length, which are read as runs: more than are read at once, and some
/// that are too long.
pub(super) fn runs() -> Vec<Seam> {
    let of_bits = |bits: u32| long((1 << bits >> 1) - 1);
    let mut seams = Vec::new();
    for (ty, most_bits) in [("\"int\"", 32), ("\"long\"", 63)] {
        let numbers: Vec<Vec<u8>> = (1..most_bits).chain((1..most_bits).rev()).map(of_bits).collect();
        let wide = [long(i64::from(i32::MIN)), long(i64::from(i32::MAX))];
        let widest = [long(i64::MIN), long(i64::MAX), long(-1)];
        let mut bodies = vec![
            list_of(&numbers),
            items_of(200, &of_bits(most_bits - 1)),
            items_of(64, &long(-64)),
            items_of(65, &long(64)),
            list_of(&wide),
            list_of(&widest),
            // Longer than necessary, and too long.
            list_of(&[vec![0x82, 0x80, 0], long(1)]),
            list_of(&[long(1), vec![0x80, 0x80, 0x80, 0x80, 0x80, 0]]),
            list_of(&[long(1), [&[0xff; 9][..], &[2]].concat()]),
            list_of(&[long(1), vec![0xff; 11]]),
            // Two blocks, and one that is cut off.
            cat(&[&long(70), &of_bits(20).repeat(70), &items_of(3, &of_bits(7))]),
            cat(&[&long(3), &of_bits(30)]),
        ];
        let there = bodies.iter().map(|body| [&[2], &body[..]].concat());
        let nullable_bodies = there.chain([vec![0], vec![4]]).collect();
        seams.push(Seam::new(&record(&[&nullable(&array(ty))]), nullable_bodies));
        // In a list themselves.
        let nested = bodies.iter().map(|body| items_of(2, body)).collect();
        seams.push(Seam::new(&record(&[&array(&array(ty))]), nested));
        bodies.push(long(0));
        let seam = Seam::new(&record(&[&array(ty)]), bodies);
        seams.push(seam.clone().within(|limits| limits.row_items = 69));
        seams.push(seam);
    }
    seams
}

/// Lists of records that hold lists and unions beside what is read in rounds.
pub(super) fn mixed() -> Vec<Seam> {
    let line = format!(
        r#"{{"type": "record", "name": "L", "fields": [
            {{"name": "a", "type": "string"}},
            {{"name": "b", "type": {}}},
            {{"name": "c", "type": ["null", "long", "string"]}},
            {{"name": "d", "type": ["null", {{"type": "record", "name": "D", "fields": [
                {{"name": "e", "type": {}}}, {{"name": "f", "type": "int"}}
            ]}}]}}
        ]}}"#,
        array("\"long\""),
        map("\"double\"")
    );
    let entry = cat(&[&sized("k"), &[0; 8]]);
    let there = cat(&[&[2], &items_of(2, &entry), &long(9)]);
    let lines = [
        cat(&[
            &sized("x"),
            &items_of(3, &long(1 << 60)),
            &long(1),
            &long(7),
            &there,
        ]),
        cat(&[&sized("yy"), &long(0), &long(0), &[0]]),
        cat(&[
            &sized(""),
            &items_of(1, &long(-1)),
            &long(2),
            &sized("text"),
            &[0],
        ]),
        // A branch that does not exist, text that is no text, a map that is cut off.
        cat(&[&sized("x"), &long(0), &long(3), &[0]]),
        cat(&[&sized("x"), &long(0), &long(2), &sized([0xff]), &[0]]),
        cat(&[&sized("x"), &long(0), &long(0), &[2], &long(1), &sized("k")]),
    ];
    let mut bodies = vec![list_of(&lines[..3]), long(0)];
    let pairs = lines
        .iter()
        .map(|line| list_of(&[line.clone(), lines[1].clone()]));
    bodies.extend(pairs);
    // In two blocks.
    bodies.push(cat(&[&long(1), &lines[0], &items_of(1, &lines[2])]));
    let lists = array(&line);
    let twice = bodies.iter().map(|body| items_of(2, body)).collect();
    let seam = Seam::new(&record(&[&lists]), bodies);
    vec![
        seam.clone().within(|limits| limits.row_items = 5),
        seam,
        Seam::new(&record(&[&array(&lists)]), twice),
    ]
}

/// An array of such items and an int after it, rightly written or wrongly.
fn block_bodies(item: &[u8], bad_item: &[u8]) -> Vec<Vec<u8>> {
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
}

/// Lists in lists, unions in lists, and rows that have more of them than their neighbours.
pub(super) fn nested() -> Vec<Seam> {
    [arrays_in_arrays(), maps_in_maps(), unions(), texts_of_items()].concat()
}

fn arrays_in_arrays() -> Vec<Seam> {
    let ints = |count: i64| items_of(count, &long(count));
    let lists = [
        list_of(&[ints(1), ints(2)]),
        list_of(&[ints(0), ints(0)]),
        list_of(&[]),
        list_of(&(0..20).map(ints).collect::<Vec<_>>()),
        list_of(&[ints(3), vec![2, 0xff]]),
        vec![6, 0, 0],
    ];
    let bodies = lists.map(|list| cat(&[&list, &long(4)]));
    let writer = record(&[&array(&array("\"int\"")), "\"int\""]);
    vec![Seam::new(&writer, bodies.to_vec())]
}

fn maps_in_maps() -> Vec<Seam> {
    let entry = |key: &[u8], value: &[u8]| cat(&[&sized(key), value]);
    let (two, bad) = (
        items_of(2, &cat(&[&sized("a"), &sized("b")])),
        items_of(1, &cat(&[&sized("a"), &sized([0xff])])),
    );
    let bodies = [
        list_of(&[entry(b"k", &list_of(&[two, long(0)]))]),
        list_of(&vec![entry(b"k", &long(0)); 3]),
        list_of(&[entry(b"k", &list_of(&[bad]))]),
        list_of(&[entry(&[0xff], &long(0))]),
        long(0),
    ];
    let writer = record(&[&map(&array(&map("\"string\"")))]);
    vec![Seam::new(&writer, bodies.to_vec())]
}

/// In a list, and two beside each other.
fn unions() -> Vec<Seam> {
    let of = |last: &str| format!(r#"["null", "int", "string", {last}]"#);
    let point = r#"{"type": "record", "name": "P", "fields": [{"name": "x", "type": "string"}]}"#;
    let (none, int, text, point_body) = (
        long(0),
        cat(&[&long(1), &long(-7)]),
        cat(&[&long(2), &sized("text")]),
        cat(&[&long(3), &sized("x")]),
    );
    let lists = [
        list_of(&[none.clone(), int.clone(), text.clone(), point_body.clone()]),
        list_of(&[text.clone(), text.clone()]),
        list_of(&[point_body, int.clone()]),
        list_of(&[none.clone(), long(4)]),
        list_of(&[long(-1)]),
        list_of(&[vec![0x82, 0, 2], vec![0x80, 0]]),
        list_of(&[]),
    ];
    let bodies = lists.map(|list| cat(&[&list, &[1]]));
    let in_list = Seam::new(&record(&[&array(&of(point)), "\"boolean\""]), bodies.to_vec());
    let double = cat(&[&long(3), &[1; 8]]);
    let bodies = vec![
        cat(&[&int, &text, &long(1)]),
        cat(&[&none, &none, &long(1)]),
        cat(&[&text, &double, &long(1)]),
        cat(&[&double, &int, &long(1)]),
        cat(&[&int, &long(4), &long(1)]),
        cat(&[&text, &int]),
    ];
    let union = of("\"double\"");
    vec![in_list, Seam::new(&record(&[&union, &union, "\"int\""]), bodies)]
}

/// Strings of items: where a neighbour has one, and where a block before had one.
fn texts_of_items() -> Vec<Seam> {
    let points = r#"{"type": "array", "items": ["null", {"type": "record", "name": "Q", "fields": [
        {"name": "s", "type": ["null", "string"]}, {"name": "l", "type": {"type": "array", "items": "string"}}]}]}"#;
    let point = |text: Option<&str>, texts: i64| {
        let s = text.map_or(long(0), |text| cat(&[&long(1), &sized(text)]));
        cat(&[&long(1), &s, &items_of(texts, &sized("in a list"))])
    };
    let lists = [
        list_of(&[point(Some("first"), 2), long(0), point(None, 0)]),
        list_of(&[long(0), long(0), long(0), long(0)]),
        list_of(&[point(None, 3), point(Some("a longer text than that"), 0), long(0)]),
        list_of(&[point(Some("\u{e9}"), 1), point(Some(""), 1)]),
        list_of(&vec![point(None, 0); 5]),
        long(0),
        list_of(&[cat(&[&long(1), &long(1), &sized([0xff]), &long(0)])]),
    ];
    let bodies = lists.map(|list| cat(&[&list, &sized("end")]));
    vec![Seam::new(&record(&[points, "\"string\""]), bodies.to_vec())]
}

/// Items without bytes.
pub(super) fn nothing() -> Vec<Seam> {
    let empty = r#"{"type": "record", "name": "Empty", "fields": []}"#;
    let none = r#"{"type": "fixed", "name": "None", "size": 0}"#;
    let counts = [1, 0, 5, 6, 7, 1000, 1001, i64::MAX, i64::MIN];
    let list = |count: i64| match count {
        0 => cat(&[&long(0), &long(8)]),
        // A negative count has a size after it.
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
