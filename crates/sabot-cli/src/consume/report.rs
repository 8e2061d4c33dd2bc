//! What is told of bad messages, and the summary at the end.

use std::sync::Arc;

use sabot::{BadRow, Batch, Stream};

use super::progress::Meter;
use crate::console::{counted, grouped, harmless, note, rates};

/// Counts, and describes bad messages up to a limit.
pub(super) struct Report {
    most_shown: u64,
    shown: u64,
    messages: u64,
    bad: u64,
    bytes: u64,
    last: Option<(Arc<str>, i32, i64)>,
    meter: Meter,
}

impl Report {
    pub(super) fn new(most_shown: u64, meter: Meter) -> Self {
        Self {
            most_shown,
            shown: 0,
            messages: 0,
            bad: 0,
            bytes: 0,
            last: None,
            meter,
        }
    }

    pub(super) fn batch(&mut self, batch: &Batch, stream: &Stream) {
        self.messages += batch.records as u64;
        self.bytes += batch.bytes;
        for bad in &batch.bad {
            self.bad_row(bad);
        }
        if self.meter.is_due() {
            self.meter.show(&stream.progress());
        }
    }

    /// A message whose key and value are both bad has two reports, one after the other, and is one
    /// message.
    fn bad_row(&mut self, bad: &BadRow) {
        let place = (bad.topic.clone(), bad.partition, bad.offset);
        if self.last.as_ref() != Some(&place) {
            self.bad += 1;
            self.last = Some(place);
        }
        if self.shown < self.most_shown {
            self.shown += 1;
            self.meter
                .note(&format!("sabot: bad message: {}", harmless(&bad.to_string())));
            if self.shown == self.most_shown {
                self.meter
                    .note("sabot: further bad messages are only counted (--max-errors-shown)");
            }
        }
    }

    pub(super) fn finish(&mut self, quiet: bool) {
        self.meter.clear();
        if quiet {
            return;
        }
        let good = self.messages - self.bad.min(self.messages);
        let seconds = self.meter.seconds();
        // In less than that, connecting is what took the time.
        let rates = if seconds < 1.0 {
            String::new()
        } else {
            format!(", {}", rates(self.messages, self.bytes, seconds))
        };
        note(format_args!(
            "sabot: {}: {} good, {} bad; {seconds:.1} s{rates}",
            counted(self.messages, "message"),
            grouped(good),
            grouped(self.bad),
        ));
    }
}
