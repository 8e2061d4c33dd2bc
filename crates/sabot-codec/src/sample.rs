//! Messages that wait until the columns are inferred from them.
//!
//! Their slots exist already, in columns without fields. What is kept here are the bodies of the good ones, so that they can
//! be read once there is a plan.

use crate::{Engine, Sampler};

/// Messages that are taken and not yet decoded.
#[derive(Debug)]
pub(crate) struct Sample<E> {
    pub(crate) sampler: Box<dyn Sampler<E>>,
    bodies: Vec<u8>,
    /// Of each body, its slot and where it ends.
    ends: Vec<(usize, usize)>,
}

impl<E: Engine> Sample<E> {
    /// Rows that say enough, good or bad.
    const ROWS: usize = 1_000;
    /// Bytes of good messages that say enough.
    const BODY_BYTES: usize = 1 << 20;
    /// What a single message may have, whatever the limit: all of the sample has to fit below 32-bit offsets.
    pub(crate) const MAX_MESSAGE_BYTES: usize = 1 << 30;

    pub(crate) fn new(sampler: Box<dyn Sampler<E>>) -> Self {
        Self {
            sampler,
            bodies: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Whether there is enough to infer the columns from.
    pub(crate) fn is_complete(&self, slots: usize) -> bool {
        let is_large = slots >= Self::ROWS || self.bodies.len() >= Self::BODY_BYTES;
        is_large && !self.sampler.is_empty()
    }

    pub(crate) fn push(&mut self, slot: usize, body: &[u8]) {
        self.bodies.extend_from_slice(body);
        self.ends.push((slot, self.bodies.len()));
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bodies.len() + size_of_val(self.ends.as_slice())
    }

    /// The bodies, in the order of their slots.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |&(slot, end)| {
            let body = &self.bodies[start..end];
            start = end;
            (slot, body)
        })
    }

    /// Gives the bodies up, which say nothing: their slots have been handed over.
    pub(crate) fn clear(&mut self) {
        self.bodies.clear();
        self.ends.clear();
    }
}
