//! A table as text, written as the rows arrive.
//!
//! Each batch may widen the columns, and the header is repeated above the rows that did. On a
//! terminal, cells are cut to fit and columns that find no room are left out, with a note;
//! elsewhere nothing is cut. Control characters are escaped: a message must not be able to drive
//! the terminal.

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::encode::{self, Encoder};
use super::render::Render;

/// Columns between two cells: a space, a bar, a space.
const GAP: usize = 3;
/// No column is made narrower than this to make room for others.
const NARROWEST: usize = 10;
/// No column is wider than this on a terminal.
const WIDEST: usize = 48;
/// Rows of a batch that the widths are taken from.
const SAMPLE_ROWS: usize = 10_000;
/// What stands for null; dimmed where there are colours.
const NULL: &str = "null";
/// What is said of columns that find no room, at its longest.
const LONGEST_NOTE: &str = " (+99 columns)";

/// How a table looks.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableOptions {
    /// Columns of the terminal; `None` cuts nothing.
    pub(crate) width: Option<usize>,
    pub(crate) color: bool,
    /// The flags that show columns which find no room; empty where a command has none.
    pub(crate) flags: &'static str,
}

/// A table in the making.
#[derive(Debug)]
pub(crate) struct Table {
    options: TableOptions,
    /// The widest cell of each column so far; empty before the first batch.
    wanted: Vec<usize>,
    /// Width and alignment of each column shown.
    columns: Vec<Column>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Column {
    width: usize,
    right: bool,
}

impl Table {
    pub(crate) fn new(options: TableOptions) -> Self {
        Self {
            options,
            wanted: Vec::new(),
            columns: Vec::new(),
        }
    }

    /// Widens the columns to what the batch needs. The header is written again if they changed.
    fn adapt(&mut self, batch: &RecordBatch, encoders: &[Encoder<'_>], out: &mut Vec<u8>) {
        let fields = batch.schema_ref().fields();
        let mut widths: Vec<usize> = fields.iter().map(|field| field.name().width()).collect();
        let mut cell = Cell::default();
        for row in 0..batch.num_rows().min(SAMPLE_ROWS) {
            for (width, encoder) in widths.iter_mut().zip(encoders) {
                *width = (*width).max(cell.fill(encoder, row).width());
            }
        }
        for (width, field) in widths.iter_mut().zip(fields) {
            let least = if field.is_nullable() { NULL.len() } else { 1 };
            *width = (*width).max(least);
        }
        for (width, wanted) in widths.iter_mut().zip(&self.wanted) {
            *width = (*width).max(*wanted);
        }
        if widths == self.wanted {
            return;
        }
        self.wanted.clone_from(&widths);
        if let Some(room) = self.options.width {
            let can_shrink: Vec<bool> = fields.iter().map(|field| can_shrink(field.data_type())).collect();
            let note = LONGEST_NOTE.len().max(self.flags_note().len());
            fit(&mut widths, &can_shrink, room, note);
        }
        let columns = widths.iter().zip(fields);
        let columns = columns
            .map(|(&width, field)| Column {
                width,
                right: field.data_type().is_numeric(),
            })
            .collect();
        if columns != self.columns {
            self.columns = columns;
            self.header(batch, out);
        }
    }

    fn header(&self, batch: &RecordBatch, out: &mut Vec<u8>) {
        let fields = batch.schema_ref().fields();
        let hidden = fields.len() - self.columns.len();
        for (at, (column, field)) in self.columns.iter().zip(fields).enumerate() {
            self.gap(at, out);
            self.styled("1", out, |out| {
                pad(&escape_controls(field.name()), *column, self.options.width, out);
            });
        }
        if hidden > 0 {
            let plural = if hidden == 1 { "" } else { "s" };
            let note = format!(" (+{hidden} column{plural})");
            self.styled("2", out, |out| out.extend_from_slice(note.as_bytes()));
        }
        end_line(out);
        for (at, column) in self.columns.iter().enumerate() {
            out.extend_from_slice(if at == 0 { "" } else { "─┼─" }.as_bytes());
            out.extend_from_slice("─".repeat(column.width).as_bytes());
        }
        if hidden > 0 {
            self.styled("2", out, |out| {
                out.extend_from_slice(self.flags_note().as_bytes());
            });
        }
        out.push(b'\n');
    }

    /// What is written below the number of columns that found no room.
    fn flags_note(&self) -> String {
        match self.options.flags {
            "" => String::new(),
            flags => format!(" ({flags})"),
        }
    }

    fn gap(&self, at: usize, out: &mut Vec<u8>) {
        if at > 0 {
            self.styled("2", out, |out| out.extend_from_slice(" │ ".as_bytes()));
        }
    }

    fn styled(&self, code: &str, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        if !self.options.color {
            write(out);
            return;
        }
        out.extend_from_slice(format!("\x1b[{code}m").as_bytes());
        write(out);
        out.extend_from_slice(b"\x1b[0m");
    }
}

impl Render for Table {
    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        if batch.num_rows() == 0 || batch.num_columns() == 0 {
            return Ok(());
        }
        let encoders = encode::columns(batch)?;
        self.adapt(batch, &encoders, out);
        let mut cell = Cell::default();
        for row in 0..batch.num_rows() {
            for (at, (column, encoder)) in self.columns.iter().zip(&encoders).enumerate() {
                self.gap(at, out);
                let text = cell.fill(encoder, row);
                if encoder.is_null(row) {
                    self.styled("2", out, |out| pad(text, *column, self.options.width, out));
                } else {
                    pad(text, *column, self.options.width, out);
                }
            }
            end_line(out);
        }
        Ok(())
    }
}

/// A cell's text, in a buffer that is used again.
#[derive(Default)]
struct Cell {
    bytes: Vec<u8>,
    text: String,
}

impl Cell {
    fn fill(&mut self, encoder: &Encoder<'_>, row: usize) -> &str {
        self.bytes.clear();
        self.text.clear();
        if encoder.is_null(row) {
            return NULL;
        }
        encoder.text(row, &mut self.bytes);
        self.text
            .push_str(&escape_controls(&String::from_utf8_lossy(&self.bytes)));
        &self.text
    }
}

fn escape_controls(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        // The second pattern holds the marks that turn the direction of text around.
        if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn pad(text: &str, column: Column, cut: Option<usize>, out: &mut Vec<u8>) {
    let mut text = std::borrow::Cow::Borrowed(text);
    if cut.is_some() && text.width() > column.width {
        text = shorten(&text, column.width).into();
    }
    let blanks = column.width.saturating_sub(text.width());
    if column.right {
        out.extend(std::iter::repeat_n(b' ', blanks));
    }
    out.extend_from_slice(text.as_bytes());
    if !column.right {
        out.extend(std::iter::repeat_n(b' ', blanks));
    }
}

fn shorten(text: &str, width: usize) -> String {
    let mut used = 0;
    let mut short = String::new();
    for c in text.chars() {
        let next = used + c.width().unwrap_or(0);
        if next + 1 > width {
            break;
        }
        used = next;
        short.push(c);
    }
    short.push('…');
    short
}

/// Whether half a value still says something. Half a number or half a date is worse than none.
fn can_shrink(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => can_shrink(values),
        other => !(other.is_numeric() || other.is_temporal() || *other == DataType::Boolean),
    }
}

/// Takes room from the widest columns that can shrink; then leaves out the last ones, with room for
/// a note that says so.
fn fit(widths: &mut Vec<usize>, can_shrink: &[bool], room: usize, note: usize) {
    for width in widths.iter_mut() {
        *width = (*width).min(WIDEST);
    }
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    while total(widths) > room {
        let shrinking = widths.iter_mut().zip(can_shrink).filter(|(_, can)| **can);
        let Some((widest, _)) = shrinking.max_by_key(|(width, _)| **width) else {
            break;
        };
        if *widest <= NARROWEST {
            break;
        }
        *widest -= 1;
    }
    if total(widths) <= room {
        return;
    }
    // Whatever is left out is told of at the end of the header.
    let most = room.saturating_sub(note);
    while widths.len() > 1 && total(widths) > most {
        widths.pop();
    }
    if let [only] = widths.as_mut_slice() {
        *only = (*only).min(room.max(1));
    }
}

/// Takes blanks off the end of the line, so that nothing trails.
fn end_line(out: &mut Vec<u8>) {
    while out.last() == Some(&b' ') {
        out.pop();
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_shrink_or_go_but_numbers_stay_whole() {
        for (wanted, can_shrink, room, expected) in [
            (&[5, 20][..], &[false, true][..], 80, &[5, 20][..]),
            (&[5, 60], &[false, true], 80, &[5, 48]),
            (&[5, 40, 30], &[false, true, true], 61, &[5, 25, 25]),
            (&[20, 40], &[false, true], 33, &[20, 10]),
            // 59 columns are too narrow for anything, so the last ones go, and the header says so.
            (&[20, 40, 24], &[false, true, false], 59, &[20, 10]),
            (&[20, 40], &[false, true], 30, &[20]),
            (&[24, 24], &[false, false], 20, &[20]),
        ] {
            let mut widths = wanted.to_vec();
            fit(&mut widths, can_shrink, room, LONGEST_NOTE.len());
            assert_eq!(widths, expected, "{wanted:?} in {room}");
        }
    }
}
