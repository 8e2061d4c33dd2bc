//! What was fetched and is not decoded yet: admission, positions, and the windows that are decoded.
//!
//! # Example
//!
//! Two partitions, `a[0]` that ends at offset 9, and `a[1]`. A fetch of six records, 0 to 5:
//!
//! ```text
//! arrived    Run a[0] 0..4, offsets 6 7 8 9      Run a[1] 4..6, offsets 3 4      End a[1] at 5
//! admitted   a[0] 0..3: offset 9 is at the end   a[1] 4..6                       (handed on)
//! window     both stretches: five records as two runs
//! taken      four of five, because the batch is full then: a[0] is at 9, a[1] at 4
//! left       a[1] 5..6; the records before it are released
//! ```
//!
//! # Invariants
//!
//! 1. A position moves when its record is taken into a batch, never when it arrives.
//! 2. Nothing is fetched while a stretch is left: so what is left keeps its numbers, and there is
//!    one fetch at a time.
//! 3. Every stretch is of a partition that is assigned: [`Fetched::forget`] drops those of
//!    partitions that are revoked.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use sabot_assemble::{Run, RunHeaders, RunPart, TimestampKind, Timestamps};
use sabot_decode::Framing;

use crate::positions::Positions;
use crate::runs::{Arrival, RunSource, Slices};

/// Records that are taken from the source of runs in one go.
const FETCH_RECORDS: usize = 1024;
/// Runs of a window at most.
const WINDOW_RUNS: usize = 32;

/// See the module.
pub(crate) struct Fetched {
    runs: Box<dyn RunSource>,
    key_framing: Framing,
    value_framing: Framing,
    /// What was admitted and not taken yet, oldest first.
    stretches: VecDeque<Stretch>,
    /// Room for what arrives, kept between two fetches.
    arrivals: Vec<Arrival>,
}

/// Admitted records of one partition.
#[derive(Debug, Clone)]
struct Stretch {
    topic: Arc<str>,
    partition: i32,
    /// Which of the fetch's records.
    range: Range<usize>,
    kind: TimestampKind,
}

impl Fetched {
    pub(crate) fn new(runs: Box<dyn RunSource>, key_framing: Framing, value_framing: Framing) -> Self {
        Self {
            runs,
            key_framing,
            value_framing,
            stretches: VecDeque::new(),
            arrivals: Vec::new(),
        }
    }

    pub(crate) fn runs(&mut self) -> &mut dyn RunSource {
        &mut *self.runs
    }

    /// Whether everything that was fetched is taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// Fetches at most `most` records, waiting at most `wait`, and admits what belongs to an
    /// assigned partition and comes before its end. `other` gets what is no run.
    pub(crate) fn fetch(
        &mut self,
        wait: Duration,
        most: usize,
        positions: &mut Positions,
        mut other: impl FnMut(&mut Positions, Arrival),
    ) {
        debug_assert!(self.is_empty(), "what is left would lose its numbers");
        self.runs.fetch(wait, most.min(FETCH_RECORDS), &mut self.arrivals);
        positions.begin_fetch();
        for arrival in self.arrivals.drain(..) {
            let Arrival::Run {
                topic,
                partition,
                range,
                kind,
            } = arrival
            else {
                other(positions, arrival);
                continue;
            };
            let Some(index) = positions.index(&topic, partition) else {
                continue;
            };
            let admitted = positions.admit(index, &self.runs.offsets()[range.clone()]);
            if !admitted.is_empty() {
                self.stretches.push_back(Stretch {
                    topic,
                    partition,
                    range: range.start + admitted.start..range.start + admitted.end,
                    kind,
                });
            }
        }
    }

    /// Appends the slices of the next records, at most `most`: the window's.
    pub(crate) fn view<'a>(&'a self, most: usize, slices: &mut Slices<'a>) {
        for (_, range) in self.pieces(most) {
            self.runs.view(range, slices);
        }
    }

    /// Gives the next records to `take` as runs: those whose slices [`Self::view`] appended to
    /// `slices`.
    pub(crate) fn window<R>(
        &self,
        most: usize,
        slices: &Slices<'_>,
        take: impl FnOnce(&[Run<'_>]) -> R,
    ) -> R {
        let mut first = 0;
        let mut runs = self.pieces(most).map(|(stretch, range)| {
            let rows = first..first + range.len();
            first = rows.end;
            self.run(slices, rows, stretch, range)
        });
        let Some(run) = runs.next() else {
            return take(&[]);
        };
        // An array, because a list that is kept for its room could not go to another thread with
        // the source.
        let mut window = [run; WINDOW_RUNS];
        let mut count = 1;
        for (place, run) in window[1..].iter_mut().zip(runs) {
            *place = run;
            count += 1;
        }
        take(&window[..count])
    }

    /// Moves past the next `taken` records, and lets go of them.
    pub(crate) fn advance(&mut self, taken: usize, positions: &mut Positions) {
        let mut left = taken;
        while left > 0
            && let Some(stretch) = self.stretches.front_mut()
        {
            let count = left.min(stretch.range.len());
            left -= count;
            let range = stretch.range.start..stretch.range.start + count;
            stretch.range.start = range.end;
            if let Some(index) = positions.index(&stretch.topic, stretch.partition) {
                positions.advance(index, &self.runs.offsets()[range]);
            }
            if stretch.range.is_empty() {
                self.stretches.pop_front();
            }
        }
        let end = self.stretches.front().map(|stretch| stretch.range.start);
        self.runs.release(end.unwrap_or(usize::MAX));
    }

    /// The place and offset of the next record.
    pub(crate) fn next(&self) -> Option<(Arc<str>, i32, i64)> {
        let stretch = self.stretches.front()?;
        let offset = self.runs.offsets()[stretch.range.start];
        Some((Arc::clone(&stretch.topic), stretch.partition, offset))
    }

    /// Drops what is left of partitions that are not assigned any more.
    pub(crate) fn forget(&mut self, positions: &Positions) {
        self.stretches
            .retain(|stretch| positions.index(&stretch.topic, stretch.partition).is_some());
    }

    /// Drops everything that is left.
    pub(crate) fn clear(&mut self) {
        self.stretches.clear();
        self.runs.release(usize::MAX);
    }

    /// The next records, at most `most`, piece by piece.
    fn pieces(&self, most: usize) -> impl Iterator<Item = (&Stretch, Range<usize>)> {
        let mut left = most;
        let stretches = self.stretches.iter().take(WINDOW_RUNS);
        stretches.map_while(move |stretch| {
            let count = left.min(stretch.range.len());
            left -= count;
            (count > 0).then(|| (stretch, stretch.range.start..stretch.range.start + count))
        })
    }

    /// The run of some of a stretch's records, which are `rows` of the slices.
    fn run<'a>(
        &'a self,
        slices: &'a Slices<'_>,
        rows: Range<usize>,
        stretch: &'a Stretch,
        range: Range<usize>,
    ) -> Run<'a> {
        let times = self.runs.timestamps_ms();
        let part = |framing, bytes: &'a [Option<&'a [u8]>], schema_headers: &'a [Option<&'a [u8]>]| RunPart {
            framing,
            bytes: &bytes[rows.clone()],
            schema_headers: schema_headers.get(rows.clone()).unwrap_or_default(),
        };
        Run {
            topic: &stretch.topic,
            partition: stretch.partition,
            offsets: &self.runs.offsets()[range.clone()],
            timestamps: (!times.is_empty()).then(|| Timestamps {
                ms: &times[range.clone()],
                kind: stretch.kind,
            }),
            keys: part(self.key_framing, &slices.keys, &slices.key_headers),
            values: part(self.value_framing, &slices.values, &slices.value_headers),
            headers: Some(RunHeaders {
                headers: self.runs.headers(),
                first: range.start,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
