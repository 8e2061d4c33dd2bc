//! What is measured.

mod decode;
mod registry;
mod wire;

use crate::harness::Measured;
use crate::options::Options;

type Suite = fn(&Options, &mut Vec<Measured>) -> Result<(), String>;

/// Every suite under its name.
pub const ALL: &[(&str, Suite)] = &[
    ("wire", wire::run),
    ("registry", registry::run),
    ("decode", decode::run),
];
