//! Pausing partitions and resuming them.
//!
//! librdkafka drops a request to pause or to resume without a word if its own thread has one for the same partition at
//! that moment. So nothing here relies on a request: what comes from a partition says whether it is paused, and a request
//! that seems lost is made again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer as _;

use crate::ffi::Event;
use crate::positions::Position;
use crate::source::{Source, list_of};
use crate::{Error, ErrorKind};

/// How often partitions that keep silent are resumed once more.
const RESUME_AGAIN: Duration = Duration::from_secs(1);

/// Whether records of a partition come, as far as the source knows. It can only tell by the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// None has come since the partition was assigned. librdkafka is starting it, or there is none.
    Starting,
    /// They come.
    Running,
    /// None has come since librdkafka was asked to pause.
    Paused,
}

impl Source {
    /// While messages wait that cannot be decoded, or a batch that cannot be given out, fetches no more of them, but
    /// goes on taking events: a member that does not poll is thrown out of its group.
    pub(crate) fn hold_back(&mut self) {
        if !std::mem::replace(&mut self.paused, true) {
            self.pause_running();
        }
        loop {
            match self.queue.poll(Duration::ZERO, &mut self.messages) {
                Event::Idle => return,
                Event::Message => {
                    self.admit();
                    // The partition has just been started, or its pause got lost.
                    self.pause_running();
                }
                event => self.on_event(event),
            }
        }
    }

    /// Fetches again what was paused. librdkafka may have dropped the request, and nothing tells; so it is made again
    /// now and then for partitions of which no record comes. Where nothing is paused, that does nothing.
    pub(crate) fn go_on(&mut self) {
        if !std::mem::take(&mut self.paused) && self.resumed.elapsed() < RESUME_AGAIN {
            return;
        }
        self.resumed = Instant::now();
        let is_silent = |position: &Position| position.flow != Flow::Running && !position.ended;
        let (list, slots) = self.select(is_silent);
        if !slots.is_empty() {
            self.pause_or_resume(&list, false);
        }
    }

    /// Stops fetching from a partition that has ended.
    pub(crate) fn pause_ended(&self, slot: usize) {
        let position = self.positions.get(slot);
        if position.ended {
            // It only saves work: what still comes is let go.
            let _ = self
                .consumer
                .pause(&list_of([(&*position.topic, position.partition)]));
        }
    }

    /// Resumes what this source has paused, for librdkafka remembers a pause until the partition is assigned again. To
    /// resume it only then is too late: librdkafka's own thread is starting the partition at that time, and of two
    /// requests for a partition at the same moment it may drop either, the start as well. Now that thread waits for us.
    pub(crate) fn resume_before_giving_up(&self, places: &[(Arc<str>, i32)]) {
        let slots = places
            .iter()
            .filter_map(|(topic, partition)| self.positions.slot(topic, *partition));
        let positions = slots.map(|slot| self.positions.get(slot));
        let paused = positions.filter(|position| position.ended || position.flow == Flow::Paused);
        let list = list_of(paused.map(|position| (&*position.topic, position.partition)));
        if list.count() > 0 {
            self.pause_or_resume(&list, false);
        }
    }

    /// Pauses what runs. A partition that is only just being started is left alone: librdkafka could drop its start for
    /// the pause. It is paused at its first record.
    fn pause_running(&mut self) {
        let is_running = |position: &Position| position.flow == Flow::Running && !position.ended;
        let (list, slots) = self.select(is_running);
        if !slots.is_empty() {
            self.pause_or_resume(&list, true);
            self.positions.pause(&slots);
        }
    }

    fn select(&self, wanted: impl Fn(&Position) -> bool) -> (TopicPartitionList, Vec<usize>) {
        let mut list = TopicPartitionList::new();
        let mut slots = Vec::new();
        for (slot, position) in self.positions.iter().enumerate() {
            if wanted(position) {
                list.add_partition(&position.topic, position.partition);
                slots.push(slot);
            }
        }
        (list, slots)
    }

    fn pause_or_resume(&self, list: &TopicPartitionList, pause: bool) {
        let answer = if pause {
            self.consumer.pause(list)
        } else {
            self.consumer.resume(list)
        };
        if let Err(cause) = answer {
            log::warn!(
                "{}",
                Error::kafka(ErrorKind::Fatal, "pausing or resuming failed", &cause)
            );
        }
    }
}
