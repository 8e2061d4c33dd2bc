//! The command line.

use std::path::PathBuf;

use crate::suites;

const HELP: &str = "\
sabot-bench [measure | verify | counted] [--suite NAME[,NAME]] [--filter TEXT] [--quick] [--rounds N] [--messages N]
            [--out FILE]
sabot-bench peak WORKLOAD SYSTEM [--messages N]
sabot-bench count WORKLOAD [--messages N]";

/// What to measure, and how long.
pub struct Options {
    pub mode: Mode,
    /// Suites to run; all where empty.
    pub suites: Vec<String>,
    /// Only workloads whose name contains this.
    pub filter: String,
    pub messages: usize,
    pub rounds: usize,
    pub out: PathBuf,
}

/// What to do.
pub enum Mode {
    /// Measures, and writes results.
    Measure,
    /// Only checks that all systems make the same of the messages.
    Verify,
    /// Runs one system and says how much memory the process took.
    Peak { workload: String, system: String },
    /// Runs Sabot once where a profiler counts instructions.
    Count { workload: String },
    /// Lists the workloads whose instructions are counted.
    Counted,
}

impl Options {
    pub fn from_env() -> Result<Self, String> {
        Self::parse(std::env::args().skip(1))
    }

    fn parse(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = args.peekable();
        let mode = match args.next_if(|arg| !arg.starts_with("--")) {
            None => Mode::Measure,
            Some(verb) => {
                let mut word = || args.next().ok_or(HELP);
                match verb.as_str() {
                    "measure" => Mode::Measure,
                    "verify" => Mode::Verify,
                    "counted" => Mode::Counted,
                    "count" => Mode::Count { workload: word()? },
                    "peak" => Mode::Peak {
                        workload: word()?,
                        system: word()?,
                    },
                    _ => return Err(HELP.into()),
                }
            }
        };
        let mut options = Self {
            mode,
            suites: Vec::new(),
            filter: String::new(),
            messages: 200_000,
            rounds: 15,
            out: PathBuf::from("target/bench/results.json"),
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg.as_str() {
                "--quick" => (options.messages, options.rounds) = (20_000, 5),
                "--suite" => options.suites = value()?.split(',').map(str::to_owned).collect(),
                "--filter" => options.filter = value()?,
                "--out" => options.out = value()?.into(),
                "--rounds" => options.rounds = number(&arg, &value()?)?,
                "--messages" => options.messages = number(&arg, &value()?)?,
                "--help" => return Err(HELP.into()),
                _ => return Err(format!("there is no option {arg}\n{HELP}")),
            }
        }
        let known: Vec<&str> = suites::ALL.iter().map(|suite| suite.name).collect();
        if let Some(unknown) = options.suites.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(format!(
                "there is no suite {unknown:?}; there are {}",
                known.join(", ")
            ));
        }
        Ok(options)
    }
}

fn number(name: &str, text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or(format!("{name} needs a number above 0, not {text:?}"))
}
