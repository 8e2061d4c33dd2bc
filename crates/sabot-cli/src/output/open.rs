//! From a specification to the sink that it describes.

use super::sink::Sink;
use super::spec::{Format, OutputSpec};
use super::{columnar, text};
use crate::failure::Failure;

/// Opens the sink that `spec` describes.
pub(crate) fn open(spec: &OutputSpec) -> Result<Box<dyn Sink>, Failure> {
    match spec.format {
        Format::Parquet | Format::Arrow => columnar::open(spec),
        _ => text::open(spec),
    }
}
