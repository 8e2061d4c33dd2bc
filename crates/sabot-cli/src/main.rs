//! The `sabot` command: Kafka topics as tables, Parquet, Arrow, CSV and JSON.
fn main() {}
