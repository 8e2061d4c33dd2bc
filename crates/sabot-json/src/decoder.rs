//! The decoder: sampling until there is a schema, then writing columns.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};
use sabot_arrow::{Columns, Fault, NodeIx, NodeKind, SlotColumns};
use sabot_decode::{
    Decoder, FlushError, Limits, NodeId, Payload, PlanError, Progress, RowError, SchemaKey, Slots, Stop,
    Target, WriterSchema,
};

use crate::dictionary::GrowingDictionary;
use crate::parse::Parser;
use crate::plan::Plan;
use crate::project::{project, select};
use crate::sample::Sample;
use crate::write::{Scratch, write};

#[derive(Debug)]
pub(crate) struct JsonDecoder {
    target: Target,
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
    pub(crate) fn sampling(target: Target) -> Self {
        Self {
            target,
            parser: Parser::default(),
            state: State::Sampling(Sample::new()),
        }
    }

    pub(crate) fn with_schema(schema: &SchemaRef, target: &Target) -> Result<Self, PlanError> {
        let engine = match &target.projection {
            Some(paths) => Engine::new(&project(schema, paths)?, target.limits)?,
            None => Engine::new(schema, target.limits)?,
        };
        Ok(Self {
            target: target.clone(),
            parser: Parser::default(),
            state: State::Ready(Box::new(engine)),
        })
    }

    /// Takes payloads into the sample until it is complete.
    fn sample(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        let limits = self.target.limits;
        let State::Sampling(sample) = &mut self.state else {
            return Progress {
                taken: 0,
                stop: Stop::Done,
            };
        };
        for (taken, row) in rows.iter().enumerate() {
            if sample.is_complete() {
                return Progress {
                    taken,
                    stop: Stop::Done,
                };
            }
            if sample.slots() > 0
                && (sample.slots() >= limits.batch_rows || sample.bytes() >= limits.batch_bytes)
            {
                return Progress {
                    taken,
                    stop: Stop::Full,
                };
            }
            let slot = sample.slots() as u32;
            if let Err(Fault::Row {
                byte_offset,
                node,
                kind,
            }) = sample.take(row, &mut self.parser, &limits)
            {
                bad(RowError {
                    slot,
                    byte_offset: byte_offset as u32,
                    node,
                    kind,
                });
            }
        }
        Progress {
            taken: rows.len(),
            stop: Stop::Done,
        }
    }

    /// Infers the schema from the sample, and decodes it.
    fn settle(&mut self) -> Result<(), PlanError> {
        let State::Sampling(sample) = &self.state else {
            return Ok(());
        };
        let schema = sample.schema(&self.target.mapping);
        // A selected field that the sample lacks is left out, as any field that comes later is.
        let schema = self
            .target
            .projection
            .as_ref()
            .map_or_else(|| Arc::clone(&schema), |paths| select(&schema, paths));
        let mut engine = Engine::new(&schema, self.target.limits)?;
        // All of the sample has its slots already, so limits of the batch must not stop it now.
        let mut unlimited = engine.limits;
        (unlimited.batch_rows, unlimited.batch_bytes) = (usize::MAX, usize::MAX);
        engine.rows.set_limits(unlimited);
        for payload in sample.payloads() {
            engine.decode(&mut self.parser, &[payload], &mut |_| {});
        }
        engine.rows.set_limits(engine.limits);
        self.state = State::Ready(Box::new(engine));
        Ok(())
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
        if let State::Ready(engine) = &mut self.state {
            return engine.decode(&mut self.parser, rows, bad);
        }
        let sampled = self.sample(rows, bad);
        let State::Sampling(sample) = &self.state else {
            return sampled;
        };
        if !sample.is_complete() {
            return sampled;
        }
        if self.settle().is_err() {
            return sampled;
        }
        let State::Ready(engine) = &mut self.state else {
            return sampled;
        };
        let rest = engine.decode(&mut self.parser, &rows[sampled.taken..], bad);
        Progress {
            taken: sampled.taken + rest.taken,
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
            State::Ready(engine) => engine.buffered_bytes(),
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
            self.settle()
                .map_err(|error| FlushError(arrow_schema::ArrowError::SchemaError(error.to_string())))?;
        }
        match &mut self.state {
            State::Ready(engine) => engine.flush(),
            State::Sampling(_) => Err(FlushError(arrow_schema::ArrowError::SchemaError(
                "no schema".into(),
            ))),
        }
    }

    fn field_path(&self, node: NodeId) -> String {
        match &self.state {
            State::Sampling(_) => String::new(),
            State::Ready(engine) => engine.plan.path(node).to_owned(),
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
            parser.parse(text, limits, |document| {
                write(columns, plan, scratch, document, limits.row_items)
            })
        })
    }

    fn buffered_bytes(&self) -> usize {
        self.rows.buffered_bytes()
            + self
                .scratch
                .dictionaries
                .iter()
                .map(GrowingDictionary::bytes)
                .sum::<usize>()
    }

    fn flush(&mut self) -> Result<Slots, FlushError> {
        // Nodes are numbered without gaps, so the dictionaries are found by trying each.
        for at in 0..self.plan.len() {
            let node = NodeIx(at as u32);
            if let NodeKind::Dictionary(slot) = self.plan.layout.node(node).kind {
                self.rows
                    .columns
                    .set_dictionary(node, self.scratch.dictionaries[slot].take());
            }
        }
        self.rows.flush()
    }
}
