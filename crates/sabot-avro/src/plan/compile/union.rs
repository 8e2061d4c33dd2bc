//! Unions on either side.
//!
//! A writer's union is a `Switch`: the branch index in the message chooses a way, and each way ends
//! in a `Jump` to what follows them all. A reader's union is chosen at compile time, by the type of
//! the value. With both, each of the writer's branches is a way on which the reader's branch is
//! known. For `union { null, int, float }` onto itself:
//!
//! | | step | |
//! |---|---|---|
//! | 0 | `Switch` | three ways: `jumps` are 1, 4, 7, and 10 for the end |
//! | 1 | `Branch` | a row of child 0, whose value is appended by the steps up to 3 |
//! | 2 | `Null` | |
//! | 3 | `Jump` | to 10 |
//! | 4 | `Branch` | a row of child 1 |
//! | 5 | `Int` | |
//! | 6 | `Jump` | to 10 |
//! | 7 | `Branch` | a row of child 2, with `Float` and a `Jump` after it |
//!
//! Where unions become structs there is no `Branch`: the member that is set is read, and all others
//! are set to null.

use sabot_decode::{FieldPathId, PlanError, branch_segment};

use super::Compiler;
use crate::output::{Branch, Form, OutputNode, OutputNodeId, Union};
use crate::plan::resolve::{Fit, fit};
use crate::plan::{Op, OpKind};
use crate::schema::{At, Kind, TypeId};

impl<'a> Compiler<'a> {
    /// A writer's union: one way for each branch. Null alone is not worth a schema: `["null", X]`
    /// spells an optional X, and why X cannot be read is told once, with the schema, and not with
    /// every row.
    pub(super) fn switch(
        &mut self,
        writer: At<'_>,
        branches: &[TypeId],
        id: OutputNodeId,
        path: FieldPathId,
    ) -> Result<(), PlanError> {
        let column = self.node(id).column;
        let first_jump = self.jumps.len();
        let step = Op::new(OpKind::Switch, first_jump as u32, branches.len() as u32);
        self.push(step, column, path);
        // One for each branch, and one for what follows all of them.
        self.jumps.resize(first_jump + branches.len() + 1, 0);
        let (mut ends, mut error, mut is_any) = (Vec::new(), None, false);
        for (index, branch) in branches.iter().map(|id| writer.to(*id)).enumerate() {
            self.set_label();
            self.jumps[first_jump + index] = self.ops.len() as u32;
            // What is there to go back to.
            let (start, jumps, bytes) = (self.ops.len(), self.jumps.len(), self.default_bytes);
            let (skips, is_last, ends_early) = (self.skip_steps.len(), self.is_last, self.ends_early);
            let is_null = matches!(branch.kind(), Kind::Null);
            match self.value(branch, id, path) {
                Ok(()) => is_any |= !is_null || branches.len() == 1,
                Err(failed) => {
                    // Only rows of this branch are bad, so that the others can be read. What the
                    // branch emitted so far is taken back.
                    self.ops.truncate(start);
                    self.sites.truncate(start);
                    self.jumps.truncate(jumps);
                    self.default_bytes = bytes;
                    self.skip_steps.truncate(skips);
                    (self.is_last, self.ends_early) = (is_last, ends_early);
                    self.push(Op::new(OpKind::Fail, 0, 0), column, path);
                    error = error.or((!is_null || branches.len() == 1).then_some(failed));
                }
            }
            ends.push(self.push(Op::new(OpKind::Jump, 0, 0), column, path));
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
        node: &OutputNode,
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
        // The first of the best: an exact match, else one by name, else a promotion.
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
            let column = self.column_ix(node.column);
            let step = Op::new(OpKind::Branch, column, child as u32);
            let at = self.push(step, node.column, path);
            // Skips within the branch's value are not merged with those before or after it.
            self.set_label();
            self.value(writer, id, path_below)
                .map_err(|error| error.within(segment))?;
            self.sites[at].end = self.ops.len() as u32;
            self.set_label();
            return Ok(());
        }
        // A struct of members. If its branch is dropped it has no member that is set, and the value
        // is stepped over.
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
                self.push(Op::new(OpKind::PushNull, 0, 0), column, path);
            }
        }
        self.end(group);
        Ok(())
    }
}

/// Whether a null becomes a null struct, where unions are structs of nullable members.
pub(super) fn is_null_of_struct(writer: At<'_>, node: &OutputNode) -> bool {
    let is_struct = matches!(&node.form, Form::Union(union) if !union.is_dense);
    is_struct && node.is_nullable && matches!(writer.kind(), Kind::Null)
}
