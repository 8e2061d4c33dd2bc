//! Records: fields that meet, fields that only the writer has, and fields that only the reader has.

use std::collections::HashMap;

use sabot_decode::{NodeId, PlanError};

use super::{Compiler, MAX_BYTES, Step};
use crate::plan::{OpKind, defaults};
use crate::schema::{At, Field};
use crate::shape::{NO_COLUMN, ShapeId};

impl Compiler<'_> {
    /// The fields in the writer's order, then those that only the reader has.
    pub(super) fn record(
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

    /// Steps over a value, in one step with the values before it that are skipped too.
    pub(super) fn skip(&mut self, ty: At<'_>, path: NodeId) {
        self.values += 1;
        let is_in_default = self.is_in_default(ty);
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
