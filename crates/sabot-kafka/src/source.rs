//! The source: the loop that fetches, decodes, answers rebalances and gives out batches.
//!
//! The caller's thread drives it, one call at a time. Its four parts know nothing of each other's
//! work: the connection asks brokers ([`crate::connection`]), the assignment says what is read and
//! committed ([`crate::assignment`]), bounds say from where to where ([`crate::bounds`]), and the
//! reader turns runs into rows ([`crate::reader`], [`crate::fetched`]).
//!
//! # Example
//!
//! A group's member with batches of 5 rows, and a revocation that comes in the midst of the second
//! one:
//!
//! ```text
//! next_batch   event: assign a[0], a[1]         answered: positions are added
//!              fetch of 5: a[0] 0..3, a[1] 0..2  decoded: 5 rows, the batch is full
//!              -> batch 1 covers a[0] 0..3, a[1] 0..2
//! ack batch 1
//! next_batch   stored: a[0] at 3, a[1] at 2
//!              fetch of 5: a[1] 2..4             decoded: 2 rows are in hand
//!              event: revoke a[1]                the batch in hand ends
//!              -> batch 2 covers a[1] 2..4
//! ack batch 2
//! next_batch   the revocation is answered: batch 2 is acknowledged, so a[1] is committed at 4,
//!              and given back
//! ```
//!
//! # Invariants
//!
//! 1. **Events before records.** Events are looked for before each fetch, and while a rebalance
//!    waits for its answer nothing is fetched.
//! 2. **The batch in hand goes out first**: before a rebalance is answered, before an error is
//!    given out, before the end.
//! 3. **The source never moves past a record that it could not treat.** A stuck record stays the
//!    next one, and as long as it is stuck nothing is fetched, but events are looked for: a member
//!    that does not poll is thrown out of its group.
//! 4. **What waits is bounded**: one fetch, one batch, and what the client itself may hold.
//! 5. **Nothing waits longer than [`STOP_CHECK`]** without looking at the stopper.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_schema::SchemaRef;
use sabot_assemble::{Assembler, PushStop};
use sabot_decode::{FlushError, SchemaSource};

use crate::assignment::{Around, Assignment};
use crate::batch::Acker;
use crate::connection::{Connection, Event};
use crate::dead_letter::DeadLetters;
use crate::fetched::Fetched;
use crate::positions::Positions;
use crate::progress::{PartitionProgress, Progress, Totals};
use crate::queues::Queues;
use crate::reader::{Decoded, Reader};
use crate::runs::{Arrival, RunSource, Wanted};
use crate::stop::STOP_CHECK;
use crate::{Batch, Error, ErrorKind, Offsets, SourceOptions, Stopper};

/// How long a fetch waits for records before events are looked for again: so late may an answer to
/// a rebalance be.
const EVENT_CHECK: Duration = Duration::from_millis(20);

/// Reads topics, and gives out batches. See the crate's documentation.
///
/// It is an iterator of batches; errors that [`Error::is_retryable`] do not end it.
///
/// ```no_run
/// use sabot_assemble::{Assembler, AssemblerOptions};
/// use sabot_kafka::{Source, SourceOptions, Subscription};
///
/// # fn run(decoder: Box<dyn sabot_decode::Decoder>, schemas: Box<dyn sabot_decode::SchemaSource + Send>) -> Result<(), Box<dyn std::error::Error>> {
/// let mut options = SourceOptions::new("localhost:9092", Subscription::topics(["orders"]));
/// options.group = Some("billing".to_owned());
/// let assembler = Assembler::new(AssemblerOptions::default(), None, decoder);
/// let mut source = Source::open(options, assembler, schemas)?;
/// for batch in &mut source {
///     let batch = batch?;
///     println!("{} rows", batch.batch.num_rows());
///     batch.ack();
/// }
/// source.close()?;
/// # Ok(())
/// # }
/// ```
pub struct Source {
    // Before the connection: it has queues and messages of the client.
    reader: Reader,
    connection: Connection,
    assignment: Assignment,
    options: SourceOptions,
    dead_letters: Option<DeadLetters>,
    in_hand: InHand,
    /// A batch whose dead letters are not delivered yet.
    held: Option<Batch>,
    /// An error that comes after the batch in hand.
    pending: Option<Error>,
    /// Messages that may still be read.
    left: Option<u64>,
    /// The oldest message could not be decoded.
    stuck: bool,
    ended: bool,
    closed: bool,
    last_batch: u64,
    totals: Totals,
}

/// The batch that is being gathered.
#[derive(Debug, Default)]
struct InHand {
    records: usize,
    bytes: u64,
    since: Option<Instant>,
    full: bool,
}

impl Source {
    /// Connects, checks that the topics exist, and begins to fetch. It waits for a broker, and for
    /// nothing else.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], [`ErrorKind::Unreachable`], [`ErrorKind::Denied`],
    /// [`ErrorKind::UnknownTopic`], [`ErrorKind::NoOffset`] or, if the stopper was used,
    /// [`ErrorKind::Stopped`].
    pub fn open(
        options: SourceOptions,
        assembler: Assembler,
        schemas: Box<dyn SchemaSource + Send>,
    ) -> Result<Self, Error> {
        options.validate()?;
        let connection = Connection::new(&options)?;
        let wanted = Wanted {
            // A dead letter keeps its time.
            timestamps: assembler.wants_timestamps() || options.dead_letters.is_some(),
            key_header: options
                .key_framing
                .key_header()
                .filter(|_| assembler.decodes_keys()),
            value_header: options.value_framing.value_header(),
        };
        let queues = Queues::new(Arc::clone(connection.consumer()), options.group.is_some(), wanted)?;
        Self::with_runs(options, connection, Box::new(queues), assembler, schemas)
    }

    /// The next batch; `None` at the end: of a bounded source, after a stop, or after an error that
    /// cannot be recovered from.
    ///
    /// # Errors
    ///
    /// With [`ErrorKind::BadRecord`] and with [retryable](Error::is_retryable) errors the source
    /// keeps its place, and the next call goes on at the same record. After any other error it is
    /// at its end.
    pub fn next_batch(&mut self) -> Option<Result<Batch, Error>> {
        if self.ended {
            return None;
        }
        let result = self.advance();
        match &result {
            Ok(None) => self.ended = true,
            Err(error) => self.ended = !(error.is_retryable() || error.kind() == ErrorKind::BadRecord),
            Ok(Some(_)) => {}
        }
        result.transpose()
    }

    /// Commits what has been acknowledged, and waits for the broker's answer, at most
    /// [`SourceOptions::startup_timeout`]. Without a group it does nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Commit`], or what the broker's answer stands for.
    pub fn commit(&mut self) -> Result<(), Error> {
        let (assignment, connection) = (&self.assignment, &self.connection);
        assignment.store_acknowledged(connection);
        Ok(assignment.commit_moved(connection, |_| true, self.options.startup_timeout)?)
    }

    /// Commits what has been acknowledged and leaves the group. Dropping the source does the same,
    /// and logs errors. Each of the two waits for the brokers at most
    /// [`SourceOptions::revoke_timeout`], or a second if that is shorter.
    ///
    /// # Errors
    ///
    /// As [`Source::commit`].
    pub fn close(mut self) -> Result<(), Error> {
        self.shut()
    }

    /// Something that stops this source from elsewhere.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.options.stopper.clone()
    }

    /// The schema of the batches, as soon as it is known.
    #[must_use]
    pub fn schema(&self) -> Option<SchemaRef> {
        self.reader.assembler().schema()
    }

    /// How far it has come. It asks no broker.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let partitions = self.assignment.positions.iter().map(|position| {
            let known = || self.connection.known_high(&position.topic, position.partition);
            let end = position.end.or_else(known);
            let lag = match (end, position.next) {
                _ if position.ended => Some(0),
                (Some(end), Some(next)) => Some(u64::try_from(end - next).unwrap_or(0)),
                _ => None,
            };
            let topic = Arc::clone(&position.topic);
            PartitionProgress {
                topic,
                partition: position.partition,
                position: position.next,
                end,
                lag,
            }
        });
        let Totals { messages, bytes, bad } = self.totals;
        Progress {
            messages,
            bytes,
            bad,
            partitions: partitions.collect(),
        }
    }
}

impl Iterator for Source {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("options", &self.options)
            .field("totals", &self.totals)
            .finish_non_exhaustive()
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Err(error) = self.shut() {
            log::warn!("{error}");
        }
    }
}

impl Source {
    /// A source whose records come from `runs`.
    fn with_runs(
        options: SourceOptions,
        connection: Connection,
        runs: Box<dyn RunSource>,
        assembler: Assembler,
        schemas: Box<dyn SchemaSource + Send>,
    ) -> Result<Self, Error> {
        let (brokers, properties) = (&options.brokers, &options.properties);
        let letters = options.dead_letters.clone();
        let dead_letters = letters
            .map(|letters| DeadLetters::new(brokers, properties, letters))
            .transpose()?;
        let (key_framing, value_framing) = (options.key_framing, options.value_framing);
        let mut source = Self {
            reader: Reader::new(Fetched::new(runs, key_framing, value_framing), assembler, schemas),
            connection,
            assignment: Assignment::default(),
            dead_letters,
            in_hand: InHand::default(),
            held: None,
            pending: None,
            left: options.end.messages(),
            stuck: false,
            ended: false,
            closed: false,
            last_batch: 0,
            totals: Totals::default(),
            options,
        };
        let (assignment, mut around) = source.parts();
        assignment.begin(&mut around)?;
        Ok(source)
    }

    /// The assignment, and what it needs to be changed.
    fn parts(&mut self) -> (&mut Assignment, Around<'_>) {
        let around = Around {
            connection: &self.connection,
            options: &self.options,
            fetched: &mut self.reader.fetched,
        };
        (&mut self.assignment, around)
    }

    /// Everything up to the next batch, error or end.
    fn advance(&mut self) -> Result<Option<Batch>, Error> {
        if self.stuck || self.held.is_some() {
            self.take_events();
        }
        if let Some(batch) = self.held.take() {
            return self.release_again(batch);
        }
        loop {
            self.assignment.store_acknowledged(&self.connection);
            if self.in_hand.records > 0 && self.is_complete() {
                return self.finish().map(Some);
            }
            if let Some(error) = self.pending.take() {
                return Err(error);
            }
            if self.assignment.is_rebalancing() {
                self.answer_rebalance()?;
                continue;
            }
            if self.options.stopper.is_stopped() || self.is_drained() {
                return Ok(None);
            }
            if self.reader.fetched.is_empty() {
                self.gather();
            }
            if !self.reader.fetched.is_empty() {
                self.decode()?;
            }
        }
    }

    /// True if the batch in hand has to be given out now.
    fn is_complete(&self) -> bool {
        let (in_hand, limits) = (&self.in_hand, &self.options.batching);
        let dead_bytes = self.dead_letters.as_ref().map_or(0, DeadLetters::bytes);
        in_hand.full
            || in_hand.records >= limits.rows
            || in_hand
                .since
                .is_some_and(|since| since.elapsed() >= limits.linger)
            || self
                .reader
                .assembler()
                .buffered_bytes()
                .saturating_add(dead_bytes)
                >= limits.bytes
            || self.assignment.is_rebalancing()
            || self.pending.is_some()
            || self.options.stopper.is_stopped()
            || self.is_drained()
    }

    /// True if nothing more is to be read.
    fn is_drained(&self) -> bool {
        let has_ends = self.options.end.bounds_partitions();
        let all_ended = || has_ends && self.assignment.positions.all_ended();
        self.left == Some(0) || (self.reader.fetched.is_empty() && all_ended())
    }

    /// Takes what has come: events first, then records. Waits a little if there are none.
    fn gather(&mut self) {
        if self.take_events() {
            return;
        }
        let mut wait = STOP_CHECK;
        if let Some(since) = self.in_hand.since {
            wait = wait.min(self.options.batching.linger.saturating_sub(since.elapsed()));
        }
        if self.assignment.positions.is_empty() {
            // Nothing can come but an event.
            let event = self.connection.poll(wait);
            self.on_event(event);
            return;
        }
        let room = self.room();
        let Self {
            reader,
            connection,
            assignment,
            pending,
            totals,
            ..
        } = self;
        let has_read = totals.messages > 0;
        let positions = &mut assignment.positions;
        let fetched = &mut reader.fetched;
        fetched.fetch(
            wait.min(EVENT_CHECK),
            room,
            positions,
            |positions, arrival| match arrival {
                Arrival::Run { .. } => {}
                Arrival::End {
                    topic,
                    partition,
                    offset,
                } => on_partition_end(connection, positions, &topic, partition, offset),
                Arrival::Failure(failure) => {
                    if let Some(error) = connection.judge(failure, has_read) {
                        pending.get_or_insert(error);
                    }
                }
            },
        );
        self.connection
            .pause(&self.assignment.positions.take_newly_ended());
    }

    /// Takes the events that have come, up to one that has to be dealt with before records are;
    /// true if there is such a one.
    fn take_events(&mut self) -> bool {
        loop {
            let event = self.connection.poll(Duration::ZERO);
            let is_idle = matches!(event, Event::Idle);
            self.on_event(event);
            if self.assignment.is_rebalancing() || self.pending.is_some() {
                return true;
            }
            if is_idle {
                return false;
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Idle | Event::Served => {}
            Event::Rebalance(rebalance) => self.assignment.push(rebalance),
            Event::Failure(failure) => {
                let has_read = self.totals.messages > 0;
                if let Some(error) = self.connection.judge(failure, has_read) {
                    self.pending = Some(error);
                }
            }
        }
    }

    fn answer_rebalance(&mut self) -> Result<(), Error> {
        let (assignment, mut around) = self.parts();
        assignment.answer(&mut around)
    }

    /// Records that may be decoded before the batch in hand is full.
    fn room(&self) -> usize {
        let left = self
            .left
            .map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        left.min(self.options.batching.rows - self.in_hand.records)
    }

    /// Decodes some records where they lie. What comes instead of the record that it stops at is
    /// left in `pending`.
    fn decode(&mut self) -> Result<(), Error> {
        let room = self.room();
        let positions = &mut self.assignment.positions;
        let decoded = self.reader.decode(room, positions, self.dead_letters.as_mut());
        self.in_hand.records += decoded.records;
        self.in_hand.bytes += decoded.bytes as u64;
        if decoded.records > 0 {
            self.in_hand.since.get_or_insert_with(Instant::now);
        }
        if let Some(left) = &mut self.left {
            *left -= decoded.records as u64;
        }
        if decoded.is_letter_lost {
            return Err(Error::config(
                "bad messages are to become dead letters, and no topic is given for them",
            ));
        }
        self.on_stop(decoded)
    }

    fn on_stop(&mut self, decoded: Decoded) -> Result<(), Error> {
        let Decoded { stop, stopped_at, .. } = decoded;
        self.stuck = matches!(stop, PushStop::Unavailable(_) | PushStop::Failed(_));
        match stop {
            PushStop::Done => {}
            PushStop::Full if self.in_hand.records > 0 => self.in_hand.full = true,
            PushStop::Full => {
                return Err(Error::new(
                    ErrorKind::Internal,
                    "an empty batch is said to be full",
                ));
            }
            PushStop::Unavailable(cause) => {
                let error = Error::unavailable(cause);
                self.stop_before(match stopped_at {
                    Some((topic, partition, offset)) => error.at(&topic, partition, Some(offset)),
                    None => error,
                });
            }
            PushStop::Failed(bad) => self.stop_before(Error::bad_record(bad)),
        }
        if self.stuck && self.in_hand.records == 0 {
            // Decoders may have taken the record that is not to be taken. Without a batch to
            // finish, they forget it here.
            self.reader.finish().map_err(internal)?;
        }
        Ok(())
    }

    /// Keeps the error of a stuck record, which comes again with the record. One that librdkafka
    /// reported and that ends the source does not.
    fn stop_before(&mut self, error: Error) {
        self.pending.get_or_insert(error);
    }

    /// Makes a batch of what is in hand.
    fn finish(&mut self) -> Result<Batch, Error> {
        let assembled = self.reader.finish().map_err(internal)?;
        let in_hand = std::mem::take(&mut self.in_hand);
        let covered = self.assignment.positions.finish_batch();
        self.last_batch += 1;
        self.totals.messages += in_hand.records as u64;
        self.totals.bytes += in_hand.bytes;
        self.totals.bad += assembled.bad.len() as u64;
        if self.options.group.is_some() {
            self.assignment.ledger.lock().cover(self.last_batch, &covered);
        }
        let acker = Acker::new(
            Arc::clone(&self.assignment.ledger),
            self.last_batch,
            Arc::clone(&covered),
        );
        self.release(Batch {
            batch: assembled.batch,
            bad: assembled.bad,
            offsets: Offsets(covered),
            records: in_hand.records,
            bytes: in_hand.bytes,
            acker,
        })
    }

    /// Gives a batch out once its dead letters are delivered; until then it is held.
    fn release(&mut self, batch: Batch) -> Result<Batch, Error> {
        if let Some(dead_letters) = &mut self.dead_letters
            && let Err(error) = dead_letters.deliver()
        {
            self.held = Some(batch);
            return Err(error);
        }
        Ok(batch)
    }

    /// Tries once more to give out a batch that is held. If that fails, its group must not wait for
    /// it: what has to be given back is given back. After a stop it is not tried again, and read
    /// again by whoever comes next.
    fn release_again(&mut self, batch: Batch) -> Result<Option<Batch>, Error> {
        self.assignment.store_acknowledged(&self.connection);
        if self.options.stopper.is_stopped() {
            log::warn!("stopped before the dead letters of a batch were delivered; it is not given out");
            return Ok(None);
        }
        let released = self.release(batch);
        while released.is_err() && self.assignment.is_rebalancing() {
            if let Err(error) = self.answer_rebalance() {
                // It stays the oldest, and is tried again.
                log::warn!("{error}");
                break;
            }
        }
        released.map(Some)
    }

    fn shut(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.closed, true) {
            return Ok(());
        }
        self.ended = true;
        self.reader.fetched.clear();
        self.assignment.store_acknowledged(&self.connection);
        let (assignment, mut around) = self.parts();
        Ok(assignment.end(&mut around)?)
    }
}

/// Notes that a partition has no more than `offset` now.
fn on_partition_end(
    connection: &Connection,
    positions: &mut Positions,
    topic: &str,
    partition: i32,
    offset: i64,
) {
    let Some(index) = positions.index(topic, partition) else {
        return;
    };
    log::debug!("{topic}[{partition}] has no more than offset {offset} now");
    if positions.reached(index, offset) {
        // The log ends before it did when we came. Either it was cut, or a follower lags behind.
        match connection.high(topic, partition) {
            Ok(high) if high <= offset => positions.shorten(index, high),
            Ok(_) => {}
            Err(error) => log::warn!("{error}"),
        }
    }
}

#[cold]
fn internal(cause: FlushError) -> Error {
    Error::new(ErrorKind::Internal, cause.to_string()).with_source(cause)
}

#[cfg(test)]
mod tests;
