//! The block engine: each step over up to 64 rows before the next step.
//!
//! Rows are independent, so that the processor reads many of them at once, and what a step costs
//! apart from its values is paid once a block. The messages are gathered into an arena, where
//! reading beyond one of them is harmless; whether a row went wrong is looked at when all steps are
//! done. Then the caller truncates the columns and takes the lost rows with the row engine, which
//! says what is wrong, or finds that nothing is.
//!
//! # Example
//!
//! A record of a long and a string, and two messages: `02 04 68 69` (1, "hi") and `03 02 61`
//! (-2, "a"). The plan has two steps.
//!
//! 1. The arena holds `02 04 68 69 03 02 61`. There are two lanes: one reads at 0 and ends at 4,
//!    the other reads at 4 and ends at 7.
//! 2. The step of the long reads one varint for each lane, and appends 1 and -2 to the column. The
//!    lanes are at 1 and at 5.
//! 3. The step of the string reads one length for each lane: 2 and 1. The strings are at 2..4 and
//!    at 6..7 of the arena; both are appended in one go, and checked to be UTF-8 in one go. The
//!    lanes are at 4 and at 7.
//! 4. Both lanes are where their messages end: both rows are good.
//!
//! Had the second message been cut to `03 02`, its lane would have read the string from what comes
//! after it in the arena and be beyond its end now: the row is lost.
//!
//! # Invariants
//!
//! - This engine may refuse what is merely unusual (a varint longer than necessary), but never
//!   takes what the row engine refuses, and what it takes has the same values.
//! - No step stops for a lane. A lane that is lost reads garbage until the block ends.
//! - A step brings its column, and all below it, to the end of its extent. In an extent that is
//!   *shared* (the items of lists in rounds, the branches of unions, several writer schemas in one
//!   block) it may leave what cannot be appended out of order to [`DeferredReader::finish`].
//! - Every position is masked to the arena's size before it is read. No position comes near the
//!   type's end: a step moves it by less than the arena's size.

mod deferred;
mod list;
mod made;
mod numbers;
mod scan;
mod skip;
mod strategy;
mod switch;
mod values;

use std::ops::Range;
use std::sync::Arc;

use sabot_codec::{
    BlockBudget, BlockOutcome, DeferredReader, DeferredWrites, Extent, Gathered, RowLanes, Stuck,
};
use sabot_columns::{Columns, Layout, NodeIx, Span};
use sabot_cursor::{Arena, LANES};

pub(super) use self::strategy::Strategy;
use super::row::decode_steps;
use super::{Op, OpKind, Plan};
use crate::output::NO_COLUMN;

/// What the engine keeps from block to block, for its room and for what it has learned.
#[derive(Debug, Default)]
pub(crate) struct BlockEngine {
    deferred: DeferredWrites,
    several_blocks: SeveralBlocks,
    /// For values that become text.
    text: Vec<u8>,
    /// Where the items of lists are, for lists within lists.
    items: Vec<Vec<scan::Item>>,
}

impl BlockEngine {
    /// Appends `rows` after `columns.rows()`. The caller ends them, or truncates.
    pub(crate) fn decode(
        &mut self,
        rows: &Gathered<'_, Plan>,
        columns: &mut Columns,
        budget: &mut BlockBudget,
    ) -> BlockOutcome {
        let plans = rows.plans();
        let Some(first) = plans.first() else {
            return BlockOutcome::all_lost(rows.len());
        };
        self.deferred.clear();
        let mut lanes = rows.lanes();
        let extent = Extent::new(columns.rows(), lanes.len());
        let block = Block {
            plan: first,
            plan_at: 0,
            plans,
            layout: rows.layout(),
            columns,
            arena: rows.arena(),
            defaults: rows.defaults(),
            ends: rows.ends(),
            deferred: &mut self.deferred,
            several_blocks: &mut self.several_blocks,
            text: &mut self.text,
            items: &mut self.items,
            budget,
            lost: 0,
        };
        block.rows(&mut lanes, rows.plan_of(), extent)
    }
}

/// The columns whose lists came in several blocks when they were read last, or seemed to, by node.
#[derive(Debug, Default)]
struct SeveralBlocks(Vec<bool>);

impl SeveralBlocks {
    fn of(&self, column: NodeIx) -> bool {
        self.0.get(column.0 as usize).is_some_and(|is_so| *is_so)
    }

    fn set(&mut self, column: NodeIx, is_so: bool) {
        let at = column.0 as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, false);
        }
        self.0[at] = is_so;
    }
}

struct Block<'a> {
    /// The plan at hand, and its position.
    plan: &'a Plan,
    plan_at: u8,
    plans: &'a [Arc<Plan>],
    layout: &'a Layout,
    columns: &'a mut Columns,
    arena: &'a Arena,
    defaults: &'a [Span],
    /// Where the messages end.
    ends: &'a [u32],
    deferred: &'a mut DeferredWrites,
    several_blocks: &'a mut SeveralBlocks,
    text: &'a mut Vec<u8>,
    items: &'a mut Vec<Vec<scan::Item>>,
    budget: &'a mut BlockBudget,
    /// Rows that are lost though their lanes are not.
    lost: u64,
}

impl Block<'_> {
    fn set_plan(&mut self, plan_at: u8) {
        (self.plan, self.plan_at) = (&self.plans[usize::from(plan_at)], plan_at);
    }

    /// Takes all rows, and says what became of them.
    fn rows(mut self, lanes: &mut RowLanes, plan_of: &[u8], extent: Extent) -> BlockOutcome {
        let run = match self.plans.len() {
            1 => self.run(0, self.plan.ops.len(), lanes, extent),
            _ => self.mixed(lanes, plan_of, extent),
        };
        // Of rows that could not go on, only those count that went beyond their end: all others
        // are in mid-message.
        let may_end_early = self.plan.ends_early || run.is_err();
        let lost = match self.plans.len() {
            1 => lanes.read.lost(may_end_early) | self.lost,
            _ => self.lost,
        };
        match run {
            Ok(()) if lost == 0 => BlockOutcome::Good,
            Ok(()) => BlockOutcome::Lost {
                lost,
                known: lanes.len(),
                good: lost.trailing_zeros() as usize,
            },
            Err(Stuck { row }) => {
                self.deferred.leave_over();
                BlockOutcome::Lost {
                    lost: 1 << row | lost & !(u64::MAX << row),
                    known: row + 1,
                    good: 0,
                }
            }
        }
    }

    /// Messages of several writer schemas: the lanes of each by themselves.
    fn mixed(&mut self, lanes: &mut RowLanes, plan_of: &[u8], extent: Extent) -> Result<(), Stuck> {
        for plan_at in 0..self.plans.len() as u8 {
            self.set_plan(plan_at);
            let mask = plan_of
                .iter()
                .take(lanes.len())
                .enumerate()
                .fold(0, |mask, (lane, plan)| mask | u64::from(*plan == plan_at) << lane);
            if mask == 0 {
                continue;
            }
            let mut subset = lanes.subset(mask);
            self.run(0, self.plan.ops.len(), &mut subset, extent.shared())?;
            self.lost |= subset.rows(subset.read.lost(self.plan.ends_early));
        }
        self.layout
            .roots()
            .iter()
            .try_for_each(|root| self.finish(*root, extent))
    }

    /// Runs the steps from `pc` up to `end` over all lanes.
    fn run(&mut self, mut pc: usize, end: usize, lanes: &mut RowLanes, extent: Extent) -> Result<(), Stuck> {
        let plan = self.plan;
        while pc < end {
            let (next, is_by_rows) = plan.strategy.step(pc);
            let op = &plan.ops[pc];
            match op.kind {
                _ if extent.is_shared && self.is_deferred(pc) => self.defer(pc, lanes, extent),
                _ if is_by_rows => self.by_rows(pc..next, lanes, extent)?,
                OpKind::Struct => {
                    pc = self.structure(op, pc, lanes, extent)?;
                    continue;
                }
                OpKind::List => self.list(op, pc, lanes, extent)?,
                OpKind::Switch => self.switch(pc, lanes, extent)?,
                OpKind::Default => self.default(op, pc, lanes, extent)?,
                OpKind::PushNull if extent.is_shared => {}
                OpKind::PushNull => self.columns.pad(plan.sites[pc].column, extent.end())?,
                OpKind::Fail => {
                    (0..lanes.len()).for_each(|lane| lanes.read.lose(lane, true));
                    if !extent.is_shared {
                        self.columns.pad(plan.sites[pc].column, extent.end())?;
                    }
                }
                OpKind::Skip | OpKind::SkipInDefault => self.skip(op, lanes),
                _ => self.value(op, pc, lanes, extent)?,
            }
            pc = next;
        }
        Ok(())
    }

    /// Whether a step's values are stepped over in a shared extent, and taken later.
    fn is_deferred(&self, pc: usize) -> bool {
        let (op, column) = (&self.plan.ops[pc], self.plan.sites[pc].column);
        self.plan.strategy.is_by_rows(pc)
            || matches!(op.kind, OpKind::List | OpKind::Switch)
            || column != NO_COLUMN && self.deferred.is_always_deferred(column)
    }

    /// A record that may be null: its fields are read for the lanes that have it, and stay null for
    /// the others. Says which step is next.
    fn structure(
        &mut self,
        op: &Op,
        pc: usize,
        lanes: &mut RowLanes,
        extent: Extent,
    ) -> Result<usize, Stuck> {
        if op.non_null_byte == Op::NO_TAG {
            self.mark_valid(op, lanes, extent, lanes.read.all());
            return Ok(pc + 1);
        }
        let (mut nothing, end) = ([0; LANES], op.aux as usize);
        let present = lanes
            .read
            .fixed(self.arena.window(), op.presence(), 0, &mut nothing);
        self.mark_valid(op, lanes, extent, present);
        if present == lanes.read.all() {
            return Ok(pc + 1);
        }
        let mut subset = lanes.subset(present);
        self.run(pc + 1, end, &mut subset, extent)?;
        lanes.join(present, &subset);
        Ok(end)
    }

    /// A value that only the reader has: all lanes read it at the same place.
    fn default(&mut self, op: &Op, pc: usize, lanes: &RowLanes, extent: Extent) -> Result<(), Stuck> {
        let before = self.plans[..usize::from(self.plan_at)].iter();
        let first: usize = before.map(|plan| plan.defaults.len()).sum();
        let span = self.defaults[first + op.default_at()];
        let mut readers = lanes.clone();
        readers.read.at.fill(span.start);
        readers.read.end.fill(span.start + span.len);
        self.run(pc + 1, op.aux as usize, &mut readers, extent)?;
        // A default is well-formed, but an unusual one is not taken here.
        self.lost |= readers.rows(readers.read.lost(false));
        Ok(())
    }

    /// Runs steps with the row engine, one row after the other, in an extent where nobody else
    /// comes.
    #[cold]
    fn by_rows(&mut self, steps: Range<usize>, lanes: &mut RowLanes, extent: Extent) -> Result<(), Stuck> {
        let node = self.plan.sites[steps.start].column;
        debug_assert_ne!(node, NO_COLUMN, "who is taken by rows has a column");
        for lane in 0..lanes.len() {
            // The positions before this lane's have no lane.
            self.columns.pad(node, extent.base + lanes.to[lane] as usize)?;
            let row = usize::from(lanes.row[lane]);
            // A lane that is lost already has nothing to read: the columns are dropped anyway.
            let body = self.arena.slice(lanes.read.at[lane]..lanes.read.end[lane]);
            let mut budget = self.budget.row(row);
            let (columns, text) = (&mut *self.columns, &mut *self.text);
            let read = decode_steps(self.plan, columns, text, body, steps.clone(), &mut budget);
            let read_bytes = read.map_err(|_| Stuck { row })?;
            lanes.read.at[lane] += read_bytes as u32;
            self.budget.put_row(row, budget);
        }
        Ok(self.columns.pad(node, extent.end())?)
    }

    /// Writes the validity of a step's column.
    fn mark_valid(&mut self, op: &Op, lanes: &RowLanes, extent: Extent, present: u64) {
        if op.validity == Op::NO_VALIDITY {
            return;
        }
        let bits = &mut self.columns.validity[op.validity as usize];
        if lanes.is_dense {
            bits.push_word(present, lanes.len());
            return;
        }
        bits.grow(extent.end());
        if extent.len <= LANES {
            let to = lanes.to[..lanes.len()].iter().enumerate();
            let word = to.fold(0, |word, (lane, to)| {
                word | (present >> lane & 1) << (to % LANES as u32)
            });
            return bits.or_word(extent.base, word);
        }
        for (lane, to) in lanes.to[..lanes.len()].iter().enumerate() {
            bits.or(extent.base + *to as usize, present >> lane & 1 == 1);
        }
    }
}
