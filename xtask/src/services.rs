//! `cargo xtask services`: a real Kafka and a real registry on loopback, with no container.
//!
//! The key decision is who ends them. `up` starts one guard process and keeps the writing end of a
//! pipe to it; the guard starts the services, and ends them when the pipe closes. The system closes
//! it however `up` ends, also by SIGKILL, so that nothing is left running and no system call is
//! needed for it. The trade-off: a guard that is itself killed leaves its services behind, and
//! `down` is there for that.

mod guard;
mod install;
mod state;

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::args::Args;
use crate::command::{Failure, Outcome, run as run_command};
use state::{Run, State};

const USAGE: &str = "services up [-- COMMAND...] | status | down";

/// `cargo xtask services ...`.
pub(crate) fn run(mut args: Args) -> Outcome {
    let (verb, rest) = (args.next(), args.rest());
    match (verb.as_deref(), rest.as_slice()) {
        (Some("up"), []) => wait(),
        (Some("up"), [dashes, program, arguments @ ..]) if dashes == "--" => {
            let mut command = Command::new(program);
            run_with(command.args(arguments))
        }
        (Some("status"), []) => status(),
        (Some("down"), []) => down(),
        // What `up` starts; it is of no use by hand.
        (Some("guard"), [folder]) => guard::run(Run::at(folder.into())),
        _ => Err(Failure::new(format!("usage: cargo xtask {USAGE}"))),
    }
}

/// Fails unless there is a Java that runs the services.
pub(crate) fn require_java() -> Outcome {
    install::check_java()
}

/// Starts the services, runs `command` with their addresses in its environment, and ends them.
pub(crate) fn run_with(command: &mut Command) -> Outcome {
    let services = Services::start()?;
    let outcome = run_command(command.envs(services.state.environment()));
    services.end()?;
    outcome
}

/// Starts the services and waits until this process is interrupted or one of them fails.
fn wait() -> Outcome {
    let mut services = Services::start()?;
    for (name, value) in services.state.environment() {
        println!("export {name}={value}");
    }
    println!("Ctrl-C ends them.");
    let status = services
        .guard
        .wait()
        .map_err(Failure::io("cannot wait for the services"))?;
    Err(Failure::from_status("the guard of the services", status))
}

fn status() -> Outcome {
    let runs = Run::all()?;
    for run in &runs {
        let state = run.read()?;
        println!("{}", run.folder().display());
        for service in &state.services {
            let says = if run.owns(service.pid) {
                "runs"
            } else {
                "has ended"
            };
            println!(
                "  {} at {}, process {}: {says}",
                service.name, service.address, service.pid
            );
        }
        if !run.owns(state.guard) {
            println!("  left behind: cargo xtask services down ends and removes it");
        }
    }
    if runs.is_empty() {
        println!("nothing runs");
    }
    Ok(())
}

fn down() -> Outcome {
    let runs = Run::all()?;
    for run in &runs {
        run.end()?;
        println!("ended and removed {}", run.folder().display());
    }
    if runs.is_empty() {
        println!("nothing runs");
    }
    Ok(())
}

/// Services that run as long as this lives.
struct Services {
    guard: Child,
    /// Held apart from `guard`: waiting for a child closes the input that it still has.
    lifeline: ChildStdin,
    state: State,
}

impl Services {
    /// Installs what is missing, and returns when both services answer.
    fn start() -> Outcome<Self> {
        install::check_java()?;
        let installed = install::install()?;
        let run = Run::create()?;
        println!(
            "starting Kafka and the registry; logs in {}",
            run.folder().display()
        );
        let program = std::env::current_exe().map_err(Failure::io("cannot find this program"))?;
        let mut guard = Command::new(program)
            .args(["services", "guard"])
            .arg(run.folder())
            .env(install::FOLDER, installed)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A group of its own: Ctrl-C reaches `up` and its command, and the guard outlives them
            // to clean up.
            .process_group(0)
            .spawn()
            .map_err(Failure::io("cannot start the guard of the services"))?;
        let lifeline = guard.stdin.take().expect("standard input is piped");
        let mut line = String::new();
        let answer = guard.stdout.take().expect("standard output is piped");
        BufReader::new(answer)
            .read_line(&mut line)
            .map_err(Failure::io("cannot hear the guard of the services"))?;
        if line.is_empty() {
            let status = guard
                .wait()
                .map_err(Failure::io("cannot wait for the services"))?;
            return Err(Failure::from_status("starting the services", status));
        }
        Ok(Self {
            state: State::parse(&line)?,
            guard,
            lifeline,
        })
    }

    /// Ends them, and returns when they have ended.
    fn end(mut self) -> Outcome {
        drop(self.lifeline);
        let status = self
            .guard
            .wait()
            .map_err(Failure::io("cannot wait for the services"))?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::from_status("a service", status))
        }
    }
}
