//! The driver: from a slice of payloads to slots, for any format.
//!
//! A format has two engines: one takes many messages at once and is fast, the other takes one
//! message and says what is wrong with it. The driver decides which of them takes which rows, and
//! does what is the same for all formats: it keeps plans, gathers messages into blocks, gives each
//! payload its slot, and stops where a batch is full or a schema is missing.
//!
//! # Example
//!
//! Eight payloads of two writer schemas, of which 1 is prepared and 2 is not. `x` is cut off:
//!
//! ```text
//! row      0   1   2   3   4   5   6   7
//! schema   1   1   1   1   1   -   2   1
//! message  ok  ok  x   ok  ok  -   ok  ok        -: a tombstone
//! ```
//!
//! 1. The driver gathers a block. Rows 0 to 4 go together: each has bytes, and a plan for blocks.
//!    The tombstone does not.
//! 2. The block engine runs the plan over five rows, and loses row 2:
//!    `Lost { lost: 0b00100, known: 5, good: 2 }`. The columns are truncated to the two rows before
//!    it, which end.
//! 3. Row 2 goes to the row engine, which finds that the message ends at byte 3, in the field
//!    `price`. What it appended is taken back, the slot gets a placeholder and a bit that says it
//!    is invalid, and the error is reported: slot 2.
//! 4. Rows 3 and 4 come after the last lost one. They are gathered again, so that one bad row does
//!    not cost the rest of its block: two rows are too few for a block, and go to the row engine.
//! 5. Row 5 takes its slot as a row of nulls.
//! 6. Row 6 has no plan: the driver stops with `taken: 6` and `NeedsSchema(2)`. The caller prepares
//!    schema 2, which is compiled onto the same columns, and comes again with the rows from 6 on.
//!    If it cannot find the schema, it comes with row 6 refused, and that becomes an invalid slot
//!    like row 2.
//! 7. Rows 6 and 7 have different plans. With more of them, both would go into one block.
//!
//! # Invariants
//!
//! - A payload is taken when its slot is complete, and never before: what was appended for a row
//!   that is not taken is taken back. So a caller can stop anywhere, and goes on at `taken`.
//! - Rows are taken in order, and errors are reported in order. A block that loses a row ends with
//!   the rows before it.
//! - Both engines come to the same columns. So how rows are split into calls and blocks shows in
//!   nothing but [`Stats`].
//! - Nothing is allocated for a message, or for a block: what they need is kept.

mod portions;
mod sample;

use std::sync::Arc;

use arrow_schema::{ArrowError, Schema, SchemaRef};
use sabot_columns::{Columns, Layout};
use sabot_decode::{
    Decoder, FieldPathId, FlushError, Limits, MessagePath, Payload, PlanError, Progress, RowError, SchemaKey,
    Slots, Stats, Stop, WriterSchema,
};

use self::portions::{BackOff, Portion};
use self::sample::Sample;
use crate::gather::Gatherer;
use crate::plans::{PlanKey, Plans};
use crate::slots::{SlotColumns, done, slot_bytes};
use crate::{BlockBudget, Engine, FieldPaths, Output, PlansBy, Sampler};

/// The [`Decoder`] of a format.
///
/// See the [crate's example](crate) for a format that is complete.
#[derive(Debug)]
pub struct Driver<E: Engine> {
    engine: E,
    limits: Limits,
    /// The columns that plans are compiled onto; `None` until a schema or a sample gives them.
    output: Option<E::Output>,
    slots: SlotColumns,
    /// The columns of the next batch, where this one has too many slots from before the first
    /// schema to get columns.
    next_columns: Option<Columns>,
    plans: Plans<E::Plan>,
    paths: FieldPaths,
    gatherer: Gatherer<E::Plan>,
    /// What the block at hand may still take.
    budget: BlockBudget,
    /// While the columns are inferred: the messages that wait for them.
    sample: Option<Sample<E>>,
    /// Some message of the sample did not fit the columns that were inferred from it, which is the
    /// sampler's fault: the batch cannot be handed over.
    is_sample_unread: bool,
    back_off: BackOff,
    stats: Stats,
}

impl<E: Engine> Driver<E> {
    /// A decoder whose plans come with the writer schemas. Without an `output` the first of them
    /// says what the columns are.
    #[must_use]
    pub fn new(engine: E, output: Option<E::Output>, limits: Limits) -> Self {
        let columns = output.as_ref().map_or_else(no_columns, columns_of);
        Self {
            engine,
            limits,
            output,
            slots: SlotColumns::new(columns, limits),
            next_columns: None,
            plans: Plans::new(limits.plans),
            paths: FieldPaths::new(),
            gatherer: Gatherer::new(),
            budget: BlockBudget::new(),
            sample: None,
            is_sample_unread: false,
            back_off: BackOff::default(),
            stats: Stats::default(),
        }
    }

    /// A decoder with one plan for all payloads, which `compile` makes.
    ///
    /// # Errors
    ///
    /// Those of `compile`.
    pub fn with_plan(
        mut engine: E,
        limits: Limits,
        compile: impl FnOnce(&mut E, &mut FieldPaths) -> Result<(E::Output, E::Plan), PlanError>,
    ) -> Result<Self, PlanError> {
        debug_assert_eq!(E::PLANS_BY, PlansBy::Nothing, "one plan serves all payloads");
        let mut paths = FieldPaths::new();
        let (output, plan) = compile(&mut engine, &mut paths)?;
        let mut driver = Self::new(engine, Some(output), limits);
        driver.paths = paths;
        driver.insert_only(plan);
        Ok(driver)
    }

    /// A decoder whose columns, and one plan for all payloads, are inferred from the first
    /// messages.
    #[must_use]
    pub fn sampling(engine: E, sampler: Box<dyn Sampler<E>>, limits: Limits) -> Self {
        debug_assert_eq!(E::PLANS_BY, PlansBy::Nothing, "one plan serves all payloads");
        let mut driver = Self::new(engine, None, limits);
        driver.sample = Some(Sample::new(sampler));
        driver
    }

    fn insert_only(&mut self, plan: E::Plan) {
        let key = PlanKey::new(E::PLANS_BY, SchemaKey::Absent, MessagePath::FIRST);
        self.plans.insert(key, plan);
    }

    /// Goes on with the columns that the first writer schema gives.
    fn set_output(&mut self, output: E::Output) -> Result<(), PlanError> {
        let mut columns = columns_of(&output);
        // Slots gathered so far, of tombstones and refused payloads, have no columns yet.
        let padding_bytes = self.slots.len().saturating_mul(slot_bytes(&mut columns));
        if padding_bytes > self.limits.batch_bytes {
            (self.output, self.next_columns) = (Some(output), Some(columns));
            return Ok(());
        }
        self.slots
            .set_columns(columns, |_, _| false)
            .map_err(|overflow| {
                PlanError::new("the slots before the first schema have no room").with_source(overflow)
            })?;
        self.output = Some(output);
        Ok(())
    }
}

impl<E: Engine> Decoder for Driver<E> {
    fn schema(&self) -> Option<&SchemaRef> {
        let output = self.output.as_ref().filter(|_| self.next_columns.is_none());
        output.map(|output| output.layout().schema())
    }

    fn prepare_message(
        &mut self,
        key: SchemaKey,
        message: MessagePath<'_>,
        writer: &WriterSchema,
    ) -> Result<(), PlanError> {
        if E::PLANS_BY == PlansBy::Nothing {
            return Ok(());
        }
        self.gatherer.forget_plans();
        let plan = match &mut self.output {
            Some(output) => {
                let plan = self.engine.compile(writer, message, output, &mut self.paths);
                // Values that a schema added before it was found unusable stay, since others may
                // have the same ones.
                let columns = self.next_columns.as_mut().unwrap_or(&mut self.slots.columns);
                for (node, values) in output.take_grown_dictionaries() {
                    columns.set_dictionary(node, values);
                }
                plan?
            }
            None => {
                let output = self.engine.output(writer, message)?;
                let plan = self.engine.compile(writer, message, &output, &mut self.paths)?;
                self.set_output(output)?;
                plan
            }
        };
        self.plans.insert(PlanKey::new(E::PLANS_BY, key, message), plan);
        Ok(())
    }

    fn decode(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        let mut taken = 0;
        if self.next_columns.is_some() {
            let stop = Stop::Full;
            return Progress { taken, stop };
        }
        if self.sample.is_some() {
            let progress = self.take_sample(rows, bad);
            if progress.stop != Stop::Done {
                return progress;
            }
            taken = progress.taken;
        }
        while taken < rows.len() {
            let rest = &rows[taken..];
            let progress = match self.next_portion(rest) {
                Portion::Block(run) => self.decode_block(&rest[..run], bad),
                Portion::Rows(run) => self.decode_rows(&rest[..run], bad),
            };
            taken += progress.taken;
            if progress.stop != Stop::Done {
                let stop = progress.stop;
                return Progress { taken, stop };
            }
        }
        done(taken)
    }

    fn slots(&self) -> usize {
        self.slots.len()
    }

    fn buffered_bytes(&self) -> usize {
        self.slots.buffered_bytes()
    }

    fn flush(&mut self) -> Result<Slots, FlushError> {
        if let Some(sample) = &mut self.sample {
            if sample.sampler.is_empty() {
                sample.clear();
            } else {
                self.end_sample();
            }
        }
        // It is about this batch alone, also where the flush fails for another reason.
        let is_sample_unread = std::mem::take(&mut self.is_sample_unread);
        self.engine.end_batch(&mut self.slots.columns)?;
        let flushed = self.slots.flush()?;
        if let Some(columns) = self.next_columns.take() {
            self.slots.begin(columns);
        }
        if is_sample_unread {
            let text = "a message does not fit the columns that were inferred from it";
            return Err(ArrowError::ComputeError(text.to_owned()).into());
        }
        Ok(flushed)
    }

    fn field_path(&self, path: FieldPathId) -> String {
        self.paths.name(path)
    }

    fn stats(&self) -> Stats {
        self.stats
    }
}

fn columns_of<O: Output>(output: &O) -> Columns {
    let mut columns = Columns::new(Arc::clone(output.layout()));
    for (node, values) in output.dictionaries() {
        columns.set_dictionary(*node, Arc::clone(values));
    }
    columns
}

/// What slots are gathered in until there is a schema.
fn no_columns() -> Columns {
    let layout = Layout::new(&Arc::new(Schema::empty()));
    Columns::new(Arc::new(layout.expect("because no field is one without columns")))
}
