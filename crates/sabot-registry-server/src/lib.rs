//! An in-memory, Confluent-compatible schema registry for development, demos and tests.
