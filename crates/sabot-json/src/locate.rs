//! Where in the text a node of the tape is.
//!
//! simd-json's tape has no positions, but its first stage leaves those of all brackets, commas,
//! colons, keys and scalars. The tape's nodes are those of them that begin a key or a value, in the
//! same order. Only errors, decimals and raw text need this.

use crate::parse::Document;

/// Finds nodes by their position on the tape, cheaply when asked in order.
#[derive(Debug)]
pub(crate) struct Locator<'a> {
    text: &'a [u8],
    structurals: &'a [u32],
    /// The node that begins at `structurals[at]`.
    node: usize,
    at: usize,
}

impl<'a> Locator<'a> {
    pub(crate) fn new(document: Document<'a>) -> Self {
        Self {
            text: document.text,
            structurals: document.structurals,
            node: 0,
            at: 0,
        }
    }

    /// Where node `node` begins, in bytes.
    pub(crate) fn offset(&mut self, node: usize) -> usize {
        if node < self.node {
            (self.node, self.at) = (0, 0);
        }
        while self.node < node {
            self.at += 1;
            while let b',' | b':' | b']' | b'}' = self.byte(self.at) {
                self.at += 1;
            }
            self.node += 1;
        }
        self.position(self.at)
    }

    /// The text of node `node` with everything in it.
    pub(crate) fn text(&mut self, node: usize) -> &'a [u8] {
        let start = self.offset(node);
        let end = match self.text[start] {
            b'{' | b'[' => self.container_end(),
            b'"' => string_end(self.text, start),
            _ => scalar_end(self.text, start),
        };
        &self.text[start..end]
    }

    /// The end of the container that begins at `structurals[at]`.
    fn container_end(&self) -> usize {
        let (mut at, mut open) = (self.at, 0);
        loop {
            match self.byte(at) {
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            if open == 0 {
                return self.position(at) + 1;
            }
            at += 1;
        }
    }

    fn position(&self, at: usize) -> usize {
        self.structurals[at] as usize
    }

    fn byte(&self, at: usize) -> u8 {
        self.text[self.position(at)]
    }
}

/// The end of a string that begins at `start`.
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

/// The end of a number or a literal that begins at `start`.
fn scalar_end(text: &[u8], start: usize) -> usize {
    let is_end = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}');
    let len = text[start..].iter().position(is_end);
    len.map_or(text.len(), |len| start + len)
}

#[cfg(test)]
mod tests {
    use super::Locator;
    use crate::parse::Parser;
    use sabot_decode::Limits;

    #[test]
    fn nodes_are_found_in_any_order() {
        let text = br#" {"a" : [1, "x\"]", {"b":null} ] ,"c":-2.5e3 , "d" : { } }"#;
        let nodes: [&[u8]; 12] = [
            text[1..].into(),
            br#""a""#,
            br#"[1, "x\"]", {"b":null} ]"#,
            b"1",
            br#""x\"]""#,
            br#"{"b":null}"#,
            br#""b""#,
            b"null",
            br#""c""#,
            b"-2.5e3",
            br#""d""#,
            b"{ }",
        ];
        let found = Parser::new(&Limits::default()).parse(text, |document| {
            assert_eq!(document.nodes.len(), nodes.len());
            let mut locator = Locator::new(document);
            for (node, expected) in nodes.iter().enumerate().chain(nodes.iter().enumerate().rev()) {
                assert_eq!(locator.text(node), *expected, "node {node}");
            }
            Ok(())
        });
        assert_eq!(found, Ok(()));
    }
}
