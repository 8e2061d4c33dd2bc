//! Where in the text a node of the tape stands.
//!
//! simd-json's tape has no positions. The tape's nodes stand in the order of the text, so counting tokens finds them; only errors,
//! decimals and raw text need it. The text is known to be well-formed here.

/// Finds nodes by their position on the tape, cheaply when asked in order.
#[derive(Debug)]
pub(crate) struct Locator<'a> {
    text: &'a [u8],
    /// The node that begins at `offset`.
    node: usize,
    offset: usize,
}

impl<'a> Locator<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            node: 0,
            offset: skip_to_token(text, 0),
        }
    }

    /// Where node `node` begins, in bytes.
    pub(crate) fn offset(&mut self, node: usize) -> usize {
        if node < self.node {
            *self = Self::new(self.text);
        }
        while self.node < node && self.offset < self.text.len() {
            self.offset = skip_to_token(self.text, token_end(self.text, self.offset));
            self.node += 1;
        }
        self.offset
    }

    /// The text of node `node` with everything in it.
    pub(crate) fn text(&mut self, node: usize) -> &'a [u8] {
        let start = self.offset(node);
        &self.text[start..value_end(self.text, start)]
    }
}

/// The first byte at or behind `at` that begins a value or a key.
fn skip_to_token(text: &[u8], at: usize) -> usize {
    let is_between = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b']' | b'}');
    at + text[at..].iter().take_while(|byte| is_between(byte)).count()
}

/// The end of the token that begins at `at`: of a bracket, a string, a number or a literal.
fn token_end(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(b'{' | b'[') => at + 1,
        Some(b'"') => string_end(text, at),
        _ => {
            let is_end = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b']' | b'}');
            text[at..]
                .iter()
                .position(is_end)
                .map_or(text.len(), |len| at + len)
        }
    }
}

fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// The end of the value that begins at `start`, brackets matched.
fn value_end(text: &[u8], start: usize) -> usize {
    let (mut at, mut open) = (start, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'{' | b'[' => {
                open += 1;
                at += 1;
            }
            b'}' | b']' => {
                open -= 1;
                at += 1;
            }
            b'"' => at = string_end(text, at),
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => {
                at += 1;
                continue;
            }
            _ => at = token_end(text, at),
        }
        if open == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::Locator;

    #[test]
    fn nodes_are_found_in_any_order() {
        let text = br#" {"a" : [1, "x\"]", {"b":null} ] ,"c":-2.5e3}"#;
        let nodes: [&[u8]; 10] = [
            br#"{"a" : [1, "x\"]", {"b":null} ] ,"c":-2.5e3}"#,
            br#""a""#,
            br#"[1, "x\"]", {"b":null} ]"#,
            b"1",
            br#""x\"]""#,
            br#"{"b":null}"#,
            br#""b""#,
            b"null",
            br#""c""#,
            b"-2.5e3",
        ];
        let mut locator = Locator::new(text);
        for (node, expected) in nodes.iter().enumerate().chain(nodes.iter().enumerate().rev()) {
            assert_eq!(locator.text(node), *expected, "node {node}");
        }
    }
}
