//! Tests of several crates at once, in `tests/tests/`: a broker, a registry and the facade in one
//! process. This crate has no code of its own.
