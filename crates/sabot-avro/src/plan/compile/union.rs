//! Unions on either side.

use sabot_decode::{FieldPathId, PlanError, branch_segment};

use super::{Compiler, Step};
use crate::output::{Branch, Form, Node, ShapeId, Union};
use crate::plan::resolve::{Fit, fit};
use crate::plan::{Op, OpKind};
use crate::schema::{At, Kind, TypeId};

impl<'a> Compiler<'a> {
    /// A writer's union: one way for each branch. Null alone is not worth a schema: `["null", X]` spells an optional X, and
    /// why X cannot be read is told once, with the schema, and not with every row.
    pub(super) fn switch(
        &mut self,
        writer: At<'_>,
        branches: &[TypeId],
        id: ShapeId,
        path: FieldPathId,
    ) -> Result<(), PlanError> {
        let column = self.node(id).column;
        let first_jump = self.jumps.len();
        let step = Step::new(OpKind::Switch, first_jump as u32, branches.len() as u32);
        self.push(step, column, path);
        // One for each branch, and one behind all of them.
        self.jumps.resize(first_jump + branches.len() + 1, 0);
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
        self.jumps[first_jump + branches.len()] = self.ops.len() as u32;
        Ok(())
    }

    /// A value that is no union onto a union column.
    pub(super) fn branch(
        &mut self,
        writer: At<'_>,
        union: &'a Union,
        node: &Node,
        path: FieldPathId,
    ) -> Result<(), PlanError> {
        let names = union.branches.iter().map(|branch| {
            let named = self.reader(self.node(branch.id)).ty().named.as_ref();
            1 + named.map_or(0, |named| named.aliases.len())
        });
        self.bytes += names.sum::<usize>();
        let fits = union.branches.iter().enumerate().filter_map(|(at, branch)| {
            let fit = fit(writer, self.reader(self.node(branch.id)))?;
            Some((fit, at, *branch))
        });
        // The first of the best.
        let best = fits.min_by_key(|(fit, at, _): &(Fit, usize, Branch)| (*fit, *at));
        let Some((_, _, Branch { id, child })) = best else {
            let message = format!(
                "the reader's union has no branch for the writer's {}",
                writer.full_name()
            );
            return Err(PlanError::new(message));
        };
        let name = self.reader(self.node(id)).short_name();
        let column = child.map(|_| self.node(id).column);
        let name = column.map_or(name, |column| self.output.layout.node(column).field.name());
        let segment = branch_segment(name);
        let path_below = self.path_below(path, &segment);
        if let (true, Some(child)) = (union.is_dense, child) {
            let slot = self.slot(node.column);
            let step = Step::new(OpKind::Branch, slot, child as u32);
            let at = self.push(step, node.column, path);
            // Nothing within is merged with what stands before or behind.
            self.set_label();
            self.value(writer, id, path_below)
                .map_err(|error| error.within(segment))?;
            self.sites[at].end = self.ops.len() as u32;
            self.set_label();
            return Ok(());
        }
        let group = self.begin_struct(node, path, Op::NO_TAG);
        if child.is_none() {
            self.leave(writer, path_below);
        }
        for branch in union.branches.iter().filter(|branch| branch.child.is_some()) {
            if branch.id == id {
                self.value(writer, id, path_below)
                    .map_err(|error| error.within(&*segment))?;
            } else {
                let column = self.node(branch.id).column;
                self.push(Step::new(OpKind::PushNull, 0, 0), column, path);
            }
        }
        self.end(group);
        Ok(())
    }
}

/// Whether a null becomes a null struct, where unions are structs of nullable members.
pub(super) fn is_null_of_struct(writer: At<'_>, node: &Node) -> bool {
    let is_struct = matches!(&node.form, Form::Union(union) if !union.is_dense);
    is_struct && node.is_nullable && matches!(writer.kind(), Kind::Null)
}
