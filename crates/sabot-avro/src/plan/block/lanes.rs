//! The lanes that all block engines move.

pub(super) use sabot_codec::{RowLanes as Lanes, lanes_of as ones, unpack};
pub(super) use sabot_cursor::LANES;
