//! The line that says how far the reading has come.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use sabot::Progress;

use crate::console::{self, counted, grouped, note};

/// Shows progress on stderr, if that is a terminal that is not busy with the rows themselves.
#[derive(Debug)]
pub(super) struct Meter {
    bar: Option<ProgressBar>,
    begin: Instant,
}

impl Meter {
    /// `rows_on_terminal` says that the rows go to the same terminal.
    pub(super) fn new(quiet: bool, rows_on_terminal: bool) -> Self {
        let shown = !quiet && !rows_on_terminal && stderr().is_terminal();
        let bar = shown.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self {
            bar,
            begin: Instant::now(),
        }
    }

    /// Seconds since the beginning.
    pub(super) fn seconds(&self) -> f64 {
        self.begin.elapsed().as_secs_f64()
    }

    /// Whether [`Meter::show`] shows anything.
    pub(super) fn is_shown(&self) -> bool {
        self.bar.is_some()
    }

    pub(super) fn show(&self, progress: &Progress) {
        let Some(bar) = &self.bar else { return };
        bar.set_message(line(progress, self.seconds()));
    }

    /// Writes a line above the progress.
    pub(super) fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| note(line)),
            None => note(line),
        }
    }

    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn line(progress: &Progress, seconds: f64) -> String {
    let mut line = format!(
        "{}, {}",
        counted(progress.messages, "message"),
        console::rates(progress.messages, progress.bytes, seconds)
    );
    if progress.bad > 0 {
        line.push_str(&format!(", {} bad", grouped(progress.bad)));
    }
    // Before every partition's end is known, a sum would be too small.
    let lag: Option<u64> = progress.partitions.iter().map(|partition| partition.lag).sum();
    if let Some(lag) = lag {
        line.push_str(&format!(", {} to go", grouped(lag)));
        let per_second = progress.messages as f64 / seconds.max(1e-9);
        if lag > 0 && per_second > 0.0 {
            let left = Duration::try_from_secs_f64(lag as f64 / per_second).unwrap_or(Duration::MAX);
            line.push_str(&format!(", about {} left", HumanDuration(left)));
        }
    }
    line
}
