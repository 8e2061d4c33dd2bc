//! The checks: which rows are fed, in which arrangement, under which limits.
//!
//! Whatever is fed, the good rows are compared with those of a run of the good payloads alone. So
//! no check has to know what a row should be; that the reference itself is right is for the codec's
//! own tests.

use arrow_array::RecordBatch;
use fastrand::Rng;
use sabot_decode::{DecoderFactory, RowErrorKind, SchemaKey, Stop, Target, WriterSchema};

use super::corpus::{Corpus, Given, Origin, Row};
use super::harness::{Decoded, Harness, Steps};
use super::{Invariant, Violation, mapping, projection, rows};
use crate::mutate;

/// Random mutations of each good payload.
const MUTATIONS: usize = 64;
/// Payloads of random bytes for each schema.
const GARBAGE: usize = 64;
/// A key that no corpus should have.
const UNKNOWN_KEY: SchemaKey = SchemaKey::Id(0xdead_beef);
/// Rows that are never decoded at once, so that a corpus of small rows reaches a limit of bytes in
/// bounded time.
const MAX_ROWS: usize = 200_000;
/// Rows of which it is seen what they take.
const SAMPLE_ROWS: usize = 128;

pub(super) fn all(factory: &dyn DecoderFactory, target: &Target, corpus: &Corpus) -> Result<(), Violation> {
    let harness = Harness {
        factory,
        target,
        corpus,
        check: "the good payloads alone",
    };
    if corpus.good.is_empty() {
        return Err(harness.misfit("there is no good payload"));
    }
    let reference = good_alone(harness)?;
    let suite = Suite { harness, reference };
    suite.good_splits()?;
    suite.rows_without_bytes()?;
    suite.known_bad()?;
    suite.spoilt_neighbours()?;
    suite.interleaved_schemas()?;
    suite.unknown_schemas()?;
    suite.few_plans()?;
    suite.small_batches()?;
    suite.small_rows()?;
    suite.strict_limits()?;
    suite.splits()?;
    projection::check(harness, &suite.reference)?;
    mapping::check(harness)
}

/// The rows that all others are compared with.
fn good_alone(harness: Harness<'_>) -> Result<Decoded, Violation> {
    let run = harness.run(&harness.corpus.good_rows(), Steps::whole())?;
    match run.errors.iter().position(Option::is_some) {
        Some(row) => {
            let row = harness.corpus.good_row(row).describe();
            Err(harness.misfit(format!(
                "a payload that should be good is refused: {row}\n{:?}",
                run.errors
            )))
        }
        None => Ok(run),
    }
}

struct Suite<'a> {
    harness: Harness<'a>,
    /// The good payloads alone.
    reference: Decoded,
}

impl<'a> Suite<'a> {
    fn named(&self, check: &'a str) -> Harness<'a> {
        Harness {
            check,
            ..self.harness
        }
    }

    /// The good payloads alone again, each several times, in other splits.
    fn good_splits(&self) -> Result<(), Violation> {
        let harness = self.named("good payloads in splits");
        let all: Vec<_> = harness
            .corpus
            .good_rows()
            .into_iter()
            .flat_map(|row| vec![row; 3])
            .collect();
        for steps in [Steps::whole(), Steps::random(12, 1, 0), Steps::random(13, 4, 2)] {
            let run = harness.run(&all, steps)?;
            self.compare(harness, Invariant::Splits, &all, &run)?;
        }
        Ok(())
    }

    /// Tombstones and refused payloads: at the start, when no schema is fixed, and among others.
    fn rows_without_bytes(&self) -> Result<(), Violation> {
        let harness = self.named("tombstones and refused payloads");
        let kinds = [RowErrorKind::UnknownSchema, RowErrorKind::Truncated];
        let mut empty = vec![Row::tombstone()];
        empty.extend(kinds.map(|kind| Row::refused(UNKNOWN_KEY, kind)));
        empty.push(Row {
            origin: UNKNOWN_KEY.into(),
            given: Given::Tombstone,
        });
        for steps in [Steps::whole(), Steps::random(1, 1, 0)] {
            let run = harness.run(&empty, steps)?;
            self.all_refused_reported(harness, &empty, &run)?;
        }
        let mut mixed = Vec::new();
        for row in harness.corpus.good_rows() {
            mixed.push(row);
            mixed.extend_from_slice(&empty);
        }
        for steps in [Steps::whole(), Steps::random(2, 3, 4)] {
            let run = harness.run(&mixed, steps)?;
            self.all_refused_reported(harness, &mixed, &run)?;
            self.compare(harness, Invariant::Atomicity, &mixed, &run)?;
        }
        Ok(())
    }

    fn all_refused_reported(
        &self,
        harness: Harness<'_>,
        rows: &[Row],
        run: &Decoded,
    ) -> Result<(), Violation> {
        for (row, error) in rows.iter().zip(&run.errors) {
            if matches!(row.given, Given::Refused(_)) && error.is_none() {
                return Err(harness.violation(Invariant::OneSlot, "a refused payload is not reported"));
            }
        }
        Ok(())
    }

    /// The corpus's bad payloads are bad.
    fn known_bad(&self) -> Result<(), Violation> {
        let harness = self.named("payloads known to be bad");
        let mut all = Vec::new();
        for (index, bad) in harness.corpus.bad_rows().enumerate() {
            all.push(harness.corpus.good_row(index % harness.corpus.good.len()));
            all.push(bad);
        }
        if all.is_empty() {
            return Ok(());
        }
        let run = harness.run(&all, Steps::whole())?;
        for (row, error) in all.iter().zip(&run.errors) {
            if matches!(row.given, Given::Bad(_)) && error.is_none() {
                return Err(harness.misfit(format!("it is taken for a good one: {}", row.describe())));
            }
        }
        self.compare(harness, Invariant::Atomicity, &all, &run)
    }

    /// Good rows beside payloads that are cut at each position, have each byte changed, or are
    /// random.
    fn spoilt_neighbours(&self) -> Result<(), Violation> {
        let harness = self.named("good payloads beside spoilt ones");
        let mut rng = Rng::with_seed(3);
        for index in 0..harness.corpus.good.len() {
            let row = harness.corpus.good_row(index);
            let body = row.body();
            let mut spoilt: Vec<_> = mutate::truncations(body).chain(mutate::flips(body)).collect();
            spoilt.extend((0..MUTATIONS).map(|_| mutate::random(&mut rng, body)));
            spoilt.extend((0..GARBAGE).map(|_| mutate::garbage(&mut rng, 2 * body.len() + 16)));
            let mut all = vec![harness.corpus.good_row(0)];
            for body in spoilt {
                // One good row between two spoilt ones, or none, or two.
                for _ in 0..rng.usize(0..=2) {
                    all.push(harness.corpus.good_row(rng.usize(0..harness.corpus.good.len())));
                }
                all.push(row.spoilt(body));
            }
            all.push(row);
            for steps in [Steps::whole(), Steps::random(4, 100, 0), Steps::random(5, 2, 3)] {
                let run = harness.run(&all, steps)?;
                self.compare(harness, Invariant::Atomicity, &all, &run)?;
            }
        }
        Ok(())
    }

    /// Every order of schema keys in one batch.
    fn interleaved_schemas(&self) -> Result<(), Violation> {
        let harness = self.named("interleaved schema keys");
        let mut rng = Rng::with_seed(6);
        let all = shuffled(&mut rng, harness.corpus, 200);
        let run = harness.run(&all, Steps::whole())?;
        if run.full > 0 {
            return Err(harness.violation(Invariant::Schemas, "the rows do not fit one batch"));
        }
        self.compare(harness, Invariant::Schemas, &all, &run)?;
        // The same with every schema known from the start.
        let mut decoder = harness.open()?;
        for (Origin { key, message }, writer) in harness.corpus.messages() {
            let prepared = harness.calm("prepare", || {
                decoder.prepare_message(*key, message.as_path(), writer)
            })?;
            prepared.map_err(|error| harness.misfit(format!("schema {key} cannot be prepared: {error}")))?;
        }
        let run = harness.run_with(decoder, &all, Steps::whole())?;
        self.compare(harness, Invariant::NoIo, &all, &run)
    }

    /// A payload whose schema is not known waits for it and takes no slot.
    fn unknown_schemas(&self) -> Result<(), Violation> {
        let harness = self.named("unknown schema keys");
        let fail = |message: String| Err(harness.violation(Invariant::NoIo, message));
        for (origin, body) in &harness.corpus.good {
            let Origin { key, message } = origin;
            let Some(writer) = harness.corpus.writer(*key) else {
                continue;
            };
            let row = Row {
                origin: origin.clone(),
                given: Given::Spoilt(body.clone()),
            };
            let mut decoder = harness.open()?;
            for what in [
                "before its schema is known",
                "the second time",
                "after an unusable schema",
            ] {
                let mut errors = 0;
                let progress = harness.calm("decode", || {
                    decoder.decode(&[row.payload()], &mut |_| errors += 1)
                })?;
                let waits = progress.stop == Stop::NeedsSchema(*key) && progress.taken == 0;
                if !waits || errors > 0 || decoder.slots() > 0 {
                    let slots = decoder.slots();
                    return fail(format!(
                        "{what}, decoding comes to {progress:?}, {errors} errors, {slots} slots: {}",
                        row.describe()
                    ));
                }
                let schema = decoder.schema().cloned();
                let unusable = WriterSchema::new(writer.kind, "\u{1}this is no schema");
                let prepared = harness.calm("prepare", || {
                    decoder.prepare_message(*key, message.as_path(), &unusable)
                })?;
                if prepared.is_ok() {
                    return fail("a schema that cannot be read is accepted".to_owned());
                }
                if decoder.schema() != schema.as_ref() {
                    return fail("a schema that cannot be read changes that of the batches".to_owned());
                }
            }
            harness.run_with(decoder, std::slice::from_ref(&row), Steps::whole())?;
        }
        Ok(())
    }

    /// With room for one plan the decoder asks again, and nothing else changes.
    fn few_plans(&self) -> Result<(), Violation> {
        let mut target = self.harness.target.clone();
        target.limits.plans = 1;
        let harness = Harness {
            target: &target,
            ..self.named("room for one schema")
        };
        let all = shuffled(&mut Rng::with_seed(7), harness.corpus, 50);
        for steps in [Steps::whole(), Steps::random(8, 5, 3)] {
            let run = harness.run(&all, steps)?;
            self.compare(harness, Invariant::Schemas, &all, &run)?;
        }
        Ok(())
    }

    /// Small limits of rows and bytes in a batch.
    fn small_batches(&self) -> Result<(), Violation> {
        let all = shuffled(&mut Rng::with_seed(9), self.harness.corpus, 50);
        for (batch_rows, batch_bytes) in [(1, usize::MAX), (3, usize::MAX), (usize::MAX, 1), (2, 1), (0, 0)] {
            let mut target = self.harness.target.clone();
            target.limits.batch_rows = batch_rows;
            target.limits.batch_bytes = batch_bytes;
            let check = format!("batches of {batch_rows} rows, {batch_bytes} bytes");
            let harness = Harness {
                target: &target,
                check: &check,
                ..self.harness
            };
            for steps in [Steps::whole(), Steps::random(10, 4, 0)] {
                let run = harness.run(&all, steps)?;
                if run.full == 0 && batch_rows < all.len() {
                    return Err(harness.violation(Invariant::Bounded, "the decoder is never full"));
                }
                self.compare(harness, Invariant::Splits, &all, &run)?;
            }
        }
        self.bounded_bytes()
    }

    /// Many rows in one call stop near the limit of bytes.
    fn bounded_bytes(&self) -> Result<(), Violation> {
        let corpus = self.harness.corpus;
        let row_bytes = corpus.good.iter().map(|(_, body)| body.len()).max().unwrap_or(0);
        let batch_bytes = (64 << 10).max(16 * row_bytes);
        let mut target = self.harness.target.clone();
        (target.limits.batch_bytes, target.limits.batch_rows) = (batch_bytes, usize::MAX);
        let harness = Harness {
            target: &target,
            ..self.named("the limit of bytes in a batch")
        };

        // What as many rows more take says how many it takes to go over the limit: ends of offsets
        // and dictionaries are there in any case.
        let rows = |count: usize| -> Vec<_> {
            let good = corpus.good.len();
            (0..count).map(|row| corpus.good_row(row % good)).collect()
        };
        let bytes = |count: usize| {
            let run = self.harness.run(&rows(count), Steps::whole())?;
            Ok(bytes_of(&run.batch))
        };
        let more_bytes = bytes(2 * SAMPLE_ROWS)?.saturating_sub(bytes(SAMPLE_ROWS)?);
        let count = (4 * batch_bytes * SAMPLE_ROWS).checked_div(more_bytes);
        let Some(count) = count.filter(|count| *count <= MAX_ROWS) else {
            return Ok(());
        };
        let all = rows(count);
        let run = harness.run(&all, Steps::whole())?;
        if run.full < 2 {
            let message =
                format!("{count} rows, 4 times the limit of {batch_bytes} bytes, are two batches or one");
            return Err(harness.violation(Invariant::Bounded, message));
        }
        self.compare(harness, Invariant::Splits, &all, &run)
    }

    /// A payload over the limit of bytes is bad, and no other.
    fn small_rows(&self) -> Result<(), Violation> {
        let corpus = self.harness.corpus;
        let row_bytes = corpus.good[0].1.len();
        let mut target = self.harness.target.clone();
        target.limits.row_bytes = row_bytes;
        let harness = Harness {
            target: &target,
            ..self.named("the limit of bytes in a row")
        };
        let mut all = corpus.good_rows();
        let longer = [corpus.good[0].1.as_slice(), &[0]].concat();
        all.push(all[0].spoilt(longer));
        let run = harness.run(&all, Steps::whole())?;
        for (row, error) in all.iter().zip(&run.errors) {
            let kind = error.map(|error| error.kind);
            let is_over = row.body().len() > row_bytes;
            if is_over != matches!(kind, Some(RowErrorKind::LimitExceeded(_))) {
                let message = format!(
                    "with {row_bytes} bytes allowed, {kind:?} is reported: {}",
                    row.describe()
                );
                return Err(harness.violation(Invariant::Bounded, message));
            }
        }
        self.compare(harness, Invariant::Bounded, &all, &run)
    }

    /// The least depth and items that a target may allow: rows may be bad then, or no decoder be
    /// made. What remains is as ever.
    fn strict_limits(&self) -> Result<(), Violation> {
        for (depth, row_items) in [(0, 1 << 20), (1, 1 << 20), (2, 1 << 20), (64, 0), (64, 1), (0, 0)] {
            let mut target = self.harness.target.clone();
            (target.limits.depth, target.limits.row_items) = (depth, row_items);
            let check = format!("a depth of {depth} and {row_items} items");
            let harness = Harness {
                target: &target,
                check: &check,
                ..self.harness
            };
            match harness.run(&harness.corpus.good_rows(), Steps::whole()) {
                Ok(run) if run.batch.schema() == self.reference.batch.schema() => {
                    let good: Vec<_> = run.good_rows();
                    self.compare_some(
                        harness,
                        Invariant::Bounded,
                        &harness.corpus.good_rows(),
                        &run,
                        &good,
                    )?;
                }
                // The schema itself may exceed a limit: that is no fault, and nothing was decoded.
                Ok(_) | Err(Violation { invariant: None, .. }) => {}
                Err(violation) => return Err(violation),
            }
        }
        Ok(())
    }

    /// The same rows, good, spoilt and without bytes, in many splits.
    fn splits(&self) -> Result<(), Violation> {
        let harness = self.named("splits into calls and batches");
        let mut rng = Rng::with_seed(11);
        let mut all = shuffled(&mut rng, harness.corpus, 300);
        for row in all.iter_mut().skip(1) {
            let spoilt = match rng.u8(0..8) {
                0 => row.spoilt(mutate::random(&mut rng, row.body())),
                1 => Row::tombstone(),
                2 => Row::refused(UNKNOWN_KEY, RowErrorKind::UnknownSchema),
                _ => continue,
            };
            *row = spoilt;
        }
        // Equal rows side by side show what leans on the row before.
        let repeated: Vec<_> = all.into_iter().flat_map(|row| vec![row; 2]).collect();
        let whole = harness.run(&repeated, Steps::whole())?;
        self.compare(harness, Invariant::Splits, &repeated, &whole)?;
        for (seed, max_call_rows, flush_one_in) in [
            (0, 1, 0),
            (1, 1, 1),
            (2, 7, 2),
            (3, 64, 3),
            (4, 65, 0),
            (5, 200, 1),
            (6, 3, 10),
        ] {
            let steps = Steps::random(seed, max_call_rows, flush_one_in);
            let split = harness.run(&repeated, steps)?;
            if let Some(row) = (0..repeated.len()).find(|row| whole.errors[*row] != split.errors[*row]) {
                let (one, other) = (whole.errors[row], split.errors[row]);
                let message = format!(
                    "in one call, row {row} gives {one:?}\nin calls of up to {max_call_rows} rows, {other:?}\n{}",
                    repeated[row].describe()
                );
                return Err(harness.violation(Invariant::Splits, message));
            }
            let good = whole.good_rows();
            if let Some((place, message)) = rows::differing((&whole.batch, &good), (&split.batch, &good)) {
                let row = good.get(place).map(|row| repeated[*row].describe());
                let message = format!("{message}\nin calls of up to {max_call_rows} rows: {row:?}");
                return Err(harness.violation(Invariant::Splits, message));
            }
        }
        Ok(())
    }

    /// The good rows of `run` are as in the reference, and none is refused.
    fn compare(
        &self,
        harness: Harness<'_>,
        invariant: Invariant,
        all: &[Row],
        run: &Decoded,
    ) -> Result<(), Violation> {
        let row_bytes = harness.target.limits.row_bytes;
        let good = |row: &usize| matches!(&all[*row].given, Given::Good(_, body) if body.len() <= row_bytes);
        let good: Vec<usize> = (0..all.len()).filter(good).collect();
        if let Some(row) = good.iter().find(|row| run.errors[**row].is_some()) {
            let message = format!(
                "row {row}: {}\nis refused: {:?}",
                all[*row].describe(),
                run.errors[*row]
            );
            return Err(harness.violation(invariant, message));
        }
        self.compare_some(harness, invariant, all, run, &good)
    }

    /// The rows `some` of `run`, all of them made of good payloads, are as in the reference.
    fn compare_some(
        &self,
        harness: Harness<'_>,
        invariant: Invariant,
        all: &[Row],
        run: &Decoded,
        some: &[usize],
    ) -> Result<(), Violation> {
        let reference = some.iter().filter_map(|row| match all[*row].given {
            Given::Good(index, _) => Some(index),
            _ => None,
        });
        let reference: Vec<usize> = reference.collect();
        match rows::differing((&self.reference.batch, &reference), (&run.batch, some)) {
            None => Ok(()),
            Some((place, message)) => {
                let row = some.get(place).map_or(0, |row| *row);
                let near: Vec<_> = (row.saturating_sub(2)..(row + 3).min(all.len()))
                    .map(|near| format!("row {near}: {}", all[near].describe()))
                    .collect();
                let message = format!("in row {row}, {message}\namong\n{}", near.join("\n"));
                Err(harness.violation(invariant, message))
            }
        }
    }
}

/// Good rows at random, after the first one, which may fix the schema.
fn shuffled(rng: &mut Rng, corpus: &Corpus, count: usize) -> Vec<Row> {
    let mut all = corpus.good_rows();
    all.extend((0..count).map(|_| corpus.good_row(rng.usize(0..corpus.good.len()))));
    all
}

/// What the columns of a batch take.
fn bytes_of(batch: &RecordBatch) -> usize {
    let arrays = batch.columns().iter().map(|column| column.to_data());
    arrays.map(|data| data.get_slice_memory_size().unwrap_or(0)).sum()
}
