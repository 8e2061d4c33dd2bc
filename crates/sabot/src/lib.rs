//! Kafka messages in, Arrow columns out.
