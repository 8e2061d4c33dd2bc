//! Values that no column takes.
//!
//! Neighbours are skipped in one step: `double x; float y; string s` that nobody wants is one
//! `Skip`, which steps over twelve bytes and over a string. Values of fixed sizes become one move,
//! as `x` and `y` here. What can be wrong by itself, as the string, stays an entry of its own in
//! the plan's `skip_steps`, with its field path, so that an error names the right field.

use sabot_decode::FieldPathId;

use super::Compiler;
use crate::output::NO_COLUMN;
use crate::plan::{Op, OpKind};
use crate::schema::At;

impl Compiler<'_> {
    /// Steps over a value that no column takes, if anything after it is wanted. Where nothing is,
    /// the plan ends before it.
    pub(super) fn leave(&mut self, ty: At<'_>, path: FieldPathId) {
        if !self.is_last {
            self.skip(ty, path);
            return;
        }
        let is_in_default = self.is_in_default(ty);
        let step = self.skips_of(is_in_default).step(ty.id);
        self.ends_early |= step.exact_bytes() != Some(0);
    }

    /// Steps over a value, in one step with the values before it that are skipped too.
    pub(super) fn skip(&mut self, ty: At<'_>, path: FieldPathId) {
        self.values += 1;
        let is_in_default = self.is_in_default(ty);
        let step = self.skips_of(is_in_default).step(ty.id);
        // A null, or a record of nulls.
        if step.exact_bytes() == Some(0) {
            return;
        }
        let kind = if is_in_default {
            OpKind::SkipInDefault
        } else {
            OpKind::Skip
        };
        // The step before is a skip whose entries are the last ones, and nobody jumps to the place
        // between it and this value.
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
                self.push(Op::new(kind, end, end + 1), NO_COLUMN, path);
            }
        }
    }
}
