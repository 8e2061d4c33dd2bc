//! What runs where: one folder for each `up`, with a file that names its processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::command::{Failure, Outcome, run as run_command, target};

const STATE_FILE: &str = "state.json";
const END_DEADLINE: Duration = Duration::from_secs(10);

/// One running service.
pub(super) struct Service {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) pid: u32,
}

/// The processes of one run.
pub(super) struct State {
    pub(super) guard: u32,
    pub(super) services: Vec<Service>,
}

impl State {
    /// What a command that uses the services finds in its environment: `SABOT_KAFKA`,
    /// `SABOT_KAFKA_PID`, and so on; and `SABOT_BROKERS`.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let each = self.services.iter().flat_map(|service| {
            let name = format!("SABOT_{}", service.name.to_uppercase());
            [
                (name.clone(), service.address.clone()),
                (format!("{name}_PID"), service.pid.to_string()),
            ]
        });
        // The name that the `sabot` command reads; the registry's is the same already.
        let kafka = self.services.iter().find(|service| service.name == "kafka");
        let brokers = kafka.map(|kafka| ("SABOT_BROKERS".to_owned(), kafka.address.clone()));
        each.chain(brokers).collect()
    }

    pub(super) fn to_json(&self) -> String {
        let services: Vec<Value> = self
            .services
            .iter()
            .map(|service| json!({"name": service.name, "address": service.address, "pid": service.pid}))
            .collect();
        json!({"guard": self.guard, "services": services}).to_string()
    }

    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let read = || {
            let value: Value = serde_json::from_str(text).ok()?;
            let pid = |value: &Value| value.as_u64().and_then(|pid| u32::try_from(pid).ok());
            let services = value["services"].as_array()?.iter().map(|service| {
                let (name, address) = (service["name"].as_str()?, service["address"].as_str()?);
                Some(Service {
                    name: name.to_owned(),
                    address: address.to_owned(),
                    pid: pid(&service["pid"])?,
                })
            });
            Some(Self {
                guard: pid(&value["guard"])?,
                services: services.collect::<Option<_>>()?,
            })
        };
        read().ok_or_else(|| Failure::new(format!("not the state of running services: {text:?}")))
    }
}

/// The folder of one `up`: logs, data, and the file that says what runs.
pub(super) struct Run(PathBuf);

impl Run {
    /// The folder that holds all runs and all that is installed.
    pub(super) fn home() -> PathBuf {
        target().join("services")
    }

    /// A new folder for this process.
    pub(super) fn create() -> Outcome<Self> {
        let folder = Self::home().join(format!("run-{}", std::process::id()));
        if folder.exists() {
            // An earlier process of the same number left it.
            Self(folder.clone()).end()?;
        }
        fs::create_dir_all(&folder).map_err(Failure::io(format_args!("cannot make {}", folder.display())))?;
        Ok(Self(folder))
    }

    /// The run whose folder is known.
    pub(super) fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Every run, ended or not.
    pub(super) fn all() -> Outcome<Vec<Self>> {
        let home = Self::home();
        if !home.exists() {
            return Ok(Vec::new());
        }
        let entries =
            fs::read_dir(&home).map_err(Failure::io(format_args!("cannot read {}", home.display())))?;
        let mut runs: Vec<Self> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("run-"))
            })
            .map(Self)
            .collect();
        runs.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(runs)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    /// The words on a service's command line that show whose it is.
    pub(super) fn mark(&self) -> String {
        format!("-Dsabot.services={}", self.0.display())
    }

    pub(super) fn write(&self, state: &State) -> Outcome {
        let file = self.0.join(STATE_FILE);
        fs::write(&file, state.to_json())
            .map_err(Failure::io(format_args!("cannot write {}", file.display())))
    }

    /// What was written last; no process where nothing was.
    pub(super) fn read(&self) -> Outcome<State> {
        match fs::read_to_string(self.0.join(STATE_FILE)) {
            Ok(text) => State::parse(&text),
            Err(_) => Ok(State {
                guard: 0,
                services: Vec::new(),
            }),
        }
    }

    /// Whether `pid` is alive and a process of this run: numbers are used again.
    pub(super) fn owns(&self, pid: u32) -> bool {
        let folder = self.0.to_string_lossy();
        pid != 0 && command_line(pid).is_some_and(|line| line.contains(folder.as_ref()))
    }

    /// Ends its processes, the guard first so that it does not take them for failed, and removes
    /// its folder.
    pub(super) fn end(&self) -> Outcome {
        let state = self.read()?;
        let deadline = Instant::now() + END_DEADLINE;
        for pid in std::iter::once(state.guard).chain(state.services.iter().map(|service| service.pid)) {
            if self.owns(pid) {
                // The shell's own `kill`, since not every machine has the program.
                run_command(Command::new("sh").args(["-c", "kill -KILL \"$0\"", &pid.to_string()]))?;
            }
            while self.owns(pid) {
                if Instant::now() > deadline {
                    return Err(Failure::new(format!("process {pid} does not end")));
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        self.remove()
    }

    pub(super) fn remove(&self) -> Outcome {
        fs::remove_dir_all(&self.0).map_err(Failure::io(format_args!("cannot remove {}", self.0.display())))
    }
}

/// The command line of a live process. A process that has ended and was not yet waited for has
/// none.
fn command_line(pid: u32) -> Option<String> {
    if Path::new("/proc/self").exists() {
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        return Some(String::from_utf8_lossy(&line).replace('\0', " "));
    }
    let output = Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{Run, Service, State};

    #[test]
    fn state_survives_its_file() {
        let service = |name: &str| Service {
            name: name.into(),
            address: format!("{name}:1"),
            pid: 7,
        };
        let state = State {
            guard: 5,
            services: vec![service("kafka"), service("registry")],
        };
        let read = State::parse(&state.to_json()).unwrap();
        assert_eq!(read.guard, 5);
        let names = [
            "SABOT_KAFKA",
            "SABOT_KAFKA_PID",
            "SABOT_REGISTRY",
            "SABOT_REGISTRY_PID",
            "SABOT_BROKERS",
        ];
        let environment = read.environment();
        assert_eq!(
            environment
                .iter()
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>(),
            names
        );
        assert_eq!(environment[2].1, "registry:1");
    }

    #[test]
    fn a_torn_state_is_refused() {
        for text in [
            "",
            "{}",
            r#"{"guard": -1, "services": []}"#,
            r#"{"guard": 1, "services": [{"name": "kafka"}]}"#,
        ] {
            assert!(State::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_process_of_someone_else_is_not_owned() {
        let run = Run::at("/nowhere/run-0".into());
        assert!(!run.owns(std::process::id()));
        assert!(!run.owns(0));
    }
}
