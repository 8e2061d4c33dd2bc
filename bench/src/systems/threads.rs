//! One system on two threads, each on a core of its own, beside the same work on one.

use std::hint::black_box;
use std::thread;

use crate::batch::Batch;
use crate::buffer::Messages;
use crate::host;
use crate::suites::Run;

/// Each thread has its half of the messages, as if it had its own partitions.
pub struct SideBySide<R>(pub [(R, Messages); 2]);

impl<R: Run + Send> Run for SideBySide<R> {
    fn run(&mut self, _: &Messages, _: &mut dyn FnMut(Batch)) -> Result<(), String> {
        let [here, there] = &mut self.0;
        // Without a second core nobody measures this; a process that only looks at memory may still run it.
        let second = host::allowed_cores()?.get(1).copied();
        thread::scope(|scope| {
            let other = scope.spawn(move || {
                second.map_or(Ok(()), host::pin)?;
                run(there)
            });
            run(here)?;
            other.join().map_err(|_| "the other thread panicked")?
        })
    }
}

/// The same halves on one thread, one after the other.
pub struct OneAfterAnother<R>(pub [(R, Messages); 2]);

impl<R: Run> Run for OneAfterAnother<R> {
    fn run(&mut self, _: &Messages, _: &mut dyn FnMut(Batch)) -> Result<(), String> {
        self.0.iter_mut().try_for_each(run)
    }
}

fn run<R: Run>((system, messages): &mut (R, Messages)) -> Result<(), String> {
    system.run(messages, &mut |batch| {
        black_box(batch);
    })
}
