//! What JSON adds to the driver that all codecs share: one plan, from a given schema or from a
//! sample.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use sabot_codec::{Engine, Fault, FieldPaths, GrowingDictionaries, PlansBy, RowBudget};
use sabot_columns::{Columns, Layout};
use sabot_decode::{FlushError, Limits, PlanError};

use crate::parse::Parser;
use crate::plan::Plan;
use crate::write::{Scratch, write};

/// Reads messages with a tape, one by one.
#[derive(Debug)]
pub(crate) struct JsonEngine {
    pub(crate) parser: Parser,
    scratch: Scratch,
}

impl JsonEngine {
    pub(crate) fn new(limits: &Limits) -> Self {
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

    fn end_batch(&mut self, columns: &mut Columns) -> Result<(), FlushError> {
        Ok(self.scratch.dictionaries.end_batch(columns)?)
    }

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
}
