//! Feeds rows to a decoder and watches every call.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use arrow_select::concat::concat_batches;
use fastrand::Rng;
use sabot_decode::{Decoder, DecoderFactory, Payload, RowError, SchemaKey, Stop, Target};

use super::corpus::{Corpus, Given, Origin, Row};
use super::{Invariant, Violation};

/// What a check needs to run rows through fresh decoders.
#[derive(Debug, Clone, Copy)]
pub(super) struct Harness<'a> {
    pub(super) factory: &'a dyn DecoderFactory,
    pub(super) target: &'a Target,
    pub(super) corpus: &'a Corpus,
    /// What is being checked, for the reader of a failure.
    pub(super) check: &'a str,
}

/// How rows are split into calls and batches.
#[derive(Debug, Clone)]
pub(super) struct Steps {
    rng: Rng,
    max_call_rows: usize,
    /// One call in so many is followed by a flush; never, if 0.
    flush_one_in: usize,
}

impl Steps {
    /// Everything in one call and one batch.
    pub(super) fn whole() -> Self {
        Self {
            rng: Rng::with_seed(0),
            max_call_rows: usize::MAX,
            flush_one_in: 0,
        }
    }

    /// Calls of up to `max_call_rows` rows, and batches of `flush_one_in` calls on average.
    pub(super) fn random(seed: u64, max_call_rows: usize, flush_one_in: usize) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            max_call_rows,
            flush_one_in,
        }
    }

    fn call_rows(&mut self) -> usize {
        if self.max_call_rows == usize::MAX {
            usize::MAX
        } else {
            self.rng.usize(1..=self.max_call_rows)
        }
    }

    fn flushes(&mut self) -> bool {
        self.flush_one_in > 0 && self.rng.usize(0..self.flush_one_in) == 0
    }
}

/// What came of rows.
#[derive(Debug)]
pub(super) struct Decoded {
    /// All batches in one.
    pub(super) batch: RecordBatch,
    /// The error of each row, its slot left out.
    pub(super) errors: Vec<Option<RowError>>,
    /// Times that the decoder said that it was full.
    pub(super) full: usize,
}

impl Decoded {
    /// Rows that are good.
    pub(super) fn good_rows(&self) -> Vec<usize> {
        (0..self.errors.len())
            .filter(|row| self.errors[*row].is_none())
            .collect()
    }
}

impl Harness<'_> {
    pub(super) fn violation(&self, invariant: Invariant, message: impl Into<String>) -> Violation {
        Violation {
            invariant: Some(invariant),
            check: self.check.to_owned(),
            message: message.into(),
        }
    }

    /// The corpus itself is at fault.
    pub(super) fn misfit(&self, message: impl Into<String>) -> Violation {
        Violation {
            invariant: None,
            check: self.check.to_owned(),
            message: message.into(),
        }
    }

    pub(super) fn open(&self) -> Result<Box<dyn Decoder>, Violation> {
        self.factory
            .open(self.target)
            .map_err(|error| self.misfit(format!("the target is refused: {error}")))
    }

    /// Runs rows through a fresh decoder that is given schemas when it asks for them.
    pub(super) fn run(&self, rows: &[Row], steps: Steps) -> Result<Decoded, Violation> {
        self.run_with(self.open()?, rows, steps)
    }

    /// Runs rows through `decoder`.
    pub(super) fn run_with(
        &self,
        decoder: Box<dyn Decoder>,
        rows: &[Row],
        mut steps: Steps,
    ) -> Result<Decoded, Violation> {
        let mut watched = Watched {
            harness: self,
            schema: decoder.schema().cloned(),
            decoder,
            rows,
            payloads: rows.iter().map(Row::payload).collect(),
            errors: Vec::with_capacity(rows.len()),
            flushed: 0,
            batches: Vec::new(),
            asked: HashSet::new(),
            full: 0,
            empty_bytes: None,
        };
        while watched.errors.len() < rows.len() {
            let end = watched
                .errors
                .len()
                .saturating_add(steps.call_rows())
                .min(rows.len());
            watched.feed(end)?;
            if steps.flushes() {
                watched.flush()?;
            }
        }
        watched.flush()?;
        watched.flush()?;
        watched.finish()
    }

    /// Does something that must not panic.
    pub(super) fn calm<T>(&self, what: &str, work: impl FnOnce() -> T) -> Result<T, Violation> {
        catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            self.violation(Invariant::Bounded, format!("{what} panicked: {text}"))
        })
    }
}

/// A decoder at work.
struct Watched<'a> {
    harness: &'a Harness<'a>,
    decoder: Box<dyn Decoder>,
    rows: &'a [Row],
    payloads: Vec<Payload<'a>>,
    /// The error of each row taken so far.
    errors: Vec<Option<RowError>>,
    /// Rows that are in batches.
    flushed: usize,
    batches: Vec<RecordBatch>,
    schema: Option<SchemaRef>,
    /// What the decoder has asked for.
    asked: HashSet<Origin>,
    full: usize,
    /// Bytes held right after the first flush.
    empty_bytes: Option<usize>,
}

impl Watched<'_> {
    fn ensure(
        &self,
        holds: bool,
        invariant: Invariant,
        message: impl FnOnce() -> String,
    ) -> Result<(), Violation> {
        if holds {
            return Ok(());
        }
        let at = self.errors.len();
        let row = self
            .rows
            .get(at)
            .map_or_else(|| "the end".to_owned(), Row::describe);
        Err(self
            .harness
            .violation(invariant, format!("{}\nat row {at}: {row}", message())))
    }

    /// Has the rows up to `end` taken.
    fn feed(&mut self, end: usize) -> Result<(), Violation> {
        while self.errors.len() < end {
            match self.call(end)? {
                Stop::Done => {
                    self.ensure(self.errors.len() == end, Invariant::OneSlot, || {
                        "the decoder says that it is done and left rows".to_owned()
                    })?;
                }
                Stop::Full => {
                    self.full += 1;
                    self.check_full()?;
                    self.flush()?;
                }
                Stop::NeedsSchema(key) => self.prepare(key)?,
            }
            self.check_schema()?;
        }
        Ok(())
    }

    /// One call of `decode`, for rows up to `end`.
    fn call(&mut self, end: usize) -> Result<Stop, Violation> {
        let start = self.errors.len();
        let slots = self.decoder.slots();
        self.ensure(slots == start - self.flushed, Invariant::OneSlot, || {
            format!("{slots} slots are held for {} rows", start - self.flushed)
        })?;
        let mut errors = Vec::new();
        let (decoder, payloads) = (&mut self.decoder, &self.payloads[start..end]);
        let progress = self.harness.calm("decode", || {
            decoder.decode(payloads, &mut |error| errors.push(error))
        });
        let progress = progress.map_err(|panic| self.name_culprit(start, end).unwrap_or(panic))?;
        let taken = self.decoder.slots().wrapping_sub(slots);
        self.ensure(
            progress.taken <= end - start && taken == progress.taken,
            Invariant::OneSlot,
            || {
                format!(
                    "{} of {} rows are taken for {taken} slots",
                    progress.taken,
                    end - start
                )
            },
        )?;
        self.errors.resize(start + taken, None);
        for pair in errors.windows(2) {
            self.ensure(pair[0].slot < pair[1].slot, Invariant::Atomicity, || {
                format!("slot {} is reported after slot {}", pair[1].slot, pair[0].slot)
            })?;
        }
        for error in errors {
            self.check_error(error, start)?;
        }
        Ok(progress.stop)
    }

    /// After a panic: finds the first single row that makes a decoder panic.
    fn name_culprit(&self, start: usize, end: usize) -> Option<Violation> {
        self.rows[start..end].iter().find_map(|row| {
            let mut decoder = self.harness.open().ok()?;
            for (Origin { key, message }, writer) in self.harness.corpus.messages() {
                decoder.prepare_message(*key, message.as_path(), writer).ok()?;
            }
            let what = format!("decoding {}", row.describe());
            self.harness
                .calm(&what, || decoder.decode(&[row.payload()], &mut |_| {}))
                .err()
        })
    }

    /// Checks one error of the rows from `start` on, and notes it.
    fn check_error(&mut self, error: RowError, start: usize) -> Result<(), Violation> {
        let row = self.flushed + error.slot as usize;
        self.ensure(
            (start..self.errors.len()).contains(&row),
            Invariant::Atomicity,
            || {
                format!(
                    "an error is reported for slot {}, which is none of this call",
                    error.slot
                )
            },
        )?;
        let given = &self.rows[row];
        let fail = |invariant, message: String| {
            Err(self.harness.violation(
                invariant,
                format!("{message}\nat row {row}: {}", given.describe()),
            ))
        };
        let RowError {
            byte_offset,
            kind,
            path,
            ..
        } = error;
        match &given.given {
            Given::Tombstone => return fail(Invariant::OneSlot, format!("a tombstone is refused: {kind}")),
            Given::Refused(expected) if kind != *expected || byte_offset != 0 => {
                return fail(
                    Invariant::OneSlot,
                    format!("it is reported as {kind}, at byte {byte_offset}"),
                );
            }
            _ if byte_offset as usize > given.body().len() => {
                return fail(
                    Invariant::Atomicity,
                    format!("the error is at byte {byte_offset}, beyond the end"),
                );
            }
            _ => {}
        }
        self.harness
            .calm("field_path", || self.decoder.field_path(path))?;
        self.errors[row] = Some(RowError { slot: 0, ..error });
        Ok(())
    }

    fn check_full(&self) -> Result<(), Violation> {
        let limits = self.harness.target.limits;
        let (slots, bytes) = (self.decoder.slots(), self.decoder.buffered_bytes());
        self.ensure(slots > 0, Invariant::Bounded, || {
            "an empty decoder says that it is full".to_owned()
        })?;
        // What came before the first schema may be a batch of its own.
        let is_early = self.decoder.schema().is_none();
        self.ensure(
            is_early || slots >= limits.batch_rows || bytes >= limits.batch_bytes / 4,
            Invariant::Schemas,
            || format!("the decoder is full with {slots} rows and {bytes} bytes, far from its limits"),
        )
    }

    fn prepare(&mut self, key: SchemaKey) -> Result<(), Violation> {
        let row = &self.rows[self.errors.len().min(self.rows.len() - 1)];
        let has_bytes = !matches!(row.given, Given::Tombstone | Given::Refused(_));
        let origin = row.origin.clone();
        self.ensure(origin.key == key && has_bytes, Invariant::NoIo, || {
            format!("schema {key} is asked for, which is not what this row needs")
        })?;
        let may_forget = self.harness.target.limits.plans <= self.harness.corpus.messages().len();
        let is_new = self.asked.insert(origin.clone());
        self.ensure(is_new || may_forget, Invariant::NoIo, || {
            format!("message {} of schema {key} is asked for again", origin.message)
        })?;
        let writer = self.harness.corpus.writer(key).ok_or_else(|| {
            self.harness.misfit(format!(
                "the decoder asks for schema {key}, which the corpus does not have"
            ))
        })?;
        let decoder = &mut self.decoder;
        self.harness
            .calm("prepare", || {
                decoder.prepare_message(key, origin.message.as_path(), writer)
            })?
            .map_err(|error| {
                self.harness
                    .misfit(format!("schema {key} cannot be prepared: {error}"))
            })
    }

    /// The schema is the same from the moment that there is one.
    fn check_schema(&mut self) -> Result<(), Violation> {
        let schema = self.decoder.schema();
        if self.schema.is_none() {
            self.schema = schema.cloned();
            return Ok(());
        }
        let is_same = schema == self.schema.as_ref();
        self.ensure(is_same, Invariant::Schemas, || {
            "the schema of the batches has changed".to_owned()
        })
    }

    fn flush(&mut self) -> Result<(), Violation> {
        let limits = self.harness.target.limits;
        let slots = self.decoder.slots();
        let bytes = self.decoder.buffered_bytes();
        self.ensure(slots <= limits.batch_rows.max(1), Invariant::Bounded, || {
            format!("{slots} rows are held, over the limit of {}", limits.batch_rows)
        })?;
        let decoder = &mut self.decoder;
        let flushed = self.harness.calm("flush", || decoder.flush())?;
        let flushed = flushed.map_err(|error| {
            self.harness
                .violation(Invariant::Flush, format!("{error}: {error:?}"))
        })?;
        let (batch, valid) = (flushed.batch, flushed.valid);
        self.ensure(batch.num_rows() == slots, Invariant::OneSlot, || {
            format!("the batch has {} rows of {slots} slots", batch.num_rows())
        })?;
        self.ensure(
            valid.as_ref().is_none_or(|valid| valid.len() == slots),
            Invariant::OneSlot,
            || "the validity of the slots has another length than the batch".to_owned(),
        )?;
        for slot in 0..slots {
            let row = self.flushed + slot;
            let is_valid = valid.as_ref().is_none_or(|valid| valid.value(slot));
            let message = match (is_valid, &self.errors[row]) {
                (true, Some(error)) => format!("marked valid, and reported as bad: {}", error.kind),
                (false, None) => "marked invalid, and never reported".to_owned(),
                _ => continue,
            };
            let message = format!("row {row} is {message}\n{}", self.rows[row].describe());
            return Err(self.harness.violation(Invariant::Atomicity, message));
        }
        self.check_columns(&batch, bytes)?;
        self.flushed += slots;
        if slots > 0 {
            self.batches.push(batch);
        }
        self.check_empty()
    }

    fn check_columns(&mut self, batch: &RecordBatch, buffered_bytes: usize) -> Result<(), Violation> {
        self.check_schema()?;
        let columns = self.schema.as_ref().map_or(0, |schema| schema.fields().len());
        let fits = match &self.schema {
            Some(schema) => batch.schema_ref() == schema,
            None => batch.num_columns() == 0,
        };
        self.ensure(fits && batch.num_columns() == columns, Invariant::Schemas, || {
            format!("the batch has the schema {}", batch.schema())
        })?;
        let mut bytes = 0;
        for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let data = column.to_data();
            let checked = data.validate_full();
            self.ensure(checked.is_ok(), Invariant::Flush, || {
                format!("column {} is malformed: {checked:?}", field.name())
            })?;
            if matches!(field.data_type(), DataType::Dictionary(..)) {
                continue;
            }
            bytes += data.get_slice_memory_size().unwrap_or(0);
            let can_be_null = field.is_nullable() && !matches!(field.data_type(), DataType::Union(..));
            let nulls = column.logical_nulls();
            for slot in 0..batch.num_rows() {
                let is_tombstone = matches!(self.rows[self.flushed + slot].given, Given::Tombstone);
                let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(slot));
                self.ensure(
                    !can_be_null || !is_tombstone || is_null,
                    Invariant::OneSlot,
                    || format!("column {} is not null in a tombstone's row", field.name()),
                )?;
            }
        }
        // What a decoder counts need not be exact, but a limit that rests on it must mean
        // something.
        self.ensure(
            bytes < 4096 || buffered_bytes >= bytes / 4,
            Invariant::Bounded,
            || format!("the decoder counted {buffered_bytes} bytes for columns of {bytes}"),
        )
    }

    /// Right after a flush.
    fn check_empty(&mut self) -> Result<(), Violation> {
        let (slots, bytes) = (self.decoder.slots(), self.decoder.buffered_bytes());
        self.ensure(slots == 0, Invariant::OneSlot, || {
            format!("{slots} slots are left after a flush")
        })?;
        let first = *self.empty_bytes.get_or_insert(bytes);
        self.ensure(bytes <= first, Invariant::Bounded, || {
            format!("after a flush {bytes} bytes are held, {first} after an earlier one")
        })
    }

    fn finish(self) -> Result<Decoded, Violation> {
        let schema = match (&self.schema, self.batches.first()) {
            (Some(schema), _) => SchemaRef::clone(schema),
            (None, Some(batch)) => batch.schema(),
            (None, None) => return Err(self.harness.misfit("there are no rows")),
        };
        let batch = if schema.fields().is_empty() {
            let batch = self.batches.into_iter().next();
            batch.unwrap_or_else(|| RecordBatch::new_empty(schema))
        } else {
            concat_batches(&schema, &self.batches)
                .map_err(|error| self.harness.violation(Invariant::Schemas, error.to_string()))?
        };
        Ok(Decoded {
            batch,
            errors: self.errors,
            full: self.full,
        })
    }
}
