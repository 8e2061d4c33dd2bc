//! One system on two threads, each on a core of its own, beside the same work on one.

use std::hint::black_box;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::batch::Batch;
use crate::buffer::Messages;
use crate::host;
use crate::suites::Run;

/// Each thread has its half of the messages, as if it had its own partitions.
pub struct SideBySide<R> {
    here: (R, Messages),
    there: Worker,
}

/// A thread that lasts as long as the workload: starting one takes longer than a batch.
struct Worker {
    go: Sender<()>,
    done: Receiver<Result<(), String>>,
}

impl<R: Run + Send + 'static> SideBySide<R> {
    pub fn new([here, mut there]: [(R, Messages); 2]) -> Self {
        let ((go, is_to_go), (is_done, done)) = (channel(), channel());
        thread::spawn(move || {
            // Without a second core nobody measures this; a process that only looks at memory may
            // still run it.
            let second = host::allowed_cores().map(|cores| cores.get(1).copied());
            let pinned = second.and_then(|second| second.map_or(Ok(()), host::pin));
            while is_to_go.recv().is_ok() {
                let result = pinned.clone().and_then(|()| run(&mut there));
                if is_done.send(result).is_err() {
                    return;
                }
            }
        });
        Self {
            here,
            there: Worker { go, done },
        }
    }
}

impl<R: Run> Run for SideBySide<R> {
    fn run(&mut self, _: &Messages, _: &mut dyn FnMut(Batch)) -> Result<(), String> {
        let gone = "the other thread is gone";
        self.there.go.send(()).map_err(|_| gone)?;
        run(&mut self.here)?;
        self.there.done.recv().map_err(|_| gone)?
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
