//! The command line.

use std::path::PathBuf;

use crate::suites;

/// What to measure, and how long.
pub struct Options {
    /// Suites to run; all where empty.
    pub suites: Vec<String>,
    /// Only workloads whose name contains this.
    pub filter: String,
    pub messages: usize,
    pub rounds: usize,
    pub out: PathBuf,
}

impl Options {
    pub fn from_env() -> Result<Self, String> {
        let mut options = Self {
            suites: Vec::new(),
            filter: String::new(),
            messages: 200_000,
            rounds: 15,
            out: PathBuf::from("target/bench/results.json"),
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg.as_str() {
                "--quick" => (options.messages, options.rounds) = (20_000, 5),
                "--suite" => options.suites = value()?.split(',').map(str::to_owned).collect(),
                "--filter" => options.filter = value()?,
                "--out" => options.out = value()?.into(),
                "--rounds" => options.rounds = value()?.parse().map_err(|_| "--rounds needs a number")?,
                "--help" => {
                    return Err(
                        "options: --suite NAME[,NAME], --filter TEXT, --quick, --rounds N, --out FILE".into(),
                    );
                }
                _ => return Err(format!("there is no option {arg}")),
            }
        }
        if options.rounds == 0 {
            return Err("--rounds must be at least 1".into());
        }
        if let Some(unknown) = options
            .suites
            .iter()
            .find(|name| !suites::ALL.iter().any(|(suite, _)| suite == name))
        {
            return Err(format!("there is no suite {unknown}"));
        }
        Ok(options)
    }

    /// Whether a workload is asked for.
    pub fn wants(&self, workload: &str) -> bool {
        workload.contains(&self.filter)
    }
}
