//! From text to the segments of paths.
//!
//! ```text
//! id , customer."e.mail",lines[].price,event<Created>.by
//! ^^   ^^^^^^^^ ^^^^^^^  ^^^^^  ^^^^^  ^^^^^ ^^^^^^^  ^^
//! ```
//!
//! gives four paths: `id`; `customer` and `e.mail`; `lines`, items, `price`; `event`, the branch
//! `Created`, `by`. Blanks around a name are not part of it, unless they are within its quotes.
//! This is the reverse of [`field_segment`](sabot_decode::field_segment) and its neighbours: what
//! they print is read as the same names.

use sabot_decode::PlanError;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// The field of this name.
    Field(Box<str>),
    /// The items of a list: `[]`.
    Items,
    /// The values of a map: `{}`.
    Values,
    /// The branch of this name, of a union: `<name>`.
    Branch(Box<str>),
}

/// Characters that end a field's name where it is not quoted.
const ENDS_FIELD: [char; 9] = ['.', ',', '[', ']', '{', '}', '<', '>', '"'];
/// The same for a branch's name: full names have dots.
const ENDS_BRANCH: &[char] = ENDS_FIELD.split_at(1).1;

/// Reads one path, or several with commas between them.
pub(super) fn paths(text: &str) -> Result<Vec<Vec<Segment>>, PlanError> {
    let mut parser = Parser { text, rest: text };
    let mut paths = vec![parser.path()?];
    while parser.takes(",") {
        paths.push(parser.path()?);
    }
    Ok(paths)
}

struct Parser<'a> {
    /// All of the text, for errors.
    text: &'a str,
    /// What is not read yet.
    rest: &'a str,
}

impl Parser<'_> {
    /// A path, up to a comma or the end.
    fn path(&mut self) -> Result<Vec<Segment>, PlanError> {
        let mut segments = vec![Segment::Field(self.name(&ENDS_FIELD)?)];
        while !self.rest.is_empty() && !self.rest.starts_with(',') {
            segments.push(self.step()?);
        }
        Ok(segments)
    }

    /// What may follow a name, with its sign.
    fn step(&mut self) -> Result<Segment, PlanError> {
        let segment = if self.takes(".") {
            return self.name(&ENDS_FIELD).map(Segment::Field);
        } else if self.takes("[]") {
            Segment::Items
        } else if self.takes("{}") {
            Segment::Values
        } else if self.takes("<") {
            let name = self.name(ENDS_BRANCH)?;
            if !self.takes(">") {
                return Err(self.expected("'>'"));
            }
            Segment::Branch(name)
        } else {
            return Err(self.expected("'.', '[]', '{}', '<', ',' or the end"));
        };
        self.skip_blanks();
        Ok(segment)
    }

    /// A name, and the blanks around it.
    fn name(&mut self, ends: &[char]) -> Result<Box<str>, PlanError> {
        self.skip_blanks();
        if self.takes("\"") {
            return self.quoted();
        }
        let (name, rest) = self
            .rest
            .split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        let name = name.trim_end();
        if name.is_empty() {
            return Err(self.expected("a name (one with other signs in it needs double quotes)"));
        }
        self.rest = rest;
        Ok(name.into())
    }

    /// A name after its opening quote, up to a quote that is not doubled.
    fn quoted(&mut self) -> Result<Box<str>, PlanError> {
        let mut name = String::new();
        loop {
            let Some((part, rest)) = self.rest.split_once('"') else {
                self.rest = "";
                return Err(self.expected("a closing quote"));
            };
            name.push_str(part);
            self.rest = rest;
            if !self.takes("\"") {
                break;
            }
            name.push('"');
        }
        self.skip_blanks();
        Ok(name.into())
    }

    /// Whether `sign` comes next; steps over it then.
    fn takes(&mut self, sign: &str) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    #[cold]
    fn expected(&self, what: &str) -> PlanError {
        let read = &self.text[..self.text.len() - self.rest.len()];
        PlanError::new(format!(
            "{:?} is not a field's path: expected {what} after {read:?}",
            self.text
        ))
    }
}

#[cfg(test)]
mod tests {
    use sabot_decode::{branch_segment, field_segment, join_path};

    use super::*;

    fn print(path: &[Segment]) -> String {
        join_path(path.iter().map(|segment| match segment {
            Segment::Field(name) => field_segment(name).into_owned(),
            Segment::Items => "[]".to_owned(),
            Segment::Values => "{}".to_owned(),
            Segment::Branch(name) => branch_segment(name),
        }))
    }

    #[test]
    fn paths_are_read_and_printed() {
        for (text, expected) in [
            ("id", &["id"][..]),
            (" id , customer.name ", &["id", "customer.name"]),
            ("a . b [] . c", &["a.b[].c"]),
            ("größe,a b,a-b", &["größe", "a b", "a-b"]),
            (
                "lines[].price,by{}.sku,l[][]{}",
                &["lines[].price", "by{}.sku", "l[][]{}"],
            ),
            ("u<a.P>.x,u< int >[]", &["u<a.P>.x", "u<int>[]"]),
            (r#""a.b".c,"a,b""#, &[r#""a.b".c"#, r#""a,b""#]),
            (r#""plain" [],"" , " x""#, &["plain[]", r#""""#, r#"" x""#]),
            (r#""say ""hi""",u<"a>b">"#, &[r#""say ""hi""""#, r#"u<"a>b">"#]),
        ] {
            let read = paths(text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(
                read.iter().map(|path| print(path)).collect::<Vec<_>>(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn malformed_paths_are_refused() {
        for (text, expected) in [
            ("", "expected a name"),
            (" ", "expected a name"),
            (
                "a,",
                "expected a name (one with other signs in it needs double quotes) after \"a,\"",
            ),
            (",a", "expected a name"),
            ("a..b", "after \"a.\""),
            (".", "after \"\""),
            ("[]u", "expected a name"),
            (
                "u[x]",
                "expected '.', '[]', '{}', '<', ',' or the end after \"u\"",
            ),
            ("u<a.P", "expected '>' after \"u<a.P\""),
            ("u<>", "expected a name"),
            ("u<a>x", "expected '.'"),
            ("\"a", "a closing quote"),
            ("\"a\"b", "after \"\\\"a\\\"\""),
            ("a\"b\"", "expected '.'"),
        ] {
            let error = paths(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(error.contains("is not a field's path"), "{text}: {error}");
        }
    }
}
