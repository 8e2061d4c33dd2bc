//! How the demonstration looks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, RecordBatch, StringArray};

use super::orders::Defect;
use super::produce::{ORDERS, Produced};
use super::{Found, Read};
use crate::console::{self, counted, grouped, rates};
use crate::failure::Failure;
use crate::output::{self, TableOptions};

/// Prints to stdout as things happen.
pub(super) struct Show {
    color: bool,
    table: TableOptions,
}

impl Show {
    pub(super) fn new(color: bool) -> Self {
        Self {
            color,
            table: TableOptions {
                width: console::width(),
                color,
                flags: "",
            },
        }
    }

    pub(super) fn title(&self) -> Result<(), Failure> {
        let name = self.bold("Sabot");
        let version = env!("CARGO_PKG_VERSION");
        self.line(&format!(
            "{name} {version}: Kafka messages in, Arrow columns out. All in this process.\n"
        ))
    }

    /// A line with a tick; one without a name goes on with the line above.
    pub(super) fn step(&self, what: &str, detail: &str) -> Result<(), Failure> {
        let tick = if what.is_empty() {
            " ".into()
        } else {
            self.styled("32", "✓")
        };
        self.line(&format!("{tick} {}{detail}", self.bold(&format!("{what:<10}"))))
    }

    pub(super) fn produced(&self, produced: &Produced, time: Duration) -> Result<(), Failure> {
        let [first, second] = produced.by_version;
        let detail = format!(
            "{} Avro messages, {} JSON, {} String, to {} partitions a topic, in {:.1} s",
            grouped(produced.orders()),
            grouped(produced.clicks),
            grouped(produced.notes),
            produced.partitions,
            time.as_secs_f64()
        );
        self.step("produced", &detail)?;
        let detail = format!(
            "of the Avro ones {} by version 1, {} by version 2, {} of them broken",
            grouped(first),
            grouped(second),
            grouped(produced.broken.len() as u64)
        );
        self.step("", &detail)
    }

    pub(super) fn rows(&self, read: &[Read]) -> Result<(), Failure> {
        for read in read {
            let detail = format!(
                "{}: {} in {:.2} s: {}",
                read.topic,
                counted(read.messages, "message"),
                read.time.as_secs_f64(),
                rates(read.messages, read.bytes, read.time.as_secs_f64())
            );
            self.step("read", &detail)?;
        }
        for read in read {
            self.heading(&format!("First rows of {}", read.topic))?;
            if let Some(sample) = &read.sample {
                output::print_table(sample, &self.table)?;
            }
        }
        Ok(())
    }

    /// Two lines each: as a table they would be wider than most terminals.
    pub(super) fn defects(&self, defects: &BTreeMap<Defect, Found>) -> Result<(), Failure> {
        self.heading(&format!("Broken messages of {ORDERS}: the first of each kind"))?;
        for (defect, found) in defects {
            let Found { count, first } = found;
            self.line(&format!(
                "{} {}: topic {}, partition {}, offset {}\n  {}",
                self.styled("31", "✗"),
                self.bold(&format!("{} × {}", defect.name(), grouped(*count))),
                first.topic,
                first.partition,
                first.offset,
                console::harmless(&first.reason().to_string())
            ))?;
        }
        Ok(())
    }

    pub(super) fn counts(&self, read: &[Read], produced: &Produced) -> Result<(), Failure> {
        self.heading("Counts")?;
        let produced = [produced.orders(), produced.clicks, produced.notes];
        let sum = |of: fn(&Read) -> u64| read.iter().map(of).sum::<u64>();
        let column = |of: fn(&Read) -> u64| {
            let all = read.iter().map(of).chain([sum(of)]);
            Arc::new(
                all.map(|number| Some(format!("{:>9}", grouped(number))))
                    .collect::<StringArray>(),
            ) as ArrayRef
        };
        let adds_up = |at: usize, read: &Read| read.good + read.bad == produced[at];
        let all = read.iter().enumerate().all(|(at, read)| adds_up(at, read));
        let verdicts = read
            .iter()
            .enumerate()
            .map(|(at, read)| adds_up(at, read))
            .chain([all]);
        let names = read.iter().map(|read| Some(read.topic)).chain([Some("together")]);
        let written = produced.into_iter().chain([produced.iter().sum()]);
        let columns: [(&str, ArrayRef); 5] = [
            ("topic", Arc::new(names.collect::<StringArray>())),
            (
                "produced",
                Arc::new(
                    written
                        .map(|number| Some(format!("{:>9}", grouped(number))))
                        .collect::<StringArray>(),
                ),
            ),
            ("good", column(|read| read.good)),
            ("bad", column(|read| read.bad)),
            (
                "good + bad = produced",
                Arc::new(
                    verdicts
                        .map(|holds| Some(if holds { "yes" } else { "NO" }))
                        .collect::<StringArray>(),
                ),
            ),
        ];
        self.table(columns)
    }

    pub(super) fn verdict(&self) -> Result<(), Failure> {
        self.line("")?;
        self.step(
            "checked",
            "each count, each broken message's place, the sums of id and amount",
        )?;
        self.line("\nThe demonstration's broker and registry are gone. With some of your own (docker compose up --wait starts them):\n  sabot consume -b localhost:9092 -r http://localhost:8081 -t TOPIC")
    }

    fn table<const N: usize>(&self, columns: [(&str, ArrayRef); N]) -> Result<(), Failure> {
        let batch = RecordBatch::try_from_iter(columns)
            .map_err(|error| Failure::because("cannot make the table", &error))?;
        output::print_table(&batch, &self.table)
    }

    fn heading(&self, text: &str) -> Result<(), Failure> {
        self.line(&format!("\n{}", self.bold(text)))
    }

    fn line(&self, text: &str) -> Result<(), Failure> {
        output::print(format!("{text}\n").as_bytes())
    }

    fn bold(&self, text: &str) -> String {
        self.styled("1", text)
    }

    fn styled(&self, code: &str, text: &str) -> String {
        if self.color {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
