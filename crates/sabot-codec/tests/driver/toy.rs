//! A format small enough to be right at sight, with both engines.
//!
//! A body is a count and as many bytes, which become the items of the only column. A writer schema
//! is a list of numbers such as `0,100`: message `[n]` of it adds the n-th number to every item.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use sabot_codec::{
    BlockBudget, BlockOutcome, Driver, Engine, Fault, FieldPaths, Gathered, Plan, PlansBy, Projection,
    RowBudget, Sampler,
};
use sabot_columns::{Columns, Layout};
use sabot_decode::{
    Decoder, DecoderFactory, FieldPathId, MessagePath, OutputSchema, PlanError, RowErrorKind, SchemaKind,
    Target, WriterSchema,
};

/// How toys are made: whether rows are taken in blocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ToyFactory {
    pub(crate) by_blocks: bool,
}

impl ToyFactory {
    pub(crate) fn driver(self, target: &Target) -> Result<Driver<Toy>, PlanError> {
        target.mapping.check(&[], "a toy has no choice of types")?;
        // There is one column, so it is kept, or the projection is refused.
        let projection = Projection::parse(target.projection.as_deref())?;
        projection.prune(layout()?.schema())?;
        let output = match target.output {
            OutputSchema::FirstWriter => None,
            _ => Some(layout()?),
        };
        Ok(Driver::new(Toy(self), output, target.limits))
    }
}

impl DecoderFactory for ToyFactory {
    fn kind(&self) -> SchemaKind {
        SchemaKind::Plain
    }

    fn open(&self, target: &Target) -> Result<Box<dyn Decoder>, PlanError> {
        Ok(Box::new(self.driver(target)?))
    }
}

pub(crate) fn body(items: &[u8]) -> Vec<u8> {
    [&[items.len() as u8], items].concat()
}

pub(crate) fn schema(text: &str) -> WriterSchema {
    WriterSchema::new(SchemaKind::Plain, text)
}

#[derive(Debug)]
pub(crate) struct Toy(ToyFactory);

#[derive(Debug)]
pub(crate) struct ToyPlan {
    add: u8,
    is_for_blocks: bool,
    items: FieldPathId,
}

impl Plan for ToyPlan {
    fn is_for_blocks(&self) -> bool {
        self.is_for_blocks
    }
}

impl Engine for Toy {
    type Output = Arc<Layout>;
    type Plan = ToyPlan;
    const PLANS_BY: PlansBy = PlansBy::Message;

    fn output(&mut self, _: &WriterSchema, _: MessagePath<'_>) -> Result<Arc<Layout>, PlanError> {
        layout()
    }

    fn compile(
        &mut self,
        writer: &WriterSchema,
        message: MessagePath<'_>,
        _: &Arc<Layout>,
        paths: &mut FieldPaths,
    ) -> Result<ToyPlan, PlanError> {
        let at = message.iter().next().unwrap_or(0) as usize;
        let add = writer.text.split(',').nth(at);
        let add = add.ok_or_else(|| PlanError::no_such_message(message))?;
        Ok(ToyPlan {
            add: add.parse().map_err(|_| PlanError::new("not a number"))?,
            is_for_blocks: self.0.by_blocks,
            items: paths.below(FieldPathId::ROOT, "items"),
        })
    }

    fn row(
        &mut self,
        plan: &ToyPlan,
        body: &[u8],
        columns: &mut Columns,
        budget: &mut RowBudget,
    ) -> Result<(), Fault> {
        let fault = |byte_offset, kind| Fault::Row {
            byte_offset,
            path: plan.items,
            kind,
        };
        let (count, items) = body.split_first().ok_or(fault(0, RowErrorKind::Truncated))?;
        let count = usize::from(*count);
        budget.take_items(count).map_err(|over| over.at(0, plan.items))?;
        budget.charge(count).map_err(|over| over.at(0, plan.items))?;
        // What was read before the fault is left behind for the driver to take back.
        let read = items.iter().take(count).map(|item| item.wrapping_add(plan.add));
        columns.u8s[0].extend(read);
        if items.len() < count {
            return Err(fault(body.len(), RowErrorKind::Truncated));
        }
        if items.len() > count {
            let left = (items.len() - count) as u32;
            return Err(fault(count + 1, RowErrorKind::TrailingBytes(left)));
        }
        Ok(columns.lists[0].push(count)?)
    }

    fn block(
        &mut self,
        rows: &Gathered<'_, ToyPlan>,
        columns: &mut Columns,
        budget: &mut BlockBudget,
    ) -> BlockOutcome {
        let (mut lost, mut counts) = (0_u64, Vec::new());
        for row in 0..rows.len() {
            let plan = &rows.plans()[usize::from(rows.plan_of()[row])];
            let (count, items) = rows.body(row).split_first().unwrap_or((&0, &[]));
            let is_whole = !rows.body(row).is_empty() && items.len() == usize::from(*count);
            if is_whole && budget.try_list(row, items.len(), 1) {
                let items = items.iter().map(|item| item.wrapping_add(plan.add));
                columns.u8s[0].extend(items);
                counts.push(u32::from(*count));
            } else {
                lost |= 1 << row;
                counts.push(0);
            }
        }
        let is_appended = columns.lists[0].extend(&counts).is_ok();
        assert!(is_appended, "a test does not use up offsets");
        match lost {
            0 => BlockOutcome::Good,
            _ => BlockOutcome::Lost {
                lost,
                known: rows.len(),
                good: lost.trailing_zeros() as usize,
            },
        }
    }
}

/// A format without schemas: as [`Toy`], and how many items the longest list of a sample has is the
/// column's name.
#[derive(Debug)]
pub(crate) struct Inferred(Toy);

#[derive(Debug, Default)]
pub(crate) struct LongestList(Option<u8>);

/// Takes messages for good that the plan refuses: a sampler with a fault.
#[derive(Debug, Default)]
struct Careless(LongestList);

impl Inferred {
    pub(crate) fn driver(target: &Target) -> Driver<Self> {
        let toy = Toy(ToyFactory { by_blocks: true });
        Driver::sampling(Self(toy), Box::<LongestList>::default(), target.limits)
    }

    pub(crate) fn careless_driver(target: &Target) -> Driver<Self> {
        let toy = Toy(ToyFactory { by_blocks: true });
        Driver::sampling(Self(toy), Box::<Careless>::default(), target.limits)
    }
}

impl Engine for Inferred {
    type Output = Arc<Layout>;
    type Plan = ToyPlan;
    const PLANS_BY: PlansBy = PlansBy::Nothing;

    fn row(
        &mut self,
        plan: &ToyPlan,
        body: &[u8],
        columns: &mut Columns,
        budget: &mut RowBudget,
    ) -> Result<(), Fault> {
        self.0.row(plan, body, columns, budget)
    }
}

impl Sampler<Inferred> for LongestList {
    fn add(&mut self, _: &mut Inferred, body: &[u8]) -> Result<(), Fault> {
        match body.split_first() {
            Some((count, items)) if items.len() == usize::from(*count) => {
                self.0 = self.0.max(Some(*count).filter(|count| *count > 0));
                Ok(())
            }
            _ => Err(Fault::of_message(body.len(), RowErrorKind::Truncated)),
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn infer(&mut self, _: &mut Inferred, paths: &mut FieldPaths) -> (Arc<Layout>, ToyPlan) {
        let name = self.0.unwrap_or(0).to_string();
        let items = paths.below(FieldPathId::ROOT, &name);
        let layout = layout_named(&name).expect("a list of bytes has columns");
        let plan = ToyPlan {
            add: 0,
            is_for_blocks: false,
            items,
        };
        (layout, plan)
    }
}

impl Sampler<Inferred> for Careless {
    fn add(&mut self, engine: &mut Inferred, body: &[u8]) -> Result<(), Fault> {
        let _ = self.0.add(engine, body);
        Ok(())
    }

    fn is_empty(&self) -> bool {
        Sampler::<Inferred>::is_empty(&self.0)
    }

    fn infer(&mut self, engine: &mut Inferred, paths: &mut FieldPaths) -> (Arc<Layout>, ToyPlan) {
        self.0.infer(engine, paths)
    }
}

fn layout() -> Result<Arc<Layout>, PlanError> {
    layout_named("items")
}

fn layout_named(name: &str) -> Result<Arc<Layout>, PlanError> {
    let item = Field::new("item", DataType::UInt8, false);
    let field = Field::new(name, DataType::List(Arc::new(item)), false);
    Ok(Arc::new(Layout::new(&Arc::new(Schema::new(vec![field])))?))
}
