//! Asking a source to stop from elsewhere, such as a signal handler's thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The longest time that a source sleeps without looking at its stopper.
pub(crate) const STOP_CHECK: Duration = Duration::from_millis(100);

/// Stops a source. Clones stop the same one.
///
/// A stopped source gives out the batch in hand, then no more; it notices within about 100 ms. A
/// schema or a broker being waited for delays it by at most their own deadlines.
///
/// ```
/// let stopper = sabot_kafka::Stopper::new();
/// let elsewhere = stopper.clone();
/// std::thread::spawn(move || elsewhere.stop()).join().unwrap();
/// assert!(stopper.is_stopped());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Stopper(Arc<AtomicBool>);

impl Stopper {
    /// One that has not stopped anything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the source. There is no way back.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// True once it is stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
