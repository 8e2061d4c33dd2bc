//! The factory and the decoder.
//!
//! The columns' shape is fixed by the reader schema, or by the first writer's; each further writer schema adds a plan onto the
//! same columns. Slots that come before any schema wait in columns of no fields, and get placeholders later.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use arrow_schema::{Schema as ArrowSchema, SchemaRef};
use sabot_arrow::{Columns, Fault, Layout, SlotColumns};
use sabot_decode::{
    Decoder, DecoderFactory, FlushError, NodeId, Payload, PlanError, Progress, RowError, SchemaKey,
    SchemaKind, Shape as TargetShape, Slots, Target, WriterSchema,
};

use crate::paths::Paths;
use crate::plan::{Plan, compile, decode_row};
use crate::schema::Schema;
use crate::shape::Shape;

/// Makes decoders of Avro's binary encoding.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "there is nothing to configure: the target says it all"
)]
pub struct AvroFactory;

impl DecoderFactory for AvroFactory {
    fn kind(&self) -> SchemaKind {
        SchemaKind::Avro
    }

    /// # Errors
    ///
    /// [`PlanError`] where the reader schema is malformed or nests deeper than the limit, where the projection names what is
    /// not there, or where a given Arrow schema has a column that no type of Avro becomes.
    fn open(&self, target: &Target) -> Result<Box<dyn Decoder>, PlanError> {
        let reader = match &target.shape {
            TargetShape::FirstWriter => None,
            TargetShape::Reader(reader) => {
                Some(Schema::parse(reader).and_then(|reader| Shape::new(reader, target)))
            }
            TargetShape::Arrow(schema) => Some(Shape::from_arrow(schema, target)),
            other => {
                return Err(PlanError::new(format!("Avro cannot be read onto {other:?}")));
            }
        };
        let shape = reader.transpose()?;
        Ok(Box::new(AvroDecoder::new(target.clone(), shape)))
    }
}

/// Bytes of placeholders for slots from before the first schema at most.
const MAX_PADDING_BYTES: usize = 1 << 31;

#[derive(Debug)]
struct AvroDecoder {
    target: Target,
    /// The columns' shape; `None` until the first writer schema gives it.
    shape: Option<Shape>,
    rows: SlotColumns,
    plans: Plans,
    paths: Paths,
    /// What the gathered rows take in the columns at least, whatever their messages took.
    width_bytes: usize,
}

impl AvroDecoder {
    fn new(target: Target, shape: Option<Shape>) -> Self {
        let columns = shape.as_ref().map_or_else(no_columns, columns);
        Self {
            shape,
            rows: SlotColumns::new(columns, target.limits),
            plans: Plans::new(target.limits.plans),
            paths: Paths::new(),
            width_bytes: 0,
            target,
        }
    }
}

impl Decoder for AvroDecoder {
    fn schema(&self) -> Option<&SchemaRef> {
        self.shape.as_ref().map(Shape::schema)
    }

    fn prepare(&mut self, key: SchemaKey, writer: &WriterSchema) -> Result<(), PlanError> {
        let limits = self.target.limits;
        let parsed = Schema::parse(writer)?;
        if let Some(shape) = &self.shape {
            let plan = compile(&parsed, shape, &mut self.paths, limits);
            for (node, values) in shape.take_grown() {
                self.rows.columns.set_dictionary(node, values);
            }
            self.plans.insert(key, plan?);
            return Ok(());
        }
        // Parsed twice, once in a decoder's life, since the writer's types and the reader's are told apart by address.
        let shape = Shape::new(Schema::parse(writer)?, &self.target)?;
        let plan = compile(&parsed, &shape, &mut self.paths, limits)?;
        // Slots gathered so far, of tombstones and refused payloads, have no columns yet.
        if self.rows.slots().saturating_mul(shape.width_bytes()) > MAX_PADDING_BYTES {
            return Err(PlanError::new(
                "too many slots were gathered before the first schema; flush them",
            ));
        }
        self.rows.set_columns(columns(&shape)).map_err(|overflow| {
            PlanError::new("the slots before the first schema have no room").with_source(overflow)
        })?;
        self.plans.insert(key, plan);
        self.shape = Some(shape);
        Ok(())
    }

    fn decode(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        let Self {
            plans,
            width_bytes,
            target,
            ..
        } = self;
        let batch_bytes = target.limits.batch_bytes;
        self.rows.take(rows, bad, |columns, payload, body| {
            let plan = plans.get(payload.key).ok_or(Fault::NeedsSchema(payload.key))?;
            // A row alone in its batch is taken whatever it takes, within its own limit.
            let is_first = columns.rows() == 0;
            let left = if is_first {
                usize::MAX
            } else {
                batch_bytes.saturating_sub(*width_bytes)
            };
            if plan.row_width_bytes > left {
                return Err(Fault::Overflow);
            }
            let decoded = decode_row(plan, columns, body, left);
            *width_bytes += *decoded.as_ref().unwrap_or(&plan.row_width_bytes);
            decoded.map(drop)
        })
    }

    fn slots(&self) -> usize {
        self.rows.slots()
    }

    fn buffered_bytes(&self) -> usize {
        self.rows.buffered_bytes()
    }

    fn flush(&mut self) -> Result<Slots, FlushError> {
        self.width_bytes = 0;
        self.rows.flush()
    }

    fn field_path(&self, node: NodeId) -> String {
        self.paths.name(node)
    }
}

fn columns(shape: &Shape) -> Columns {
    let mut columns = Columns::new(Arc::clone(&shape.layout));
    for (node, values) in &shape.dictionaries {
        columns.set_dictionary(*node, Arc::clone(values));
    }
    columns
}

/// What slots are gathered in until there is a schema.
fn no_columns() -> Columns {
    let layout = Layout::new(&Arc::new(ArrowSchema::empty()));
    Columns::new(Arc::new(layout.expect("because no field is one without columns")))
}

/// The plans of the writer schemas prepared last.
#[derive(Debug)]
struct Plans {
    plans: HashMap<SchemaKey, Arc<Plan>>,
    /// The keys, longest prepared first.
    order: VecDeque<SchemaKey>,
    /// The plan used last: most messages have the same one as the message before.
    last: Option<(SchemaKey, Arc<Plan>)>,
    capacity: usize,
}

impl Plans {
    fn new(capacity: usize) -> Self {
        // With none at all, no message could ever be taken.
        Self {
            plans: HashMap::new(),
            order: VecDeque::new(),
            last: None,
            capacity: capacity.max(1),
        }
    }

    fn insert(&mut self, key: SchemaKey, plan: Plan) {
        self.last = None;
        if self.plans.insert(key, Arc::new(plan)).is_some() {
            self.order.retain(|known| *known != key);
        }
        self.order.push_back(key);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.plans.remove(&oldest);
        }
    }

    #[inline]
    fn get(&mut self, key: SchemaKey) -> Option<&Plan> {
        if self.last.as_ref().is_none_or(|(last, _)| *last != key) {
            let plan = self.plans.get(&key)?;
            self.last = Some((key, Arc::clone(plan)));
        }
        self.last.as_ref().map(|(_, plan)| &**plan)
    }
}
