//! Dictionaries without symbols of their own: they gather those of the writers' enums.
//!
//! Symbols are only ever appended, so that keys stay what they are. There are no more of them than the writer schemas have.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, StringArray};
use sabot_arrow::NodeIx;

/// The symbols gathered so far.
#[derive(Debug, Default)]
pub(super) struct Growing {
    columns: HashMap<NodeIx, Symbols>,
}

#[derive(Debug, Default)]
struct Symbols {
    symbols: Vec<Box<str>>,
    positions: HashMap<Box<str>, i32>,
    has_grown: bool,
}

impl Growing {
    /// Where these symbols stand in the dictionary of `column`, which begins with those of `first`.
    pub(super) fn add(&mut self, column: NodeIx, first: &ArrayRef, symbols: &[Box<str>]) -> Box<[i32]> {
        let known = self.columns.entry(column).or_default();
        if known.symbols.is_empty() {
            for symbol in first.as_string::<i32>().iter().flatten() {
                known.position(symbol);
            }
        }
        symbols.iter().map(|symbol| known.position(symbol)).collect()
    }

    /// The dictionaries that have grown since the last time.
    pub(super) fn take_grown(&mut self) -> Vec<(NodeIx, ArrayRef)> {
        let grown = self.columns.iter_mut().filter(|(_, symbols)| symbols.has_grown);
        let values = grown.map(|(column, symbols)| {
            symbols.has_grown = false;
            let values = symbols.symbols.iter().map(|symbol| Some(&**symbol));
            (*column, Arc::new(values.collect::<StringArray>()) as ArrayRef)
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
        self.symbols.push(symbol.into());
        self.positions.insert(symbol.into(), position);
        self.has_grown = true;
        position
    }
}
