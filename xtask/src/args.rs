//! The command line, read by hand.

use std::collections::VecDeque;

use crate::command::{Failure, Outcome};

/// The arguments that are still to be read.
pub(crate) struct Args(VecDeque<String>);

impl Args {
    /// The arguments of this process, its name left out.
    pub(crate) fn from_env() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    /// The next argument.
    pub(crate) fn next(&mut self) -> Option<String> {
        self.0.pop_front()
    }

    /// The next argument, unless it is an option.
    pub(crate) fn verb(&mut self) -> Option<String> {
        if self.0.front()?.starts_with('-') {
            return None;
        }
        self.next()
    }

    /// All that is left.
    pub(crate) fn rest(self) -> Vec<String> {
        self.0.into()
    }

    /// Takes the flag `name` out, wherever it is.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|arg| arg != name);
        self.0.len() != before
    }

    /// Takes `name N` out, wherever it is.
    pub(crate) fn number(&mut self, name: &str) -> Outcome<Option<u64>> {
        let Some(at) = self.0.iter().position(|arg| arg == name) else {
            return Ok(None);
        };
        self.0.remove(at);
        let value = self
            .0
            .remove(at)
            .ok_or_else(|| Failure::new(format!("{name} needs a number")))?;
        value
            .parse()
            .map(Some)
            .map_err(|_| Failure::new(format!("{name} needs a number, not {value:?}")))
    }

    /// The names that are left; anything that looks like an option is refused.
    pub(crate) fn names(self) -> Outcome<Vec<String>> {
        match self.0.iter().find(|arg| arg.starts_with('-')) {
            Some(option) => Err(Failure::new(format!(
                "there is no option {option}; see cargo xtask help"
            ))),
            None => Ok(self.rest()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Args;

    fn args(words: &str) -> Args {
        Args(words.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn options_are_taken_out_wherever_they_stand() {
        let mut read = args("one --seconds 7 --release two");
        assert_eq!(read.number("--seconds").unwrap(), Some(7));
        assert!(read.flag("--release"));
        assert!(!read.flag("--release"));
        assert_eq!(read.number("--seconds").unwrap(), None);
        assert_eq!(read.names().unwrap(), ["one", "two"]);
    }

    #[test]
    fn an_option_is_no_verb() {
        let mut read = args("one --fast");
        assert_eq!(read.verb().as_deref(), Some("one"));
        assert_eq!(read.verb(), None);
        assert_eq!(read.rest(), ["--fast"]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(args("--seconds").number("--seconds").is_err());
        assert!(args("--seconds many").number("--seconds").is_err());
        assert!(args("one --fast").names().is_err());
    }
}
