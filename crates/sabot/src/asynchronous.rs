//! The same batches for `async` code.
//!
//! A thread of its own iterates the blocking stream into a bounded queue, because librdkafka has to
//! be polled from somewhere and blocking threads cannot miss a wake-up. Any executor will do; none
//! is needed here.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};

use arrow_schema::SchemaRef;
use sabot_kafka::{Batch, Progress, Stopper};

use crate::{Error, Stream};

/// Batches for `async` code. Made by [`Stream::into_async`].
///
/// It is a [`futures_core::Stream`]. Dropping it stops its thread, which commits what was
/// acknowledged and leaves the group; [`AsyncStream::close`] waits for that.
#[derive(Debug)]
#[must_use = "a stream does nothing unless it is polled"]
pub struct AsyncStream {
    shared: Arc<Shared>,
    stopper: Stopper,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl Stream {
    /// The same batches for `async` code: a thread reads ahead by at most `batches`.
    pub fn into_async(self, batches: NonZeroUsize) -> AsyncStream {
        AsyncStream::new(self, batches)
    }
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told when there is room in the queue, and when nobody wants batches any more.
    room: Condvar,
    capacity: usize,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Result<Batch, Error>>,
    waker: Option<Waker>,
    /// The thread puts nothing more into the queue.
    ended: bool,
    /// Nobody takes anything more out.
    closed: bool,
    schema: Option<SchemaRef>,
    progress: Progress,
}

impl AsyncStream {
    fn new(stream: Stream, batches: NonZeroUsize) -> Self {
        let stopper = stream.stopper();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                waker: None,
                ended: false,
                closed: false,
                schema: stream.schema(),
                progress: stream.progress(),
            }),
            room: Condvar::new(),
            capacity: batches.get(),
        });
        let in_thread = Arc::clone(&shared);
        let thread = thread::spawn(move || in_thread.run(stream));
        Self {
            shared,
            stopper,
            thread: Some(thread),
        }
    }

    /// The schema of every batch, as soon as it is known.
    #[must_use]
    pub fn schema(&self) -> Option<SchemaRef> {
        self.shared.lock().schema.clone()
    }

    /// How far the thread had come with its last batch.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.shared.lock().progress.clone()
    }

    /// Something that stops it from elsewhere. What it has in hand still comes out.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Stops, commits what has been acknowledged and waits until that is done. It blocks, for a
    /// round trip as a rule.
    ///
    /// # Errors
    ///
    /// As [`Stream::close`].
    pub fn close(mut self) -> Result<(), Error> {
        self.stop();
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        thread
            .join()
            .unwrap_or_else(|_| Err(Error::internal("the reading thread panicked")))
    }

    fn stop(&self) {
        self.stopper.stop();
        self.shared.lock().closed = true;
        self.shared.room.notify_all();
    }
}

impl Drop for AsyncStream {
    fn drop(&mut self) {
        self.stop();
    }
}

impl futures_core::Stream for AsyncStream {
    type Item = Result<Batch, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.shared.lock();
        if let Some(next) = state.queue.pop_front() {
            drop(state);
            self.shared.room.notify_all();
            return Poll::Ready(Some(next));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        // Stored under the lock that the thread takes to add a batch: none can come in between
        // unnoticed.
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

impl Shared {
    /// What the thread does.
    fn run(&self, mut stream: Stream) -> Result<(), Error> {
        // Whatever happens, a waiting task learns that nothing more will come.
        let _end = End(self);
        while let Some(next) = stream.next() {
            let (schema, progress) = (stream.schema(), stream.progress());
            let mut state = self.lock();
            while state.queue.len() >= self.capacity && !state.closed {
                state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.closed {
                break;
            }
            (state.schema, state.progress) = (schema, progress);
            state.queue.push_back(next);
            let waker = state.waker.take();
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
        stream.close()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks the end when the thread leaves. If it panics, the task hears of it: a mere end would look
/// like success.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.ended = true;
        if thread::panicking() {
            state
                .queue
                .push_back(Err(Error::internal("the reading thread panicked")));
        }
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
