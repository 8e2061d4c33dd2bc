//! Says whom a command waits for, once it has waited long enough for somebody to wonder.

use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::console::{harmless, note};

/// A broker that is there has answered by then.
const PATIENCE: Duration = Duration::from_millis(1500);

/// While it lives, it may say something.
pub(crate) struct Waiting {
    /// Hangs up when the waiting is over.
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Waiting {
    /// For the broker, and for the registry if there is one: up to `timeout`.
    pub(crate) fn for_brokers(brokers: &str, has_registry: bool, timeout: Duration) -> Self {
        let registry = if has_registry { ", or for the registry" } else { "" };
        let line = format!(
            "sabot: waiting for a broker ({}), up to {} s{registry}",
            harmless(brokers),
            timeout.as_secs()
        );
        Self::saying(PATIENCE, line, note)
    }

    fn saying<L: fmt::Display + Send + 'static>(
        patience: Duration,
        line: L,
        say: impl FnOnce(L) + Send + 'static,
    ) -> Self {
        let (over, hung_up) = mpsc::channel();
        let thread = thread::spawn(move || {
            if hung_up.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                say(line);
            }
        });
        Self {
            over: Some(over),
            thread: Some(thread),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(thread) = self.thread.take() {
            // It does nothing but write a line.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Far beyond what a test takes.
    const NEVER: Duration = Duration::from_secs(3600);

    #[test]
    fn it_speaks_after_its_patience_and_not_once_it_is_over() {
        let (heard, line) = mpsc::channel();
        let say = move |text: &str| heard.send(text.to_owned()).expect("because the test listens");
        let waiting = Waiting::saying(Duration::ZERO, "waiting", say.clone());
        assert_eq!(line.recv().as_deref(), Ok("waiting"));
        drop(waiting);
        drop(Waiting::saying(NEVER, "waiting", say));
        assert!(line.recv().is_err(), "nobody is left who could say anything");
    }
}
