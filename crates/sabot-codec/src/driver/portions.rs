//! Which engine takes which rows: blocks, rows, and the way from the one to the other.

use std::ops::Range;

use sabot_decode::{Payload, Progress, RowError, Stop};

use super::Driver;
use crate::slots::done;
use crate::{BLOCK_ROWS, BlockOutcome, Engine, Fault, Output, Plan};

/// Rows that are taken as a block at least: with fewer the row engine is as fast.
const MIN_BLOCK_ROWS: usize = 4;

/// Which rows are left to the row engine because blocks were in vain.
#[derive(Debug, Default)]
pub(super) struct BackOff {
    /// Blocks that were mostly in vain, one after the other.
    vain_blocks: u32,
    /// Rows that are still left to the row engine.
    rows_left: usize,
}

/// Some of the rows, which go the same way.
pub(super) enum Portion {
    /// As a block, which is gathered.
    Block(usize),
    /// One by one.
    Rows(usize),
}

impl<E: Engine> Driver<E> {
    /// Says how the first of `rows` go on, of which there is one at least; gathers them if it is as
    /// a block.
    pub(super) fn next_portion(&mut self, rows: &[Payload<'_>]) -> Portion {
        if self.back_off.rows_left > 0 {
            return Portion::Rows(self.back_off.rows_left.min(rows.len()));
        }
        if self.slots.is_full() {
            return Portion::Rows(1);
        }
        // A batch's last rows make a block too, however few rows a batch may have.
        let room = self.limits.batch_rows.saturating_sub(self.slots.len()).max(1);
        let rows = &rows[..rows.len().min(room)];
        let max_bytes = self.limits.row_bytes;
        let run = self.gatherer.gather(E::PLANS_BY, rows, &self.plans, max_bytes);
        if self.gatherer.is_thin() {
            // The others go the same way as the first one.
            self.back_off.rows_left = run;
            return Portion::Rows(run);
        }
        if run == 0 {
            return Portion::Rows(self.run_by_rows(rows));
        }
        let body_bytes = self.gatherer.body_bytes(0..run);
        if run < MIN_BLOCK_ROWS || !self.slots.budget.has_room(run, body_bytes) {
            return Portion::Rows(run);
        }
        self.gatherer.place_defaults();
        Portion::Block(run)
    }

    /// How many of `rows` have the plan of the first one, which is not for blocks; if it is, or
    /// there is none, that one alone.
    fn run_by_rows(&self, rows: &[Payload<'_>]) -> usize {
        let key_and_plan = rows.first().and_then(|row| self.plans.find(E::PLANS_BY, row));
        match key_and_plan {
            Some((key, plan)) if !plan.is_for_blocks() => {
                rows.iter().take_while(|row| key.is_of(E::PLANS_BY, row)).count()
            }
            _ => 1,
        }
    }

    /// Takes the rows of the block that was gathered, or some of them. Those that the block engine
    /// loses are taken with the row engine, and those between them in smaller blocks. What comes
    /// after the last of them goes into the next block.
    pub(super) fn decode_block(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        let BlockOutcome::Lost { lost, known, good } = self.try_block(0..rows.len()) else {
            self.back_off.vain_blocks = 0;
            return done(rows.len());
        };
        // Of the rows that are not known nothing is lost yet.
        let lost = lost & (u64::MAX >> (BLOCK_ROWS - known));
        debug_assert!(lost != 0, "an engine that loses no row says that all are good");
        self.back_off(lost, known, rows.len());
        // `lost >> taken` has the rows that are not taken yet, the next one lowest: its trailing
        // zeros are rows that should be good, its trailing ones are lost ones. What comes after the
        // last lost row is gathered anew, together with the rows that follow.
        let (mut taken, end) = (good, BLOCK_ROWS - lost.leading_zeros() as usize);
        while taken < end {
            let good = (lost >> taken).trailing_zeros() as usize;
            if good >= MIN_BLOCK_ROWS {
                // All of them are taken, but for surprises: these are left to the row engine below.
                taken += self.try_block(taken..taken + good).good_rows(good);
            }
            let good = (lost >> taken).trailing_zeros() as usize;
            let bad_run = (lost >> taken).trailing_ones() as usize;
            // One of the two is 0, unless the rows end here.
            let run = good.max(bad_run).min(known - taken);
            let progress = self.take_rows(&rows[taken..][..run], bad);
            taken += progress.taken;
            if progress.stop != Stop::Done {
                let stop = progress.stop;
                return Progress { taken, stop };
            }
        }
        done(taken)
    }

    /// Takes these rows of the block, or those before the first that is lost.
    fn try_block(&mut self, rows: Range<usize>) -> BlockOutcome {
        if let Some(outcome) = self.try_within(rows.clone()) {
            return outcome;
        }
        // What the rows so far take was an estimate; now it is counted. If there is still no room
        // the row engine takes as many as fit, and says that the batch is full.
        self.slots.count();
        let outcome = self.try_within(rows.clone());
        outcome.unwrap_or_else(|| BlockOutcome::all_lost(rows.len()))
    }

    /// The same, if the batch has room for them.
    fn try_within(&mut self, rows: Range<usize>) -> Option<BlockOutcome> {
        let Self {
            engine,
            output,
            slots,
            gatherer,
            budget,
            stats,
            ..
        } = self;
        let layout = output.as_ref()?.layout();
        if !gatherer.lend(rows.clone(), &slots.budget, budget) {
            return None;
        }
        let gathered = gatherer.rows(rows.clone(), layout);
        let outcome = engine.block(&gathered, &mut slots.columns, budget);
        let good = outcome.good_rows(rows.len());
        if outcome != BlockOutcome::Good {
            // Each step appended to all rows before the next step did, so the good ones are whole.
            slots.columns.truncate_behind(good);
        }
        let body_bytes = gatherer.body_bytes(rows.start..rows.start + good);
        slots.end_good(good, budget.charged_bytes(good), body_bytes);
        stats.block_rows += good as u64;
        Some(outcome)
    }

    /// Leaves more and more rows to the row engine while blocks are mostly in vain: of the `rows`
    /// of a block few are known, or of those many are lost.
    fn back_off(&mut self, lost: u64, known: usize, rows: usize) {
        const MAX_VAIN_BLOCKS: u32 = 6;
        if lost.count_ones() as usize * 4 < known && known * 4 >= rows {
            return;
        }
        self.stats.vain_blocks += 1;
        let vain_blocks = (self.back_off.vain_blocks + 1).min(MAX_VAIN_BLOCKS);
        self.back_off = BackOff {
            vain_blocks,
            rows_left: BLOCK_ROWS << vain_blocks,
        };
    }

    /// Takes rows that were left to the row engine.
    pub(super) fn decode_rows(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        let progress = self.take_rows(rows, bad);
        self.back_off.rows_left = self.back_off.rows_left.saturating_sub(progress.taken);
        progress
    }

    fn take_rows(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        let Self {
            engine, plans, slots, ..
        } = self;
        let progress = slots.take(rows, bad, |columns, budget, payload, body| {
            let plan = plans
                .get(E::PLANS_BY, payload)
                .ok_or(Fault::NeedsSchema(payload.key))?;
            budget.begin(plan.row_bytes())?;
            engine.row(plan, body, columns, budget)
        });
        self.stats.single_rows += progress.taken as u64;
        progress
    }
}
