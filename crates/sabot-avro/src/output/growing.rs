//! Dictionaries without symbols of their own: they gather those of the writers' enums.
//!
//! Symbols are only ever appended, so that keys stay what they are: what they take is freed with the decoder alone, like its
//! paths, and so is no part of the buffered bytes, which a flush gives back. [`MAX_SYMBOL_BYTES`] bounds it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use sabot_columns::NodeIx;
use sabot_decode::PlanError;

/// Bytes of the symbols of all such dictionaries of one decoder.
const MAX_SYMBOL_BYTES: usize = 64 << 20;
/// What a symbol takes besides its text: in the list, in the table, and as an offset of the column.
const ENTRY_BYTES: usize = 2 * size_of::<Arc<str>>() + 2 * size_of::<i32>();

/// The symbols gathered so far.
#[derive(Debug, Default)]
pub(super) struct Growing {
    columns: HashMap<NodeIx, Symbols>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Symbols {
    symbols: Vec<Arc<str>>,
    positions: HashMap<Arc<str>, i32>,
    has_grown: bool,
}

impl Growing {
    /// Where these symbols stand in the dictionary of `column`, which begins with those of `first`. With more of them than
    /// there is room for, none is added.
    pub(super) fn add(
        &mut self,
        column: NodeIx,
        first: &ArrayRef,
        symbols: &[Box<str>],
    ) -> Result<Box<[i32]>, PlanError> {
        let known = self.columns.entry(column).or_default();
        if known.symbols.is_empty() {
            for symbol in first.as_string::<i32>().iter().flatten() {
                known.position(symbol);
            }
        }
        let new = symbols
            .iter()
            .filter(|symbol| !known.positions.contains_key(&***symbol));
        let bytes = self.bytes + new.map(|symbol| symbol.len() + ENTRY_BYTES).sum::<usize>();
        if bytes > MAX_SYMBOL_BYTES {
            return Err(PlanError::new(format!(
                "the enum symbols of all schemas read so far take more than {MAX_SYMBOL_BYTES} bytes"
            )));
        }
        self.bytes = bytes;
        Ok(symbols.iter().map(|symbol| known.position(symbol)).collect())
    }

    /// The dictionaries that have grown since the last time.
    pub(super) fn take_grown(&mut self) -> Vec<(NodeIx, ArrayRef)> {
        let grown = self.columns.iter_mut().filter(|(_, symbols)| symbols.has_grown);
        let values = grown.map(|(column, symbols)| {
            symbols.has_grown = false;
            let bytes = symbols.symbols.iter().map(|symbol| symbol.len()).sum();
            let mut values = StringBuilder::with_capacity(symbols.symbols.len(), bytes);
            symbols
                .symbols
                .iter()
                .for_each(|symbol| values.append_value(symbol));
            (*column, Arc::new(values.finish()) as ArrayRef)
        });
        values.collect()
    }
}

impl Symbols {
    fn position(&mut self, symbol: &str) -> i32 {
        if let Some(known) = self.positions.get(symbol) {
            return *known;
        }
        let position = self.symbols.len() as i32;
        let symbol = Arc::<str>::from(symbol);
        self.symbols.push(Arc::clone(&symbol));
        self.positions.insert(symbol, position);
        self.has_grown = true;
        position
    }
}
