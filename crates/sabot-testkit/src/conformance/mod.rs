//! Checks the invariants of [`sabot_decode::Decoder`] against any implementation.
//!
//! A codec brings a factory, a target and a [`Corpus`] of its payloads. The suite spoils them in
//! every way it knows, feeds them through fresh decoders in many arrangements, and compares rows
//! with those that came from the good payloads alone. It never asks what a row should be: that the
//! good payloads decode to the right values is for the codec's own tests. Everything is repeatable;
//! nothing depends on time.
//!
//! The batches' schema must not depend on what the payloads hold, as an inferred one does: give the
//! target a schema then, or settle the decoder with a sample before it is checked, and say so with
//! [`Corpus::inferred`].
//!
//! Each call upon the decoder is watched, whatever the check at hand: counts of slots, order and
//! place of errors, schemas, validity, buffered bytes.
//!
//! ```
//! use sabot_decode::{SchemaKey, Target};
//! use sabot_testkit::conformance::{self, Corpus};
//! use sabot_testkit::toy::ToyFactory;
//!
//! let corpus = Corpus::new()
//!     .schema(SchemaKey::Id(1), ToyFactory::writer(0))
//!     .schema(SchemaKey::Id(2), ToyFactory::writer(100))
//!     .good(SchemaKey::Id(1), ToyFactory::body(1, "one"))
//!     .good(SchemaKey::Id(2), ToyFactory::body(2, "two"))
//!     .bad(SchemaKey::Id(1), b"\0");
//! conformance::check(&ToyFactory::default(), &Target::default(), &corpus);
//! ```

mod checks;
mod corpus;
mod harness;
mod mapping;
mod projection;
mod rows;

use std::fmt;

use sabot_decode::{DecoderFactory, Target};

pub use corpus::{Corpus, Origin};

/// Runs every check.
///
/// # Panics
///
/// With the [`Violation`], if the decoders break an invariant.
#[track_caller]
pub fn check(factory: &dyn DecoderFactory, target: &Target, corpus: &Corpus) {
    if let Err(violation) = verify(factory, target, corpus) {
        panic!("{violation}");
    }
}

/// Runs every check, up to the first that fails.
///
/// # Errors
///
/// The first [`Violation`].
pub fn verify(factory: &dyn DecoderFactory, target: &Target, corpus: &Corpus) -> Result<(), Violation> {
    checks::all(factory, target, corpus)
}

/// The invariants, as `sabot-decode` numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the invariants are nine")]
pub enum Invariant {
    /// One message, one slot.
    OneSlot = 1,
    /// A bad row leaves a placeholder slot, marked invalid, and nothing else.
    Atomicity,
    /// Flush never fails for data.
    Flush,
    /// Schema ids do not split batches.
    Schemas,
    /// A decoder asks for the schemas that it needs, and does no I/O.
    NoIo,
    /// Depth, bytes and items have limits; no input makes a decoder panic.
    Bounded,
    /// Any split of the same messages into calls and batches gives the same rows.
    Splits,
    /// A projection gives those columns of the whole that it names, in the order asked for, or is
    /// refused.
    Projection,
    /// An option of the mapping is honoured, or refused by name.
    Mapping,
}

impl Invariant {
    fn text(self) -> &'static str {
        match self {
            Self::OneSlot => "one message, one slot",
            Self::Atomicity => "row atomicity",
            Self::Flush => "flush never fails for data",
            Self::Schemas => "schema ids do not split batches",
            Self::NoIo => "no I/O in a decoder: it asks for schemas",
            Self::Bounded => "bounded, and no panic",
            Self::Splits => "batch-split invariance",
            Self::Projection => "a projection means the same for every codec",
            Self::Mapping => "an option is honoured, or refused by name",
        }
    }
}

/// An invariant that a decoder breaks, or a corpus that cannot show it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Which invariant; `None` where the corpus itself is at fault: a good payload that is refused,
    /// or a bad one that is not.
    pub invariant: Option<Invariant>,
    /// What was being checked.
    pub check: String,
    /// What happened.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.invariant {
            Some(invariant) => write!(
                f,
                "invariant {} ({}) is broken",
                invariant as u8,
                invariant.text()
            )?,
            None => f.write_str("the corpus does not fit the decoder")?,
        }
        write!(
            f,
            "\n  check: {}\n  {}",
            self.check,
            self.message.replace('\n', "\n  ")
        )
    }
}

impl std::error::Error for Violation {}
