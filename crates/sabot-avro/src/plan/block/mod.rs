//! The block engine: each step over up to 64 rows before the next step.
//!
//! Rows are independent, so the processor reads many of them at once, and what a step costs apart from its values is paid
//! once a block. The messages are gathered into an arena, where reading beyond one of them is harmless; whether a row
//! went wrong is looked at when all steps are done. Then the caller truncates the columns and takes the lost rows with
//! the row engine, which says what is wrong, or finds that nothing is: this engine may refuse what is merely unusual
//! (a list in several blocks, a varint longer than necessary), but never takes what the row engine refuses.

mod lanes;
mod list;
mod skip;
mod support;
mod values;

use sabot_arrow::{Columns, Overflow, Span};
use sabot_cursor::{ARENA_BYTES, Arena};

use self::lanes::{Frame, LANES, Lanes};
pub(super) use self::support::Support;
use super::row::Part;
use super::{Op, OpKind, Plan};

/// Rows of a block at most.
pub(crate) const BLOCK_ROWS: usize = LANES;
/// Bytes of a block's messages at most.
pub(crate) const BLOCK_BYTES: usize = ARENA_BYTES - support::MAX_DEFAULT_BYTES;

/// What a block came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All rows stand in the columns, where they take this many bytes at least.
    Good { width_bytes: usize },
    /// Of the first `known` rows those in `lost` are to be taken with the row engine. The columns hold garbage.
    Lost { lost: u64, known: usize },
}

/// What the engine needs apart from plan and columns, kept from block to block.
#[derive(Debug, Default)]
pub(crate) struct BlockEngine {
    arena: Arena,
    /// Where the defaults of the plan at hand lie.
    defaults: Vec<Span>,
    /// The strings of a list's items, by step.
    spans: Vec<Vec<Span>>,
}

impl BlockEngine {
    /// Appends the rows of `bodies`, at most [`BLOCK_ROWS`] and of [`BLOCK_BYTES`] together, behind `columns.rows()`. The caller ends them, or truncates.
    pub(crate) fn decode<'m>(
        &mut self,
        plan: &Plan,
        columns: &mut Columns,
        bodies: impl Iterator<Item = &'m [u8]>,
        batch_bytes_left: usize,
    ) -> Outcome {
        self.arena.clear();
        self.place_defaults(plan);
        let mut lanes = Lanes::new();
        for body in bodies {
            match self.arena.push(body) {
                Some(range) => lanes.read.push(range),
                None => break,
            }
        }
        let frame = Frame {
            base: columns.rows(),
            len: lanes.len(),
            is_list: false,
        };
        let mut block = Block {
            plan,
            columns,
            arena: &self.arena,
            defaults: &self.defaults,
            spans: &mut self.spans,
            items_left: [plan.limits.row_items; LANES],
            width_bytes: [plan.row_width_bytes; LANES],
            bytes_left: batch_bytes_left.saturating_sub(plan.row_width_bytes.saturating_mul(lanes.len())),
            lost: 0,
        };
        let run = block.run(0, plan.ops.len(), &mut lanes, frame);
        let lost = lanes.read.lost(plan.ends_early) | block.lost;
        match run {
            Ok(()) if lost == 0 => Outcome::Good {
                width_bytes: block.width_bytes[..lanes.len()].iter().sum(),
            },
            Ok(()) => Outcome::Lost {
                lost,
                known: lanes.len(),
            },
            Err(Stuck { row }) => Outcome::Lost {
                lost: 1 << row | block.lost & !(u64::MAX << row),
                known: row + 1,
            },
        }
    }

    /// Puts the plan's defaults into the arena, where they are read as if they were messages.
    fn place_defaults(&mut self, plan: &Plan) {
        self.defaults.clear();
        let defaults = plan.defaults.iter().filter(|_| plan.support.has_defaults);
        for bytes in defaults {
            let range = self.arena.push(bytes).unwrap_or_default();
            self.defaults.push(Span {
                start: range.start,
                len: range.end - range.start,
            });
        }
    }
}

/// The block cannot go on behind this row.
#[derive(Debug, Clone, Copy)]
struct Stuck {
    row: usize,
}

impl From<Overflow> for Stuck {
    /// The row engine finds the row.
    #[cold]
    fn from(_: Overflow) -> Self {
        Self { row: 0 }
    }
}

struct Block<'a> {
    plan: &'a Plan,
    columns: &'a mut Columns,
    arena: &'a Arena,
    defaults: &'a [Span],
    spans: &'a mut Vec<Vec<Span>>,
    /// Items that each row may still have.
    items_left: [usize; LANES],
    /// What each row takes in the columns at least.
    width_bytes: [usize; LANES],
    /// What all of them together may still take beyond that.
    bytes_left: usize,
    /// Rows that are lost though their lanes are not.
    lost: u64,
}

impl Block<'_> {
    /// Runs the steps from `pc` up to `end` over all lanes.
    fn run(&mut self, mut pc: usize, end: usize, lanes: &mut Lanes, frame: Frame) -> Result<(), Stuck> {
        let plan = self.plan;
        while pc < end {
            if let Some(next) = plan.support.by_rows(pc) {
                self.by_rows(pc..next, lanes, frame)?;
                pc = next;
                continue;
            }
            let op = &plan.ops[pc];
            pc = match op.kind {
                OpKind::Struct => self.structure(op, pc, lanes, frame)?,
                OpKind::List => {
                    self.list(op, pc, lanes, frame)?;
                    op.aux as usize
                }
                OpKind::Default => {
                    self.default(op, pc, lanes, frame)?;
                    op.aux as usize
                }
                OpKind::PushNull => {
                    for _ in 0..frame.len {
                        self.columns.push_null(plan.sites[pc].column)?;
                    }
                    pc + 1
                }
                OpKind::Skip | OpKind::SkipInDefault => {
                    self.skip(op, lanes);
                    pc + 1
                }
                _ => {
                    self.value(op, pc, lanes, frame)?;
                    pc + 1
                }
            };
        }
        Ok(())
    }

    /// A record that may be null: its fields are read for the lanes that have it, and stay null for the others.
    fn structure(&mut self, op: &Op, pc: usize, lanes: &mut Lanes, frame: Frame) -> Result<usize, Stuck> {
        if op.non_null_byte == Op::NO_TAG {
            self.mark_valid(op, lanes, frame, lanes.read.all());
            return Ok(pc + 1);
        }
        let (mut nothing, end) = ([0; LANES], op.aux as usize);
        let present = lanes
            .read
            .fixed(self.arena.window(), op.non_null(), 0, &mut nothing);
        self.mark_valid(op, lanes, frame, present);
        if present == lanes.read.all() {
            return Ok(pc + 1);
        }
        let mut subset = lanes.subset(present);
        self.run(pc + 1, end, &mut subset, frame)?;
        lanes.join(present, &subset);
        Ok(end)
    }

    /// A value that only the reader has: all lanes read it at the same place.
    fn default(&mut self, op: &Op, pc: usize, lanes: &Lanes, frame: Frame) -> Result<(), Stuck> {
        let span = self.defaults[op.slot as usize];
        let mut readers = lanes.clone();
        readers.read.at.fill(span.start);
        readers.read.end.fill(span.start + span.len);
        self.run(pc + 1, op.aux as usize, &mut readers, frame)?;
        // A default is well-formed, but an unusual one is not taken here.
        let lost = readers.read.lost(false);
        for (lane, row) in readers.row.iter().enumerate() {
            self.lost |= (lost >> lane & 1) << row;
        }
        Ok(())
    }

    /// Runs steps with the row engine, one row after the other.
    #[cold]
    fn by_rows(
        &mut self,
        steps: std::ops::Range<usize>,
        lanes: &mut Lanes,
        frame: Frame,
    ) -> Result<(), Stuck> {
        debug_assert!(lanes.is_dense && !frame.is_list, "rows are appended in order");
        for lane in 0..lanes.len() {
            let row = usize::from(lanes.row[lane]);
            // A lane that is lost already has nothing to read: the columns are dropped anyway.
            let body = self.arena.slice(lanes.read.at[lane]..lanes.read.end[lane]);
            let part = Part {
                items_left: self.items_left[row],
                width_bytes: self.width_bytes[row],
                read_bytes: 0,
            };
            let most = part.width_bytes.saturating_add(self.bytes_left);
            match part.run(self.plan, self.columns, body, steps.clone(), most) {
                Ok(part) => {
                    self.bytes_left -= part.width_bytes - self.width_bytes[row];
                    lanes.read.at[lane] += part.read_bytes as u32;
                    self.items_left[row] = part.items_left;
                    self.width_bytes[row] = part.width_bytes;
                }
                Err(_) => return Err(Stuck { row }),
            }
        }
        Ok(())
    }

    /// Writes the validity of a step's column.
    fn mark_valid(&mut self, op: &Op, lanes: &Lanes, frame: Frame, present: u64) {
        if op.validity == Op::NO_VALIDITY {
            return;
        }
        let bits = &mut self.columns.validity[op.validity as usize];
        if lanes.is_dense {
            bits.push_word(present, lanes.len());
            return;
        }
        bits.grow(frame.base + frame.len);
        for (lane, to) in lanes.to[..lanes.len()].iter().enumerate() {
            bits.or(frame.base + *to as usize, present >> lane & 1 == 1);
        }
    }
}
