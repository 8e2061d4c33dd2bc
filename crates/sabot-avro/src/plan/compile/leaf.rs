//! Values without others below them: numbers, text, bytes, enums, decimals.
//!
//! The pair of base types says what is read, the column says what is appended, and logical types
//! say what it means:
//!
//! | writer | reader | column | step |
//! |---|---|---|---|
//! | `int` | `long` | `Int64` | `IntToLong` |
//! | `int`, `time-millis` | `long`, `time-micros` | `Time64(Microsecond)` | `IntScaled` by 1,000 |
//! | `bytes`, `decimal(9, 2)` | the same | `Decimal128(9, 2)` | `Decimal128`, with its bounds in `decimals` |
//! | `string`, `uuid` | the same | `FixedSizeBinary(16)` | `UuidText` |
//! | `enum { A, B }` | `enum { B, A }` | `Dictionary` | `EnumMapped`, through 1, 0 in `enums` |
//!
//! Whether the pair fits at all is for [`fit`](crate::plan::resolve::fit) to say, before.

use std::collections::{HashMap, HashSet};

use arrow_schema::DataType;
use sabot_columns::{NodeIx, NodeKind};
use sabot_decode::{PlanError, StringType};

use super::{Compiler, mismatch};
use crate::output::{Form, OutputNode};
use crate::plan::resolve::conversion;
use crate::plan::skip::MAX_DEPTH;
use crate::plan::values::DecimalLimit;
use crate::plan::{DecimalSite, EnumMap, Op, OpKind};
use crate::schema::{At, Decimal, Enum, Field, Kind, Logical, TypeId};

impl Compiler<'_> {
    /// The step of a value without others below it. The types fit.
    pub(super) fn leaf(
        &mut self,
        writer: At<'_>,
        reader: At<'_>,
        node: &OutputNode,
    ) -> Result<Op, PlanError> {
        let column = self.column_ix(node.column);
        let (logical, written_logical) = (reader.ty().logical, writer.ty().logical);
        let is_arrow = reader.schema.is_arrow;
        // A finer unit: a product, and no other step.
        let factor = conversion(writer, reader).unwrap_or(1);
        let plain = |kind| Ok(Op::new(kind, column, 0));
        if factor != 1 {
            self.factors.push(factor);
            let kind = if matches!(writer.kind(), Kind::Int) {
                OpKind::IntScaled
            } else {
                OpKind::LongScaled
            };
            return Ok(Op::new(kind, column, self.factors.len() as u32 - 1));
        }
        match (writer.kind(), reader.kind()) {
            (Kind::Null, Kind::Null) => plain(OpKind::Null),
            (Kind::Boolean, Kind::Boolean) => plain(OpKind::Bool),
            (Kind::Int, Kind::Int) => plain(OpKind::Int),
            (Kind::Int, Kind::Long) => plain(OpKind::IntToLong),
            (Kind::Int, Kind::Float) => plain(OpKind::IntToFloat),
            (Kind::Int, Kind::Double) => plain(OpKind::IntToDouble),
            (Kind::Long, Kind::Long) => plain(OpKind::Long),
            (Kind::Long, Kind::Float) => plain(OpKind::LongToFloat),
            (Kind::Long, Kind::Double) => plain(OpKind::LongToDouble),
            (Kind::Float, Kind::Float) => plain(OpKind::Float),
            (Kind::Float, Kind::Double) => plain(OpKind::FloatToDouble),
            (Kind::Double, Kind::Double) => plain(OpKind::Double),
            (Kind::Bytes | Kind::String, Kind::Bytes) => match (logical, written_logical) {
                (Some(Logical::BigDecimal), _) | (Some(_), Some(Logical::BigDecimal)) => {
                    Ok(self.big_decimal(node))
                }
                (Some(Logical::Decimal(decimal)), _) => Ok(self.decimal(decimal, None, node)),
                _ => plain(self.bytes(node.column)),
            },
            (Kind::Fixed(size), Kind::Bytes) => match logical {
                Some(Logical::Decimal(decimal)) => Ok(self.decimal(decimal, Some(*size as u32), node)),
                _ => Ok(Op::new(OpKind::FixedAsBytes, column, *size as u32)),
            },
            (Kind::String, Kind::Fixed(_)) => plain(OpKind::UuidText),
            (Kind::Bytes | Kind::String, Kind::String) => match (logical, written_logical) {
                (_, Some(Logical::Decimal(decimal))) if is_arrow => Ok(self.decimal(decimal, None, node)),
                (_, Some(Logical::BigDecimal)) if is_arrow => Ok(self.big_decimal(node)),
                (Some(Logical::Uuid), _) if self.is_fixed(node) => plain(OpKind::UuidText),
                (Some(Logical::Uuid), _) => plain(OpKind::UuidTextAsText),
                _ => plain(self.text(node.column)),
            },
            (Kind::Fixed(size), Kind::String) => match written_logical {
                Some(Logical::Decimal(decimal)) => Ok(self.decimal(decimal, Some(*size as u32), node)),
                _ => plain(OpKind::UuidBytesAsText),
            },
            (Kind::Fixed(size), Kind::Fixed(_)) => match logical {
                Some(Logical::Decimal(decimal)) => Ok(self.decimal(decimal, Some(*size as u32), node)),
                Some(Logical::Duration) => plain(OpKind::Duration),
                Some(Logical::Uuid) if !self.is_fixed(node) => plain(OpKind::UuidBytesAsText),
                _ => Ok(Op::new(OpKind::Fixed, column, *size as u32)),
            },
            (Kind::Enum(written), Kind::String) => self.enumeration(written, written, node),
            (Kind::Enum(written), Kind::Enum(read)) => self.enumeration(written, read, node),
            _ => Err(mismatch(writer, reader)),
        }
    }

    /// The step of a value that no columns follow: text, bytes, or nothing.
    pub(super) fn unmapped(
        &mut self,
        writer: At<'_>,
        reader: At<'_>,
        node: &OutputNode,
    ) -> Result<Op, PlanError> {
        let is_in_default = self.is_in_default(writer);
        let kind = match (&node.form, is_in_default) {
            (Form::Json, false) => OpKind::Json,
            (Form::Json, true) => OpKind::JsonInDefault,
            (Form::Encoded, false) => OpKind::Encoded,
            (Form::Encoded, true) => OpKind::EncodedInDefault,
            _ => return Ok(Op::new(OpKind::TooDeep, 0, 0)),
        };
        self.has_json |= matches!(node.form, Form::Json);
        let mut known = HashSet::new();
        let is_same = !matches!(node.form, Form::Encoded) || is_same(writer, reader, &mut known, MAX_DEPTH);
        self.bytes += known.len() * size_of::<(TypeId, TypeId)>();
        if !is_same {
            return Err(PlanError::new(format!(
                "the bytes of the type {:?} can be kept only where writer and reader have the same schema of it",
                reader.full_name()
            )));
        }
        // Skipping needs the sizes of the reader's types too.
        self.min_bytes(writer);
        Ok(Op::new(kind, self.column_ix(node.column), writer.id.0))
    }

    fn decimal(&mut self, decimal: Decimal, fixed_bytes: Option<u32>, node: &OutputNode) -> Op {
        let column = self.column_ix(node.column);
        let kind = match self.kind(node.column) {
            NodeKind::I32(_) => OpKind::Decimal32,
            NodeKind::I64(_) => OpKind::Decimal64,
            NodeKind::I128(_) => OpKind::Decimal128,
            NodeKind::I256(_) => OpKind::Decimal256,
            _ if self.is_text(node) => OpKind::DecimalText,
            // More digits than Arrow takes: the bytes as they are.
            _ => {
                return fixed_bytes.map_or_else(
                    || Op::new(self.bytes(node.column), column, 0),
                    |bytes| Op::new(OpKind::Fixed, column, bytes),
                );
            }
        };
        self.decimals.push(DecimalSite {
            limit: DecimalLimit::new(decimal.precision.min(Decimal::MAX_ARROW_PRECISION)),
            fixed_bytes,
            precision: decimal.precision,
            scale: decimal.scale as i16,
        });
        Op::new(kind, column, self.decimals.len() as u32 - 1)
    }

    fn big_decimal(&mut self, node: &OutputNode) -> Op {
        let column = self.column_ix(node.column);
        let (kind, precision, scale) = match *self.output.layout.node(node.column).field.data_type() {
            DataType::Decimal32(precision, scale) => (OpKind::BigDecimal32, precision, scale),
            DataType::Decimal64(precision, scale) => (OpKind::BigDecimal64, precision, scale),
            DataType::Decimal128(precision, scale) => (OpKind::BigDecimal128, precision, scale),
            DataType::Decimal256(precision, scale) => (OpKind::BigDecimal256, precision, scale),
            _ if self.is_text(node) => return Op::new(OpKind::BigDecimalText, column, 0),
            _ => return Op::new(self.bytes(node.column), column, 0),
        };
        self.decimals.push(DecimalSite {
            limit: DecimalLimit::new(precision.into()),
            fixed_bytes: None,
            precision: precision.into(),
            scale: scale.into(),
        });
        Op::new(kind, column, self.decimals.len() as u32 - 1)
    }

    fn enumeration(&mut self, written: &Enum, read: &Enum, node: &OutputNode) -> Result<Op, PlanError> {
        let symbols = written.symbols.iter().chain(&read.symbols);
        self.bytes += symbols
            .map(|symbol| size_of::<Box<str>>() + symbol.len())
            .sum::<usize>();
        // A dictionary without symbols of its own takes those of the writers, and keeps their
        // positions for ever.
        let grown = (read.symbols.is_empty())
            .then(|| self.output.grow(node.column, &written.symbols))
            .flatten();
        if let Some(indexes) = grown.transpose()? {
            self.enums.push(EnumMap {
                indexes,
                texts: Box::default(),
            });
            return Ok(Op::new(
                OpKind::EnumMapped,
                self.column_ix(node.column),
                self.enums.len() as u32 - 1,
            ));
        }
        let positions: HashMap<&str, usize> = read
            .symbols
            .iter()
            .enumerate()
            .map(|(at, symbol)| (&**symbol, at))
            .collect();
        // A symbol that the reader has not is its default, or makes its row bad: -1.
        let index = |symbol: &str| positions.get(symbol).copied().or(read.default);
        let indexes: Box<[i32]> = written
            .symbols
            .iter()
            .map(|symbol| index(symbol).map_or(-1, |index| index as i32))
            .collect();
        let column = self.column_ix(node.column);
        let is_text = !matches!(self.kind(node.column), NodeKind::Dictionary(_) | NodeKind::I32(_));
        // Where both sides number their symbols alike, an index is only held against their count.
        if !is_text && indexes.iter().enumerate().all(|(at, index)| at as i32 == *index) {
            return Ok(Op::new(OpKind::EnumIndex, column, indexes.len() as u32));
        }
        let texts = if is_text {
            read.symbols.clone().into()
        } else {
            Box::default()
        };
        self.enums.push(EnumMap { indexes, texts });
        let kind = if is_text {
            OpKind::EnumText
        } else {
            OpKind::EnumMapped
        };
        Ok(Op::new(kind, column, self.enums.len() as u32 - 1))
    }

    pub(super) fn text(&self, column: NodeIx) -> OpKind {
        match self.storage(column) {
            StringType::LargeUtf8 => OpKind::LargeText,
            StringType::Utf8View => OpKind::TextView,
            _ => OpKind::Text,
        }
    }

    fn bytes(&self, column: NodeIx) -> OpKind {
        match self.storage(column) {
            StringType::LargeUtf8 => OpKind::LargeBytes,
            StringType::Utf8View => OpKind::BytesView,
            _ => OpKind::Bytes,
        }
    }

    /// Which of the columns' arrays of bytes a column of text or bytes is in.
    pub(super) fn storage(&self, column: NodeIx) -> StringType {
        match self.kind(column) {
            NodeKind::LargeBytes(_) => StringType::LargeUtf8,
            NodeKind::Views(_) => StringType::Utf8View,
            _ => StringType::Utf8,
        }
    }

    /// Whether a column holds text.
    fn is_text(&self, node: &OutputNode) -> bool {
        let field = &self.output.layout.node(node.column).field;
        matches!(
            field.data_type(),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        )
    }
}

/// Whether the same bytes mean the same in both schemas. They do not where that is deeper than
/// `depth` to see.
fn is_same(a: At<'_>, b: At<'_>, known: &mut HashSet<(TypeId, TypeId)>, depth: usize) -> bool {
    if !known.insert((a.id, b.id)) {
        return true;
    }
    if depth == 0 || a.full_name() != b.full_name() || a.ty().logical != b.ty().logical {
        return false;
    }
    let mut same = |x: TypeId, y: TypeId| is_same(a.to(x), b.to(y), known, depth - 1);
    match (a.kind(), b.kind()) {
        (Kind::Array(x), Kind::Array(y)) | (Kind::Map(x), Kind::Map(y)) => same(*x, *y),
        (Kind::Union(x), Kind::Union(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(*x, *y)),
        (Kind::Record(x), Kind::Record(y)) => {
            let is_same_field = |(x, y): (&Field, &Field)| x.name == y.name && same(x.ty, y.ty);
            x.len() == y.len() && x.iter().zip(y).all(is_same_field)
        }
        (Kind::Enum(x), Kind::Enum(y)) => x.symbols == y.symbols,
        (Kind::Fixed(x), Kind::Fixed(y)) => x == y,
        (x, y) => std::mem::discriminant(x) == std::mem::discriminant(y),
    }
}
