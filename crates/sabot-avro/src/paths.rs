//! The field paths that row errors point at.
//!
//! Paths are interned for the life of a decoder, so that an error keeps its path when its plan is forgotten. The table
//! grows with the distinct paths of all writer schemas only, and stops at [`MAX_PATHS`]: from then on an error points at
//! the nearest path above that is known.

use std::collections::HashMap;

use sabot_decode::{NodeId, join_path};

const MAX_PATHS: usize = 1 << 20;

/// A tree of path segments.
#[derive(Debug)]
pub(crate) struct Paths {
    /// Each path's last segment and the path above it; the first is the whole message.
    nodes: Vec<(NodeId, Box<str>)>,
    known: HashMap<(NodeId, Box<str>), NodeId>,
}

impl Paths {
    pub(crate) fn new() -> Self {
        Self {
            nodes: vec![(NodeId::ROOT, "".into())],
            known: HashMap::new(),
        }
    }

    /// The path that goes on from `above` with a field's name, `[]`, `{}` or `<branch>`.
    pub(crate) fn below(&mut self, above: NodeId, segment: &str) -> NodeId {
        let key = (above, Box::from(segment));
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        if self.nodes.len() >= MAX_PATHS {
            return above;
        }
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(key.clone());
        self.known.insert(key, id);
        id
    }

    /// The path in full, such as `order.items[].price`; empty for the whole message.
    pub(crate) fn name(&self, mut id: NodeId) -> String {
        let mut segments = Vec::new();
        while let Some((above, segment)) = self.nodes.get(id.0 as usize).filter(|_| id != NodeId::ROOT) {
            segments.push(&**segment);
            id = *above;
        }
        join_path(segments.into_iter().rev())
    }
}
