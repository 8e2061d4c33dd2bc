//! What JSON adds to the driver that all codecs share: one plan, from a given schema or from a sample.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use sabot_codec::{Driver, Engine, Fault, FieldPaths, GrowingDictionaries, PlansBy, Projection, RowBudget};
use sabot_columns::{Columns, Layout};
use sabot_decode::{FlushError, Limits, PlanError, Target};

use crate::parse::Parser;
use crate::plan::Plan;
use crate::sample::JsonSampler;
use crate::write::{Scratch, write};

/// Reads messages with a tape, one by one.
#[derive(Debug)]
pub(crate) struct JsonEngine {
    pub(crate) parser: Parser,
    scratch: Scratch,
}

/// A decoder that infers its schema from the first messages.
pub(crate) fn sampling(target: &Target) -> Result<Driver<JsonEngine>, PlanError> {
    let projection = Projection::parse(target.projection.as_deref())?;
    projection.check_inferable()?;
    let engine = JsonEngine::new(&target.limits);
    let sampler = JsonSampler::new(target, projection);
    Ok(Driver::sampling(engine, Box::new(sampler), target.limits))
}

/// A decoder onto a given schema.
pub(crate) fn with_schema(schema: &SchemaRef, target: &Target) -> Result<Driver<JsonEngine>, PlanError> {
    let projection = Projection::parse(target.projection.as_deref())?;
    let schema = projection.prune(schema)?;
    let engine = JsonEngine::new(&target.limits);
    Driver::with_plan(engine, target.limits, |engine, paths| engine.plan(&schema, paths))
}

impl JsonEngine {
    fn new(limits: &Limits) -> Self {
        Self {
            parser: Parser::new(limits),
            scratch: Scratch::default(),
        }
    }

    /// The columns of `schema`, and how messages are read into them.
    pub(crate) fn plan(
        &mut self,
        schema: &SchemaRef,
        paths: &mut FieldPaths,
    ) -> Result<(Arc<Layout>, Plan), PlanError> {
        let plan = Plan::new(schema, paths)?;
        self.scratch.dictionaries = GrowingDictionaries::new(&plan.layout);
        Ok((Arc::clone(&plan.layout), plan))
    }
}

impl Engine for JsonEngine {
    type Output = Arc<Layout>;
    type Plan = Plan;
    const PLANS_BY: PlansBy = PlansBy::Nothing;

    fn row(
        &mut self,
        plan: &Plan,
        text: &[u8],
        columns: &mut Columns,
        budget: &mut RowBudget,
    ) -> Result<(), Fault> {
        let Self { parser, scratch } = self;
        let written = parser.parse(text, |document| write(columns, plan, scratch, document, budget));
        scratch.dictionaries.end_row(columns, written.is_ok());
        written
    }

    fn end_batch(&mut self, columns: &mut Columns) -> Result<(), FlushError> {
        Ok(self.scratch.dictionaries.end_batch(columns)?)
    }
}
