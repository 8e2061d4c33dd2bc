//! How the block engine takes each step of a plan; found when the plan is made.
//!
//! A step that it lacks is taken by the row engine, one row after the other, and the block goes on
//! after it.
//!
//! # Example
//!
//! A record of a UUID that becomes text, a list of doubles, and a map of lists of strings. The
//! steps:
//!
//! | step | kind | taken |
//! |---|---|---|
//! | 0 | `UuidTextAsText` | by rows |
//! | 1, 2 | `List` of `Double` | as numbers, list by list |
//! | 3 | `List`, the map | in rounds: its keys are read as lanes |
//! | 4 | `Text`, the key | as lanes |
//! | 5 | `List` | in rounds, once all of them are known |
//! | 6 | `Text` | as lanes |
//!
//! One of seven steps is taken by rows: blocks are worthwhile.
//!
//! # Invariants
//!
//! - Each step knows the step after it and all within it, whatever it is.
//! - Steps within steps that the engine takes itself are at most [`MAX_LEVELS`] deep.

use super::super::{Op, OpKind, Site};
use crate::output::NO_COLUMN;
use sabot_codec::BLOCK_DEFAULT_BYTES;

/// Steps within steps that the block engine takes itself: it recurses on the thread's stack.
const MAX_LEVELS: usize = 16;

/// How a plan's steps are taken in blocks.
#[derive(Debug, Default)]
pub(crate) struct Strategy {
    steps: Box<[Step]>,
    default_bytes: usize,
    is_worthwhile: bool,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    /// The step after this one and all within it.
    next: u32,
    how: How,
}

/// Who takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// The block engine, value by value for all lanes.
    Lanes,
    /// The same; a list whose items are numbers, all of a list at once.
    Numbers,
    /// The same; a list whose items have something that is read as lanes at once, in rounds.
    Rounds,
    /// The same; a union whose branches have children of their own.
    DenseUnion,
    /// The row engine.
    Rows,
}

impl Strategy {
    pub(in super::super) fn new(ops: &[Op], sites: &[Site], jumps: &[u32], defaults: &[Box<[u8]>]) -> Self {
        let default_bytes = defaults.iter().map(|bytes| bytes.len()).sum();
        let mut survey = Survey {
            ops,
            sites,
            jumps,
            has_defaults: default_bytes <= BLOCK_DEFAULT_BYTES,
            steps: vec![
                Step {
                    next: 0,
                    how: How::Rows
                };
                ops.len()
            ],
        };
        survey.look(0, ops.len(), MAX_LEVELS);
        let row_steps: usize = survey.count_by_rows(0, ops.len());
        // The branches of a union of whole messages have no column of their own.
        let has_columns =
            (ops.iter().zip(sites)).all(|(op, site)| op.kind != OpKind::Switch || site.column != NO_COLUMN);
        Self {
            steps: survey.steps.into(),
            default_bytes: if default_bytes <= BLOCK_DEFAULT_BYTES {
                default_bytes
            } else {
                0
            },
            is_worthwhile: has_columns && row_steps * 2 <= ops.len(),
        }
    }

    /// Whether blocks are likely to be faster than rows.
    pub(crate) fn is_worthwhile(&self) -> bool {
        self.is_worthwhile
    }

    /// Bytes of the defaults that have to be placed in the arena.
    pub(crate) fn default_bytes(&self) -> usize {
        self.default_bytes
    }

    /// The step after the one at `pc` and all within it, and whether the row engine takes them.
    #[inline]
    pub(super) fn step(&self, pc: usize) -> (usize, bool) {
        let Step { next, how } = self.steps[pc];
        (next as usize, how == How::Rows)
    }

    /// The step after the one at `pc` and all within it.
    #[inline]
    pub(super) fn next(&self, pc: usize) -> usize {
        self.steps[pc].next as usize
    }

    pub(super) fn is_by_rows(&self, pc: usize) -> bool {
        self.steps[pc].how == How::Rows
    }

    /// Whether a list's items are numbers that are read one list at a time.
    pub(super) fn is_numbers(&self, pc: usize) -> bool {
        self.steps[pc].how == How::Numbers
    }

    /// Whether a list's items are read in rounds.
    pub(super) fn is_in_rounds(&self, pc: usize) -> bool {
        self.steps[pc].how == How::Rounds
    }

    pub(super) fn is_dense_union(&self, pc: usize) -> bool {
        self.steps[pc].how == How::DenseUnion
    }
}

struct Survey<'a> {
    ops: &'a [Op],
    sites: &'a [Site],
    jumps: &'a [u32],
    has_defaults: bool,
    steps: Vec<Step>,
}

impl Survey<'_> {
    /// Looks at the steps from `pc` up to `end`, of which `levels` may be taken within each other.
    fn look(&mut self, mut pc: usize, end: usize, levels: usize) {
        while pc < end {
            let (next, below) = (self.next(pc), levels.saturating_sub(1));
            match self.ops[pc].kind {
                OpKind::Switch => {
                    for branch in 0..self.ops[pc].aux as usize {
                        let steps = self.branch(pc, branch);
                        self.look(steps.start, steps.end, below);
                    }
                }
                _ => self.look(pc + 1, next, below),
            }
            // Only what has steps within it recurses. What reads one value, or skips some, takes no
            // level, and a skip has no column that the row engine could fill.
            let is_too_deep = levels == 0 && next > pc + 1;
            self.steps[pc] = Step {
                next: next as u32,
                how: if is_too_deep {
                    How::Rows
                } else {
                    self.how(pc, next)
                },
            };
            pc = next;
        }
    }

    fn next(&self, pc: usize) -> usize {
        let op = self.ops[pc];
        match op.kind {
            OpKind::Struct | OpKind::List | OpKind::Default => op.aux as usize,
            // The ways of a union end with a jump after all of them.
            OpKind::Switch => self.jumps[op.first_jump() + op.aux as usize] as usize,
            OpKind::Branch => self.sites[pc].end as usize,
            _ => pc + 1,
        }
    }

    /// The steps of a union's branch, without the jump after them.
    fn branch(&self, pc: usize, branch: usize) -> std::ops::Range<usize> {
        let jumps = &self.jumps[self.ops[pc].first_jump() + branch..];
        jumps[0] as usize..jumps[1] as usize - 1
    }

    /// How a step is taken; those within it have been looked at.
    fn how(&self, pc: usize, next: usize) -> How {
        match self.ops[pc].kind {
            OpKind::Struct | OpKind::PushNull | OpKind::Fail => How::Lanes,
            OpKind::List if self.sites[pc].list.is_none_or(|site| site.min_item_bytes == 0) => How::Rows,
            OpKind::List => self.how_list(pc, next),
            OpKind::Default if self.has_defaults => How::Lanes,
            OpKind::Switch => self.how_switch(pc),
            kind if is_value(kind) => How::Lanes,
            _ => How::Rows,
        }
    }

    fn how_list(&self, pc: usize, next: usize) -> How {
        if let [item] = self.ops[pc + 1..next]
            && item.presence().is_none()
            && item.validity == Op::NO_VALIDITY
            && matches!(
                item.kind,
                OpKind::Int | OpKind::Long | OpKind::Float | OpKind::Double
            )
        {
            return How::Numbers;
        }
        // Lists and unions within are skipped in the rounds, and read when the order of all is
        // known. So are steps that the row engine takes. Where there is nothing else, rounds would
        // gain nothing.
        let (mut at, mut is_read) = (pc + 1, false);
        while at < next {
            let Step { next, how } = self.steps[at];
            let kind = self.ops[at].kind;
            is_read |= how == How::Lanes
                && !matches!(
                    kind,
                    OpKind::Struct | OpKind::Skip | OpKind::SkipInDefault | OpKind::PushNull
                );
            at = if how == How::Lanes && kind == OpKind::Struct {
                at + 1
            } else {
                next as usize
            };
        }
        if is_read { How::Rounds } else { How::Lanes }
    }

    fn how_switch(&self, pc: usize) -> How {
        let (mut has_branch, mut has_others) = (false, false);
        for branch in 0..self.ops[pc].aux as usize {
            match self.ops[self.branch(pc, branch).start].kind {
                OpKind::Branch => has_branch = true,
                OpKind::Fail => {}
                _ => has_others = true,
            }
        }
        match (has_branch, has_others) {
            (true, true) => How::Rows,
            (true, false) => How::DenseUnion,
            _ => How::Lanes,
        }
    }

    /// Steps that the row engine takes.
    fn count_by_rows(&self, mut pc: usize, end: usize) -> usize {
        let mut count = 0;
        while pc < end {
            let Step { next, how } = self.steps[pc];
            let next = next as usize;
            count += match (how, self.ops[pc].kind) {
                (How::Rows, _) => next - pc,
                (_, OpKind::Switch) => (0..self.ops[pc].aux as usize)
                    .map(|branch| {
                        let steps = self.branch(pc, branch);
                        // What chooses the child is no work.
                        let is_child = self.ops[steps.start].kind == OpKind::Branch;
                        self.count_by_rows(steps.start + usize::from(is_child), steps.end)
                    })
                    .sum(),
                _ => self.count_by_rows(pc + 1, next),
            };
            pc = next;
        }
        count
    }
}

fn is_value(kind: OpKind) -> bool {
    use OpKind as K;
    matches!(
        kind,
        K::Null
            | K::Bool
            | K::Int
            | K::Long
            | K::IntToLong
            | K::IntToFloat
            | K::IntToDouble
            | K::LongToFloat
            | K::LongToDouble
            | K::Float
            | K::FloatToDouble
            | K::Double
            | K::IntScaled
            | K::LongScaled
            | K::Bytes
            | K::LargeBytes
            | K::BytesView
            | K::Text
            | K::LargeText
            | K::TextView
            | K::Fixed
            | K::FixedAsBytes
            | K::EnumIndex
            | K::EnumMapped
            | K::Decimal32
            | K::Decimal64
            | K::Decimal128
            | K::Decimal256
            | K::Duration
            | K::UuidText
            | K::Skip
            | K::SkipInDefault
    )
}
