//! Where text stops being JSON, and why.
//!
//! simd-json says quickly that a message is bad, but not reliably where: its second stage does not
//! run for an open string, and its positions in strings are relative. So a bad message is read
//! again here, byte by byte, strictly by RFC 8259. Good messages never come here.

use sabot_decode::RowErrorKind;

/// The first fault of `text`: its position in bytes, and what it is. `None` if it is JSON that
/// nests at most `depth` deep and holds no number beyond the range of an `f64`.
#[cold]
pub(crate) fn find_fault(text: &[u8], depth: usize) -> Option<(usize, RowErrorKind)> {
    let (text_until, bad_utf8) = match std::str::from_utf8(text) {
        Ok(_) => (text, None),
        Err(error) => (&text[..error.valid_up_to()], Some(error.valid_up_to())),
    };
    let mut reader = Reader {
        text: text_until,
        at: 0,
        open: Vec::new(),
        depth,
    };
    match (reader.document(), bad_utf8) {
        // What is good up to the bad byte only seems to end there.
        (Ok(()) | Err(RowErrorKind::Truncated), Some(at)) => Some((at, RowErrorKind::InvalidUtf8)),
        (Ok(()), None) => None,
        (Err(kind), _) => Some((reader.at, kind)),
    }
}

/// What a value opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Object,
    Array,
}

/// Reads JSON; where it fails, `at` is the fault's position.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    open: Vec<Bracket>,
    depth: usize,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(), RowErrorKind> {
        loop {
            let has_opened = self.value()?;
            if !has_opened && self.after_value()? {
                return Ok(());
            }
        }
    }

    /// Reads a scalar, an empty container, or a container's beginning up to its first value: then
    /// it is true.
    fn value(&mut self) -> Result<bool, RowErrorKind> {
        match self.next_token()? {
            b'{' => {
                self.open(Bracket::Object)?;
                if self.next_token()? == b'}' {
                    self.close();
                    return Ok(false);
                }
                self.key()?;
                Ok(true)
            }
            b'[' => {
                self.open(Bracket::Array)?;
                if self.next_token()? == b']' {
                    self.close();
                    return Ok(false);
                }
                Ok(true)
            }
            b'"' => self.string().map(|()| false),
            b'-' | b'0'..=b'9' => self.number().map(|()| false),
            b't' => self.literal(b"true").map(|()| false),
            b'f' => self.literal(b"false").map(|()| false),
            b'n' => self.literal(b"null").map(|()| false),
            _ => Err(RowErrorKind::Syntax("expected a value")),
        }
    }

    /// Reads up to the next value; true at the end of the text.
    fn after_value(&mut self) -> Result<bool, RowErrorKind> {
        loop {
            self.skip_space();
            let Some(bracket) = self.open.last() else {
                return match self.peek() {
                    None => Ok(true),
                    Some(_) => Err(RowErrorKind::Syntax("data behind the value")),
                };
            };
            match (bracket, self.peek().ok_or(RowErrorKind::Truncated)?) {
                (Bracket::Object, b'}') | (Bracket::Array, b']') => self.close(),
                (Bracket::Array, b',') => {
                    self.at += 1;
                    return Ok(false);
                }
                (Bracket::Object, b',') => {
                    self.at += 1;
                    self.next_token()?;
                    return self.key().map(|()| false);
                }
                (Bracket::Array, _) => return Err(RowErrorKind::Syntax("expected a comma or ] in an array")),
                (Bracket::Object, _) => {
                    return Err(RowErrorKind::Syntax("expected a comma or } in an object"));
                }
            }
        }
    }

    fn open(&mut self, bracket: Bracket) -> Result<(), RowErrorKind> {
        if self.open.len() >= self.depth {
            return Err(RowErrorKind::LimitExceeded("nesting"));
        }
        self.open.push(bracket);
        self.at += 1;
        Ok(())
    }

    fn close(&mut self) {
        self.open.pop();
        self.at += 1;
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<(), RowErrorKind> {
        if self.peek() != Some(b'"') {
            return Err(RowErrorKind::Syntax("expected a key in quotes"));
        }
        self.string()?;
        if self.next_token()? != b':' {
            return Err(RowErrorKind::Syntax("expected a colon behind a key"));
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<(), RowErrorKind> {
        self.at += 1;
        loop {
            match self.peek().ok_or(RowErrorKind::Truncated)? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.escape()?,
                ..=0x1f => return Err(RowErrorKind::Syntax("control character in a string")),
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), RowErrorKind> {
        let escaped = *self.text.get(self.at + 1).ok_or_else(|| self.truncated())?;
        if escaped != b'u' {
            if !br#""\/bfnrt"#.contains(&escaped) {
                return Err(RowErrorKind::Syntax("invalid escape in a string"));
            }
            self.at += 2;
            return Ok(());
        }
        let start = self.at;
        let unit = self.unicode_escape()?;
        let is_pair = match unit {
            0xd800..0xdc00 if self.at >= self.text.len() => return Err(RowErrorKind::Truncated),
            0xd800..0xdc00 => {
                self.text[self.at..].starts_with(b"\\u") && (0xdc00..0xe000).contains(&self.unicode_escape()?)
            }
            0xdc00..0xe000 => false,
            _ => true,
        };
        if !is_pair {
            self.at = start;
            return Err(RowErrorKind::Syntax("lone surrogate in a string"));
        }
        Ok(())
    }

    /// The code unit of a `\uXXXX`.
    fn unicode_escape(&mut self) -> Result<u32, RowErrorKind> {
        let digits = &self.text[self.at + 2..self.text.len().min(self.at + 6)];
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(RowErrorKind::Syntax("invalid \\u escape in a string"));
        }
        if digits.len() < 4 {
            return Err(self.truncated());
        }
        self.at += 6;
        let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or_default();
        Ok(digits.iter().fold(0, |unit, byte| unit * 16 + digit(byte)))
    }

    fn number(&mut self) -> Result<(), RowErrorKind> {
        let number = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let is_zero = self.peek() == Some(b'0');
        let start = self.at;
        self.digits()?;
        if is_zero && self.at > start + 1 {
            self.at = start + 1;
            return Err(RowErrorKind::Syntax("invalid number"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'-' | b'+') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        if !is_finite(&self.text[number..self.at]) {
            self.at = number;
            return Err(RowErrorKind::NumberOutOfRange);
        }
        Ok(())
    }

    /// At least one digit.
    fn digits(&mut self) -> Result<(), RowErrorKind> {
        let count = self.text[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.at += count;
        match self.peek() {
            None if count == 0 => Err(RowErrorKind::Truncated),
            Some(_) if count == 0 => Err(RowErrorKind::Syntax("invalid number")),
            _ => Ok(()),
        }
    }

    fn literal(&mut self, literal: &[u8]) -> Result<(), RowErrorKind> {
        let rest = &self.text[self.at..];
        if rest.starts_with(literal) {
            self.at += literal.len();
            return Ok(());
        }
        if literal.starts_with(rest) {
            return Err(self.truncated());
        }
        Err(RowErrorKind::Syntax("expected true, false or null"))
    }

    /// The next byte that is no space.
    fn next_token(&mut self) -> Result<u8, RowErrorKind> {
        self.skip_space();
        self.peek().ok_or(RowErrorKind::Truncated)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn truncated(&mut self) -> RowErrorKind {
        self.at = self.text.len();
        RowErrorKind::Truncated
    }
}

/// Whether an `f64` can hold the number.
fn is_finite(number: &[u8]) -> bool {
    const ALWAYS_FINITE_BYTES: usize = 300;
    let has_exponent = number.iter().any(|byte| matches!(byte, b'e' | b'E'));
    if number.len() <= ALWAYS_FINITE_BYTES && !has_exponent {
        return true;
    }
    let value = std::str::from_utf8(number)
        .ok()
        .and_then(|text| text.parse::<f64>().ok());
    value.is_some_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::find_fault;
    use sabot_decode::RowErrorKind as K;

    #[test]
    fn faults_are_found_where_they_are() {
        let number = K::Syntax("invalid number");
        let value = K::Syntax("expected a value");
        let literal = K::Syntax("expected true, false or null");
        let escape = K::Syntax("invalid escape in a string");
        let unicode = K::Syntax("invalid \\u escape in a string");
        let surrogate = K::Syntax("lone surrogate in a string");
        let control = K::Syntax("control character in a string");
        let key = K::Syntax("expected a key in quotes");
        let colon = K::Syntax("expected a colon behind a key");
        let in_array = K::Syntax("expected a comma or ] in an array");
        let in_object = K::Syntax("expected a comma or } in an object");
        let trailing = K::Syntax("data behind the value");
        let cases: [(&[u8], usize, K); 75] = [
            (b"", 0, K::Truncated),
            (b" \t\r\n", 4, K::Truncated),
            (b"\0", 0, value),
            (b"\xef\xbb\xbf{}", 0, value),
            (b"\x0c{}", 0, value),
            (b"/* */{}", 0, value),
            (b"{", 1, K::Truncated),
            (b"{\"a", 3, K::Truncated),
            (b"{\"a\" ", 5, K::Truncated),
            (b"{\"a\":", 5, K::Truncated),
            (b"{\"a\":1 ", 7, K::Truncated),
            (b"{\"a\":1,", 7, K::Truncated),
            (b"{\"a\":1,}", 7, key),
            (b"{,}", 1, key),
            (b"{1:1}", 1, key),
            (b"{'a':1}", 1, key),
            (b"{a:1}", 1, key),
            (b"{\"a\" 1}", 5, colon),
            (b"{\"a\"}", 4, colon),
            (b"{\"a\"::1}", 5, value),
            (b"{\"a\":1 \"b\":2}", 7, in_object),
            (b"{\"a\":1]", 6, in_object),
            (b"{]", 1, key),
            (b"{\"a\":1}}", 7, trailing),
            (b"{}{}", 2, trailing),
            (b"{} \0", 3, trailing),
            (b"[", 1, K::Truncated),
            (b"[1", 2, K::Truncated),
            (b"[1,", 3, K::Truncated),
            (b"[1,]", 3, value),
            (b"[,1]", 1, value),
            (b"[1 2]", 3, in_array),
            (b"[1}", 2, in_array),
            (b"[}", 1, value),
            (b"]", 0, value),
            (b"[1\0]", 2, in_array),
            (b"[true\0abc]", 5, in_array),
            (b"[\"a\"x]", 4, in_array),
            (b"-", 1, K::Truncated),
            (b"[-]", 2, number),
            (b"[--1]", 2, number),
            (b"[+1]", 1, value),
            (b"[.5]", 1, value),
            (b"[01]", 2, number),
            (b"[-01]", 3, number),
            (b"1.", 2, K::Truncated),
            (b"[1.]", 3, number),
            (b"[1.e5]", 3, number),
            (b"[1e]", 3, number),
            (b"[1e+]", 4, number),
            (b"[1x]", 2, in_array),
            (b"[0x10]", 2, in_array),
            (b"[12345678901234567890x]", 21, in_array),
            (b"[-1e400,x]", 1, K::NumberOutOfRange),
            (b"[1e-400,2E+4294967296]", 8, K::NumberOutOfRange),
            (&[b'9'; 400], 0, K::NumberOutOfRange),
            (b"nul", 3, K::Truncated),
            (b"nulx", 0, literal),
            (b"[tru]", 1, literal),
            (b"truex", 4, trailing),
            (b"[NaN]", 1, value),
            (b"\"abc", 4, K::Truncated),
            (b"\"\\", 2, K::Truncated),
            (b"\"\\\"", 3, K::Truncated),
            (b"[\"a\\x\"]", 3, escape),
            (b"[\"a\tb\"]", 3, control),
            (b"\"\\u12", 5, K::Truncated),
            (b"[\"\\u12g4\"]", 2, unicode),
            (b"[\"a\\ud800\"]", 3, surrogate),
            (b"[\"\\ud800\\ue000\"]", 2, surrogate),
            (b"[\"\\udc00\"]", 2, surrogate),
            (b"[\"\xff\"]", 2, K::InvalidUtf8),
            (b"[1] \xc3", 4, K::InvalidUtf8),
            (b"[x\xff]", 1, value),
            (b"[[[[1]]]]", 3, K::LimitExceeded("nesting")),
        ];
        for (text, at, kind) in cases {
            let shown = String::from_utf8_lossy(text);
            assert_eq!(find_fault(text, 3), Some((at, kind)), "{shown}");
        }
    }

    #[test]
    fn json_has_no_fault() {
        let good: [&[u8]; 8] = [
            b"{}",
            b" [ ] ",
            b"-0.0e-0",
            b"[0, 10, 1E+2, -1.5e3, true, false, null]",
            br#"{"a":{"b":[]},"":"\"\\\/\b\f\n\r\t\u0000\ud83d\ude00"}"#,
            "\"größer \u{7f}\u{2028}\"".as_bytes(),
            b"[[[1]]]",
            b"\r\n\t {\"a\"\n:\t1\r}",
        ];
        for text in good {
            assert_eq!(find_fault(text, 3), None, "{}", String::from_utf8_lossy(text));
        }
    }
}
