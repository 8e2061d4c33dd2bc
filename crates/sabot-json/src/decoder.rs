//! The decoder: sampling until there is a schema, then writing columns.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};
use sabot_codec::{GrowingDictionary, Projection, SlotColumns};
use sabot_columns::Columns;
use sabot_decode::{
    Body, Decoder, FieldPathId, FlushError, Limits, Payload, PlanError, Progress, RowError, SchemaKey, Slots,
    Target, WriterSchema,
};

use crate::parse::Parser;
use crate::plan::Plan;
use crate::sample::Sample;
use crate::write::{Scratch, write};

#[derive(Debug)]
pub(crate) struct JsonDecoder {
    target: Target,
    projection: Projection,
    parser: Parser,
    state: State,
}

#[derive(Debug)]
enum State {
    Sampling(Sample),
    Ready(Box<Engine>),
}

/// The decoder once it has a schema.
#[derive(Debug)]
struct Engine {
    plan: Plan,
    rows: SlotColumns,
    scratch: Scratch,
    limits: Limits,
}

impl JsonDecoder {
    pub(crate) fn sampling(target: Target) -> Result<Self, PlanError> {
        let projection = Projection::parse(target.projection.as_deref())?;
        projection.check_inferable()?;
        Ok(Self {
            parser: Parser::new(&target.limits),
            projection,
            target,
            state: State::Sampling(Sample::new()),
        })
    }

    pub(crate) fn with_schema(schema: &SchemaRef, target: &Target) -> Result<Self, PlanError> {
        let projection = Projection::parse(target.projection.as_deref())?;
        let engine = Engine::new(&projection.prune(schema)?, target.limits)?;
        Ok(Self {
            projection,
            parser: Parser::new(&target.limits),
            target: target.clone(),
            state: State::Ready(Box::new(engine)),
        })
    }

    /// Infers the schema from the sample, and decodes it.
    fn settle(&mut self) {
        let State::Sampling(sample) = &self.state else {
            return;
        };
        let schema = sample.schema(&self.target.mapping, &self.projection);
        let mut engine =
            Engine::new(&schema, self.target.limits).expect("because every inferred type has columns");
        // All of the sample has its slots already, so limits of the batch must not stop it now.
        let mut unlimited = engine.limits;
        (unlimited.batch_rows, unlimited.batch_bytes) = (usize::MAX, usize::MAX);
        engine.rows.set_limits(unlimited);
        for payload in sample.payloads() {
            // Bad ones are reported already.
            let progress = engine.decode(&mut self.parser, &[payload], &mut |error| {
                debug_assert!(
                    payload.body == Body::Refused(error.kind),
                    "a sampled message fits: {error:?}"
                );
            });
            debug_assert_eq!(progress.taken, 1, "a sample is never too large for its columns");
        }
        engine.rows.set_limits(engine.limits);
        self.state = State::Ready(Box::new(engine));
    }
}

impl Decoder for JsonDecoder {
    fn schema(&self) -> Option<&SchemaRef> {
        match &self.state {
            State::Sampling(_) => None,
            State::Ready(engine) => Some(engine.plan.layout.schema()),
        }
    }

    fn prepare(&mut self, _: SchemaKey, _: &WriterSchema) -> Result<(), PlanError> {
        Ok(())
    }

    fn decode(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        let mut sampled = 0;
        if let State::Sampling(sample) = &mut self.state {
            let progress = sample.take(rows, &mut self.parser, &self.target.limits, bad);
            if !sample.is_complete() {
                return progress;
            }
            sampled = progress.taken;
            self.settle();
        }
        let State::Ready(engine) = &mut self.state else {
            unreachable!("because a complete sample is settled");
        };
        let rest = engine.decode(&mut self.parser, &rows[sampled..], bad);
        Progress {
            taken: sampled + rest.taken,
            stop: rest.stop,
        }
    }

    fn slots(&self) -> usize {
        match &self.state {
            State::Sampling(sample) => sample.slots(),
            State::Ready(engine) => engine.rows.slots(),
        }
    }

    fn buffered_bytes(&self) -> usize {
        match &self.state {
            State::Sampling(sample) => sample.bytes(),
            State::Ready(engine) => engine.rows.buffered_bytes(),
        }
    }

    fn flush(&mut self) -> Result<Slots, FlushError> {
        if let State::Sampling(sample) = &mut self.state {
            if !sample.has_fields() {
                let (slots, valid) = sample.take_empty();
                let options = RecordBatchOptions::new().with_row_count(Some(slots));
                let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)?;
                return Ok(Slots {
                    batch,
                    valid: valid.map(|mut valid| valid.take()),
                });
            }
            self.settle();
        }
        match &mut self.state {
            State::Ready(engine) => engine.flush(),
            State::Sampling(_) => unreachable!("because a sample with fields is settled"),
        }
    }

    fn field_path(&self, path: FieldPathId) -> String {
        match &self.state {
            State::Sampling(_) => String::new(),
            State::Ready(engine) => engine.plan.path(path).to_owned(),
        }
    }
}

impl Engine {
    fn new(schema: &SchemaRef, limits: Limits) -> Result<Self, PlanError> {
        let plan = Plan::new(schema)?;
        let columns = Columns::new(Arc::clone(&plan.layout));
        let mut scratch = Scratch::default();
        scratch
            .dictionaries
            .resize_with(columns.i32s.len(), Default::default);
        for &(node, slot) in &plan.dictionaries {
            // A placeholder's key is 0, and it should mean the same in every batch.
            let has_placeholders = !plan.layout.node(node).field.is_nullable();
            scratch.dictionaries[slot] = GrowingDictionary::new(has_placeholders.then_some(""));
        }
        Ok(Self {
            plan,
            rows: SlotColumns::new(columns, limits),
            scratch,
            limits,
        })
    }

    fn decode(
        &mut self,
        parser: &mut Parser,
        rows: &[Payload<'_>],
        bad: &mut dyn FnMut(RowError),
    ) -> Progress {
        let Self {
            plan,
            rows: slots,
            scratch,
            limits,
        } = self;
        slots.take(rows, bad, |columns, _, text| {
            let written = parser.parse(text, |document| {
                write(columns, plan, scratch, document, limits.row_items)
            });
            scratch.end_row(columns, plan, written.is_ok());
            written
        })
    }

    fn flush(&mut self) -> Result<Slots, FlushError> {
        for &(node, slot) in &self.plan.dictionaries {
            let values = self.scratch.dictionaries[slot].take()?;
            self.rows.columns.set_dictionary(node, values);
        }
        self.rows.flush()
    }
}
