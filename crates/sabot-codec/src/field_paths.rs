//! The field paths that row errors point at.
//!
//! Paths are interned for the life of a decoder, so that an error keeps its path when its plan is
//! forgotten. The table grows with the distinct paths of all writer schemas only, and stops at
//! [`MAX_PATHS`] and [`MAX_SEGMENT_BYTES`]: from then on an error points at the nearest path above
//! that is known.

use std::collections::HashMap;
use std::sync::Arc;

use sabot_decode::{FieldPathId, join_path};

const MAX_PATHS: usize = 1 << 20;
/// Bytes of all paths' last segments: what one schema may have of them, and 16 for each path.
const MAX_SEGMENT_BYTES: usize = 16 << 20;

/// A tree of path segments, in which each path has a number of its own.
///
/// ```
/// use sabot_codec::FieldPaths;
/// use sabot_decode::FieldPathId;
///
/// let mut paths = FieldPaths::new();
/// let items = paths.below(FieldPathId::ROOT, "items");
/// let item = paths.below(items, "[]");
/// let price = paths.below(item, "price");
/// assert_eq!(paths.name(price), "items[].price");
/// assert_eq!(paths.below(item, "price"), price);
/// ```
#[derive(Debug)]
pub struct FieldPaths {
    /// Each path's last segment and the path above it; the first is the whole message.
    nodes: Vec<(FieldPathId, Arc<str>)>,
    known: HashMap<(FieldPathId, Arc<str>), FieldPathId>,
    segment_bytes: usize,
}

impl Default for FieldPaths {
    fn default() -> Self {
        Self::new()
    }
}

impl FieldPaths {
    /// The path of the whole message alone.
    #[must_use]
    pub fn new() -> Self {
        Self {
            nodes: vec![(FieldPathId::ROOT, "".into())],
            known: HashMap::new(),
            segment_bytes: 0,
        }
    }

    /// The path that goes on from `above` with a field's name, `[]`, `{}` or `<branch>`.
    pub fn below(&mut self, above: FieldPathId, segment: &str) -> FieldPathId {
        let key = (above, Arc::from(segment));
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        if self.nodes.len() >= MAX_PATHS || segment.len() > MAX_SEGMENT_BYTES - self.segment_bytes {
            return above;
        }
        self.segment_bytes += segment.len();
        let id = FieldPathId(self.nodes.len() as u32);
        self.nodes.push(key.clone());
        self.known.insert(key, id);
        id
    }

    /// The path in full, such as `order.items[].price`; empty for the whole message.
    #[must_use]
    pub fn name(&self, mut id: FieldPathId) -> String {
        let mut segments = Vec::new();
        while let Some((above, segment)) = self.nodes.get(id.0 as usize).filter(|_| id != FieldPathId::ROOT) {
            segments.push(&**segment);
            id = *above;
        }
        join_path(segments.into_iter().rev())
    }
}
