//! Ctrl-C and SIGTERM: the first asks for a clean end, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sabot::Stopper;

use crate::failure::Failure;

/// Notes that the user wants to stop.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    stopper: Stopper,
    interrupted: Arc<AtomicBool>,
}

impl Interrupt {
    /// Catches the signals from now on.
    pub(crate) fn catch() -> Result<Self, Failure> {
        let interrupt = Self {
            stopper: Stopper::new(),
            interrupted: Arc::default(),
        };
        let handler = interrupt.clone();
        ctrlc::set_handler(move || {
            if handler.interrupted.swap(true, Ordering::AcqRel) {
                std::process::exit(130);
            }
            handler.stopper.stop();
        })
        .map_err(|error| Failure::because("cannot catch Ctrl-C", &error))?;
        Ok(interrupt)
    }

    /// What stops a stream.
    pub(crate) fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Whether a signal came.
    pub(crate) fn is_set(&self) -> bool {
        self.interrupted.load(Ordering::Acquire)
    }

    /// The failure that a signal stands for.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.is_set() {
            Err(Failure::Interrupted)
        } else {
            Ok(())
        }
    }
}
