//! Avro's workloads: messages made from a fixed seed and encoded by hand, so that no peer's encoder
//! has a say in them.
//!
//! [`WORKLOADS`] is a table; each line says what differs from the plain case.

mod cdc;
mod embedding;
mod encode;
mod evolved;
mod flat;
mod logical;
mod nested;
mod optional;
#[cfg(feature = "peers")]
mod peers;
mod poison;
#[cfg(feature = "peers")]
mod random;
mod strings;
#[cfg(feature = "peers")]
mod sweep;
mod tiny;
mod union;
mod wide;

use encode::Body;
use fastrand::Rng;
use sabot_avro::AvroFactory;
use sabot_decode::{OutputSchema, Target, WriterSchema};
#[cfg(feature = "peers")]
pub use sweep::draw;

use crate::buffer::Messages;
use crate::suites::{Case, Rows, Run, System, Workload};
use crate::systems::{OnOther, OneAfterAnother, Sabot, SideBySide, by_hand, copy_bodies};

/// The schema id in the frames of the first writer; the next one's is one more.
pub const FIRST_ID: u32 = 100_042;
const SEED: u64 = 0x5ab0_7000;

/// A writer schema, and how a body of it is made.
pub struct Writer {
    schema: fn() -> String,
    encode: fn(&mut Rng, &mut Body),
}

/// What distinguishes a workload.
struct Avro {
    name: &'static str,
    /// Writers, which take turns message by message.
    writers: &'static [Writer],
    reader: Option<fn() -> String>,
    /// Top-level fields to keep, by index and name; all where empty.
    projection: &'static [(usize, &'static str)],
    by_hand: Option<fn() -> Box<dyn Run>>,
    /// One message of so many is bad; none where 0.
    one_bad_in: usize,
    held_batches: usize,
    /// Two threads beside one, instead of the peers.
    threads: bool,
    counted: bool,
}

const PLAIN: Avro = Avro {
    name: "",
    writers: &[],
    reader: None,
    projection: &[],
    by_hand: None,
    one_bad_in: 0,
    held_batches: 0,
    threads: false,
    counted: true,
};
const FLAT: Avro = Avro {
    name: "avro/flat",
    writers: &[flat::WRITER],
    by_hand: Some(|| Box::new(by_hand::Flat::default())),
    ..PLAIN
};
const NESTED: Avro = Avro {
    name: "avro/nested",
    writers: &[nested::WRITER],
    by_hand: Some(|| Box::new(by_hand::Nested::default())),
    ..PLAIN
};
const WIDE: Avro = Avro {
    name: "avro/wide",
    writers: &[wide::WRITER],
    ..PLAIN
};

const WORKLOADS: &[Avro] = &[
    FLAT,
    NESTED,
    WIDE,
    Avro {
        name: "avro/strings",
        writers: &[strings::WRITER],
        ..PLAIN
    },
    Avro {
        name: "avro/union",
        writers: &[union::WRITER],
        ..PLAIN
    },
    Avro {
        name: "avro/optional",
        writers: &[optional::WRITER],
        ..PLAIN
    },
    Avro {
        name: "avro/embedding",
        writers: &[embedding::WRITER],
        ..PLAIN
    },
    Avro {
        name: "avro/tiny",
        writers: &[tiny::WRITER],
        ..PLAIN
    },
    Avro {
        name: "avro/logical",
        writers: &[logical::WRITER],
        ..PLAIN
    },
    Avro {
        name: "avro/cdc",
        writers: &[cdc::WRITER],
        ..PLAIN
    },
    Avro {
        name: "avro/projected/flat",
        projection: &[(1, "user"), (5, "amount")],
        by_hand: None,
        ..FLAT
    },
    Avro {
        name: "avro/projected/wide",
        projection: &[(8, "n8"), (29, "n29")],
        ..WIDE
    },
    Avro {
        name: "avro/evolved",
        writers: &[evolved::V1, evolved::V2, evolved::V3],
        reader: Some(evolved::reader),
        ..PLAIN
    },
    Avro {
        name: "avro/poisoned/flat",
        one_bad_in: 100,
        ..FLAT
    },
    Avro {
        name: "avro/poisoned/1-in-1000/flat",
        one_bad_in: 1000,
        ..FLAT
    },
    Avro {
        name: "avro/poisoned/1-in-1000/nested",
        one_bad_in: 1000,
        ..NESTED
    },
    Avro {
        name: "avro/poisoned/1-in-1000/wide",
        one_bad_in: 1000,
        ..WIDE
    },
    Avro {
        name: "avro/held/flat",
        held_batches: 8,
        counted: false,
        ..FLAT
    },
    Avro {
        name: "avro/flat x2 threads",
        threads: true,
        counted: false,
        ..FLAT
    },
];

pub fn workloads() -> Vec<Workload> {
    let workload = |avro: &'static Avro| Workload {
        suite: "decode",
        name: avro.name,
        cores: if avro.threads { 2 } else { 1 },
        counted: avro.counted,
        build: Box::new(|count| avro.build(count)),
    };
    WORKLOADS.iter().map(workload).collect()
}

/// Framed messages for workloads that decode nothing.
pub fn flat_messages(count: usize) -> Messages {
    FLAT.messages(count, SEED).all
}

/// A workload's messages, whole and in part.
struct Made {
    all: Messages,
    /// The same before any was made bad.
    clean: Messages,
    /// Those of them that stayed good.
    good: Messages,
}

impl Avro {
    fn build(&self, count: usize) -> Result<Case, String> {
        let made = self.messages(count, SEED);
        let (count, bytes_per_message) = (made.all.len(), made.all.mean_bytes());
        let (systems, expected) = if self.threads {
            (self.threaded(count)?, None)
        } else {
            let expected = self.expected((self.one_bad_in > 0).then_some(made.good))?;
            (self.systems(made.clean)?, expected)
        };
        Ok(Case {
            messages: made.all,
            count,
            bytes_per_message,
            held_batches: self.held_batches,
            systems,
            expected,
        })
    }

    /// The same messages each time.
    fn messages(&self, count: usize, seed: u64) -> Made {
        let mut rng = Rng::with_seed(seed);
        let mut bad = Rng::with_seed(!seed);
        let mut body = Body::default();
        let [mut all, mut clean, mut good] = std::array::from_fn(|_| Messages::default());
        for (id, writer) in (FIRST_ID..).zip(self.writers).cycle().take(count) {
            if all.is_full() {
                break;
            }
            body.clear();
            (writer.encode)(&mut rng, &mut body);
            if self.one_bad_in > 0 {
                clean.push(id, body.bytes());
                if bad.usize(..self.one_bad_in) == 0 {
                    poison::poison(&mut bad, &mut body);
                } else {
                    good.push(id, body.bytes());
                }
            }
            all.push(id, body.bytes());
        }
        Made { all, clean, good }
    }

    fn systems(&self, clean: Messages) -> Result<Vec<System>, String> {
        if self.one_bad_in > 0 {
            // arrow-avro loses the batch, and code by hand ends: neither has a row here.
            let none_bad = System::new("sabot, none bad", OnOther(self.sabot()?, clean));
            return Ok(vec![
                System::new("sabot", self.sabot()?.skipping()),
                none_bad.making(Rows::None),
            ]);
        }
        let mut systems = vec![System::new("sabot", self.sabot()?)];
        systems.extend(self.peers()?);
        if let Some(by_hand) = self.by_hand {
            systems.push(System::boxed("by hand", by_hand()));
        }
        systems.push(System::new("copying the bytes", copy_bodies).making(Rows::Bytes));
        Ok(systems)
    }

    fn threaded(&self, count: usize) -> Result<Vec<System>, String> {
        let half = |seed| Ok::<_, String>((self.sabot()?, self.messages(count / 2, seed).all));
        let halves = || Ok::<_, String>([half(SEED)?, half(!SEED)?]);
        Ok(vec![
            System::new("sabot", SideBySide::new(halves()?)).making(Rows::None),
            System::new("one thread", OneAfterAnother(halves()?)).making(Rows::None),
        ])
    }

    fn sabot(&self) -> Result<Sabot, String> {
        let mut target = Target::default();
        if let Some(reader) = self.reader() {
            target.output = OutputSchema::Reader(WriterSchema::avro(reader));
        }
        if !self.projection.is_empty() {
            let names = self.projection.iter().map(|(_, name)| (*name).to_owned());
            target.projection = Some(names.collect());
        }
        let schemas = self.schemas().into_iter();
        let writers: Vec<_> = schemas
            .map(|(id, schema)| (id, WriterSchema::avro(schema)))
            .collect();
        Sabot::new(&AvroFactory, &target, &writers)
    }

    fn schemas(&self) -> Vec<(u32, String)> {
        let schemas = self.writers.iter().map(|writer| (writer.schema)());
        (FIRST_ID..).zip(schemas).collect()
    }

    fn reader(&self) -> Option<String> {
        self.reader.map(|reader| reader())
    }
}

#[cfg(not(feature = "peers"))]
impl Avro {
    fn expected(&self, _: Option<Messages>) -> Result<Option<crate::suites::Expected>, String> {
        Ok(None)
    }

    fn peers(&self) -> Result<Vec<System>, String> {
        Ok(Vec::new())
    }
}
