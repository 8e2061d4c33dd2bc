//! kcat's `-f`: a format string for each message.
//!
//! | | |
//! |---|---|
//! | `%t` `%p` `%o` | topic, partition, offset |
//! | `%k` `%s` | key, payload: text as it is, records as JSON, nothing for null |
//! | `%K` `%S` | bytes of what `%k` and `%s` write; -1 for null |
//! | `%T` | timestamp in milliseconds; -1 where there is none |
//! | `%h` | headers, `name=value` with commas between; `NULL` for null |
//! | `%%` | a percent sign |
//! | `\n` `\r` `\t` `\0` `\\` `\xNN` | escapes |
//!
//! Unlike kcat's, `%K` and `%S` count what is written and not what came over the wire, because a
//! decoded payload no longer has its wire form.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use super::envelope::Message;
use super::layout::Layout;
use super::render::Render;

/// A parsed format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Topic,
    Partition,
    Offset,
    Key,
    KeyBytes,
    Payload,
    PayloadBytes,
    Timestamp,
    Headers,
}

impl Template {
    /// Reads a format string; the error says which directive is unknown.
    pub(crate) fn parse(format: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut text = Vec::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            match c {
                '%' => {
                    let piece = match chars.next() {
                        Some('%') => {
                            text.push(b'%');
                            continue;
                        }
                        Some(directive) => piece(directive)?,
                        None => return Err("a percent sign at the end: write %% for a percent sign".into()),
                    };
                    if !text.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut text)));
                    }
                    pieces.push(piece);
                }
                '\\' => text.push(escape(&mut chars)?),
                other => text.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Self { pieces })
    }

    /// Whether every message ends with a line break, so that whole messages can be told from a torn
    /// one.
    pub(crate) fn ends_lines(&self) -> bool {
        matches!(self.pieces.last(), Some(Piece::Text(text)) if text.ends_with(b"\n"))
    }

    /// Whether it shows anything of the payload.
    pub(crate) fn shows_payload(&self) -> bool {
        let payload = |piece: &Piece| matches!(piece, Piece::Payload | Piece::PayloadBytes);
        self.pieces.iter().any(payload)
    }

    fn row(&self, message: &Message<'_>, row: usize, cell: &mut Vec<u8>, out: &mut Vec<u8>) {
        let parts = &message.parts;
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Topic => message.text(parts.topic, row, out),
                Piece::Partition => message.text(parts.partition, row, out),
                Piece::Offset => message.text(parts.offset, row, out),
                Piece::Key => message.text(parts.key, row, out),
                Piece::KeyBytes => {
                    cell.clear();
                    message.text(parts.key, row, cell);
                    length(message.key_is_null(row), cell.len(), out);
                }
                Piece::Payload => message.value_text(row, out),
                Piece::PayloadBytes => {
                    cell.clear();
                    message.value_text(row, cell);
                    length(message.is_tombstone(row), cell.len(), out);
                }
                Piece::Timestamp => {
                    let ms = message.timestamp_ms(row).unwrap_or(-1);
                    out.extend_from_slice(ms.to_string().as_bytes());
                }
                Piece::Headers => headers(message, row, out),
            }
        }
    }
}

/// Writes messages by a template.
#[derive(Debug)]
pub(crate) struct Templated {
    template: Template,
    layout: Layout,
}

impl Templated {
    pub(crate) fn new(template: Template, layout: Layout) -> Self {
        Self { template, layout }
    }
}

impl Render for Templated {
    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let message = Message::new(&self.layout, batch)?;
        let mut cell = Vec::new();
        for row in 0..batch.num_rows() {
            self.template.row(&message, row, &mut cell, out);
        }
        Ok(())
    }
}

fn piece(directive: char) -> Result<Piece, String> {
    Ok(match directive {
        't' => Piece::Topic,
        'p' => Piece::Partition,
        'o' => Piece::Offset,
        'k' => Piece::Key,
        'K' => Piece::KeyBytes,
        's' => Piece::Payload,
        'S' => Piece::PayloadBytes,
        'T' => Piece::Timestamp,
        'h' => Piece::Headers,
        other => {
            return Err(format!(
                "unknown directive %{other}: known are %t %p %o %k %K %s %S %T %h %%"
            ));
        }
    })
}

fn escape(chars: &mut std::str::Chars<'_>) -> Result<u8, String> {
    Ok(match chars.next() {
        Some('n') => b'\n',
        Some('r') => b'\r',
        Some('t') => b'\t',
        Some('0') => 0,
        Some('\\') => b'\\',
        Some('x') => {
            let mut digit = || {
                chars
                    .next()
                    .and_then(|c| c.to_digit(16))
                    .ok_or("\\x needs two hexadecimal digits")
            };
            (digit()? * 16 + digit()?) as u8
        }
        Some(other) => {
            return Err(format!(
                "unknown escape \\{other}: known are \\n \\r \\t \\0 \\\\ \\xNN"
            ));
        }
        None => return Err("a backslash at the end: write \\\\ for a backslash".into()),
    })
}

fn length(is_null: bool, bytes: usize, out: &mut Vec<u8>) {
    let text = if is_null {
        "-1".to_owned()
    } else {
        bytes.to_string()
    };
    out.extend_from_slice(text.as_bytes());
}

fn headers(message: &Message<'_>, row: usize, out: &mut Vec<u8>) {
    let mut first = true;
    message.headers(row, |name, value| {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        out.extend_from_slice(value.unwrap_or(b"NULL"));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_strings_are_read_or_refused() {
        let text = |bytes: &[u8]| Piece::Text(bytes.to_vec());
        let good = [
            (
                "%t[%p]@%o\\n",
                vec![
                    Piece::Topic,
                    text(b"["),
                    Piece::Partition,
                    text(b"]@"),
                    Piece::Offset,
                    text(b"\n"),
                ],
            ),
            ("%k=%s", vec![Piece::Key, text(b"="), Piece::Payload]),
            (
                "%K %S %T",
                vec![
                    Piece::KeyBytes,
                    text(b" "),
                    Piece::PayloadBytes,
                    text(b" "),
                    Piece::Timestamp,
                ],
            ),
            ("%h", vec![Piece::Headers]),
            ("100%%\\t\\x41\\\\", vec![text(b"100%\tA\\")]),
            ("\\xff\\0ü", vec![text(b"\xff\0\xc3\xbc")]),
            ("", vec![]),
        ];
        for (format, pieces) in good {
            assert_eq!(Template::parse(format), Ok(Template { pieces }), "{format}");
        }
        for (format, words) in [
            ("%", "%%"),
            ("%q", "%q"),
            ("a\\", "backslash"),
            ("\\x4", "hexadecimal"),
            ("\\q", "\\q"),
        ] {
            let error = Template::parse(format).expect_err("because the format is wrong");
            assert!(error.contains(words), "{format}: {error}");
        }
        for (format, shows) in [("%s", true), ("%S", true), ("%%s %k %K", false)] {
            assert_eq!(
                Template::parse(format).unwrap().shows_payload(),
                shows,
                "{format}"
            );
        }
        for (format, ends_lines) in [("%s\\n", true), ("%s\\n%o", false), ("%s;", false), ("", false)] {
            assert_eq!(
                Template::parse(format).unwrap().ends_lines(),
                ends_lines,
                "{format}"
            );
        }
    }
}
