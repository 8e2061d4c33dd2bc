//! `cargo xtask ci demo`: what the README promises of `sabot demo`, on its defaults.
//!
//! The README builds it for release, which would cost continuous integration four more minutes on
//! two cores. What is held here is true of the debug build too, which the end-to-end checks need
//! anyway, and which takes seconds.
//!
//! The key decision is how a process that is left behind is found, whatever it did to get away:
//! each inherits a variable of the environment, which Linux shows under `/proc`. The trade-off:
//! elsewhere nobody looks for one.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::command::{Failure, Outcome, cargo, run as run_command, target};

/// It ends by itself within so long.
const DEADLINE: Duration = Duration::from_secs(60);
const CHECK_PAUSE: Duration = Duration::from_millis(50);
/// The first topic, and how many messages it has at least.
const TOPIC: &str = "demo.orders";
const MESSAGES: u64 = 200_000;
/// The variable whose value tells the processes of one run from all others.
const MARK: &str = "SABOT_DEMO_MARK";

/// Builds the command and runs its demonstration on its defaults.
pub(crate) fn check() -> Outcome {
    run_command(&mut cargo(["build", "--package", "sabot-cli", "--bin", "sabot"]))?;
    let file = target().join("demo.txt");
    let io = |error| Failure::io(format_args!("cannot write {}", file.display()))(error);
    let out = File::create(&file).map_err(io)?;
    let errors = out.try_clone().map_err(io)?;
    let value = std::process::id().to_string();
    let start = Instant::now();
    println!("$ sabot demo");
    let mut child = Command::new(target().join("debug/sabot"))
        .arg("demo")
        .env(MARK, &value)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(errors)
        .spawn()
        .map_err(Failure::io("cannot start the demonstration"))?;
    let status = wait(&mut child, DEADLINE).map_err(Failure::io("cannot wait for the demonstration"))?;
    let took = start.elapsed();
    let said = fs::read(&file).map_err(Failure::io(format_args!("cannot read {}", file.display())))?;
    let said = String::from_utf8_lossy(&said);
    print!("{said}");
    judge(status, &said, &left_running(&value))?;
    println!(
        "the demonstration ended by itself after {:.1} s",
        took.as_secs_f64()
    );
    Ok(())
}

/// Fails unless it ended well, had enough to read and left nothing behind.
fn judge(status: Option<ExitStatus>, said: &str, left: &[u32]) -> Outcome {
    match status {
        None => {
            return Err(Failure::new(format!(
                "the demonstration had not ended after {} s",
                DEADLINE.as_secs()
            )));
        }
        Some(status) if !status.success() => return Err(Failure::from_status("the demonstration", status)),
        Some(_) => {}
    }
    if !left.is_empty() {
        return Err(Failure::new(format!(
            "the demonstration left processes running: {left:?}"
        )));
    }
    match produced(said) {
        Some(count) if count >= MESSAGES => Ok(()),
        count => Err(Failure::new(format!(
            "the demonstration has to count at least {MESSAGES} messages of {TOPIC}, found {count:?}"
        ))),
    }
}

/// Waits until it ends; ends it after `longest`, and gives no status then.
fn wait(child: &mut Child, longest: Duration) -> std::io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > longest {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(CHECK_PAUSE);
    }
}

/// How many messages of the topic its table counts.
fn produced(said: &str) -> Option<u64> {
    let mut rows = said
        .lines()
        .map(|line| line.split('│').map(str::trim).collect::<Vec<_>>());
    let row = rows.find(|cells| cells.len() > 1 && cells[0] == TOPIC)?;
    row[1].replace(',', "").parse().ok()
}

/// The processes that have the mark with this value. One that has ended has no environment.
fn left_running(value: &str) -> Vec<u32> {
    let wanted = format!("{MARK}={value}");
    let has_mark = |folder: &Path| {
        fs::read(folder.join("environ")).is_ok_and(|environment| {
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == wanted.as_bytes())
        })
    };
    let Ok(entries) = fs::read_dir("/proc") else {
        println!("whether something is left running is not checked: there is no /proc");
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let pid = entry.file_name().to_str()?.parse().ok()?;
            has_mark(&entry.path()).then_some(pid)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::{MARK, judge, left_running, produced, wait};

    const COUNTS: &str = "
topic       │ produced  │ good      │ bad       │ good + bad = produced
────────────┼───────────┼───────────┼───────────┼──────────────────────
demo.orders │   200,000 │   198,000 │     2,000 │ yes
demo.clicks │    20,000 │    20,000 │         0 │ yes
";

    #[test]
    fn counts_are_read_from_the_table() {
        assert_eq!(produced(COUNTS), Some(200_000));
        assert_eq!(
            produced("✗ bad UTF-8 × 200: topic demo.orders, partition 1"),
            None
        );
    }

    #[test]
    fn each_fault_of_a_demonstration_is_one() {
        let status = |code: &str| Command::new("sh").args(["-c", code]).status().unwrap();
        let message = |outcome: super::Outcome| outcome.unwrap_err().to_string();
        judge(Some(status("exit 0")), COUNTS, &[]).unwrap();
        assert!(message(judge(None, COUNTS, &[])).contains("had not ended after 60 s"));
        assert!(message(judge(Some(status("exit 3")), COUNTS, &[])).contains("exit status: 3"));
        assert!(message(judge(Some(status("exit 0")), COUNTS, &[7])).contains("[7]"));
        let few = COUNTS.replace("200,000", "199,999");
        assert!(message(judge(Some(status("exit 0")), &few, &[])).contains("199999"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_left_running_is_found_and_what_does_not_end_is_ended() {
        let value = format!("test-{}", std::process::id());
        let mut child = Command::new("sh")
            .args(["-c", "echo ready; read -r line"])
            .env(MARK, &value)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It has its environment a moment after it is there.
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        assert_eq!(left_running(&value), [child.id()], "{said}");
        assert!(wait(&mut child, Duration::ZERO).unwrap().is_none());
        assert_eq!(left_running(&value), [0; 0]);
        let mut child = Command::new("true").spawn().unwrap();
        assert!(wait(&mut child, Duration::MAX).unwrap().unwrap().success());
    }
}
