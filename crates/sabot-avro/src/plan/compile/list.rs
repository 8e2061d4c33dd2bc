//! Lists and maps.
//!
//! A list is one `List` step, and the steps of one item follow it. Which item they are in, and how
//! often they are taken, is known to the engines alone. A map is a list of keys and values. For
//! `map<int>`:
//!
//! | | step | of | |
//! |---|---|---|---|
//! | 0 | `List` | the map | items are the steps up to 3; each has a key, takes 2 bytes at least, and 20 in the columns |
//! | 1 | `Text` | the keys | |
//! | 2 | `Int` | the values | |
//!
//! The two sizes are bounds that a count is held against before anything is reserved for it. A
//! message of 10 bytes has no million entries, since each takes 2 bytes of it; but items may take
//! no bytes in the message and some in the columns, as nulls do, and defaults.

use sabot_columns::NodeIx;
use sabot_decode::{FieldPathId, PlanError};

use super::Compiler;
use crate::output::{OutputNode, OutputNodeId};
use crate::plan::{ListSite, Op, OpKind};
use crate::schema::At;

/// Bytes that a key takes in its column at most, without its text: those of a view.
const MAX_KEY_WIDTH_BYTES: usize = 16;

/// A list whose items are not compiled yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenList {
    at: usize,
    /// What it interrupts: [`Compiler::default_bytes`] and [`Compiler::is_last`] of what is around
    /// the list.
    outer_default_bytes: usize,
    is_last: bool,
}

impl Compiler<'_> {
    /// Adds the step of a list or map, which those of an item are to follow.
    pub(super) fn begin_list(&mut self, node: &OutputNode, path: FieldPathId, non_null_byte: u8) -> OpenList {
        let op = Op::new(OpKind::List, self.column_ix(node.column), 0);
        let at = self.push_present(op, node, path, non_null_byte);
        // The steps of an item are come to again with every item.
        self.set_label();
        OpenList {
            at,
            // Defaults are counted by the item here.
            outer_default_bytes: std::mem::take(&mut self.default_bytes),
            // After an item there may be another, so that no item ends early.
            is_last: std::mem::replace(&mut self.is_last, false),
        }
    }

    /// The items of a list, and its end.
    pub(super) fn items(
        &mut self,
        (item, id): (At<'_>, OutputNodeId),
        list: OpenList,
        path: FieldPathId,
    ) -> Result<(), PlanError> {
        let path = self.path_below(path, "[]");
        self.value(item, id, path).map_err(|error| error.within("[]"))?;
        let site = ListSite {
            min_item_bytes: self.min_bytes(item),
            item_width_bytes: self.item_width_bytes(self.node(id).width_bytes),
            has_key: false,
            item: self.skip_site(item),
        };
        self.end_list(list, site);
        Ok(())
    }

    /// The keys and values of a map, and its end.
    pub(super) fn entries(
        &mut self,
        (value, key, id): (At<'_>, NodeIx, OutputNodeId),
        list: OpenList,
        path: FieldPathId,
    ) -> Result<(), PlanError> {
        let path = self.path_below(path, "{}");
        self.push(Op::new(self.text(key), self.column_ix(key), 0), key, path);
        self.value(value, id, path).map_err(|error| error.within("{}"))?;
        let site = ListSite {
            // The key's length is a byte at least.
            min_item_bytes: self.min_bytes(value) + 1,
            item_width_bytes: self.item_width_bytes(self.node(id).width_bytes + MAX_KEY_WIDTH_BYTES),
            has_key: true,
            item: self.skip_site(value),
        };
        self.end_list(list, site);
        Ok(())
    }

    fn end_list(&mut self, list: OpenList, site: ListSite) {
        let OpenList {
            at,
            outer_default_bytes,
            is_last,
        } = list;
        self.sites[at].list = Some(site);
        (self.default_bytes, self.is_last) = (outer_default_bytes, is_last);
        self.end(Some(at));
    }

    /// What an item of the list at hand takes in the columns, of which `columns` are known, at
    /// least.
    fn item_width_bytes(&self, columns: usize) -> u32 {
        u32::try_from(columns + self.default_bytes).unwrap_or(u32::MAX)
    }
}
