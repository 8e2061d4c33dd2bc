//! Records: of several writers, in records in records, and with a branch that the reader lacks.

use sabot_testkit::avro::{array, cat, long, nullable, sized};

use super::{Seam, items_of, record};

/// Messages of several writers in one call.
pub(super) fn writers() -> Vec<Seam> {
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

/// Values as deep as the block engine goes by itself, and deeper, with one at the bottom that the
/// reader lacks.
pub(super) fn deep() -> Vec<Seam> {
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
        // Each list that has an item ends after it.
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
pub(super) fn branches_that_fail() -> Vec<Seam> {
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
