//! Instructions instead of time: the same on every machine, so that a small regression shows.
//!
//! callgrind counts what [`counted`] and all that it calls executes. Preparing and one run to fill
//! caches and buffers are outside.

use std::hint::black_box;

use crate::suites::{Case, Workload};

/// The system whose instructions are counted.
const SYSTEM: &str = "sabot";

/// Prints how many messages were handled in the run that is counted.
pub fn run(workload: &Workload, messages: usize) -> Result<(), String> {
    let mut case = (workload.build)(messages)?;
    case.run(SYSTEM)?;
    counted(&mut case)?;
    println!("{}", case.count);
    Ok(())
}

/// callgrind is told this function's name, so it must exist as one.
#[inline(never)]
fn counted(case: &mut Case) -> Result<(), String> {
    black_box(case).run(SYSTEM)
}
