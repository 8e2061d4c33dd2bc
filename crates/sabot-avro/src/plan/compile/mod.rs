//! From a writer schema and an output to a plan.
//!
//! One walk over both, in the order of the writer's bytes, emits the steps. Whatever depends on
//! schemas alone is decided here, once: which field is which, what is promoted, which branch is
//! read as which, what is skipped, what a default is. The engines look at no schema any more, unless
//! a value becomes JSON text.
//!
//! What cannot be resolved in one branch of a writer's union becomes a step that fails, since a
//! topic may never hold such a value; everything else refuses the schema.
//!
//! # A small example
//!
//! ```text
//! writer: record R { string name; int id; union { null, string } note; }
//! reader: record R { long id; union { null, string } note; int new = 7; }
//! ```
//!
//! The writer's fields come first, in its order, then what only the reader has:
//!
//! | | step | of | what it says |
//! |---|---|---|---|
//! | 0 | `Skip` | `name` | steps over `skip_steps[0..1]`: a string. No column takes it, but the bytes after it matter |
//! | 1 | `IntToLong` | `id` | an int becomes a value of the column's longs |
//! | 2 | `Text` | `note` | where the byte before it is 2, which is branch 1, text follows; else it is null |
//! | 3 | `Default` | `new` | the steps up to 5 read `defaults[0]`, the bytes `0e`, which are 7 in Avro |
//! | 4 | `Int` | `new` | an int, as any other: it does not know that it is in a default |
//!
//! A message `02 61 | 0e | 02 04 68 69` then is `name` = "a" (skipped), `id` = 7, `note` = "hi";
//! and `new` = 7. The test `the_example_of_the_documentation` compiles it.
//!
//! # How steps hold others
//!
//! Steps are in one flat list. One that holds others, such as `List`, `Struct` and `Default`, is
//! followed by them, and its `aux` says where they end: after them the next step goes on. `Switch`
//! has a way for each of the writer's branches, in `jumps`, and each way ends with a `Jump` to
//! what follows them all.
//!
//! # Invariants
//!
//! - Every value of the writer is read or skipped, in order, up to the last that a column takes
//!   ([`Output::may_end_early`]), else up to the message's end.
//! - Every column that is not below a union, list or map gets one value from each row: a field that
//!   the writer lacks has its default, or is null.
//! - `sites[n]` belongs to `ops[n]`.
//! - A branch that fails to compile leaves no step but its `Fail`: those that were emitted for it are
//!   taken back.
//! - Schemas may come from anybody, and named types multiply. So the values looked at and the bytes
//!   of names, defaults and symbols are counted, in branches that failed too, and a schema over a
//!   limit is refused.

mod leaf;
mod list;
mod record;
mod skipped;
mod union;

use sabot_codec::FieldPaths;
use sabot_columns::{NodeIx, NodeKind};
use sabot_decode::{FieldPathId, Limits, PlanError, StringType};

use super::block::Strategy;
use super::resolve::fit;
use super::skip::{SkipStep, Skips};
use super::{DecimalSite, EnumMap, Op, OpKind, Plan, Site, SkipSite};
use crate::output::{Form, NO_COLUMN, Output, OutputNode, OutputNodeId};
use crate::schema::{At, Kind, Schema, TypeId};
use union::is_null_of_struct;

/// Values looked at for one plan at most: a writer's unions can reach the same columns again and
/// again, and fail there.
const MAX_VALUES: usize = 1 << 17;
/// Bytes of names, defaults and enum symbols read for one plan at most: they count wherever their
/// type is used.
const MAX_BYTES: usize = 64 << 20;

/// Compiles `writer` onto the columns of `output`. The fields that errors point at are looked up in
/// `paths`.
pub(crate) fn compile(
    writer: &Schema,
    output: &Output,
    paths: &mut FieldPaths,
    limits: Limits,
) -> Result<Plan, PlanError> {
    let mut compiler = Compiler {
        output,
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
        is_last: output.may_end_early,
        ends_early: false,
        has_json: false,
        label: 0,
        values: 0,
        bytes: 0,
        default_bytes: 0,
    };
    let compiled = compiler.message(writer.root());
    // A union takes any error for that of one branch; this one is of all.
    compiler.check_bounds()?;
    compiled?;
    let strategy = Strategy::new(
        &compiler.ops,
        &compiler.sites,
        &compiler.jumps,
        &compiler.defaults,
    );
    Ok(Plan {
        strategy,
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
        schemas: compiler.has_json.then(|| (writer.clone(), output.reader.clone())),
        row_width_bytes: output.width_bytes() + compiler.default_bytes,
        limits,
    })
}

struct Compiler<'a> {
    output: &'a Output,
    paths: &'a mut FieldPaths,
    ops: Vec<Op>,
    sites: Vec<Site>,
    jumps: Vec<u32>,
    defaults: Vec<Box<[u8]>>,
    enums: Vec<EnumMap>,
    decimals: Vec<DecimalSite>,
    factors: Vec<i64>,
    skips: Skips,
    skip_steps: Vec<(SkipStep, FieldPathId)>,
    skips_in_default: Option<Skips>,
    /// Whether no column takes anything after the value at hand, so that its own end need not
    /// be reached either.
    is_last: bool,
    ends_early: bool,
    has_json: bool,
    /// The last step that another jumps to, or that ends what another holds. Neighbouring skips
    /// become one step, but never across it: whoever comes from elsewhere would miss those before
    /// it.
    label: usize,
    /// Values looked at so far, in branches that failed too.
    values: usize,
    /// The same for bytes of names, defaults and symbols.
    bytes: usize,
    /// Bytes of the defaults that one row, or one item of the list at hand, takes.
    default_bytes: usize,
}

impl<'a> Compiler<'a> {
    /// A writer's value of any type onto a column.
    fn value(&mut self, writer: At<'_>, id: OutputNodeId, path: FieldPathId) -> Result<(), PlanError> {
        self.values += 1;
        self.check_bounds()?;
        let first = self.ops.len();
        self.steps(writer, id, path)?;
        // The value's first step says how to step over all of it. A record may have no step of its
        // own: the first step is then that of its first field, which says how to step over that
        // field, and goes on saying so.
        let skip = self.skip_site(writer);
        if let Some(site) = self.sites.get_mut(first) {
            site.skip.get_or_insert(skip);
        }
        Ok(())
    }

    /// The steps of a value, of which the first holds the others, if they are not the fields of a
    /// record.
    ///
    /// Here it is decided who looks at unions and nulls. The order matters: each case takes for
    /// granted that those before it are not at hand.
    fn steps(&mut self, writer: At<'_>, id: OutputNodeId, path: FieldPathId) -> Result<(), PlanError> {
        let node = self.node(id);
        // A branch that the projection drops: its rows are only known to be of it.
        if let Form::Dropped = node.form {
            self.leave(writer, path);
            self.push(
                Op::new(OpKind::Null, self.column_ix(node.column), 0),
                node.column,
                path,
            );
            return Ok(());
        }
        // A column of JSON text takes the writer's value whole, unions included; only an outer null
        // becomes a null of the column.
        let is_any = self.takes_any(node);
        if let (Kind::Union(branches), true) = (writer.kind(), is_any) {
            let (non_null_byte, inner) = self
                .nullable(writer, branches, node)
                .unwrap_or((Op::NO_TAG, writer));
            return self.present(inner, id, path, non_null_byte);
        }
        // A writer's union: where it is null or one matching type, the branch index is read
        // together with the value, which is the fast path of nullable columns. Every other union
        // gets a way for each branch.
        if let Kind::Union(branches) = writer.kind() {
            if let Some((non_null_byte, inner)) = self.nullable(writer, branches, node) {
                return self.present(inner, id, path, non_null_byte);
            }
            return self.switch(writer, branches, id, path);
        }
        // The writer's value is no union from here on. Onto a union column it is one of its
        // branches.
        if let (Form::Union(union), false) = (&node.form, is_null_of_struct(writer, node)) {
            return self.branch(writer, union, node, path);
        }
        // A null takes no bytes, whatever the column's type is.
        if matches!(writer.kind(), Kind::Null) && node.is_nullable && !self.is_null_column(node) {
            self.push(Op::new(OpKind::PushNull, 0, 0), node.column, path);
            return Ok(());
        }
        self.present(writer, id, path, Op::NO_TAG)
    }

    /// Whether a column takes values of every type: as JSON text, by a given Arrow schema.
    fn takes_any(&self, node: &OutputNode) -> bool {
        matches!(node.form, Form::Json) && self.output.reader.is_arrow
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

    fn path_below(&mut self, path: FieldPathId, segment: &str) -> FieldPathId {
        self.bytes += segment.len();
        self.paths.below(path, segment)
    }

    /// The byte before a value that is there, and its type, where both sides are null or one
    /// matching type.
    fn nullable<'w>(&self, writer: At<'w>, branches: &[TypeId], node: &OutputNode) -> Option<(u8, At<'w>)> {
        let [first, second] = *branches else { return None };
        let (non_null_byte, inner) = match (writer.to(first).kind(), writer.to(second).kind()) {
            (Kind::Null, _) => (2, writer.to(second)),
            (_, Kind::Null) => (0, writer.to(first)),
            _ => return None,
        };
        let is_match = node.is_nullable && !matches!(node.form, Form::Union(_)) && !self.is_null_column(node);
        (is_match && (self.takes_any(node) || fit(inner, self.reader(node)).is_some()))
            .then_some((non_null_byte, inner))
    }

    /// A value that is there, or whose absence `non_null_byte` tells.
    fn present(
        &mut self,
        writer: At<'_>,
        id: OutputNodeId,
        path: FieldPathId,
        non_null_byte: u8,
    ) -> Result<(), PlanError> {
        let node = self.node(id);
        let reader = self.reader(node);
        if !self.takes_any(node) && fit(writer, reader).is_none() {
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
            }
            (Kind::Array(written), Form::Array(item)) => {
                let list = self.begin_list(node, path, non_null_byte);
                self.items((writer.to(*written), *item), list, path)?;
            }
            (Kind::Map(written), Form::Map { key, value }) => {
                let list = self.begin_list(node, path, non_null_byte);
                self.entries((writer.to(*written), *key, *value), list, path)?;
            }
            (_, Form::Json | Form::Encoded | Form::Cut) => {
                let op = self.unmapped(writer, reader, node)?;
                self.push_present(op, node, path, non_null_byte);
            }
            _ => {
                let op = self.leaf(writer, reader, node)?;
                self.push_present(op, node, path, non_null_byte);
            }
        }
        Ok(())
    }

    /// Adds the step of a value that is there, or whose absence `non_null_byte` tells.
    fn push_present(&mut self, op: Op, node: &OutputNode, path: FieldPathId, non_null_byte: u8) -> usize {
        let validity = self.validity(node.column);
        let op = Op {
            non_null_byte,
            validity,
            ..op
        };
        self.push(op, node.column, path)
    }

    fn min_bytes(&mut self, ty: At<'_>) -> u32 {
        let is_in_default = self.is_in_default(ty);
        self.skips_of(is_in_default).min_bytes(ty.id)
    }

    fn skip_site(&mut self, ty: At<'_>) -> SkipSite {
        let is_in_default = self.is_in_default(ty);
        SkipSite {
            step: self.skips_of(is_in_default).step(ty.id),
            is_in_default,
        }
    }

    /// Whether a value is in a default, which is written with the reader's schema.
    fn is_in_default(&self, ty: At<'_>) -> bool {
        std::ptr::eq(ty.schema, &raw const self.output.reader)
    }

    fn skips_of(&mut self, is_in_default: bool) -> &Skips {
        if !is_in_default {
            return &self.skips;
        }
        self.skips_in_default
            .get_or_insert_with(|| Skips::new(&self.output.reader))
    }

    /// Opens a struct where there is something to say of it: its fields need no step around them
    /// otherwise.
    fn begin_struct(&mut self, node: &OutputNode, path: FieldPathId, non_null_byte: u8) -> Option<usize> {
        if node.column == NO_COLUMN {
            return None;
        }
        let validity = self.validity(node.column);
        if validity == Op::NO_VALIDITY && non_null_byte == Op::NO_TAG {
            return None;
        }
        let op = Op::new(OpKind::Struct, 0, 0);
        Some(self.push_present(op, node, path, non_null_byte))
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

    /// Adds a step, and says where it is.
    fn push(&mut self, op: Op, column: NodeIx, path: FieldPathId) -> usize {
        let text = if column == NO_COLUMN {
            StringType::Utf8
        } else {
            self.storage(column)
        };
        self.ops.push(op);
        self.sites.push(Site {
            path,
            column,
            text,
            skip: None,
            end: 0,
            list: None,
        });
        self.ops.len() - 1
    }

    fn node(&self, id: OutputNodeId) -> &'a OutputNode {
        self.output.node(id)
    }

    fn reader(&self, node: &OutputNode) -> At<'a> {
        self.output.reader.at(node.ty)
    }

    fn kind(&self, column: NodeIx) -> &'a NodeKind {
        &self.output.layout.node(column).kind
    }

    fn is_fixed(&self, node: &OutputNode) -> bool {
        matches!(self.kind(node.column), NodeKind::Fixed(_))
    }

    fn is_null_column(&self, node: &OutputNode) -> bool {
        matches!(self.reader(node).kind(), Kind::Null)
    }

    fn validity(&self, column: NodeIx) -> u32 {
        self.output
            .layout
            .node(column)
            .validity
            .map_or(Op::NO_VALIDITY, |column| column as u32)
    }

    /// Where a column's values are; 0 for a struct, which has none.
    fn column_ix(&self, column: NodeIx) -> u32 {
        let column = match *self.kind(column) {
            NodeKind::Null(column)
            | NodeKind::Bool(column)
            | NodeKind::I32(column)
            | NodeKind::I64(column)
            | NodeKind::F32(column)
            | NodeKind::F64(column)
            | NodeKind::I128(column)
            | NodeKind::I256(column)
            | NodeKind::Interval(column)
            | NodeKind::Bytes(column)
            | NodeKind::LargeBytes(column)
            | NodeKind::Views(column)
            | NodeKind::Fixed(column)
            | NodeKind::Dictionary(column)
            | NodeKind::List(column, _)
            | NodeKind::Map(column, ..)
            | NodeKind::Union(column, _) => column,
            _ => 0,
        };
        column as u32
    }
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

#[cfg(test)]
mod tests {
    use sabot_decode::{OutputSchema, Target, WriterSchema};

    use super::*;

    fn plan(writer: &str, reader: &str) -> Plan {
        let parse = |text: &str| Schema::parse(&WriterSchema::avro(text)).expect("the schema is right");
        let mut target = Target::default();
        target.output = OutputSchema::Reader(WriterSchema::avro(reader));
        let output = Output::new(parse(reader), &target).expect("the reader has columns");
        let compiled = compile(&parse(writer), &output, &mut FieldPaths::new(), target.limits);
        compiled.expect("the schemas can be resolved")
    }

    fn kinds(plan: &Plan) -> Vec<OpKind> {
        plan.ops.iter().map(|op| op.kind).collect()
    }

    #[test]
    fn the_example_of_the_documentation() {
        use OpKind::{Default, Int, IntToLong, Skip, Text};

        let note = r#"{"name": "note", "type": ["null", "string"]}"#;
        let writer = format!(
            r#"{{"type": "record", "name": "R", "fields": [
                {{"name": "name", "type": "string"}}, {{"name": "id", "type": "int"}}, {note}]}}"#
        );
        let reader = format!(
            r#"{{"type": "record", "name": "R", "fields": [
                {{"name": "id", "type": "long"}}, {note}, {{"name": "new", "type": "int", "default": 7}}]}}"#
        );
        let plan = plan(&writer, &reader);
        assert_eq!(kinds(&plan), [Skip, IntToLong, Text, Default, Int]);
        assert_eq!(
            (plan.ops[0].at, plan.ops[0].aux, plan.skip_steps.len()),
            (0, 1, 1)
        );
        assert_eq!((plan.ops[2].non_null_byte, plan.ops[3].aux), (2, 5));
        assert_eq!(*plan.defaults, [[0x0e].into()]);
    }

    #[test]
    fn the_example_of_maps() {
        let map = r#"{"type": "map", "values": "int"}"#;
        let plan = plan(map, map);
        assert_eq!(kinds(&plan), [OpKind::List, OpKind::Text, OpKind::Int]);
        assert_eq!(plan.ops[0].aux, 3);
        let list = plan.sites[0].list.expect("a map is a list");
        assert!(list.has_key);
        assert_eq!((list.min_item_bytes, list.item_width_bytes), (2, 20));
    }

    #[test]
    fn the_example_of_unions() {
        use OpKind::{Branch, Float, Int, Jump, Null, Switch};

        let union = r#"["null", "int", "float"]"#;
        let plan = plan(union, union);
        let ways = [Switch, Branch, Null, Jump, Branch, Int, Jump, Branch, Float, Jump];
        assert_eq!(kinds(&plan), ways);
        assert_eq!(*plan.jumps, [1, 4, 7, 10]);
        assert!(
            plan.ops
                .iter()
                .filter(|op| op.kind == Jump)
                .all(|op| op.aux == 10)
        );
    }
}
