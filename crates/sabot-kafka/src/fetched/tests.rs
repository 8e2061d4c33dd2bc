//! A source of runs that is made up is below, and a model beside: whatever arrives in whatever
//! pieces, each record before its partition's end is taken once and in order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sabot_assemble::Headers;

use super::*;
use crate::failure::Failure;

const TOPIC: &str = "t";

/// What arrives, fetch by fetch: runs as partition and offsets.
#[derive(Debug, Default)]
struct Script {
    fetches: VecDeque<Vec<(i32, Vec<i64>)>>,
    offsets: Vec<i64>,
    values: Vec<Vec<u8>>,
    /// Records before this are let go of.
    released: usize,
}

impl Headers for Script {
    fn visit(&self, index: usize, each: &mut dyn FnMut(&[u8], Option<&[u8]>)) {
        each(b"value", Some(&self.values[index]));
    }
}

/// A record's value says where it is from.
fn value(partition: i32, offset: i64) -> Vec<u8> {
    format!("{partition} {offset}").into_bytes()
}

impl RunSource for Script {
    fn assign(&mut self, _: &[(String, i32)]) -> Result<(), Failure> {
        Ok(())
    }

    fn revoke(&mut self, _: &[(String, i32)]) {}

    fn fetch(&mut self, _: Duration, _: usize, arrivals: &mut Vec<Arrival>) {
        self.offsets.clear();
        self.values.clear();
        self.released = 0;
        for (partition, offsets) in self.fetches.pop_front().unwrap_or_default() {
            let start = self.offsets.len();
            self.values
                .extend(offsets.iter().map(|offset| value(partition, *offset)));
            self.offsets.extend(offsets);
            arrivals.push(Arrival::Run {
                topic: Arc::from(TOPIC),
                partition,
                range: start..self.offsets.len(),
                kind: TimestampKind::Create,
            });
        }
    }

    fn offsets(&self) -> &[i64] {
        &self.offsets
    }

    fn timestamps_ms(&self) -> &[i64] {
        &[]
    }

    fn view<'a>(&'a self, range: Range<usize>, slices: &mut Slices<'a>) {
        assert!(range.start >= self.released, "it is let go of");
        for value in &self.values[range] {
            slices.keys.push(None);
            slices.values.push(Some(value));
        }
    }

    fn headers(&self) -> &dyn Headers {
        self
    }

    fn release(&mut self, end: usize) {
        self.released = self.released.max(end.min(self.offsets.len()));
    }
}

/// Takes everything that was fetched, by windows of `most` of which `taken` records are taken at a
/// time.
fn drain(fetched: &mut Fetched, positions: &mut Positions, most: usize, taken: usize) -> Vec<(i32, i64)> {
    let mut all = Vec::new();
    while !fetched.is_empty() {
        let mut slices = Slices::default();
        fetched.view(most, &mut slices);
        let mut records = Vec::new();
        fetched.window(most, &slices, |runs| {
            for run in runs {
                for index in 0..run.len() {
                    let record = run.record(index);
                    let bytes = value(record.partition(), record.offset());
                    assert_eq!(
                        record.value(),
                        Some(&bytes[..]),
                        "slices and offsets are of one record"
                    );
                    record.visit_headers(|_, header| assert_eq!(header, Some(&bytes[..])));
                    records.push((record.partition(), record.offset()));
                }
            }
        });
        assert_eq!(slices.values.len(), records.len());
        assert!(!records.is_empty() && records.len() <= most);
        let count = taken.min(records.len());
        drop(slices);
        fetched.advance(count, positions);
        let next = fetched.next().map(|(_, partition, offset)| (partition, offset));
        if let Some(left) = records.get(count) {
            assert_eq!(next, Some(*left));
        }
        all.extend(&records[..count]);
    }
    all
}

proptest! {
    #[test]
    fn each_record_before_the_end_is_taken_once_and_in_order(
        fetches in prop::collection::vec(prop::collection::vec((0..3_i32, 0..70_usize, 1..3_i64), 0..50), 1..6),
        end in prop::option::of(0..60_i64),
        (most, taken) in (1..200_usize, 1..200_usize),
        rebalance_at in 0..6_usize,
    ) {
        let mut next = [0; 3];
        let mut script = Script::default();
        let mut expected: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
        let mut last: Vec<(i32, Vec<i64>)> = Vec::new();
        for (number, fetch) in fetches.into_iter().enumerate() {
            let mut runs = Vec::new();
            if number == rebalance_at {
                // What the last fetch had of partition 1 comes once more.
                runs.extend(last.iter().filter(|(partition, _)| *partition == 1).cloned());
            }
            last.clear();
            for (partition, records, gap) in fetch {
                let offsets: Vec<i64> = (0..records as i64).map(|n| next[partition as usize] + n * gap).collect();
                next[partition as usize] += records as i64 * gap;
                // Partition 2 belongs to nobody, partition 1 alone has an end.
                let is_read = |offset: &&i64| partition == 0 || (partition == 1 && end.is_none_or(|end| **offset < end));
                expected.entry(partition).or_default().extend(offsets.iter().filter(is_read));
                last.push((partition, offsets.clone()));
                runs.push((partition, offsets));
            }
            script.fetches.push_back(runs);
        }
        let fetches = script.fetches.len();
        let mut fetched = Fetched::new(Box::new(script), Framing::Unframed, Framing::Unframed);
        let mut positions = Positions::default();
        positions.add(&Arc::from(TOPIC), 0, 1, None);
        positions.add(&Arc::from(TOPIC), 1, 2, end);
        let mut all: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
        for number in 0..fetches {
            if number == rebalance_at {
                positions.expect_repeats();
            }
            fetched.fetch(Duration::ZERO, usize::MAX, &mut positions, |_, other| panic!("{other:?}"));
            for (partition, offset) in drain(&mut fetched, &mut positions, most, taken) {
                all.entry(partition).or_default().push(offset);
            }
        }
        expected.retain(|_, offsets| !offsets.is_empty());
        prop_assert_eq!(all, expected);
    }
}

#[test]
fn what_is_left_of_a_revoked_partition_is_dropped() {
    let mut script = Script::default();
    script
        .fetches
        .push_back(vec![(0, vec![1, 2]), (1, vec![7, 8]), (0, vec![3])]);
    let mut fetched = Fetched::new(Box::new(script), Framing::Unframed, Framing::Unframed);
    let topic = Arc::from(TOPIC);
    let mut positions = Positions::default();
    positions.add(&topic, 0, 1, None);
    positions.add(&topic, 1, 2, None);
    fetched.fetch(Duration::ZERO, 100, &mut positions, |_, other| {
        panic!("{other:?}")
    });
    fetched.advance(1, &mut positions);
    positions.remove(&[(Arc::clone(&topic), 0)]);
    fetched.forget(&positions);
    assert_eq!(drain(&mut fetched, &mut positions, 10, 10), [(1, 7), (1, 8)]);
    assert_eq!(positions.get(0).next, Some(9));
}
