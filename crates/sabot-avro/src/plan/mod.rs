//! A plan: one writer schema compiled onto the columns of one reader schema, as a flat list of
//! steps.
//!
//! Steps address columns and each other by position, so that a plan is immutable, without
//! pointers, and can be shared by threads. Schema resolution happens here once, not in every row.
//! Values that a reader adds are written as Avro bytes by its defaults and read like any other,
//! which spares a second set of steps for constants.

mod big;
mod block;
mod compile;
mod defaults;
mod json;
mod prefix;
mod rare;
mod resolve;
mod row;
mod skip;
mod split;
mod values;

use std::ops::Range;

use sabot_columns::NodeIx;
use sabot_cursor::Presence;
use sabot_decode::{FieldPathId, Limits, StringType};

use crate::schema::Schema;
pub(crate) use block::BlockEngine;
pub(crate) use compile::compile;
pub(crate) use row::decode_row;
use skip::{SkipStep, Skips};
pub(crate) use split::{NoEnd, Splitter};
use values::DecimalLimit;

/// One step. Its meaning is its kind's.
#[derive(Debug, Clone, Copy)]
struct Op {
    kind: OpKind,
    /// The byte that a nullable value's branch index is where the value is not null (0 or 2);
    /// [`Op::NO_TAG`] where no index is written.
    non_null_byte: u8,
    /// Of a value, the column's position in the array of columns that its kind writes to. Of other
    /// steps, see [`Op::first_jump`], [`Op::default_at`] and [`Op::skip_steps`].
    at: u32,
    /// The position of the column's validity, or [`Op::NO_VALIDITY`].
    validity: u32,
    /// What else the kind says.
    aux: u32,
}

impl Op {
    const NO_TAG: u8 = u8::MAX;
    const NO_VALIDITY: u32 = u32::MAX;

    /// A step whose value is never null.
    const fn new(kind: OpKind, at: u32, aux: u32) -> Self {
        Self {
            kind,
            non_null_byte: Self::NO_TAG,
            at,
            validity: Self::NO_VALIDITY,
            aux,
        }
    }

    /// Of a [`OpKind::Switch`]: where the jumps to its branches begin among the plan's.
    fn first_jump(&self) -> usize {
        self.at as usize
    }

    /// Of a [`OpKind::Default`]: its position among the plan's defaults.
    fn default_at(&self) -> usize {
        self.at as usize
    }

    /// Of a [`OpKind::Skip`] or [`OpKind::SkipInDefault`]: its steps among the plan's skip steps.
    fn skip_steps(&self) -> Range<usize> {
        self.at as usize..self.aux as usize
    }

    fn presence(&self) -> Option<Presence> {
        presence(self.non_null_byte)
    }
}

/// The bytes before a value that may be null, of which [`Op::non_null_byte`] is one: the indices of
/// a union's two branches.
fn presence(non_null_byte: u8) -> Option<Presence> {
    (non_null_byte != Op::NO_TAG).then(|| Presence::new(non_null_byte, non_null_byte ^ 2))
}

/// What a step reads, and what it appends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpKind {
    // Values of one column.
    Null,
    Bool,
    Int,
    Long,
    IntToLong,
    IntToFloat,
    IntToDouble,
    LongToFloat,
    LongToDouble,
    Float,
    FloatToDouble,
    Double,
    /// An int or long times `factors[aux]`, in 64 bits.
    IntScaled,
    LongScaled,
    Bytes,
    LargeBytes,
    BytesView,
    Text,
    LargeText,
    TextView,
    /// `aux` bytes.
    Fixed,
    FixedAsBytes,
    /// An enum's index below `aux`, kept as it is.
    EnumIndex,
    /// An enum's index through `enums[aux]`, as an index or as text.
    EnumMapped,
    EnumText,
    /// `decimals[aux]` says the digits and, for fixed, the bytes.
    Decimal32,
    Decimal64,
    Decimal128,
    Decimal256,
    DecimalText,
    /// A decimal with its own scale, as text or as `decimals[aux]` says.
    BigDecimalText,
    BigDecimal32,
    BigDecimal64,
    BigDecimal128,
    BigDecimal256,
    Duration,
    /// A UUID's text as 16 bytes or as text, and 16 bytes as text.
    UuidText,
    UuidTextAsText,
    UuidBytesAsText,

    /// A value of the writer's type `aux` as Avro's JSON encoding; the second is within a default,
    /// which is written with the reader's schema.
    Json,
    JsonInDefault,
    /// The bytes of a value of the writer's type `aux`, in the same way.
    Encoded,
    EncodedInDefault,
    /// A value within more of its own kind than the target has columns for.
    TooDeep,

    // What holds steps up to `aux`.
    Struct,
    /// Items up to `aux`; `sites[..].list` says more. Maps too: their items are a key and a value.
    List,
    /// The default [`Op::default_at`], read by the steps up to `aux`.
    Default,

    // Unions.
    /// A writer's branch index below `aux`: goes on at that jump from [`Op::first_jump`] on.
    Switch,
    /// Goes on at `aux`.
    Jump,
    /// A row of a dense union in the child `aux`; the steps after it append the child's value.
    Branch,
    /// A null (or placeholder) for the whole subtree of the step's column. Nothing is read.
    PushNull,
    /// The value has no counterpart in the reader schema.
    Fail,

    // What the reader has no column for.
    /// Skips by [`Op::skip_steps`], of the writer's schema.
    Skip,
    /// The same within a default, which is written with the reader's schema.
    SkipInDefault,
}

/// What a step needs apart from its fast path.
#[derive(Debug, Clone, Copy)]
struct Site {
    /// The field path of the step's errors.
    path: FieldPathId,
    /// The column that the step appends to.
    column: NodeIx,
    /// Where text is, if it is text that the step appends.
    text: StringType,
    /// How the whole value is stepped over; `None` where it takes no bytes.
    skip: Option<SkipSite>,
    /// Of a union's branch, the step after the branch's value.
    end: u32,
    /// Of a list or map.
    list: Option<ListSite>,
}

/// How a value is stepped over: with the writer's types, or with the reader's within a default.
#[derive(Debug, Clone, Copy)]
struct SkipSite {
    step: SkipStep,
    is_in_default: bool,
}

/// What bounds a list, and how its items are stepped over.
#[derive(Debug, Clone, Copy)]
struct ListSite {
    /// Bytes of the shortest item.
    min_item_bytes: u32,
    /// Bytes that an item takes in the columns at least, whatever it takes in the message.
    item_width_bytes: u32,
    /// Whether a key comes before each item: in a map.
    has_key: bool,
    item: SkipSite,
}

/// How a writer's enum meets the reader's.
#[derive(Debug)]
struct EnumMap {
    /// For each of the writer's symbols the reader's index, or -1.
    indexes: Box<[i32]>,
    /// The reader's symbols, where they are wanted as text.
    texts: Box<[Box<str>]>,
}

/// The bounds of a decimal.
#[derive(Debug, Clone, Copy)]
struct DecimalSite {
    limit: DecimalLimit,
    /// Bytes of a fixed; `None` for bytes.
    fixed_bytes: Option<u32>,
    precision: u16,
    scale: i16,
}

/// A writer schema compiled onto columns.
#[derive(Debug)]
pub(crate) struct Plan {
    ops: Box<[Op]>,
    /// One for each step.
    sites: Box<[Site]>,
    jumps: Box<[u32]>,
    defaults: Box<[Box<[u8]>]>,
    enums: Box<[EnumMap]>,
    decimals: Box<[DecimalSite]>,
    factors: Box<[i64]>,
    skips: Skips,
    /// Steps over neighbouring values, and the field path of the errors of each.
    skip_steps: Box<[(SkipStep, FieldPathId)]>,
    /// Whether the steps end before the message does: with a projection, what comes after the
    /// last value that a column takes is not looked at.
    ends_early: bool,
    skips_in_default: Option<Skips>,
    /// The writer's schema and the reader's, where values become text.
    schemas: Option<(Schema, Schema)>,
    /// How the steps are taken in blocks.
    strategy: block::Strategy,
    /// Bytes that a row takes in the columns at least.
    row_width_bytes: usize,
    limits: Limits,
}

impl Plan {
    /// Levels of a value at most that is stepped over, or becomes text.
    fn depth(&self) -> usize {
        self.limits.depth.min(skip::MAX_DEPTH)
    }

    fn skips_of(&self, is_in_default: bool) -> Option<&Skips> {
        match is_in_default {
            false => Some(&self.skips),
            true => self.skips_in_default.as_ref(),
        }
    }
}

impl sabot_codec::Plan for Plan {
    fn row_bytes(&self) -> usize {
        self.row_width_bytes
    }

    fn is_for_blocks(&self) -> bool {
        self.strategy.is_worthwhile()
    }

    fn defaults(&self) -> &[Box<[u8]>] {
        &self.defaults
    }

    fn default_bytes(&self) -> usize {
        self.strategy.default_bytes()
    }
}
