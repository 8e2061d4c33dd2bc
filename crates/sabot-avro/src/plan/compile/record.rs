//! Records: fields that meet, fields that only the writer has, and fields that only the reader has.
//!
//! The writer's order decides, since it is that of the bytes. Say the writer has `a, b, c, d`, the
//! reader `d, x, b`, and the columns are `x` and `b`:
//!
//! 1. [`sources`] pairs the reader's fields with the writer's, by name or alias: `d` with `d`, `x`
//!    with none, `b` with `b`.
//! 2. `a` is skipped, `b` is read. It is the last that a column takes. If the plan may end early it
//!    ends here; else `c` and `d` are skipped.
//! 3. `x` has no source: its default is read.

use std::collections::HashMap;

use sabot_decode::{FieldPathId, PlanError, field_segment};

use super::{Compiler, MAX_BYTES};
use crate::output::{Form, OutputNodeId, VALUE_COLUMN};
use crate::plan::{Op, OpKind, defaults};
use crate::schema::{At, Field, Kind};

impl Compiler<'_> {
    /// The whole message. Onto an Arrow schema, one that is no record is its column `value`, as it
    /// would be by default.
    pub(super) fn message(&mut self, writer: At<'_>) -> Result<(), PlanError> {
        let root = self.output.root;
        let reader = self.reader(self.node(root));
        let (Kind::Record(read), Form::Record(kept)) = (reader.kind(), &self.node(root).form) else {
            return self.value(writer, root, FieldPathId::ROOT);
        };
        let is_column = |(position, _): &&(usize, OutputNodeId)| &*read[*position].name == VALUE_COLUMN;
        let column = kept.iter().find(is_column);
        let (true, false, Some(&(position, id))) = (
            reader.schema.is_arrow,
            matches!(writer.kind(), Kind::Record(_)),
            column,
        ) else {
            return self.value(writer, root, FieldPathId::ROOT);
        };
        let path = self.path_below(FieldPathId::ROOT, VALUE_COLUMN);
        self.value(writer, id, path)
            .map_err(|error| error.within(VALUE_COLUMN))?;
        self.is_last = false;
        for &(other, id) in kept.iter().filter(|(other, _)| *other != position) {
            let field = &read[other];
            let path = self.path_below(FieldPathId::ROOT, &field_segment(&field.name));
            self.default(reader.to(field.ty), field, id, path)
                .map_err(|error| error.within(field_segment(&field.name)))?;
        }
        Ok(())
    }

    /// The fields in the writer's order, then those that only the reader has.
    pub(super) fn record(
        &mut self,
        (writer, written): (At<'_>, &[Field]),
        (reader, read): (At<'_>, &[Field]),
        kept: &[(usize, OutputNodeId)],
        path: FieldPathId,
    ) -> Result<(), PlanError> {
        let aliases = written.iter().chain(read).map(|field| field.aliases.len());
        self.bytes += written.len() + read.len() + size_of::<usize>() * aliases.sum::<usize>();
        self.check_bounds()?;
        let sources = sources(written, read, reader.schema.is_arrow);
        // By the writer's fields: which of the reader's is read from it, and where to.
        let readers: HashMap<usize, (usize, OutputNodeId)> = kept
            .iter()
            .filter_map(|(field, id)| Some((sources[*field]?, (*field, *id))))
            .collect();
        let last = (0..written.len()).rfind(|position| readers.contains_key(position));
        // Nothing is wanted after this record; so nothing is after its last field that is, and
        // within that the same holds.
        let is_last = self.is_last;
        for (position, field) in written.iter().enumerate() {
            let ty = writer.to(field.ty);
            if is_last && Some(position) > last {
                // The rest of the message goes unseen, unless it takes no bytes anyway.
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
        // A default has bytes of its own, which are read to their end.
        self.is_last = false;
        for &(position, id) in kept.iter().filter(|(field, _)| sources[*field].is_none()) {
            let field = &read[position];
            let path = self.path_below(path, &field_segment(&field.name));
            self.default(reader.to(field.ty), field, id, path)
                .map_err(|error| error.within(field_segment(&field.name)))?;
        }
        self.is_last = is_last;
        Ok(())
    }

    fn default(
        &mut self,
        ty: At<'_>,
        field: &Field,
        id: OutputNodeId,
        path: FieldPathId,
    ) -> Result<(), PlanError> {
        let node = self.node(id);
        let Some(json) = &field.default else {
            if ty.schema.is_arrow && (node.is_nullable || self.is_null_column(node)) {
                self.push(Op::new(OpKind::PushNull, 0, 0), node.column, path);
                return Ok(());
            }
            if ty.schema.is_arrow {
                return Err(PlanError::new(
                    "the writer's record has no such field, and the column may not be null",
                ));
            }
            return Err(PlanError::new(
                "the writer's record has no such field, and the reader's no default",
            ));
        };
        let bytes = defaults::encode(ty, json, MAX_BYTES.saturating_sub(self.bytes))?;
        self.bytes += bytes.len();
        self.default_bytes += bytes.len();
        let step = Op::new(OpKind::Default, self.defaults.len() as u32, 0);
        let op = self.push(step, node.column, path);
        self.defaults.push(bytes);
        // The default is read as if a writer with the reader's own schema had written it.
        self.value(ty, id, path)?;
        self.end(Some(op));
        Ok(())
    }
}

/// For each of the reader's fields the writer's: by name, else by one of the reader's aliases. A
/// given Arrow schema has none; there the writer's aliases, its fields' former names, find fields
/// too.
fn sources(written: &[Field], read: &[Field], is_arrow: bool) -> Vec<Option<usize>> {
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
    let mut former: HashMap<&str, usize> = HashMap::new();
    for (at, field) in written
        .iter()
        .enumerate()
        .filter(|(at, _)| is_arrow && !is_taken[*at])
    {
        for alias in &field.aliases {
            former.entry(alias).or_insert(at);
        }
    }
    for (field, source) in read
        .iter()
        .zip(&mut sources)
        .filter(|(_, source)| source.is_none())
    {
        let aliases = field.aliases.iter().filter_map(|alias| positions.get(&**alias));
        let mut candidates = aliases.chain(former.get(&*field.name)).copied();
        *source = candidates.find(|at| !is_taken[*at]);
        source.iter().for_each(|&at| is_taken[at] = true);
    }
    sources
}
