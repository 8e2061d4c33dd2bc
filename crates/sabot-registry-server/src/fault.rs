//! Faults on purpose, and a count of what was asked, for the tests of clients.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Requests that the log remembers.
const LOG_REQUESTS: usize = 4096;

/// Characters of a request that the log remembers.
const LOG_LINE_CHARS: usize = 512;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is answered with this HTTP status, and with a `Retry-After` header where that is given.
    Status {
        /// The status, such as 503. What is not a status counts as 500.
        status: u16,
        /// Seconds after which to try again.
        retry_after_s: Option<u32>,
    },
    /// It is answered rightly, after this time.
    Delay(Duration),
    /// The connection breaks instead of an answer.
    Disconnect,
}

/// The faults that a server is to have, and the requests that it had.
///
/// ```
/// use sabot_registry_server::{Fault, Server, ServerOptions};
/// let server = Server::start(ServerOptions::default())?;
/// server.faults().next_requests(1, Fault::Status { status: 503, retry_after_s: Some(1) });
/// let url = format!("{}/subjects", server.url());
/// assert!(ureq::get(&url).call().is_err());
/// assert!(ureq::get(&url).call().is_ok());
/// assert_eq!(server.faults().requests_to("GET /subjects"), 2);
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Faults(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    planned: VecDeque<(u32, Fault)>,
    requests: u64,
    log: VecDeque<String>,
}

impl Faults {
    /// Plans a fault for so many requests, after those planned before.
    pub fn next_requests(&self, count: u32, fault: Fault) {
        if count > 0 {
            self.state().planned.push_back((count, fault));
        }
    }

    /// Plans no fault any more.
    pub fn clear(&self) {
        self.state().planned.clear();
    }

    /// Requests that arrived, whatever became of them.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.state().requests
    }

    /// How many of the last 4,096 requests were these, by method and path without the query, as
    /// sent: `GET /subjects`.
    #[must_use]
    pub fn requests_to(&self, request: &str) -> usize {
        self.state().log.iter().filter(|line| *line == request).count()
    }

    /// Counts a request and says what is to go wrong with it.
    pub(crate) fn next(&self, method: &str, path: &str) -> Option<Fault> {
        let mut state = self.state();
        state.requests += 1;
        if state.log.len() == LOG_REQUESTS {
            state.log.pop_front();
        }
        let line = format!("{method} {path}");
        state.log.push_back(line.chars().take(LOG_LINE_CHARS).collect());
        let (left, fault) = state.planned.front_mut()?;
        let fault = *fault;
        *left -= 1;
        if *left == 0 {
            state.planned.pop_front();
        }
        Some(fault)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere cannot leave the state half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
