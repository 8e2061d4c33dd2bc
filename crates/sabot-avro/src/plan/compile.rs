//! From a writer schema and a shape to a plan.
//!
//! One walk over both, in the order of the writer's bytes, emits the steps. What cannot be resolved in one branch of a
//! writer's union becomes a step that fails, since a topic may never hold such a value; everything else refuses the
//! schema. Schemas may come from anybody and named types multiply, so both the values and the bytes looked at are counted.

use std::collections::HashMap;

use sabot_arrow::{NodeIx, NodeKind};
use sabot_decode::{Limits, NodeId, PlanError, StringType};

use super::resolve::{Fit, conversion, fit};
use super::skip::{SkipStep, Skips};
use super::values::DecimalLimit;
use super::{DecimalSite, EnumMap, ListSite, Op, OpKind, Plan, Site, defaults};
use crate::paths::Paths;
use crate::schema::{At, Enum, Field, Kind, Logical, Schema, TypeId};
use crate::shape::{Form, NO_COLUMN, Node, Shape, ShapeId, Union};

/// Values looked at for one plan at most: a writer's unions can reach the same columns again and again, and fail there.
const MAX_VALUES: usize = 1 << 17;
/// Bytes of names, defaults and enum symbols read for one plan at most: they count wherever their type is used.
const MAX_BYTES: usize = 64 << 20;

/// Compiles `writer` onto the columns of `shape`.
pub(crate) fn compile(
    writer: &Schema,
    shape: &Shape,
    paths: &mut Paths,
    limits: Limits,
) -> Result<Plan, PlanError> {
    let mut compiler = Compiler {
        shape,
        paths,
        ops: Vec::new(),
        sites: Vec::new(),
        jumps: Vec::new(),
        defaults: Vec::new(),
        enums: Vec::new(),
        decimals: Vec::new(),
        factors: Vec::new(),
        skips: Skips::new(writer),
        skip_steps: Vec::new(),
        skips_in_default: None,
        is_last: shape.may_end_early,
        ends_early: false,
        label: 0,
        values: 0,
        bytes: 0,
        default_bytes: 0,
    };
    let compiled = compiler.value(writer.root(), shape.root, NodeId::ROOT);
    // A union takes any error for that of one branch; this one is of all.
    compiler.check_bounds()?;
    compiled?;
    Ok(Plan {
        ops: compiler.ops.into(),
        sites: compiler.sites.into(),
        jumps: compiler.jumps.into(),
        defaults: compiler.defaults.into(),
        enums: compiler.enums.into(),
        decimals: compiler.decimals.into(),
        factors: compiler.factors.into(),
        skips: compiler.skips,
        skip_steps: compiler.skip_steps.into(),
        ends_early: compiler.ends_early,
        skips_in_default: compiler.skips_in_default,
        strings: shape.strings,
        row_width_bytes: shape.width_bytes() + compiler.default_bytes,
        limits,
    })
}

struct Compiler<'a> {
    shape: &'a Shape,
    paths: &'a mut Paths,
    ops: Vec<Op>,
    sites: Vec<Site>,
    jumps: Vec<u32>,
    defaults: Vec<Box<[u8]>>,
    enums: Vec<EnumMap>,
    decimals: Vec<DecimalSite>,
    factors: Vec<i64>,
    skips: Skips,
    skip_steps: Vec<(SkipStep, NodeId)>,
    skips_in_default: Option<Skips>,
    /// Whether no column takes anything from behind the value at hand, so that its own end need not be reached either.
    is_last: bool,
    ends_early: bool,
    /// The last step that another jumps to: skips are not merged across it.
    label: usize,
    /// Values looked at so far, in branches that failed too.
    values: usize,
    /// The same for bytes of names, defaults and symbols.
    bytes: usize,
    /// Bytes of the defaults that one row, or one item of the list at hand, takes.
    default_bytes: usize,
}

/// Which steps a value takes, apart from what is below.
#[derive(Debug, Clone, Copy)]
struct Step {
    kind: OpKind,
    slot: u32,
    aux: u32,
}

impl Step {
    const fn new(kind: OpKind, slot: u32, aux: u32) -> Self {
        Self { kind, slot, aux }
    }
}

impl<'a> Compiler<'a> {
    /// A writer's value of any type onto a column.
    fn value(&mut self, writer: At<'_>, id: ShapeId, path: NodeId) -> Result<(), PlanError> {
        self.values += 1;
        self.check_bounds()?;
        let node = self.node(id);
        if let Kind::Union(branches) = writer.kind() {
            if let Some((non_null_byte, inner)) = self.nullable(writer, branches, node) {
                return self.present(inner, id, path, non_null_byte);
            }
            return self.switch(writer, branches, id, path);
        }
        if let (Form::Union(union), false) = (&node.form, is_null_of_struct(writer, node)) {
            return self.branch(writer, union, node, path);
        }
        if matches!(writer.kind(), Kind::Null) && node.is_nullable && !self.is_null_column(node) {
            self.push(Step::new(OpKind::PushNull, 0, 0), node.column, path);
            return Ok(());
        }
        self.present(writer, id, path, Op::NO_TAG)
    }

    fn check_bounds(&self) -> Result<(), PlanError> {
        if self.values > MAX_VALUES {
            return Err(PlanError::new(format!(
                "the schemas take more than {MAX_VALUES} steps to resolve"
            )));
        }
        if self.bytes > MAX_BYTES {
            return Err(PlanError::new(format!(
                "the schemas take more than {MAX_BYTES} bytes of names, defaults and symbols to resolve"
            )));
        }
        Ok(())
    }

    fn path_below(&mut self, path: NodeId, segment: &str) -> NodeId {
        self.bytes += segment.len();
        self.paths.below(path, segment)
    }

    /// The byte before a value that is there, and its type, where both sides are null or one matching type.
    fn nullable<'w>(&self, writer: At<'w>, branches: &[TypeId], node: &Node) -> Option<(u8, At<'w>)> {
        let [first, second] = *branches else { return None };
        let (non_null_byte, inner) = match (writer.to(first).kind(), writer.to(second).kind()) {
            (Kind::Null, _) => (2, writer.to(second)),
            (_, Kind::Null) => (0, writer.to(first)),
            _ => return None,
        };
        let is_match = node.is_nullable && !matches!(node.form, Form::Union(_)) && !self.is_null_column(node);
        (is_match && fit(inner, self.reader(node)).is_some()).then_some((non_null_byte, inner))
    }

    /// A value that is there, or whose absence `non_null_byte` tells.
    fn present(
        &mut self,
        writer: At<'_>,
        id: ShapeId,
        path: NodeId,
        non_null_byte: u8,
    ) -> Result<(), PlanError> {
        let node = self.node(id);
        let reader = self.reader(node);
        if fit(writer, reader).is_none() {
            return Err(mismatch(writer, reader));
        }
        match (writer.kind(), &node.form) {
            (Kind::Record(written), Form::Record(kept)) => {
                let Kind::Record(read) = reader.kind() else {
                    return Err(mismatch(writer, reader));
                };
                let group = self.begin_struct(node, path, non_null_byte);
                self.record((writer, written), (reader, read), kept, path)?;
                self.end(group);
                Ok(())
            }
            (Kind::Array(written), Form::Array(item)) => {
                let path_below = self.path_below(path, "[]");
                self.list(node, path, non_null_byte, |compiler| {
                    let item = (writer.to(*written), *item, path_below);
                    compiler
                        .value(item.0, item.1, item.2)
                        .map_err(|error| error.within("[]"))?;
                    Ok((compiler.min_bytes(item.0), compiler.node(item.1).width_bytes))
                })
            }
            (Kind::Map(written), Form::Map { key, value }) => {
                let path_below = self.path_below(path, "{}");
                self.list(node, path, non_null_byte, |compiler| {
                    let step = Step::new(compiler.text(), compiler.slot(*key), 0);
                    compiler.push(step, *key, path_below);
                    let value = (writer.to(*written), *value, path_below);
                    compiler
                        .value(value.0, value.1, value.2)
                        .map_err(|error| error.within("{}"))?;
                    // The key's length is a byte at least, and its column's offset 16 at most.
                    Ok((
                        compiler.min_bytes(value.0) + 1,
                        compiler.node(value.1).width_bytes + 16,
                    ))
                })
            }
            _ => {
                let step = self.leaf(writer, reader, node)?;
                let at = self.push(step, node.column, path);
                self.ops[at].non_null_byte = non_null_byte;
                self.ops[at].validity = self.validity(node.column);
                Ok(())
            }
        }
    }

    /// A writer's union: one way for each branch.
    fn switch(
        &mut self,
        writer: At<'_>,
        branches: &[TypeId],
        id: ShapeId,
        path: NodeId,
    ) -> Result<(), PlanError> {
        let column = self.node(id).column;
        let first_jump = self.jumps.len();
        let step = Step::new(OpKind::Switch, first_jump as u32, branches.len() as u32);
        self.push(step, column, path);
        self.jumps.resize(first_jump + branches.len(), 0);
        let (mut ends, mut error, mut is_any) = (Vec::new(), None, false);
        for (index, branch) in branches.iter().map(|id| writer.to(*id)).enumerate() {
            self.set_label();
            self.jumps[first_jump + index] = self.ops.len() as u32;
            let (start, jumps, bytes) = (self.ops.len(), self.jumps.len(), self.default_bytes);
            let (skips, is_last, ends_early) = (self.skip_steps.len(), self.is_last, self.ends_early);
            let is_null = matches!(branch.kind(), Kind::Null);
            match self.value(branch, id, path) {
                Ok(()) => is_any |= !is_null || branches.len() == 1,
                Err(failed) => {
                    // Only rows of this branch are bad, so that the others can be read.
                    self.ops.truncate(start);
                    self.sites.truncate(start);
                    self.jumps.truncate(jumps);
                    self.default_bytes = bytes;
                    self.skip_steps.truncate(skips);
                    (self.is_last, self.ends_early) = (is_last, ends_early);
                    self.push(Step::new(OpKind::Fail, 0, 0), column, path);
                    error = error.or((!is_null || branches.len() == 1).then_some(failed));
                }
            }
            ends.push(self.push(Step::new(OpKind::Jump, 0, 0), column, path));
        }
        if let (false, Some(error)) = (is_any, error) {
            return Err(error);
        }
        ends.into_iter().for_each(|end| self.end(Some(end)));
        Ok(())
    }

    /// A value that is no union onto a union column.
    fn branch(
        &mut self,
        writer: At<'_>,
        union: &'a Union,
        node: &Node,
        path: NodeId,
    ) -> Result<(), PlanError> {
        let branches = union.branches.iter().map(|(_, id)| *id);
        let names = branches.clone().map(|id| {
            let named = self.reader(self.node(id)).ty().named.as_ref();
            1 + named.map_or(0, |named| named.aliases.len())
        });
        self.bytes += names.sum::<usize>();
        let fits = branches.enumerate().filter_map(|(child, id)| {
            let fit = fit(writer, self.reader(self.node(id)))?;
            Some((fit, child, id))
        });
        // The first of the best.
        let best = fits.min_by_key(|(fit, child, _): &(Fit, usize, ShapeId)| (*fit, *child));
        let Some((_, chosen, id)) = best else {
            let message = format!(
                "the reader's union has no branch for the writer's {}",
                writer.full_name()
            );
            return Err(PlanError::new(message));
        };
        let name = self.shape.layout.node(self.node(id).column).field.name().clone();
        let segment = format!("<{name}>");
        let path_below = self.path_below(path, &segment);
        if union.is_dense {
            let slot = self.slot(node.column);
            self.push(Step::new(OpKind::Branch, slot, chosen as u32), node.column, path);
            return self
                .value(writer, id, path_below)
                .map_err(|error| error.within(segment));
        }
        let group = self.begin_struct(node, path, Op::NO_TAG);
        for (child, &(_, id)) in union.branches.iter().enumerate() {
            if child == chosen {
                self.value(writer, id, path_below)
                    .map_err(|error| error.within(&*segment))?;
            } else {
                let column = self.node(id).column;
                self.push(Step::new(OpKind::PushNull, 0, 0), column, path);
            }
        }
        self.end(group);
        Ok(())
    }

    /// The fields in the writer's order, then those that only the reader has.
    fn record(
        &mut self,
        (writer, written): (At<'_>, &[Field]),
        (reader, read): (At<'_>, &[Field]),
        kept: &[(usize, ShapeId)],
        path: NodeId,
    ) -> Result<(), PlanError> {
        self.bytes += written.len() + read.len();
        let sources = sources(written, read);
        let readers: HashMap<usize, (usize, ShapeId)> = kept
            .iter()
            .filter_map(|(field, id)| Some((sources[*field]?, (*field, *id))))
            .collect();
        let last = (0..written.len()).rfind(|position| readers.contains_key(position));
        let is_last = self.is_last;
        for (position, field) in written.iter().enumerate() {
            let ty = writer.to(field.ty);
            if is_last && Some(position) > last {
                let rest = written[position..].iter();
                self.ends_early |= rest
                    .map(|field| self.skips.step(field.ty))
                    .any(|step| step.exact_bytes() != Some(0));
                break;
            }
            self.is_last = is_last && Some(position) == last;
            if let Some(&(position, id)) = readers.get(&position) {
                let name = &*read[position].name;
                let path = self.path_below(path, name);
                self.value(ty, id, path).map_err(|error| error.within(name))?;
            } else {
                let path = self.path_below(path, &field.name);
                self.skip(ty, path);
            }
        }
        self.is_last = false;
        for &(position, id) in kept.iter().filter(|(field, _)| sources[*field].is_none()) {
            let field = &read[position];
            let path = self.path_below(path, &field.name);
            self.default(reader.to(field.ty), field, id, path)
                .map_err(|error| error.within(&*field.name))?;
        }
        self.is_last = is_last;
        Ok(())
    }

    fn default(&mut self, ty: At<'_>, field: &Field, id: ShapeId, path: NodeId) -> Result<(), PlanError> {
        let Some(json) = &field.default else {
            return Err(PlanError::new(
                "the writer's record has no such field, and the reader's no default",
            ));
        };
        let bytes = defaults::encode(ty, json, MAX_BYTES.saturating_sub(self.bytes))?;
        self.bytes += bytes.len();
        self.default_bytes += bytes.len();
        let column = self.node(id).column;
        let op = self.push(
            Step::new(OpKind::Default, self.defaults.len() as u32, 0),
            column,
            path,
        );
        self.defaults.push(bytes);
        // The default is read as if a writer with the reader's own schema had written it.
        self.value(ty, id, path)?;
        self.end(Some(op));
        Ok(())
    }

    fn list(
        &mut self,
        node: &Node,
        path: NodeId,
        non_null_byte: u8,
        item: impl FnOnce(&mut Self) -> Result<(u32, usize), PlanError>,
    ) -> Result<(), PlanError> {
        let step = Step::new(OpKind::List, self.slot(node.column), 0);
        let at = self.push(step, node.column, path);
        self.ops[at].non_null_byte = non_null_byte;
        self.ops[at].validity = self.validity(node.column);
        self.set_label();
        let outer_bytes = std::mem::take(&mut self.default_bytes);
        let is_last = std::mem::replace(&mut self.is_last, false);
        let (min_item_bytes, width) = item(self)?;
        self.is_last = is_last;
        let default_bytes = std::mem::replace(&mut self.default_bytes, outer_bytes);
        let item_width_bytes = u32::try_from(width + default_bytes).unwrap_or(u32::MAX);
        self.sites[at].list = ListSite {
            min_item_bytes,
            item_width_bytes,
        };
        self.end(Some(at));
        Ok(())
    }

    /// Steps over a value, in one step with the values before it that are skipped too.
    fn skip(&mut self, ty: At<'_>, path: NodeId) {
        self.values += 1;
        let is_in_default = std::ptr::eq(ty.schema, &raw const self.shape.reader);
        let step = self.skips_of(is_in_default).step(ty.id);
        if step.exact_bytes() == Some(0) {
            return;
        }
        let kind = if is_in_default {
            OpKind::SkipInDefault
        } else {
            OpKind::Skip
        };
        let is_mergeable = self.ops.len() > self.label;
        let end = self.skip_steps.len() as u32;
        match self.ops.last_mut() {
            Some(op) if is_mergeable && op.kind == kind && op.aux == end => {
                match self.skip_steps.last_mut() {
                    Some((last, _)) if last.merged(step).is_some() => {
                        *last = last.merged(step).unwrap_or(*last);
                    }
                    _ => {
                        self.skip_steps.push((step, path));
                        op.aux += 1;
                    }
                }
            }
            _ => {
                self.skip_steps.push((step, path));
                self.push(Step::new(kind, end, end + 1), NO_COLUMN, path);
            }
        }
    }

    fn min_bytes(&mut self, ty: At<'_>) -> u32 {
        let is_in_default = std::ptr::eq(ty.schema, &raw const self.shape.reader);
        self.skips_of(is_in_default).min_bytes(ty.id)
    }

    fn skips_of(&mut self, is_in_default: bool) -> &Skips {
        if !is_in_default {
            return &self.skips;
        }
        self.skips_in_default
            .get_or_insert_with(|| Skips::new(&self.shape.reader))
    }

    /// The step of a value without others below it. The types fit.
    fn leaf(&mut self, writer: At<'_>, reader: At<'_>, node: &Node) -> Result<Step, PlanError> {
        let slot = self.slot(node.column);
        let logical = reader.ty().logical;
        let factor = conversion(writer, reader).unwrap_or(1);
        let plain = |kind| Ok(Step::new(kind, slot, 0));
        if factor != 1 {
            self.factors.push(factor);
            let kind = if matches!(writer.kind(), Kind::Int) {
                OpKind::IntScaled
            } else {
                OpKind::LongScaled
            };
            return Ok(Step::new(kind, slot, self.factors.len() as u32 - 1));
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
            (Kind::Bytes | Kind::String, Kind::Bytes) => match logical {
                Some(Logical::Decimal(decimal)) => Ok(self.decimal(decimal.precision, None, node)),
                _ => plain(OpKind::Bytes),
            },
            (Kind::Bytes | Kind::String, Kind::String) => match logical {
                Some(Logical::Uuid) if self.is_fixed(node) => plain(OpKind::UuidText),
                Some(Logical::Uuid) => plain(OpKind::UuidTextAsText),
                _ => plain(self.text()),
            },
            (Kind::Fixed(size), Kind::Fixed(_)) => match logical {
                Some(Logical::Decimal(decimal)) => {
                    Ok(self.decimal(decimal.precision, Some(*size as u32), node))
                }
                Some(Logical::Duration) => plain(OpKind::Duration),
                Some(Logical::Uuid) if !self.is_fixed(node) => plain(OpKind::UuidBytesAsText),
                _ => Ok(Step::new(OpKind::Fixed, slot, *size as u32)),
            },
            (Kind::Enum(written), Kind::Enum(read)) => Ok(self.enumeration(written, read, node)),
            _ => Err(mismatch(writer, reader)),
        }
    }

    fn decimal(&mut self, precision: u8, fixed_bytes: Option<u32>, node: &Node) -> Step {
        self.decimals.push(DecimalSite {
            limit: DecimalLimit::new(precision),
            fixed_bytes,
        });
        let is_narrow = matches!(self.kind(node.column), NodeKind::I128(_));
        let kind = if is_narrow {
            OpKind::Decimal128
        } else {
            OpKind::Decimal256
        };
        Step::new(kind, self.slot(node.column), self.decimals.len() as u32 - 1)
    }

    fn enumeration(&mut self, written: &Enum, read: &Enum, node: &Node) -> Step {
        let symbols = written.symbols.iter().chain(&read.symbols);
        self.bytes += symbols
            .map(|symbol| size_of::<Box<str>>() + symbol.len())
            .sum::<usize>();
        let positions: HashMap<&str, usize> = read
            .symbols
            .iter()
            .enumerate()
            .map(|(at, symbol)| (&**symbol, at))
            .collect();
        let index = |symbol: &str| positions.get(symbol).copied().or(read.default);
        let indexes: Box<[i32]> = written
            .symbols
            .iter()
            .map(|symbol| index(symbol).map_or(-1, |index| index as i32))
            .collect();
        let slot = self.slot(node.column);
        let is_text = !matches!(self.kind(node.column), NodeKind::Dictionary(_) | NodeKind::I32(_));
        if !is_text && indexes.iter().enumerate().all(|(at, index)| at as i32 == *index) {
            return Step::new(OpKind::EnumIndex, slot, indexes.len() as u32);
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
        Step::new(kind, slot, self.enums.len() as u32 - 1)
    }

    /// Opens a struct where there is something to say of it: its fields need no step around them otherwise.
    fn begin_struct(&mut self, node: &Node, path: NodeId, non_null_byte: u8) -> Option<usize> {
        if node.column == NO_COLUMN {
            return None;
        }
        let validity = self.validity(node.column);
        if validity == Op::NO_VALIDITY && non_null_byte == Op::NO_TAG {
            return None;
        }
        let at = self.push(Step::new(OpKind::Struct, 0, 0), node.column, path);
        self.ops[at].non_null_byte = non_null_byte;
        self.ops[at].validity = validity;
        Some(at)
    }

    /// Lets a step end, or lead, here.
    fn end(&mut self, op: Option<usize>) {
        if let Some(op) = op {
            self.ops[op].aux = self.ops.len() as u32;
            self.set_label();
        }
    }

    fn set_label(&mut self) {
        self.label = self.ops.len();
    }

    fn push(&mut self, step: Step, column: NodeIx, path: NodeId) -> usize {
        self.ops.push(Op {
            kind: step.kind,
            non_null_byte: Op::NO_TAG,
            slot: step.slot,
            validity: Op::NO_VALIDITY,
            aux: step.aux,
        });
        self.sites.push(Site {
            path,
            column,
            list: ListSite::default(),
        });
        self.ops.len() - 1
    }

    fn node(&self, id: ShapeId) -> &'a Node {
        self.shape.node(id)
    }

    fn reader(&self, node: &Node) -> At<'a> {
        self.shape.reader.at(node.ty)
    }

    fn kind(&self, column: NodeIx) -> &'a NodeKind {
        &self.shape.layout.node(column).kind
    }

    fn is_fixed(&self, node: &Node) -> bool {
        matches!(self.kind(node.column), NodeKind::Fixed(_))
    }

    fn is_null_column(&self, node: &Node) -> bool {
        matches!(self.reader(node).kind(), Kind::Null)
    }

    fn validity(&self, column: NodeIx) -> u32 {
        self.shape
            .layout
            .node(column)
            .validity
            .map_or(Op::NO_VALIDITY, |slot| slot as u32)
    }

    fn text(&self) -> OpKind {
        match self.shape.strings {
            StringType::LargeUtf8 => OpKind::LargeText,
            StringType::Utf8View => OpKind::TextView,
            _ => OpKind::Text,
        }
    }

    /// Where a column's values stand; 0 for a struct, which has none.
    fn slot(&self, column: NodeIx) -> u32 {
        let slot = match *self.kind(column) {
            NodeKind::Null(slot)
            | NodeKind::Bool(slot)
            | NodeKind::I32(slot)
            | NodeKind::I64(slot)
            | NodeKind::F32(slot)
            | NodeKind::F64(slot)
            | NodeKind::I128(slot)
            | NodeKind::I256(slot)
            | NodeKind::Interval(slot)
            | NodeKind::Bytes(slot)
            | NodeKind::LargeBytes(slot)
            | NodeKind::Views(slot)
            | NodeKind::Fixed(slot)
            | NodeKind::Dictionary(slot)
            | NodeKind::List(slot, _)
            | NodeKind::Map(slot, ..)
            | NodeKind::Union(slot, _) => slot,
            _ => 0,
        };
        slot as u32
    }
}

/// Whether a null becomes a null struct, where unions are structs of nullable members.
fn is_null_of_struct(writer: At<'_>, node: &Node) -> bool {
    let is_struct = matches!(&node.form, Form::Union(union) if !union.is_dense);
    is_struct && node.is_nullable && matches!(writer.kind(), Kind::Null)
}

/// For each of the reader's fields the writer's: by name, else by one of the reader's aliases.
fn sources(written: &[Field], read: &[Field]) -> Vec<Option<usize>> {
    let positions: HashMap<&str, usize> = written
        .iter()
        .enumerate()
        .map(|(at, field)| (&*field.name, at))
        .collect();
    let mut sources: Vec<_> = read
        .iter()
        .map(|field| positions.get(&*field.name).copied())
        .collect();
    let mut is_taken = vec![false; written.len()];
    sources.iter().flatten().for_each(|&at| is_taken[at] = true);
    for (field, source) in read
        .iter()
        .zip(&mut sources)
        .filter(|(_, source)| source.is_none())
    {
        let aliases = field
            .aliases
            .iter()
            .filter_map(|alias| positions.get(&**alias).copied());
        *source = aliases.into_iter().find(|at| !is_taken[*at]);
        source.iter().for_each(|&at| is_taken[at] = true);
    }
    sources
}

#[cold]
fn mismatch(writer: At<'_>, reader: At<'_>) -> PlanError {
    let describe = |at: At<'_>| {
        let logical = at
            .ty()
            .logical_name
            .as_deref()
            .map_or_else(String::new, |name| format!(" ({name})"));
        let name = at
            .ty()
            .named
            .as_ref()
            .map_or_else(String::new, |named| format!(" {:?}", named.name.as_str()));
        format!("{}{name}{logical}", at.kind().name())
    };
    PlanError::new(format!(
        "the writer's {} cannot be read as the reader's {}",
        describe(writer),
        describe(reader)
    ))
}
