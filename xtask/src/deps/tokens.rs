//! Rust source as names and punctuation: as much of the language's lexis as it takes to find paths.
//!
//! Comments, strings, characters and lifetimes are left out, since a path in one of them is no use
//! of a module.

/// A name, `::`, or one character of punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
}

pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        chars: source.chars().collect(),
        at: 0,
        line: 1,
        tokens: Vec::new(),
    };
    while lexer.at < lexer.chars.len() {
        lexer.step();
    }
    lexer.tokens
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer {
    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => self.skip_until(|lexer| lexer.peek(0) == '\n'),
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(),
            ('\'', _) => self.character_or_lifetime(),
            (':', ':') => self.push(2),
            (c, _) if is_name(c) => self.name(),
            (c, _) if c.is_whitespace() => self.advance(1),
            _ => self.push(1),
        }
    }

    /// The character at this distance; past the end, one that no source has.
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn advance(&mut self, chars: usize) {
        let end = (self.at + chars).min(self.chars.len());
        self.line += self.chars[self.at..end].iter().filter(|c| **c == '\n').count();
        self.at = end;
    }

    fn skip_until(&mut self, stop: impl Fn(&Self) -> bool) {
        while self.at < self.chars.len() && !stop(self) {
            self.advance(1);
        }
    }

    fn push(&mut self, chars: usize) {
        let text = self.chars[self.at..self.at + chars].iter().collect();
        let line = self.line;
        self.tokens.push(Token { text, line });
        self.advance(chars);
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        loop {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                ('\0', _) => return,
                _ => {
                    self.advance(1);
                    continue;
                }
            }
            self.advance(2);
            if depth == 0 {
                return;
            }
        }
    }

    /// At its opening quote.
    fn string(&mut self) {
        self.advance(1);
        while self.at < self.chars.len() && self.peek(0) != '"' {
            self.advance(if self.peek(0) == '\\' { 2 } else { 1 });
        }
        self.advance(1);
    }

    /// After its `r`, at the first `#` or the opening quote.
    fn raw_string(&mut self) {
        let mut hashes = 0;
        while self.peek(hashes) == '#' {
            hashes += 1;
        }
        self.advance(hashes + 1);
        self.skip_until(|lexer| lexer.peek(0) == '"' && (1..=hashes).all(|hash| lexer.peek(hash) == '#'));
        self.advance(hashes + 1);
    }

    fn character_or_lifetime(&mut self) {
        if self.peek(1) == '\\' {
            self.advance(3);
            self.skip_until(|lexer| lexer.peek(0) == '\'');
            self.advance(1);
        } else if self.peek(2) == '\'' {
            self.advance(3);
        } else {
            self.advance(1);
            self.skip_until(|lexer| !is_name(lexer.peek(0)));
        }
    }

    /// A name, a number, or the prefix of a string.
    fn name(&mut self) {
        let mut length = 0;
        while is_name(self.peek(length)) {
            length += 1;
        }
        let name: String = self.chars[self.at..self.at + length].iter().collect();
        let raw_string_follows = self.peek(length) == '"'
            || (self.peek(length) == '#' && matches!(self.peek(length + 1), '"' | '#'));
        match name.as_str() {
            "r" | "br" | "cr" if raw_string_follows => {
                self.advance(length);
                self.raw_string();
            }
            // A raw name: what follows is the name.
            "r" if self.peek(1) == '#' => self.advance(2),
            _ => self.push(length),
        }
    }
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn only_names_and_punctuation_are_left() {
        for (source, expected) in [
            ("use crate::a;", "use crate :: a ;"),
            ("a // crate::b\nc", "a c"),
            ("a /* x /* y */ crate::b */ c", "a c"),
            (r#"a "crate::b \" x" c"#, "a c"),
            (r###"a r#"crate::b " x"# b r"\" c"###, "a b c"),
            (r##"a br#"x"# b"x" c"##, "a b c"),
            (
                "f::<'a>('x', '\\'', '\\u{1f600}', 'é') + 'static",
                "f :: < > ( , , , ) +",
            ),
            ("r#type::x", "type :: x"),
            ("b'\"' crate::x", "b crate :: x"),
        ] {
            let found: Vec<String> = tokens(source).into_iter().map(|token| token.text).collect();
            assert_eq!(found.join(" "), expected, "{source}");
        }
    }

    #[test]
    fn each_has_its_line() {
        let lines: Vec<usize> = tokens("a\n\"\n\"\n/*\n*/ b")
            .iter()
            .map(|token| token.line)
            .collect();
        assert_eq!(lines, [1, 5]);
    }
}
