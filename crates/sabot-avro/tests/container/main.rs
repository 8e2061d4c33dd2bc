//! Object Container Files: good ones, broken ones, and what is left of the latter.

mod codecs;
mod common;
mod malformed;
mod properties;
mod reading;
