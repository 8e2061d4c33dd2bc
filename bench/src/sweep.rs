//! Random schemas instead of chosen ones: what is slow shows, whether or not somebody thought of
//! it.
//!
//! The schemas come from a seed, so that a run can be had again. A codec joins with a line in
//! [`SWEEPS`]: it draws a schema and makes a case of it, ours first and the peer to compare with
//! second. What the peer cannot read, or reads otherwise, is left out and counted.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;

use crate::options::Options;
use crate::suites::Case;
use crate::{avro, equal, harness, host};

/// Schemas shown with what they took.
const SHOWN: usize = 10;
/// Messages of each schema, and rounds, unless asked otherwise.
const MESSAGES: usize = 4096;
const ROUNDS: usize = 5;

/// A codec's random schemas.
pub struct Sweep {
    codec: &'static str,
    draw: fn(&mut Rng, usize) -> Drawn,
    /// What the median of all ratios reaches at least.
    median: f64,
    /// What every ratio reaches.
    least: f64,
}

const SWEEPS: &[Sweep] = &[Sweep {
    codec: "avro",
    draw: avro::draw,
    median: 3.0,
    least: 1.3,
}];

/// A random schema.
pub struct Drawn {
    pub schema: String,
    /// Two systems, ours first; the error is the peer's.
    pub case: Result<Case, String>,
}

/// What came of one schema.
struct Row {
    at: usize,
    schema: String,
    bytes_per_message: usize,
    ours_ns: f64,
    theirs_ns: f64,
}

impl Row {
    fn ratio(&self) -> f64 {
        self.theirs_ns / self.ours_ns
    }
}

/// Measures every codec's random schemas; fails where one is below its bars and the options want to
/// know.
pub fn run(options: &Options) -> Result<(), String> {
    host::check_build()?;
    host::check_load();
    host::pin_to_first_core()?;
    let mut missed = Vec::new();
    for sweep in SWEEPS
        .iter()
        .filter(|sweep| sweep.codec.contains(&options.filter))
    {
        let rows = measure(sweep, options)?;
        missed.extend(report(sweep, rows, options.seed));
    }
    if missed.is_empty() || !options.check {
        return Ok(());
    }
    Err(missed.join("\n"))
}

fn measure(sweep: &Sweep, options: &Options) -> Result<Vec<Row>, String> {
    let mut rng = Rng::with_seed(options.seed);
    let (mut rows, mut left_out) = (Vec::new(), BTreeMap::<String, usize>::new());
    for at in 0..options.schemas {
        // Each schema has a seed of its own, so that it can be had alone.
        let mut rng = rng.fork();
        if options.only.is_some_and(|only| only != at) {
            continue;
        }
        let Drawn { schema, mut case } = (sweep.draw)(&mut rng, options.messages.unwrap_or(MESSAGES));
        let rounds = options.rounds.unwrap_or(ROUNDS);
        // Before what may panic below: a panic of ours ends the sweep.
        if let Ok(Case {
            systems, messages, ..
        }) = &mut case
        {
            systems[0]
                .run
                .run(messages, &mut |_| {})
                .map_err(|reason| format!("schema {at}: sabot: {reason}\n{schema}"))?;
        }
        // The peer may panic where it does not know a schema.
        let measured: Result<Result<_, String>, _> = catch_unwind(AssertUnwindSafe(|| {
            let mut case = case?;
            equal::check(&mut case)?;
            let times = harness::times(&mut case, rounds)?;
            Ok((case.bytes_per_message, times))
        }));
        match measured.unwrap_or_else(|_| Err("panicked".into())) {
            Ok((bytes_per_message, times)) => rows.push(Row {
                at,
                schema,
                bytes_per_message,
                ours_ns: times[0].median(),
                theirs_ns: times[1].median(),
            }),
            Err(reason) => {
                // Ours has to read everything.
                if reason.starts_with("sabot") {
                    return Err(format!("schema {at}: {reason}\n{schema}"));
                }
                let reason: String = reason.chars().take(100).collect();
                *left_out.entry(reason).or_default() += 1;
            }
        }
    }
    for (reason, count) in left_out {
        println!("left out {count}: {reason}");
    }
    Ok(rows)
}

/// Prints the ratios and the worst schemas, and says which bars are missed.
fn report(sweep: &Sweep, mut rows: Vec<Row>, seed: u64) -> Vec<String> {
    rows.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
    let [Some(least), Some(median), Some(most)] =
        [rows.first(), rows.get(rows.len() / 2), rows.last()].map(|row| row.map(Row::ratio))
    else {
        return vec![format!("{}: no schema was measured", sweep.codec)];
    };
    println!(
        "{}, seed {seed}: {} schemas, ratios {least:.2} .. {most:.2}, median {median:.2}; the worst:",
        sweep.codec,
        rows.len()
    );
    for row in rows.iter().take(SHOWN) {
        println!(
            "{:.2}x: schema {}, {} bytes, ours {:.0} ns, theirs {:.0} ns\n  {}",
            row.ratio(),
            row.at,
            row.bytes_per_message,
            row.ours_ns,
            row.theirs_ns,
            row.schema
        );
    }
    let bars = [("median", median, sweep.median), ("least", least, sweep.least)];
    let missed = bars.iter().filter(|(_, reached, bar)| reached < bar);
    missed
        .map(|(name, reached, bar)| format!("{}: the {name} ratio is {reached:.2} of {bar}", sweep.codec))
        .collect()
}
