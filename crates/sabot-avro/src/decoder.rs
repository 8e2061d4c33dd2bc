//! The factory and the decoder.
//!
//! The columns' output is fixed by the reader schema, or by the first writer's; each further writer schema adds a plan onto the
//! same columns. Slots that come before any schema wait in columns of no fields, and get placeholders later.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use arrow_schema::{Schema as ArrowSchema, SchemaRef};
use sabot_codec::{Fault, FieldPaths, SlotColumns};
use sabot_columns::{Columns, Layout};
use sabot_decode::{
    Body, Decoder, DecoderFactory, FieldPathId, FlushError, OutputSchema, Payload, PlanError, Progress,
    RowError, SchemaKey, SchemaKind, Slots, Stop, Target, WriterSchema,
};

use crate::mix::Mix;
use crate::output::Output;
use crate::plan::{BLOCK_BYTES, BLOCK_ROWS, BlockEngine, Outcome, Plan, compile, decode_row};
use crate::schema::Schema;

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
        let reader = match &target.output {
            OutputSchema::FirstWriter => None,
            OutputSchema::Reader(reader) => {
                Some(Schema::parse(reader).and_then(|reader| Output::new(reader, target)))
            }
            OutputSchema::Arrow(schema) => Some(Output::from_arrow(schema, target)),
            other => {
                return Err(PlanError::new(format!("Avro cannot be read onto {other:?}")));
            }
        };
        let output = reader.transpose()?;
        Ok(Box::new(AvroDecoder::new(target.clone(), output)))
    }
}

/// Rows that are taken as a block at least: with fewer the row engine is as fast.
const MIN_BLOCK_ROWS: usize = 4;

/// Bytes of placeholders for slots from before the first schema at most.
const MAX_PADDING_BYTES: usize = 1 << 31;

#[derive(Debug)]
struct AvroDecoder {
    target: Target,
    /// The columns' output; `None` until the first writer schema gives it.
    output: Option<Output>,
    rows: SlotColumns,
    plans: Plans,
    paths: FieldPaths,
    /// What the gathered rows take in the columns at least, whatever their messages took.
    width_bytes: usize,
    engine: BlockEngine,
    /// For values that become text, in the row engine.
    text: Vec<u8>,
    mix: Mix,
    /// Blocks that were mostly in vain, one after the other.
    lossy_blocks: u32,
    /// Rows left to the row engine for that.
    left_to_rows: usize,
}

impl AvroDecoder {
    fn new(target: Target, output: Option<Output>) -> Self {
        let columns = output.as_ref().map_or_else(no_columns, columns);
        Self {
            output,
            rows: SlotColumns::new(columns, target.limits),
            plans: Plans::new(target.limits.plans),
            paths: FieldPaths::new(),
            width_bytes: 0,
            engine: BlockEngine::default(),
            text: Vec::new(),
            mix: Mix::new(),
            lossy_blocks: 0,
            left_to_rows: 0,
            target,
        }
    }
}

impl Decoder for AvroDecoder {
    fn schema(&self) -> Option<&SchemaRef> {
        self.output.as_ref().map(Output::schema)
    }

    fn prepare(&mut self, key: SchemaKey, writer: &WriterSchema) -> Result<(), PlanError> {
        self.mix.clear();
        let limits = self.target.limits;
        let parsed = Schema::parse(writer)?;
        if let Some(output) = &self.output {
            let plan = compile(&parsed, output, &mut self.paths, limits);
            for (node, values) in output.take_grown() {
                self.rows.columns.set_dictionary(node, values);
            }
            self.plans.insert(key, plan?);
            return Ok(());
        }
        // Parsed twice, once in a decoder's life, since the writer's types and the reader's are told apart by address.
        let output = Output::new(Schema::parse(writer)?, &self.target)?;
        let plan = compile(&parsed, &output, &mut self.paths, limits)?;
        // Slots gathered so far, of tombstones and refused payloads, have no columns yet.
        if self.rows.slots().saturating_mul(output.width_bytes()) > MAX_PADDING_BYTES {
            return Err(PlanError::new(
                "too many slots were gathered before the first schema; flush them",
            ));
        }
        self.rows.set_columns(columns(&output)).map_err(|overflow| {
            PlanError::new("the slots before the first schema have no room").with_source(overflow)
        })?;
        self.plans.insert(key, plan);
        self.output = Some(output);
        Ok(())
    }

    fn decode(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        let mut taken = 0;
        while taken < rows.len() {
            let rest = &rows[taken..];
            let run = self.gather(rest);
            let progress = if run >= MIN_BLOCK_ROWS {
                self.decode_block(&rest[..run], bad)
            } else {
                self.decode_rows(&rest[..run.max(1)], bad)
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
        self.rows.slots()
    }

    fn buffered_bytes(&self) -> usize {
        self.rows.buffered_bytes()
    }

    fn flush(&mut self) -> Result<Slots, FlushError> {
        self.width_bytes = 0;
        self.rows.flush()
    }

    fn field_path(&self, path: FieldPathId) -> String {
        self.paths.name(path)
    }
}

impl AvroDecoder {
    /// Gathers the first of `rows` as one block, and says how many. With fewer than [`MIN_BLOCK_ROWS`] the row engine goes
    /// on.
    fn gather(&mut self, rows: &[Payload<'_>]) -> usize {
        let Some(first) = rows.first() else { return 0 };
        if self.left_to_rows > 0 {
            self.left_to_rows -= 1;
            return 1;
        }
        if self.rows.is_full() {
            return 0;
        }
        let Self {
            mix, plans, engine, ..
        } = self;
        mix.begin(first.key);
        engine.begin();
        let max_bytes = BLOCK_BYTES.min(self.target.limits.row_bytes);
        let mut block_bytes = 0;
        for row in rows.iter().take(BLOCK_ROWS) {
            let Body::Bytes(bytes) = row.body else { break };
            let is_taken = bytes.len() <= max_bytes - block_bytes
                && mix.add(row.key, || plans.plans.get(&row.key))
                && engine.push(bytes);
            if !is_taken {
                break;
            }
            block_bytes += bytes.len();
        }
        let taken = engine.messages();
        if mix.is_thin() {
            // They go the same way as this one.
            self.left_to_rows = taken.saturating_sub(1);
            return 1;
        }
        if taken < MIN_BLOCK_ROWS || !self.rows.has_room(taken, block_bytes) {
            return 0;
        }
        engine.end(mix.plans());
        taken
    }

    /// Takes the rows of the block that was gathered, or some of them. Those that the block engine loses are taken with the
    /// row engine, and those between them in smaller blocks. What stands behind the last of them goes into the next block.
    fn decode_block(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        let Outcome::Lost {
            lost, known, good, ..
        } = self.try_block(0..rows.len())
        else {
            self.lossy_blocks = 0;
            return done(rows.len());
        };
        let lost = lost & (u64::MAX >> (BLOCK_ROWS - known));
        self.back_off(lost, known, rows.len());
        let (mut taken, end) = (good, BLOCK_ROWS - lost.leading_zeros() as usize);
        while taken < end {
            let good = (lost >> taken).trailing_zeros() as usize;
            if good >= MIN_BLOCK_ROWS {
                // All of them, but for surprises.
                taken += self.try_block(taken..taken + good).good_rows(good);
            }
            let good = (lost >> taken).trailing_zeros() as usize;
            let bad_run = (lost >> taken).trailing_ones() as usize;
            let progress = self.decode_rows(&rows[taken..][..good.max(bad_run).min(known - taken)], bad);
            taken += progress.taken;
            if progress.stop != Stop::Done {
                let stop = progress.stop;
                return Progress { taken, stop };
            }
        }
        done(taken)
    }

    /// Takes these rows of the block, or those before the first that is lost.
    fn try_block(&mut self, rows: Range<usize>) -> Outcome {
        if let Some(outcome) = self.try_within(rows.clone()) {
            return outcome;
        }
        // What the rows so far take was an estimate; now it is counted.
        self.width_bytes = self.rows.columns.buffered_bytes();
        let outcome = self.try_within(rows.clone());
        outcome.unwrap_or_else(|| Outcome::all_lost(rows.len()))
    }

    /// The same, if the batch has room for them.
    fn try_within(&mut self, rows: Range<usize>) -> Option<Outcome> {
        let columns = &mut self.rows.columns;
        let left = self.target.limits.batch_bytes.saturating_sub(self.width_bytes);
        let Some(output) = &self.output else {
            return Some(Outcome::all_lost(rows.len()));
        };
        let plans = (self.mix.plans(), self.mix.plan_of());
        let outcome = self
            .engine
            .decode(rows.clone(), plans, &output.layout, columns, left);
        let (good, width_bytes) = match outcome {
            Outcome::Good { width_bytes } => (rows.len(), width_bytes),
            Outcome::Lost {
                good, width_bytes, ..
            } => (good, width_bytes),
        };
        let width_bytes = width_bytes.saturating_add(self.width_bytes);
        if width_bytes > self.target.limits.batch_bytes {
            columns.rollback();
            return None;
        }
        if let Outcome::Lost { .. } = outcome {
            columns.truncate_behind(good);
        }
        self.width_bytes = width_bytes;
        let body_bytes = self.engine.body_bytes(rows.start..rows.start + good);
        self.rows.end_good(good, body_bytes);
        Some(outcome)
    }

    /// Leaves more and more rows to the row engine while blocks are mostly in vain: of the `rows` of a block few are known,
    /// or of those many are lost.
    fn back_off(&mut self, lost: u64, known: usize, rows: usize) {
        const MAX_LOSSY_BLOCKS: u32 = 6;
        if lost.count_ones() as usize * 4 < known && known * 4 >= rows {
            return;
        }
        self.lossy_blocks = (self.lossy_blocks + 1).min(MAX_LOSSY_BLOCKS);
        self.left_to_rows = BLOCK_ROWS << self.lossy_blocks;
    }

    fn decode_rows(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        let Self {
            plans,
            width_bytes,
            text,
            target,
            ..
        } = self;
        let batch_bytes = target.limits.batch_bytes;
        self.rows.take(rows, bad, |columns, payload, body| {
            let plan = plans.get(payload.key).ok_or(Fault::NeedsSchema(payload.key))?;
            match decode_within(plan, (columns, text), body, batch_bytes, width_bytes) {
                Err(Fault::Overflow) if columns.rows() > 0 => {
                    // What the rows so far take was an estimate; now it is counted.
                    columns.rollback();
                    *width_bytes = columns.buffered_bytes();
                    decode_within(plan, (columns, text), body, batch_bytes, width_bytes)
                }
                decoded => decoded,
            }
        })
    }
}

/// Takes a row if the batch, in which `width_bytes` are taken, has room for it; adds what it takes.
fn decode_within(
    plan: &Plan,
    (columns, text): (&mut Columns, &mut Vec<u8>),
    body: &[u8],
    batch_bytes: usize,
    width_bytes: &mut usize,
) -> Result<(), Fault> {
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
    let decoded = decode_row(plan, columns, text, body, left);
    *width_bytes += *decoded.as_ref().unwrap_or(&plan.row_width_bytes);
    decoded.map(drop)
}

/// That many rows were taken, and nothing stands in the way of the next.
const fn done(taken: usize) -> Progress {
    Progress {
        taken,
        stop: Stop::Done,
    }
}

fn columns(output: &Output) -> Columns {
    let mut columns = Columns::new(Arc::clone(&output.layout));
    for (node, values) in &output.dictionaries {
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
