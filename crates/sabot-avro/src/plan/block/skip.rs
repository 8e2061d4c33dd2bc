//! Stepping over values that the reader has no column for, all lanes at once where the type is simple.

use sabot_cursor::{Cursor, Window};

use super::super::skip::{SkipKind, SkipStep};
use super::lanes::{LANES, Lanes};
use super::{Block, Op, OpKind};
use crate::schema::TypeId;

impl Block<'_> {
    pub(super) fn skip(&mut self, op: &Op, lanes: &mut Lanes) {
        let plan = self.plan;
        let is_in_default = op.kind == OpKind::SkipInDefault;
        for (step, _) in &plan.skip_steps[op.slot as usize..op.aux as usize] {
            self.skip_step(is_in_default, *step, lanes, plan.depth());
        }
    }

    pub(super) fn skip_step(&mut self, is_in_default: bool, step: SkipStep, lanes: &mut Lanes, depth: usize) {
        if step.kind != SkipKind::Type {
            return skip_value(self.arena.window(), lanes, step);
        }
        let Some(skips) = self.plan.skips_of(is_in_default) else {
            return;
        };
        let is_always_there = step.non_null_byte == Op::NO_TAG;
        match skips.record(TypeId(step.aux)) {
            Some(steps) if is_always_there && depth > 0 => {
                for step in steps {
                    self.skip_step(is_in_default, *step, lanes, depth - 1);
                }
            }
            _ => self.skip_by_lanes(is_in_default, step, lanes, depth),
        }
    }

    fn skip_by_lanes(&mut self, is_in_default: bool, step: SkipStep, lanes: &mut Lanes, depth: usize) {
        let Some(skips) = self.plan.skips_of(is_in_default) else {
            return;
        };
        for lane in 0..lanes.len() {
            let row = usize::from(lanes.row[lane]);
            let mut cursor = Cursor::new(self.arena.slice(lanes.read.at[lane]..lanes.read.end[lane]));
            let mut budget = self.budget.row(row);
            let is_bad = skips.run(step, &mut cursor, &mut budget, depth).is_err();
            self.budget.put_row(row, budget);
            lanes.read.at[lane] += cursor.position() as u32;
            lanes.read.lose(lane, is_bad);
        }
    }
}

/// Steps over a value that has no others below it.
fn skip_value(window: Window<'_>, lanes: &mut Lanes, step: SkipStep) {
    let non_null = (step.non_null_byte != Op::NO_TAG).then_some(step.non_null_byte);
    let lanes = &mut lanes.read;
    match step.kind {
        SkipKind::Bytes => lanes.fixed(window, non_null, step.aux, &mut [0; LANES]),
        SkipKind::Sized => lanes.sized(window, non_null, &mut [0; LANES]),
        SkipKind::Int => lanes.ints(window, non_null, &mut [0; LANES]),
        _ => lanes.longs(window, non_null, &mut [0; LANES]),
    };
}
