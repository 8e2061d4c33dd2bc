//! The factory, and what Avro adds to the driver that all codecs share.
//!
//! The columns are fixed by the reader schema, by a given Arrow schema, or by the first writer
//! schema. Each writer schema is compiled to a plan onto them, which the block engine and the row
//! engine read messages with.

use sabot_codec::{
    BlockBudget, BlockOutcome, Driver, Engine, Fault, FieldPaths, Gathered, PlansBy, RowBudget,
};
use sabot_columns::Columns;
use sabot_decode::{
    Decoder, DecoderFactory, MappingOption, MessagePath, OutputSchema, PlanError, SchemaKind, Target,
    WriterSchema,
};

use crate::output::Output;
use crate::plan::{BlockEngine, Plan, compile, decode_row};
use crate::schema::Schema;

/// Makes decoders of Avro's binary encoding.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "there is nothing to configure: the target says it all"
)]
pub struct AvroFactory;

impl AvroFactory {
    /// The options of a [`Mapping`](sabot_decode::Mapping) that are honoured: all. Where an Arrow
    /// schema is given they are refused, since there is no choice; but for
    /// [`TimeZone::None`](sabot_decode::TimeZone::None), which says that its columns without a zone
    /// are of instants.
    pub const OPTIONS: &[MappingOption] = &MappingOption::ALL;
}

impl DecoderFactory for AvroFactory {
    fn kind(&self) -> SchemaKind {
        SchemaKind::Avro
    }

    /// # Errors
    ///
    /// [`PlanError`] where the reader schema is malformed or nests deeper than the limit, where the
    /// projection names what is not there, or where a given Arrow schema has a column that no type
    /// of Avro becomes.
    fn open(&self, target: &Target) -> Result<Box<dyn Decoder>, PlanError> {
        let output = match &target.output {
            OutputSchema::FirstWriter => None,
            OutputSchema::Reader(reader) => Some(Output::new(Schema::parse(reader)?, target)?),
            OutputSchema::Arrow(schema) => Some(Output::from_arrow(schema, target)?),
            other => {
                return Err(PlanError::new(format!("Avro cannot be read onto {other:?}")));
            }
        };
        let engine = AvroEngine {
            target: target.clone(),
            blocks: BlockEngine::default(),
            text: Vec::new(),
        };
        Ok(Box::new(Driver::new(engine, output, target.limits)))
    }
}

#[derive(Debug)]
struct AvroEngine {
    target: Target,
    blocks: BlockEngine,
    /// For values that become text, in the row engine.
    text: Vec<u8>,
}

impl Engine for AvroEngine {
    type Output = Output;
    type Plan = Plan;
    const PLANS_BY: PlansBy = PlansBy::Schema;

    fn output(&mut self, writer: &WriterSchema, _: MessagePath<'_>) -> Result<Output, PlanError> {
        Output::new(Schema::parse(writer)?, &self.target)
    }

    fn compile(
        &mut self,
        writer: &WriterSchema,
        _: MessagePath<'_>,
        output: &Output,
        paths: &mut FieldPaths,
    ) -> Result<Plan, PlanError> {
        // The first writer schema is parsed once more for its plan, once in a decoder's life, since
        // the writer's types and the reader's are told apart by address.
        compile(&Schema::parse(writer)?, output, paths, self.target.limits)
    }

    fn row(
        &mut self,
        plan: &Plan,
        body: &[u8],
        columns: &mut Columns,
        budget: &mut RowBudget,
    ) -> Result<(), Fault> {
        decode_row(plan, columns, &mut self.text, body, budget)
    }

    fn block(
        &mut self,
        rows: &Gathered<'_, Plan>,
        columns: &mut Columns,
        budget: &mut BlockBudget,
    ) -> BlockOutcome {
        self.blocks.decode(rows, columns, budget)
    }
}
