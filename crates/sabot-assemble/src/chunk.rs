//! The records that an assembler takes at once: pieces of runs, whose rows count through.

use std::ops::Range;

use crate::{Record, Run};

/// Pieces of runs: for each the run and its records' range. An iterator that is copied for each
/// pass over it, because a list of pieces would have to be kept somewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk<'r, 'a> {
    runs: &'r [Run<'a>],
    /// The first record of the first run that belongs to it.
    skip: usize,
    rows: usize,
}

impl<'r, 'a> Chunk<'r, 'a> {
    /// The records of `runs` from `skip` of the first on, at most `most`.
    pub(crate) fn new(runs: &'r [Run<'a>], skip: usize, most: usize) -> Self {
        let mut rows = 0;
        let mut left = skip;
        for run in runs {
            rows += run.len() - left;
            left = 0;
            if rows >= most {
                break;
            }
        }
        Self {
            runs,
            skip,
            rows: rows.min(most),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The first `rows` rows of it.
    pub(crate) fn first(self, rows: usize) -> Self {
        Self {
            rows: self.rows.min(rows),
            ..self
        }
    }

    /// What comes after it: where its next record is.
    pub(crate) fn rest(&self) -> (&'r [Run<'a>], usize) {
        let (mut runs, mut at) = (self.runs, self.skip + self.rows);
        while let Some((run, others)) = runs.split_first()
            && at >= run.len()
        {
            at -= run.len();
            runs = others;
        }
        (runs, at)
    }

    /// Its pieces: a run, and which of its records.
    pub(crate) fn pieces(self) -> impl Iterator<Item = (&'r Run<'a>, Range<usize>)> {
        let (mut skip, mut left) = (self.skip, self.rows);
        self.runs.iter().map_while(move |run| {
            let start = std::mem::take(&mut skip);
            let rows = left.min(run.len() - start);
            let is_in = left > 0;
            left -= rows;
            is_in.then(|| (run, start..start + rows))
        })
    }

    /// The record of a row. It is for bad rows: it goes through the pieces.
    #[cold]
    pub(crate) fn record(self, row: usize) -> Option<Record<'a>> {
        let mut at = row;
        for (run, range) in self.pieces() {
            if at < range.len() {
                return Some(run.record(range.start + at));
            }
            at -= range.len();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::RunPart;

    fn run<'a>(topic: &'a Arc<str>, offsets: &'a [i64]) -> Run<'a> {
        Run {
            topic,
            partition: 0,
            offsets,
            timestamps: None,
            keys: RunPart::NULL,
            values: RunPart::NULL,
            headers: None,
        }
    }

    #[test]
    fn chunks_of_any_size_hold_every_record_once_and_in_order() {
        let topic = Arc::from("t");
        let offsets: Vec<i64> = (0..20).collect();
        for cuts in [&[20][..], &[3, 3, 20], &[0, 1, 1, 5, 19, 20, 20], &[]] {
            let mut from = 0;
            let runs: Vec<_> = cuts
                .iter()
                .map(|end| run(&topic, &offsets[std::mem::replace(&mut from, *end)..*end]))
                .collect();
            for most in 1..=21 {
                let (mut rest, mut skip) = (&runs[..], 0);
                let mut seen = Vec::new();
                loop {
                    let chunk = Chunk::new(rest, skip, most);
                    if chunk.rows() == 0 {
                        break;
                    }
                    let pieces: Vec<i64> = chunk
                        .pieces()
                        .flat_map(|(run, range)| run.offsets[range].to_vec())
                        .collect();
                    let rows = 0..chunk.rows() + 1;
                    let records = rows.map_while(|row| Some(chunk.record(row)?.offset()));
                    assert_eq!(records.collect::<Vec<_>>(), pieces);
                    assert!(pieces.len() <= most);
                    seen.extend(pieces);
                    (rest, skip) = chunk.rest();
                }
                assert_eq!(
                    seen,
                    offsets[..cuts.last().copied().unwrap_or(0)],
                    "{cuts:?} {most}"
                );
            }
        }
    }
}
