//! The command line.

use std::path::PathBuf;

use crate::suites;

const HELP: &str = "\
sabot-bench [measure | verify | counted] [--suite NAME[,NAME]] [--filter TEXT] [--quick] [--rounds N] [--messages N]
            [--out FILE]
sabot-bench peak WORKLOAD SYSTEM [--messages N]
sabot-bench count WORKLOAD [--messages N]
sabot-bench sweep [--filter CODEC] [--seed N] [--schemas N] [--only N] [--rounds N] [--messages N] [--check]";

/// Messages and rounds, unless asked otherwise.
const MESSAGES: usize = 200_000;
const ROUNDS: usize = 15;

/// What to measure, and how long.
pub struct Options {
    pub mode: Mode,
    /// Suites to run; all where empty.
    pub suites: Vec<String>,
    /// Only workloads whose name contains this.
    pub filter: String,
    pub messages: Option<usize>,
    pub rounds: Option<usize>,
    pub out: PathBuf,
    /// Of a sweep: what its schemas come from, how many, and the only one of them to look at.
    pub seed: u64,
    pub schemas: usize,
    pub only: Option<usize>,
    /// Whether a sweep fails where a bar is missed.
    pub check: bool,
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
    /// Measures random schemas.
    Sweep,
}

impl Options {
    pub fn messages(&self) -> usize {
        self.messages.unwrap_or(MESSAGES)
    }

    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(ROUNDS)
    }

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
                    "sweep" => Mode::Sweep,
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
            messages: None,
            rounds: None,
            out: PathBuf::from("target/bench/results.json"),
            seed: 1,
            schemas: 300,
            only: None,
            check: false,
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg.as_str() {
                "--quick" => (options.messages, options.rounds) = (Some(20_000), Some(5)),
                "--suite" => options.suites = value()?.split(',').map(str::to_owned).collect(),
                "--filter" => options.filter = value()?,
                "--out" => options.out = value()?.into(),
                "--rounds" => options.rounds = Some(number(&arg, &value()?)?),
                "--messages" => options.messages = Some(number(&arg, &value()?)?),
                "--schemas" => options.schemas = number(&arg, &value()?)?,
                "--seed" => options.seed = whole(&arg, &value()?)?,
                "--only" => options.only = Some(whole(&arg, &value()?)? as usize),
                "--check" => options.check = true,
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

fn whole(name: &str, text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("{name} needs a number, not {text:?}"))
}

fn number(name: &str, text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or(format!("{name} needs a number above 0, not {text:?}"))
}
