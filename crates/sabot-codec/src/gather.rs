//! Messages gathered into a block: one after the other in an arena, where reading beyond one of
//! them is harmless.
//!
//! A block's messages are gathered once. Parts of the block that are tried again are read where
//! they are.

use std::ops::Range;
use std::sync::Arc;

use sabot_columns::{Layout, Span};
use sabot_cursor::{Arena, Lanes};
use sabot_decode::{Body, Payload};

use crate::block::BLOCK_BYTES;
use crate::budget::Budget;
use crate::lanes::RowLanes;
use crate::mix::Mix;
use crate::plans::Plans;
use crate::{BLOCK_ROWS, BlockBudget, Plan, PlansBy};

/// The messages of the block at hand, kept from block to block for their room.
#[derive(Debug)]
pub(crate) struct Gatherer<P> {
    arena: Arena,
    /// Where the messages are.
    messages: Lanes,
    /// Where the defaults of the block's plans are, plan after plan.
    defaults: Vec<Span>,
    mix: Mix<P>,
}

/// Rows of a block, as [`Engine::block`](crate::Engine::block) gets them.
#[derive(Debug)]
pub struct Gathered<'a, P> {
    gatherer: &'a Gatherer<P>,
    rows: Range<usize>,
    layout: &'a Layout,
}

impl<'a, P: Plan> Gathered<'a, P> {
    /// Rows, at least one and at most [`BLOCK_ROWS`].
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a block without rows is none")]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The arena that the messages are in.
    #[must_use]
    pub const fn arena(&self) -> &'a Arena {
        &self.gatherer.arena
    }

    /// Where each message begins.
    #[must_use]
    pub fn starts(&self) -> &'a [u32] {
        &self.gatherer.messages.at[self.rows.clone()]
    }

    /// Where each message ends.
    #[must_use]
    pub fn ends(&self) -> &'a [u32] {
        &self.gatherer.messages.end[self.rows.clone()]
    }

    /// A lane for each row, at the start of its message.
    #[inline]
    #[must_use]
    pub fn lanes(&self) -> RowLanes {
        let (starts, ends, mut lanes) = (self.starts(), self.ends(), RowLanes::new());
        lanes.read.len = starts.len();
        lanes.read.at[..starts.len()].copy_from_slice(starts);
        lanes.read.end[..ends.len()].copy_from_slice(ends);
        lanes
    }

    /// The bytes of one message.
    #[must_use]
    pub fn body(&self, row: usize) -> &'a [u8] {
        self.arena().slice(self.starts()[row]..self.ends()[row])
    }

    /// The block's plans: at least one, at most [`BLOCK_PLANS`](crate::BLOCK_PLANS).
    #[must_use]
    pub fn plans(&self) -> &'a [Arc<P>] {
        self.gatherer.mix.plans()
    }

    /// The position of each row's plan among the block's plans.
    #[must_use]
    pub fn plan_of(&self) -> &'a [u8] {
        &self.gatherer.mix.plan_of()[self.rows.clone()]
    }

    /// Where the plans' [defaults](Plan::defaults) are, plan after plan.
    #[must_use]
    pub fn defaults(&self) -> &'a [Span] {
        &self.gatherer.defaults
    }

    /// The layout of the columns.
    #[must_use]
    pub const fn layout(&self) -> &'a Layout {
        self.layout
    }
}

impl<P: Plan> Gatherer<P> {
    pub(crate) fn new() -> Self {
        Self {
            arena: Arena::new(),
            messages: Lanes::new(),
            defaults: Vec::new(),
            mix: Mix::new(),
        }
    }

    /// Forgets which plans the last block had: others may be meant by their keys now.
    pub(crate) fn forget_plans(&mut self) {
        self.mix.clear();
    }

    /// Gathers the first of `rows` that make a block: those that have bytes, a plan for blocks, and
    /// room in the arena. Of each there may be `max_bytes`, and of all together.
    pub(crate) fn gather(
        &mut self,
        by: PlansBy,
        rows: &[Payload<'_>],
        plans: &Plans<P>,
        max_bytes: usize,
    ) -> usize {
        let Some(first) = rows.first() else { return 0 };
        let Self {
            arena, messages, mix, ..
        } = self;
        mix.begin(by, first);
        arena.clear();
        messages.len = 0;
        let max_bytes = max_bytes.min(BLOCK_BYTES);
        let mut block_bytes = 0;
        for row in rows.iter().take(BLOCK_ROWS) {
            let Body::Bytes(bytes) = row.body else { break };
            if bytes.len() > max_bytes - block_bytes || !mix.add(by, row, plans) {
                break;
            }
            let Some(range) = arena.push(bytes) else { break };
            messages.push(range);
            block_bytes += bytes.len();
        }
        messages.len
    }

    /// Whether the rows gathered have too many plans for so few rows.
    pub(crate) fn is_thin(&self) -> bool {
        self.mix.is_thin()
    }

    /// Ends the gathering: the plans' defaults come after the messages in the arena, where they are
    /// read as if they were messages.
    pub(crate) fn place_defaults(&mut self) {
        let Self {
            arena, defaults, mix, ..
        } = self;
        defaults.clear();
        for plan in mix.plans() {
            let has_place = plan.default_bytes() > 0;
            for bytes in plan.defaults() {
                let range = if has_place { arena.push(bytes) } else { None };
                let range = range.unwrap_or_default();
                defaults.push(Span {
                    start: range.start,
                    len: range.end - range.start,
                });
            }
        }
    }

    /// Some of the rows gathered.
    pub(crate) const fn rows<'a>(&'a self, rows: Range<usize>, layout: &'a Layout) -> Gathered<'a, P> {
        Gathered {
            gatherer: self,
            rows,
            layout,
        }
    }

    /// Lends a block of `rows` what its plans say that a row takes. `false` if that is too much for
    /// the batch.
    pub(crate) fn lend(&self, rows: Range<usize>, budget: &Budget, block: &mut BlockBudget) -> bool {
        budget.lend(block, rows.len(), |row_bytes| match self.mix.plans() {
            [plan] => row_bytes.fill(plan.row_bytes()),
            plans => {
                for (bytes, plan) in row_bytes.iter_mut().zip(&self.mix.plan_of()[rows.clone()]) {
                    *bytes = plans[usize::from(*plan)].row_bytes();
                }
            }
        })
    }

    /// Bytes of some of the messages.
    pub(crate) fn body_bytes(&self, rows: Range<usize>) -> usize {
        // They are one after the other.
        match rows.end.checked_sub(1) {
            Some(last) if !rows.is_empty() => {
                (self.messages.end[last] - self.messages.at[rows.start]) as usize
            }
            _ => 0,
        }
    }
}
