//! Unions: the rows of each branch by themselves.

use std::ops::Range;

use sabot_codec::{DeferredReader, Extent, Stuck};
use sabot_columns::{NodeIx, NodeKind};

use super::lanes::{LANES, Lanes};
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
}

impl Block<'_> {
    /// A writer's union in an extent where nobody else comes.
    pub(super) fn switch(&mut self, pc: usize, lanes: &mut Lanes, extent: Extent) -> Result<(), Stuck> {
        let op = &self.plan.ops[pc];
        let groups = self.groups(op, lanes);
        let layout = self.layout;
        let node = self.plan.sites[pc].column;
        if let (NodeKind::Union(slot, children), true) =
            (&layout.node(node).kind, self.plan.support.is_dense_union(pc))
        {
            return self.dense_union(op, (*slot, children), &groups, lanes, extent);
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
    fn groups(&self, op: &Op, lanes: &mut Lanes) -> Groups {
        let mut written = [0; LANES];
        lanes.read.longs(self.arena.window(), None, &mut written);
        let mut found = Groups {
            groups: [Group::default(); LANES],
            len: 0,
        };
        for (lane, index) in written.iter().enumerate().take(lanes.len()) {
            let Some(branch) = usize::try_from(*index)
                .ok()
                .filter(|index| *index < op.aux as usize)
            else {
                lanes.read.lose(lane, true);
                continue;
            };
            let known = found.all().iter().position(|group| group.branch == branch);
            let at = known.unwrap_or(found.len);
            found.len = found.len.max(at + 1);
            let group = &mut found.groups[at];
            (group.branch, group.lanes) = (branch, group.lanes | 1 << lane);
        }
        for group in &mut found.groups[..found.len] {
            let first = &self.plan.ops[self.branch_steps(op, group.branch).start];
            group.child = (first.kind == OpKind::Branch).then_some(first.aux as u8);
        }
        found
    }

    /// The steps of a branch, without the jump behind them.
    fn branch_steps(&self, op: &Op, branch: usize) -> Range<usize> {
        let jumps = &self.plan.jumps[op.slot as usize + branch..];
        jumps[0] as usize..jumps[1] as usize - 1
    }

    /// A dense union: each branch's values stand in a child of their own, in the order of the rows.
    fn dense_union(
        &mut self,
        op: &Op,
        (slot, children): (usize, &[NodeIx]),
        groups: &Groups,
        lanes: &mut Lanes,
        extent: Extent,
    ) -> Result<(), Stuck> {
        let mut base = [0; MAX_CHILDREN];
        for (child, base) in base.iter_mut().enumerate().take(children.len()) {
            *base = self.columns.unions[slot].child_len(child);
        }
        let to = self.push_children((slot, children), &base, groups, lanes, extent)?;
        let extent_of = |block: &Self, child: usize| {
            let end = block.columns.unions[slot].child_len(child);
            Extent::new(base[child], end - base[child])
        };
        for group in groups.all() {
            let Some(child) = group.child else { continue };
            let mut extent = extent_of(self, usize::from(child));
            let same = groups.all().iter().filter(|other| other.child == group.child);
            extent.is_shared = same.count() > 1;
            let mut subset = lanes.subset(group.lanes);
            for to_child in &mut subset.to[..subset.read.len] {
                *to_child = to[*to_child as usize];
            }
            let steps = self.branch_steps(op, group.branch);
            self.run(steps.start + 1, steps.end, &mut subset, extent)?;
            lanes.join(group.lanes, &subset);
        }
        for (child, node) in children.iter().enumerate() {
            self.finish(*node, extent_of(self, child))?;
        }
        Ok(())
    }

    /// Appends which child each row of an extent stands in, and says where in the extent of that child.
    fn push_children(
        &mut self,
        (slot, children): (usize, &[NodeIx]),
        base: &[usize; MAX_CHILDREN],
        groups: &Groups,
        lanes: &mut Lanes,
        extent: Extent,
    ) -> Result<[u32; LANES], Stuck> {
        // Where nobody comes, or who comes is lost, the row is a null.
        let is_null = |child: &NodeIx| matches!(self.layout.node(*child).kind, NodeKind::Null(_));
        let nobody = children.iter().position(is_null).unwrap_or(0);
        let mut by_position = [nobody as u8; LANES];
        for group in groups.all() {
            for lane in (0..lanes.len()).filter(|lane| group.lanes >> lane & 1 == 1) {
                match group.child {
                    Some(child) => by_position[lanes.to[lane] as usize] = child,
                    None => lanes.read.lose(lane, true),
                }
            }
        }
        let (rows, mut to) = (&mut self.columns.unions[slot], [0; LANES]);
        for (to, child) in to.iter_mut().zip(&by_position[..extent.len]) {
            let child = usize::from(*child);
            *to = (rows.child_len(child) - base[child]) as u32;
            rows.push(child as i8)?;
        }
        Ok(to)
    }
}
