//! Messages that wait until the columns are inferred from them.
//!
//! Their slots exist already, in columns without fields. What is kept here are the bodies of the
//! good ones, so that they can be read once there is a plan.

use sabot_decode::{Payload, Progress, RowError, RowErrorKind, Stop};

use super::{Driver, columns_of};
use crate::slots::done;
use crate::{Engine, Fault, RowBudget, Sampler};

/// Messages that are taken and not yet decoded.
#[derive(Debug)]
pub(super) struct Sample<E> {
    pub(super) sampler: Box<dyn Sampler<E>>,
    bodies: Vec<u8>,
    /// Of each body, its slot and where it ends.
    ends: Vec<(usize, usize)>,
}

impl<E: Engine> Sample<E> {
    /// Rows that say enough, good or bad.
    const ROWS: usize = 1_000;
    /// Bytes of good messages that say enough.
    const BODY_BYTES: usize = 1 << 20;
    /// What a single message may have, whatever the limit: all of the sample has to fit below
    /// 32-bit offsets.
    const MAX_MESSAGE_BYTES: usize = 1 << 30;

    pub(super) fn new(sampler: Box<dyn Sampler<E>>) -> Self {
        Self {
            sampler,
            bodies: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Whether there is enough to infer the columns from.
    fn is_complete(&self, slots: usize) -> bool {
        let is_large = slots >= Self::ROWS || self.bodies.len() >= Self::BODY_BYTES;
        is_large && !self.sampler.is_empty()
    }

    fn push(&mut self, slot: usize, body: &[u8]) {
        self.bodies.extend_from_slice(body);
        self.ends.push((slot, self.bodies.len()));
    }

    fn bytes(&self) -> usize {
        self.bodies.len() + size_of_val(self.ends.as_slice())
    }

    /// The bodies, in the order of their slots.
    fn bodies(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |&(slot, end)| {
            let body = &self.bodies[start..end];
            start = end;
            (slot, body)
        })
    }

    /// Gives the bodies up, which say nothing: their slots have been handed over.
    pub(super) fn clear(&mut self) {
        self.bodies.clear();
        self.ends.clear();
    }
}

impl<E: Engine> Driver<E> {
    /// Takes payloads until the sample says enough, or is as large as a batch may be. They get
    /// their slots at once, and their columns later.
    pub(super) fn take_sample(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        for taken in 0..rows.len() {
            let Some(sample) = &mut self.sample else {
                return done(taken);
            };
            if sample.is_complete(self.slots.len()) {
                self.end_sample();
                return done(taken);
            }
            let (engine, slot) = (&mut self.engine, self.slots.len());
            let progress = self.slots.take(&rows[taken..=taken], bad, |columns, _, _, body| {
                if body.len() > Sample::<E>::MAX_MESSAGE_BYTES {
                    let kind = RowErrorKind::LimitExceeded("bytes in one message");
                    return Err(Fault::of_message(0, kind));
                }
                sample.sampler.add(engine, body)?;
                sample.push(slot, body);
                columns.outside_bytes = sample.bytes();
                Ok(())
            });
            if progress.stop != Stop::Done {
                let stop = progress.stop;
                return Progress { taken, stop };
            }
        }
        if self
            .sample
            .as_ref()
            .is_some_and(|sample| sample.is_complete(self.slots.len()))
        {
            self.end_sample();
        }
        done(rows.len())
    }

    /// Infers the columns, and reads the sample into them.
    pub(super) fn end_sample(&mut self) {
        let Some(mut sample) = self.sample.take() else {
            return;
        };
        let (output, plan) = sample.sampler.infer(&mut self.engine, &mut self.paths);
        let (engine, mut bodies) = (&mut self.engine, sample.bodies().peekable());
        let mut is_unread = false;
        let read = self.slots.set_columns(columns_of(&output), |slot, columns| {
            let Some((_, body)) = bodies.next_if(|(of, _)| *of == slot) else {
                return false;
            };
            // All of the sample has its slots already, so limits of the batch must not stop it now.
            let mut budget = RowBudget::unlimited(self.limits.row_items);
            let result = engine.row(&plan, body, columns, &mut budget);
            is_unread |= result.is_err();
            result.is_ok()
        });
        // Their slots were called good. What the sampler promised and did not keep is its fault, and
        // the batch must not come out with nulls in place of messages.
        self.is_sample_unread = is_unread || read.is_err();
        self.output = Some(output);
        self.insert_only(plan);
    }
}
