//! The source: polls, decodes, and gives out batches.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_schema::SchemaRef;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode;
use sabot_assemble::{Assembler, PushStop, Record};
use sabot_decode::{FlushError, SchemaSource};

use crate::batch::{Acker, Ledger};
use crate::client::{Consumer, Context};
use crate::dead_letter::DeadLetters;
use crate::error::{is_refused_by_group, is_unreadable, kind_of};
use crate::ffi::{self, Event, EventQueue, Messages};
use crate::positions::Positions;
use crate::progress::{PartitionProgress, Progress, Totals};
use crate::rebalance::{Rebalance, commit_failed};
use crate::record::{SchemaHeaders, bytes_of, slots_of};
use crate::stop::STOP_CHECK;
use crate::{Batch, Error, ErrorKind, Offsets, SourceOptions, Stopper, config};

/// Messages that are taken from the client in one go.
const CHUNK_RECORDS: usize = 1024;
/// Bytes of keys and values after which such a chunk is full.
const CHUNK_BYTES: usize = 1 << 20;
/// Messages that are decoded in one go: so few that what was read ahead is still in a cache when it is decoded.
const DECODE_RECORDS: usize = 128;

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
    // Messages and queue go before the consumer that they belong to.
    pub(crate) messages: Messages,
    pub(crate) queue: EventQueue,
    pub(crate) consumer: Arc<Consumer>,
    pub(crate) options: SourceOptions,
    pub(crate) positions: Positions,
    pub(crate) ledger: Arc<Ledger>,
    /// Rebalances to be answered, oldest first.
    pub(crate) rebalances: VecDeque<Rebalance>,
    assembler: Assembler,
    schemas: Box<dyn SchemaSource + Send>,
    dead_letters: Option<DeadLetters>,
    headers: SchemaHeaders,
    in_hand: InHand,
    /// A batch whose dead letters are not delivered yet.
    held: Option<Batch>,
    /// An error that comes after the batch in hand.
    pending: Option<Error>,
    /// Messages that may still be read.
    left: Option<u64>,
    /// The oldest message could not be decoded.
    stuck: bool,
    /// Fetching is paused because of that.
    pub(crate) paused: bool,
    /// When partitions were last resumed or assigned.
    pub(crate) resumed: Instant,
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
    /// Connects, checks that the topics exist, and begins to fetch. It waits for a broker, and for nothing else.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], [`ErrorKind::Unreachable`], [`ErrorKind::Denied`], [`ErrorKind::UnknownTopic`],
    /// [`ErrorKind::NoOffset`] or, if the stopper was used, [`ErrorKind::Stopped`].
    pub fn open(
        options: SourceOptions,
        assembler: Assembler,
        schemas: Box<dyn SchemaSource + Send>,
    ) -> Result<Self, Error> {
        options.validate()?;
        let consumer = config::consumer(&options)?
            .create_with_context(Context::default())
            .map_err(|cause| Error::kafka(ErrorKind::Config, "the consumer cannot be made", &cause))?;
        let consumer = Arc::new(Consumer::new(consumer, options.commit_timeout()));
        let queue = EventQueue::new(Arc::clone(&consumer))
            .ok_or_else(|| Error::new(ErrorKind::Internal, "the consumer has no queue"))?;
        let dead_letters = match &options.dead_letters {
            Some(wanted) => Some(DeadLetters::new(
                &options.brokers,
                &options.properties,
                wanted.clone(),
            )?),
            None => None,
        };
        let mut source = Self {
            messages: Messages::new(Arc::clone(&consumer)),
            queue,
            consumer,
            positions: Positions::default(),
            ledger: Arc::default(),
            rebalances: VecDeque::new(),
            assembler,
            schemas,
            dead_letters,
            headers: SchemaHeaders::new(&options),
            in_hand: InHand::default(),
            held: None,
            pending: None,
            left: options.end.messages(),
            stuck: false,
            paused: false,
            resumed: Instant::now(),
            ended: false,
            closed: false,
            last_batch: 0,
            totals: Totals::default(),
            options,
        };
        source.begin()?;
        Ok(source)
    }

    /// The next batch; `None` at the end: of a bounded source, after a stop, or after an error that cannot be recovered
    /// from.
    ///
    /// # Errors
    ///
    /// With [`ErrorKind::BadRecord`] and with [retryable](Error::is_retryable) errors the source keeps its place, and
    /// the next call goes on at the same record. After any other error it is at its end.
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
        self.store_acknowledged();
        self.commit_moved(|_| true, self.options.startup_timeout)
            .map_err(|cause| commit_failed(&cause))
    }

    /// Commits what has been acknowledged and leaves the group. Dropping the source does the same, and logs errors. Each
    /// of the two waits for the brokers at most [`SourceOptions::revoke_timeout`], or a second if that is shorter.
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
        self.assembler.schema()
    }

    /// How far it has come. It asks no broker.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let partitions = self.positions.iter().map(|position| {
            let known = || {
                ffi::known_offsets(&self.consumer, &position.topic, position.partition).map(|(_, high)| high)
            };
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
    /// Everything up to the next batch, error or end.
    fn advance(&mut self) -> Result<Option<Batch>, Error> {
        if self.stuck || self.held.is_some() {
            self.hold_back();
        }
        if let Some(batch) = self.held.take() {
            return self.release_again(batch);
        }
        loop {
            self.store_acknowledged();
            if self.in_hand.records > 0 && self.is_complete() {
                return self.finish().map(Some);
            }
            if let Some(error) = self.pending.take() {
                return Err(error);
            }
            if !self.rebalances.is_empty() {
                self.serve_rebalance()?;
                continue;
            }
            if self.options.stopper.is_stopped() || self.is_drained() {
                return Ok(None);
            }
            if self.messages.is_empty() {
                self.go_on();
                self.gather();
            }
            if !self.messages.is_empty() {
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
            || self.assembler.buffered_bytes().saturating_add(dead_bytes) >= limits.bytes
            || !self.rebalances.is_empty()
            || self.pending.is_some()
            || self.options.stopper.is_stopped()
            || self.is_drained()
    }

    /// True if nothing more is to be read.
    fn is_drained(&self) -> bool {
        let all_ended = || self.options.end.bounds_partitions() && self.positions.all_ended();
        self.left == Some(0) || (self.messages.is_empty() && all_ended())
    }

    /// Takes messages off the queue: at least waits for one, at most a chunk.
    fn gather(&mut self) {
        let room = CHUNK_RECORDS.min(self.room());
        let mut wait = STOP_CHECK;
        if let Some(since) = self.in_hand.since {
            wait = wait.min(self.options.batching.linger.saturating_sub(since.elapsed()));
        }
        let mut bytes = 0;
        while self.messages.len() < room && bytes < CHUNK_BYTES {
            match self.queue.poll(wait, &mut self.messages) {
                Event::Message => bytes += self.admit(),
                Event::Idle => return,
                event => return self.on_event(event),
            }
            wait = Duration::ZERO;
        }
    }

    /// Records that may be decoded before the batch in hand is full.
    fn room(&self) -> usize {
        let left = self
            .left
            .map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        left.min(self.options.batching.rows - self.in_hand.records)
    }

    /// Lets the newest message go again if it is none of ours, and returns its bytes otherwise.
    pub(crate) fn admit(&mut self) -> usize {
        let Some(message) = self.messages.last() else {
            return 0;
        };
        let slot = self.positions.slot(&message.topic(), message.partition());
        let bytes = bytes_of(&message);
        let offset = message.offset();
        match slot {
            Some(slot) if self.positions.admits(slot, offset) => bytes,
            Some(slot) => {
                self.messages.drop_last();
                self.pause_ended(slot);
                0
            }
            None => {
                self.messages.drop_last();
                0
            }
        }
    }

    pub(crate) fn on_event(&mut self, event: Event) {
        match event {
            Event::Idle | Event::Message | Event::Served => {}
            Event::PartitionEnd {
                topic,
                partition,
                offset,
            } => self.on_partition_end(&topic, partition, offset),
            Event::Error {
                code,
                fatal,
                reason,
                place,
            } => self.on_error(code, fatal, reason, place),
            Event::Rebalance { revoke, partitions } => {
                self.rebalances.push_back(Rebalance { revoke, partitions });
            }
        }
    }

    fn on_partition_end(&mut self, topic: &str, partition: i32, offset: i64) {
        let Some(slot) = self.positions.slot(topic, partition) else {
            return;
        };
        log::debug!("{topic}[{partition}] has no more than offset {offset} now");
        if self.positions.reached(slot, offset) {
            // The log ends before it did when we came. Either it was cut, or a follower lags behind.
            match self.high(topic, partition) {
                Ok(high) if high <= offset => self.positions.shorten(slot, high),
                Ok(_) => {}
                Err(error) => log::warn!("{error}"),
            }
        }
        self.pause_ended(slot);
    }

    /// Notes what librdkafka deals with by itself, and keeps what it does not for the caller.
    fn on_error(
        &mut self,
        code: RDKafkaErrorCode,
        fatal: bool,
        reason: String,
        place: Option<(String, i32)>,
    ) {
        let kind = if fatal {
            Some(ErrorKind::Fatal)
        } else {
            kind_of(code)
        };
        let ends = match kind {
            Some(ErrorKind::Fatal | ErrorKind::UnknownTopic | ErrorKind::NoOffset) => true,
            // Without a group, the coordinator's refusal does not matter.
            Some(ErrorKind::Denied) if code == RDKafkaErrorCode::GroupAuthorizationFailed => {
                self.options.group.is_some()
            }
            // A handshake may fail now and then; what never worked is wrong.
            Some(ErrorKind::Denied) => {
                code == RDKafkaErrorCode::TopicAuthorizationFailed || self.totals.messages == 0
            }
            // librdkafka would go on behind what it cannot read, or ask for it for ever.
            _ => is_refused_by_group(code) || (place.is_some() && is_unreadable(code)),
        };
        if !ends {
            return self.consumer.context().note(code, &reason);
        }
        let error = Error::new(kind.unwrap_or(ErrorKind::Fatal), reason);
        self.pending = Some(match place {
            Some((topic, partition)) => error.at(&self.positions.topic(&topic), partition, None),
            None => error,
        });
    }

    /// Decodes some messages where they lie. What comes instead of the record that it stops at is left in `pending`.
    fn decode(&mut self) -> Result<(), Error> {
        let room = DECODE_RECORDS.min(self.room());
        let views: Vec<ffi::Message<'_>> = self.messages.iter().take(room).collect();
        let slots = slots_of(&views, &self.positions);
        sabot_wire::touch(views.iter().filter_map(ffi::Message::value));
        let records: Vec<Record<'_>> = views
            .iter()
            .zip(&slots)
            .map(|(view, slot)| {
                self.headers
                    .record(view, &self.positions.get(*slot).topic, &self.options)
            })
            .collect();
        let mut nowhere = false;
        let dead_letters = &mut self.dead_letters;
        let pushed = self.assembler.push(
            &records,
            &mut *self.schemas,
            &mut |bad, record| match dead_letters {
                Some(dead_letters) => dead_letters.push(bad, record),
                None => nowhere = true,
            },
        );
        drop(records);
        let (taken, room) = (pushed.taken, slots.len());
        for (view, slot) in views.iter().zip(&slots).take(taken) {
            self.positions.take(*slot, view.offset());
            self.in_hand.bytes += bytes_of(view) as u64;
        }
        let stopped_at = (taken < room).then(|| (slots[taken], views[taken].offset()));
        drop(views);
        self.messages.drop_first(taken);
        self.in_hand.records += taken;
        if taken > 0 {
            self.in_hand.since.get_or_insert_with(Instant::now);
        }
        if let Some(left) = &mut self.left {
            *left -= taken as u64;
        }
        if nowhere {
            return Err(Error::config(
                "bad messages are to become dead letters, and no topic is given for them",
            ));
        }
        self.on_stop(pushed.stop, stopped_at)
    }

    fn on_stop(&mut self, stop: PushStop, stopped_at: Option<(usize, i64)>) -> Result<(), Error> {
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
                    Some((slot, offset)) => {
                        let position = self.positions.get(slot);
                        error.at(&position.topic, position.partition, Some(offset))
                    }
                    None => error,
                });
            }
            PushStop::Failed(bad) => self.stop_before(Error::bad_record(bad)),
        }
        if self.stuck && self.in_hand.records == 0 {
            // Decoders may have taken the record that is not to be taken. Without a batch to finish, they forget it here.
            self.assembler.finish().map_err(internal)?;
        }
        Ok(())
    }

    /// Keeps the error of a stuck record, which comes again with the record. One that librdkafka reported and that
    /// ends the source does not.
    fn stop_before(&mut self, error: Error) {
        self.pending.get_or_insert(error);
    }

    /// Makes a batch of what is in hand.
    fn finish(&mut self) -> Result<Batch, Error> {
        let assembled = self.assembler.finish().map_err(internal)?;
        let in_hand = std::mem::take(&mut self.in_hand);
        let covered = self.positions.finish_batch();
        self.last_batch += 1;
        self.totals.messages += in_hand.records as u64;
        self.totals.bytes += in_hand.bytes;
        self.totals.bad += assembled.bad.len() as u64;
        if self.options.group.is_some() {
            self.ledger.lock().cover(self.last_batch, &covered);
        }
        let acker = Acker::new(Arc::clone(&self.ledger), self.last_batch, Arc::clone(&covered));
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

    /// Tries once more to give out a batch that is held. If that fails, its group must not wait for it: what has to be given
    /// up is given up. After a stop it is not tried again, and read again by whoever comes next.
    fn release_again(&mut self, batch: Batch) -> Result<Option<Batch>, Error> {
        self.store_acknowledged();
        if self.options.stopper.is_stopped() {
            log::warn!("stopped before the dead letters of a batch were delivered; it is not given out");
            return Ok(None);
        }
        let released = self.release(batch);
        while released.is_err() && !self.rebalances.is_empty() {
            if let Err(error) = self.serve_rebalance() {
                // It stays the oldest, and is tried again.
                log::warn!("{error}");
                break;
            }
        }
        released.map(Some)
    }

    /// Serves what arrives within `wait`, and lets messages go.
    pub(crate) fn serve(&mut self, wait: Duration) {
        let mut unwanted = Messages::new(Arc::clone(&self.consumer));
        let event = self.queue.poll(wait, &mut unwanted);
        self.on_event(event);
    }

    /// Serves events while opening, when there are no messages yet.
    pub(crate) fn serve_quietly(&self) {
        let mut none = Messages::new(Arc::clone(&self.consumer));
        loop {
            match self.queue.poll(Duration::ZERO, &mut none) {
                Event::Idle => return,
                Event::Error { code, reason, .. } => self.consumer.context().note(code, &reason),
                _ => {}
            }
        }
    }

    fn shut(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.closed, true) {
            return Ok(());
        }
        self.ended = true;
        self.messages.drop_first(self.messages.len());
        self.store_acknowledged();
        self.commit_last().map_err(|cause| commit_failed(&cause))
    }
}

pub(crate) fn list_of<'a>(partitions: impl IntoIterator<Item = (&'a str, i32)>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (topic, partition) in partitions {
        list.add_partition(topic, partition);
    }
    list
}

#[cold]
fn internal(cause: FlushError) -> Error {
    Error::new(ErrorKind::Internal, cause.to_string()).with_source(cause)
}

#[cfg(test)]
mod tests;
