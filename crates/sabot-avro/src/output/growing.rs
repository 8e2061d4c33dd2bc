//! Dictionaries without symbols of their own: they gather those of the writers' enums.
//!
//! Symbols are only ever appended, so that keys stay what they are: what they take is freed with
//! the decoder alone, like its field paths, and so is no part of the buffered bytes, which a flush
//! gives back. [`MAX_SYMBOL_BYTES`] bounds it.

use std::collections::HashMap;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use sabot_codec::GrowingDictionary;
use sabot_columns::NodeIx;
use sabot_decode::PlanError;

/// Bytes of the symbols of all such dictionaries of one decoder.
const MAX_SYMBOL_BYTES: usize = 64 << 20;

/// The symbols gathered so far.
#[derive(Debug, Default)]
pub(super) struct Growing {
    columns: HashMap<NodeIx, Symbols>,
}

#[derive(Debug, Default)]
struct Symbols {
    dictionary: GrowingDictionary,
    has_grown: bool,
}

impl Growing {
    /// Where these symbols are in the dictionary of `column`, which begins with those of `first`.
    /// With more of them than there is room for, none is added.
    pub(super) fn add(
        &mut self,
        column: NodeIx,
        first: &ArrayRef,
        symbols: &[Box<str>],
    ) -> Result<Box<[i32]>, PlanError> {
        let others = self.columns.iter().filter(|(other, _)| **other != column);
        let other_bytes: usize = others.map(|(_, symbols)| symbols.dictionary.bytes()).sum();
        let Symbols {
            dictionary,
            has_grown,
        } = self.columns.entry(column).or_default();
        if dictionary.is_empty() {
            for symbol in first.as_string::<i32>().iter().flatten() {
                dictionary.key(symbol);
            }
            dictionary.keep();
        }
        let known = dictionary.len();
        let keys: Option<Box<[i32]>> = symbols.iter().map(|symbol| dictionary.key(symbol)).collect();
        let has_room = other_bytes + dictionary.bytes() <= MAX_SYMBOL_BYTES;
        let Some(keys) = keys.filter(|_| has_room) else {
            dictionary.rollback();
            dictionary.shrink_to_fit();
            return Err(PlanError::new(format!(
                "the enum symbols of all schemas read so far take more than {MAX_SYMBOL_BYTES} bytes"
            )));
        };
        dictionary.keep();
        dictionary.shrink_to_fit();
        *has_grown |= dictionary.len() > known;
        Ok(keys)
    }

    /// The dictionaries that have grown since the last time.
    pub(super) fn take_grown(&mut self) -> Vec<(NodeIx, ArrayRef)> {
        let grown = self.columns.iter_mut().filter(|(_, symbols)| symbols.has_grown);
        let values = grown.map(|(column, symbols)| {
            symbols.has_grown = false;
            let values = symbols.dictionary.values();
            (*column, values.expect("because symbols are text"))
        });
        values.collect()
    }
}
