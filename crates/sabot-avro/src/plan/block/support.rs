//! Which steps the block engine takes, and which it leaves to the row engine.
//!
//! What it leaves is taken row by row for that step alone, where the step stands outside of lists and nullable records;
//! a list or nullable record that holds such a step is left as a whole.

use super::super::{Op, OpKind};

/// Bytes of all defaults of a plan that have a place in the arena at most.
pub(super) const MAX_DEFAULT_BYTES: usize = 4096;

/// How a plan's steps are taken in blocks.
#[derive(Debug, Default)]
pub(crate) struct Support {
    /// For each step the step behind it, if the row engine takes it and those within it; 0 otherwise.
    by_rows: Box<[u32]>,
    /// Whether the defaults have a place in the arena.
    pub(super) has_defaults: bool,
    is_worthwhile: bool,
}

impl Support {
    pub(in super::super) fn new(
        ops: &[Op],
        jumps: &[u32],
        defaults: &[Box<[u8]>],
        min_bytes: impl Fn(usize) -> u32,
    ) -> Self {
        let has_defaults = defaults.iter().map(|bytes| bytes.len()).sum::<usize>() <= MAX_DEFAULT_BYTES;
        let survey = Survey {
            ops,
            jumps,
            has_defaults,
            min_bytes: &min_bytes,
        };
        let mut by_rows = vec![0; ops.len()];
        let (mut pc, mut left) = (0, 0);
        while pc < ops.len() {
            let next = survey.next(pc);
            if survey.is_plain(pc) {
                pc += 1;
            } else {
                left += next - pc;
                by_rows[pc] = next as u32;
                pc = next;
            }
        }
        Self {
            by_rows: by_rows.into(),
            has_defaults,
            is_worthwhile: left * 2 <= ops.len(),
        }
    }

    /// Whether blocks are likely to be faster than rows.
    pub(crate) fn is_worthwhile(&self) -> bool {
        self.is_worthwhile
    }

    /// The step behind the one at `pc`, if the row engine takes it.
    #[inline]
    pub(super) fn by_rows(&self, pc: usize) -> Option<usize> {
        match self.by_rows[pc] {
            0 => None,
            next => Some(next as usize),
        }
    }
}

struct Survey<'a> {
    ops: &'a [Op],
    jumps: &'a [u32],
    has_defaults: bool,
    min_bytes: &'a dyn Fn(usize) -> u32,
}

impl Survey<'_> {
    /// The step behind the one at `pc` and all within it.
    fn next(&self, pc: usize) -> usize {
        let op = self.ops[pc];
        match op.kind {
            OpKind::Struct | OpKind::List | OpKind::Default => op.aux as usize,
            // The ways of a union end with a jump behind all of them.
            OpKind::Switch => self.jumps[op.slot as usize + op.aux as usize] as usize,
            // What stands in a union's branch has another place than what stands behind it, and no step says where it
            // ends.
            OpKind::Branch => self.ops.len(),
            _ => pc + 1,
        }
    }

    /// Whether the block engine takes the step at `pc`; for records that are always there, whether it takes the record
    /// without its fields, which are looked at by themselves.
    fn is_plain(&self, pc: usize) -> bool {
        let op = self.ops[pc];
        match op.kind {
            OpKind::Struct => op.non_null_byte == Op::NO_TAG || self.are_plain(pc, false),
            OpKind::List => (self.min_bytes)(pc) > 0 && self.are_plain(pc, true),
            OpKind::Default => self.has_defaults && self.are_plain(pc, false),
            OpKind::PushNull => true,
            kind => is_plain_value(kind),
        }
    }

    /// Whether all steps within the one at `pc` are taken, in any number of lanes.
    fn are_plain(&self, pc: usize, is_list: bool) -> bool {
        (pc + 1..self.next(pc)).all(|at| match self.ops[at].kind {
            OpKind::List | OpKind::PushNull => !is_list && self.is_plain(at),
            OpKind::Struct => true,
            OpKind::Default => self.has_defaults,
            kind => is_plain_value(kind),
        })
    }
}

fn is_plain_value(kind: OpKind) -> bool {
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
            | K::EnumIndex
            | K::EnumMapped
            | K::Decimal128
            | K::Decimal256
            | K::Duration
            | K::UuidText
            | K::Skip
            | K::SkipInDefault
    )
}
