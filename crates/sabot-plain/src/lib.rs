//! Strings, bytes and Kafka's primitive serdes to Arrow columns.
