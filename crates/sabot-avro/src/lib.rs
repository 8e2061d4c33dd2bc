//! Avro to Arrow columns, with schema resolution.
