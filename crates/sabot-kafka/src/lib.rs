//! Kafka to Arrow record batches: consumer, offsets, rebalances and dead letters. Knows no codec.
//!
//! [`Source`] reads topics with librdkafka and hands what it fetched, as runs that borrow
//! librdkafka's buffers, to a [`sabot_assemble::Assembler`], which makes [`Batch`]es of them. Its
//! key decisions:
//!
//! - **The caller's thread drives.** [`Source::next_batch`] fetches, decodes and answers
//!   rebalances; nothing of it runs on another thread. A wake-up cannot be missed, and a slow
//!   caller slows the source down. The price is that a group member has to call it within
//!   `max.poll.interval.ms`.
//! - **Only what was acknowledged is committed.** A batch carries the range of offsets that it
//!   covers, bad and dropped records included. [`Batch::ack`] moves a frontier per partition over
//!   ranges without gaps, and only frontiers are committed: at an interval, before partitions are
//!   given back, and at the end.
//! - **The source never moves past a record that it could not treat.** If a schema cannot be
//!   fetched, or a record is bad and the policy is to fail, the records before it come out as a
//!   batch, then the error, and the next call goes on at the same record.
//!
//! Every client of librdkafka here sends its log lines to the [`log`] crate, under the target
//! `librdkafka`.

mod admin;
mod assignment;
mod batch;
mod bounds;
mod client;
mod config;
mod connection;
mod covered;
mod dead_letter;
pub mod embedded;
mod error;
mod failure;
mod fetched;
mod ffi;
mod frontier;
mod options;
mod positions;
mod producer;
mod progress;
mod properties;
mod queues;
mod range;
mod reader;
mod runs;
mod source;
mod stop;
mod subscription;
mod topics;

pub use admin::{Admin, PartitionInfo, TopicInfo};
pub use batch::{Acker, Batch};
pub use covered::{Covered, Offsets};
pub use error::{Error, ErrorKind};
pub use options::{Batching, DeadLetterOptions, SourceOptions};
pub use producer::{Message, Producer};
pub use progress::{PartitionProgress, Progress};
pub use properties::Properties;
pub use range::{End, Fallback, Start};
pub use source::Source;
pub use stop::Stopper;
pub use subscription::{PartitionStart, Subscription};
