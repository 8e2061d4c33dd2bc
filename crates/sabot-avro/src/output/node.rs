//! The nodes of an output: what each column holds, and which columns are below it.
//!
//! Whoever makes a tree pushes the nodes below another before it, so that their width is known when
//! it is pushed. A schema that nests too deep, or unrolls to too many columns, is refused on the
//! way and not once it has taken its memory.

use sabot_columns::NodeIx;
use sabot_decode::PlanError;

use crate::schema::TypeId;

/// Nodes of one tree at most: named types used over and over unroll exponentially.
const MAX_NODES: usize = 1 << 16;
/// Levels of nesting at most, whatever the limit asked for: compiling and assembling recurse on the
/// thread's stack.
const MAX_DEPTH: usize = 128;

/// The column of a node that has none (yet).
pub(crate) const NO_COLUMN: NodeIx = NodeIx(u32::MAX);

/// A node of an [`Output`](super::Output), by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutputNodeId(u32);

/// What one column holds.
#[derive(Debug)]
pub(crate) struct OutputNode {
    /// The reader's type, without the null or the single-branch union around it.
    pub(crate) ty: TypeId,
    pub(crate) is_nullable: bool,
    pub(crate) column: NodeIx,
    pub(crate) form: Form,
    /// Bytes that a row takes in the columns at this node and below, without what is in strings and
    /// lists.
    pub(crate) width_bytes: usize,
}

/// How a column is composed.
#[derive(Debug)]
pub(crate) enum Form {
    /// Values without others below them.
    Leaf,
    /// The fields kept, in the order of their columns, by position in the reader's record.
    Record(Box<[(usize, OutputNodeId)]>),
    /// A list of the node's values.
    Array(OutputNodeId),
    /// A map to the node's values.
    Map { key: NodeIx, value: OutputNodeId },
    /// A union of more than null and one type.
    Union(Union),
    /// Avro's JSON encoding of the writer's value.
    Json,
    /// The writer's value as it is written.
    Encoded,
    /// Nothing: a recursive type that is not unrolled any further.
    Cut,
    /// Nothing: a union's branch that the projection drops.
    Dropped,
}

/// A union column.
#[derive(Debug)]
pub(crate) struct Union {
    /// The branches, but for the null of a struct, which is the struct's own.
    pub(crate) branches: Box<[Branch]>,
    pub(crate) is_dense: bool,
}

/// A branch of a union column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Branch {
    pub(crate) id: OutputNodeId,
    /// The position of its child column. Only a struct lacks those that a projection drops.
    pub(crate) child: Option<usize>,
}

/// The nodes of a tree, and of one that is being made how deep it is.
#[derive(Debug)]
pub(super) struct Nodes {
    nodes: Vec<OutputNode>,
    /// How many values the node at hand is inside of.
    depth: usize,
    max_depth: usize,
}

impl Nodes {
    /// No nodes yet. `max_depth` is what the target allows.
    pub(super) fn new(max_depth: usize) -> Self {
        Self {
            nodes: Vec::new(),
            depth: 0,
            max_depth: max_depth.min(MAX_DEPTH),
        }
    }

    /// Goes one level down; [`Nodes::push`] comes back up.
    pub(super) fn descend(&mut self) -> Result<(), PlanError> {
        if self.depth >= self.max_depth {
            let max_depth = self.max_depth;
            let message = format!("the schema nests deeper than the limit of {max_depth}");
            return Err(PlanError::new(message));
        }
        self.depth += 1;
        Ok(())
    }

    /// Comes back up from [`Nodes::descend`].
    pub(super) fn ascend(&mut self) {
        self.depth -= 1;
    }

    /// Adds a node, whose column is not known yet.
    pub(super) fn push(
        &mut self,
        ty: TypeId,
        is_nullable: bool,
        form: Form,
        width_bytes: usize,
    ) -> Result<OutputNodeId, PlanError> {
        if self.nodes.len() >= MAX_NODES {
            return Err(PlanError::new(format!(
                "the schema unrolls to more than {MAX_NODES} columns"
            )));
        }
        self.nodes.push(OutputNode {
            ty,
            is_nullable,
            column: NO_COLUMN,
            form,
            width_bytes,
        });
        Ok(OutputNodeId(self.nodes.len() as u32 - 1))
    }

    pub(super) fn get(&self, id: OutputNodeId) -> &OutputNode {
        &self.nodes[id.0 as usize]
    }

    pub(super) fn get_mut(&mut self, id: OutputNodeId) -> &mut OutputNode {
        &mut self.nodes[id.0 as usize]
    }

    /// What a row takes of a union: of a dense one its type id, its offset and one branch, of a
    /// struct the places of all.
    pub(super) fn union_width_bytes(&self, union: &Union) -> usize {
        const TYPE_ID_AND_OFFSET_BYTES: usize = 5;
        let branches = union.branches.iter();
        let widths = branches.map(|branch| self.get(branch.id).width_bytes);
        if union.is_dense {
            TYPE_ID_AND_OFFSET_BYTES + widths.max().unwrap_or(0)
        } else {
            widths.sum()
        }
    }
}
