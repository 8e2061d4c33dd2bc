//! Unions: the rows of each branch by themselves.
//!
//! The branches of all lanes are read first, and the lanes parted into groups, one for each branch
//! that occurs. Each group runs through its branch's steps as lanes of its own, and the lanes go on
//! from where their groups came to.
//!
//! # Example
//!
//! A union of a string and a long, onto a dense union. Four rows: `00 02 61` ("a"), `02 0e` (7),
//! `02 10` (8), `00 02 62` ("b").
//!
//! 1. The branches are 0, 1, 1, 0: the group of branch 0 has the lanes 0 and 3, that of branch 1
//!    the lanes 1 and 2.
//! 2. The union's rows are appended: the children 0, 1, 1, 0, and the places in them 0, 0, 1, 1.
//! 3. The group of branch 0 reads two strings into the two places of child 0: "a", "b". It is all
//!    that comes to this child, in order, so that the child's columns are appended to as those of a
//!    message are.
//! 4. The group of branch 1 reads two longs into child 1: 7, 8.
//!
//! # Invariants
//!
//! - A lane whose branch does not exist is lost, and in no group. Its row takes the place of a
//!   null.
//! - A child that one group fills has its columns complete when the group is done. Where several
//!   groups come, or some place has no lane, the extent is shared, and is finished in the end.

use std::ops::Range;

use sabot_codec::{DeferredReader, Extent, RowLanes, Stuck, lanes_of};
use sabot_columns::{NodeIx, NodeKind};
use sabot_cursor::IntEncoding::Zigzag;
use sabot_cursor::LANES;

use super::{Block, Op, OpKind};

/// Children of a dense union at most: its type ids are 8 bits, one of them the sign.
const MAX_CHILDREN: usize = 128;

/// The lanes of one branch.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    branch: usize,
    lanes: u64,
    /// The child of a dense union that the branch's values go to.
    child: Option<u8>,
}

/// The branches that occur among the lanes: as many as there are lanes at most.
struct Groups {
    groups: [Group; LANES],
    len: usize,
}

impl Groups {
    fn all(&self) -> &[Group] {
        &self.groups[..self.len]
    }

    fn push(&mut self, branch: usize, lanes: u64) {
        self.groups[self.len] = Group {
            branch,
            lanes,
            child: None,
        };
        self.len += 1;
    }
}

impl Block<'_> {
    /// A writer's union in an extent where nobody else comes.
    pub(super) fn switch(&mut self, pc: usize, lanes: &mut RowLanes, extent: Extent) -> Result<(), Stuck> {
        let op = &self.plan.ops[pc];
        let groups = self.groups(op, lanes);
        let layout = self.layout;
        let node = self.plan.sites[pc].column;
        if let (NodeKind::Union(column, children), true) =
            (&layout.node(node).kind, self.plan.strategy.is_dense_union(pc))
        {
            return self.dense_union(op, (*column, children), &groups, lanes, extent);
        }
        if let [
            Group {
                branch, lanes: all, ..
            },
        ] = *groups.all()
            && all == lanes.read.all()
        {
            let steps = self.branch_steps(op, branch);
            return self.run(steps.start, steps.end, lanes, extent);
        }
        for group in groups.all() {
            let steps = self.branch_steps(op, group.branch);
            let mut subset = lanes.subset(group.lanes);
            self.run(steps.start, steps.end, &mut subset, extent.shared())?;
            lanes.join(group.lanes, &subset);
        }
        self.finish(node, extent)
    }

    /// Reads the branches' indices. A lane whose branch does not exist is lost, and in no group.
    fn groups(&self, op: &Op, lanes: &mut RowLanes) -> Groups {
        let (mut written, branches) = ([0; LANES], op.aux as usize);
        lanes.read.longs(self.arena.window(), None, Zigzag, &mut written);
        let mut found = Groups {
            groups: [Group::default(); LANES],
            len: 0,
        };
        // The lanes of each branch; of a union with more branches than that, those of the branches
        // that occur.
        let (mut masks, mut occurring, mut occurring_len) = ([0; LANES], [0; LANES], 0);
        for (lane, index) in written.iter().enumerate().take(lanes.len()) {
            let branch = usize::try_from(*index).unwrap_or(usize::MAX);
            if branch >= branches {
                lanes.read.lose(lane, true);
                continue;
            }
            let at = if branches <= LANES {
                branch
            } else {
                let known = occurring[..occurring_len]
                    .iter()
                    .position(|other| *other == branch);
                known.unwrap_or_else(|| {
                    occurring[occurring_len] = branch;
                    occurring_len += 1;
                    occurring_len - 1
                })
            };
            masks[at] |= 1 << lane;
        }
        for (at, mask) in masks.into_iter().enumerate().take(branches.min(LANES)) {
            if mask != 0 {
                found.push(if branches <= LANES { at } else { occurring[at] }, mask);
            }
        }
        for group in &mut found.groups[..found.len] {
            let first = &self.plan.ops[self.branch_steps(op, group.branch).start];
            group.child = (first.kind == OpKind::Branch).then_some(first.aux as u8);
        }
        found
    }

    /// The steps of a branch, without the jump after them.
    fn branch_steps(&self, op: &Op, branch: usize) -> Range<usize> {
        let jumps = &self.plan.jumps[op.first_jump() + branch..];
        jumps[0] as usize..jumps[1] as usize - 1
    }

    /// A dense union: each branch's values are in a child of their own, in the order of the rows.
    fn dense_union(
        &mut self,
        op: &Op,
        (column, children): (usize, &[NodeIx]),
        groups: &Groups,
        lanes: &mut RowLanes,
        extent: Extent,
    ) -> Result<(), Stuck> {
        let mut base = [0; MAX_CHILDREN];
        for (child, base) in base.iter_mut().enumerate().take(children.len()) {
            *base = self.columns.unions[column].child_len(child);
        }
        // Every row gets its place in its child before any value is read.
        let places = self.push_children((column, children), groups, lanes, extent)?;
        let extent_of = |block: &Self, child: usize| {
            let end = block.columns.unions[column].child_len(child);
            Extent::new(base[child], end - base[child])
        };
        // The children that some group filled.
        let mut filled = 0_u128;
        for group in groups.all() {
            let Some(child) = group.child else { continue };
            let mut extent = extent_of(self, usize::from(child));
            let mut subset = lanes.subset(group.lanes);
            for to in &mut subset.to[..subset.read.len] {
                *to = places[*to as usize % LANES] - base[usize::from(child)] as u32;
            }
            if subset.len() == extent.len {
                // Nobody else comes, and these come in order.
                (subset.is_dense, filled) = (true, filled | 1 << child);
            } else {
                extent.is_shared = true;
            }
            let steps = self.branch_steps(op, group.branch);
            self.run(steps.start + 1, steps.end, &mut subset, extent)?;
            lanes.join(group.lanes, &subset);
        }
        for (child, node) in children.iter().enumerate() {
            let extent = extent_of(self, child);
            if filled >> child & 1 == 0 && extent.len > 0 {
                self.finish(*node, extent)?;
            }
        }
        Ok(())
    }

    /// Appends which child each row of an extent is in, and says where in that child.
    fn push_children(
        &mut self,
        (column, children): (usize, &[NodeIx]),
        groups: &Groups,
        lanes: &mut RowLanes,
        extent: Extent,
    ) -> Result<[u32; LANES], Stuck> {
        // Where nobody comes, or who comes is lost, the row is a null.
        let is_null = |child: &NodeIx| matches!(self.layout.node(*child).kind, NodeKind::Null(_));
        let nobody = children.iter().position(is_null).unwrap_or(0);
        let mut by_position = [nobody as i8; LANES];
        for group in groups.all() {
            for lane in lanes_of(group.lanes) {
                match group.child {
                    Some(child) => by_position[lanes.to[lane] as usize % LANES] = child as i8,
                    None => lanes.read.lose(lane, true),
                }
            }
        }
        let mut places = [0; LANES];
        let pushed = self.columns.unions[column].extend(&by_position[..extent.len])?;
        for (place, pushed) in places.iter_mut().zip(pushed) {
            *place = *pushed as u32;
        }
        Ok(places)
    }
}
