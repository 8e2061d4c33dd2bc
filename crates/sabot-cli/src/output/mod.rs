//! Where batches go: formats, destinations, and when what was written is safe to acknowledge.
//!
//! A [`Sink`] answers each write with [`Durable`]. Text formats are durable once flushed: a reader
//! can use every line that arrived. Parquet, Arrow files and a JSON array are worth nothing until
//! they are whole, so a sink for them writes under a temporary name, renames at the end, and only
//! then says that it is durable. The command acknowledges no batch before that, so that a crash at
//! any moment loses nothing.
//!
//! `spec` says what is wanted and `open` makes the sink of it: `text` for what is written line by
//! line, `columnar` for Parquet and Arrow. Each text format is a renderer of its own.

mod columnar;
mod csv;
mod encode;
mod envelope;
mod json;
mod layout;
mod open;
mod partial;
mod print;
mod render;
mod sink;
mod spec;
mod storable;
mod table;
mod template;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use layout::{Layout, ValueLayout};
pub(crate) use open::open;
pub(crate) use print::{print, print_json_lines, print_table};
pub(crate) use sink::{Durable, Sink};
pub(crate) use spec::{Destination, Existing, Format, OutputSpec};
pub(crate) use table::TableOptions;
pub(crate) use template::Template;
