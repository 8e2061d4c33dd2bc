//! The blocking stream of batches.

use arrow_schema::SchemaRef;
use sabot_kafka::{Batch, Progress, Source, Stopper};

use crate::Error;

/// Batches, as they come. Made by [`crate::Builder::open`].
///
/// It is an iterator; the thread that calls it does the work. After a
/// [`crate::ErrorKind::BadRecord`] or an error that [is retryable](Error::is_retryable) it has kept
/// its place, and the next call goes on at the same record: do not skip over errors without looking
/// at them. After any other error it is at its end.
///
/// What is done with a batch is acknowledged by [`Batch::ack`]; only that is ever committed.
/// Dropping the stream commits what was acknowledged; [`Stream::close`] does so too and says
/// whether it worked.
#[derive(Debug)]
#[must_use = "a stream reads nothing until it is iterated"]
pub struct Stream {
    source: Source,
}

impl Stream {
    pub(crate) fn new(source: Source) -> Self {
        Self { source }
    }

    /// The schema of every batch, as soon as it is known: at once, where a reader schema or the
    /// registry gave it, else with the first batch.
    #[must_use]
    pub fn schema(&self) -> Option<SchemaRef> {
        self.source.schema()
    }

    /// How far it has come. It asks no broker.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.source.progress()
    }

    /// Something that stops it from elsewhere, such as a signal handler. It then gives out what it
    /// has in hand, and ends.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.source.stopper()
    }

    /// Commits what has been acknowledged, and waits for the broker's answer. Without a group it
    /// does nothing. There is seldom a need: it happens by itself every five seconds
    /// (`auto.commit.interval.ms`) and at the end.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Commit`] and what the broker's answer stands for.
    pub fn commit(&mut self) -> Result<(), Error> {
        Ok(self.source.commit()?)
    }

    /// Commits what has been acknowledged, and leaves the group.
    ///
    /// # Errors
    ///
    /// As [`Stream::commit`].
    pub fn close(self) -> Result<(), Error> {
        Ok(self.source.close()?)
    }
}

impl Iterator for Stream {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.source.next_batch()?.map_err(Error::from))
    }
}
