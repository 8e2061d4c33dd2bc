//! The systems that decode. Each starts with framed messages and ends with record batches, flush
//! included.

#[cfg(feature = "all")]
mod apache_avro;
#[cfg(feature = "peers")]
mod arrow_avro;
pub mod by_hand;
mod copy;
mod sabot;
mod threads;

#[cfg(feature = "all")]
pub use apache_avro::ApacheAvro;
#[cfg(feature = "peers")]
pub use arrow_avro::{ArrowAvro, ArrowAvroEach};
pub use copy::copy_bodies;
pub use sabot::Sabot;
pub use threads::{OneAfterAnother, SideBySide};

use crate::batch::Batch;
use crate::buffer::Messages;
use crate::suites::Run;

/// Rows of a batch: what a consumer would ask for.
pub const BATCH_ROWS: usize = 8192;

/// A system on messages of its own, whatever the workload's are.
pub struct OnOther<R>(pub R, pub Messages);

impl<R: Run> Run for OnOther<R> {
    fn run(&mut self, _: &Messages, batch: &mut dyn FnMut(Batch)) -> Result<(), String> {
        self.0.run(&self.1, batch)
    }
}
