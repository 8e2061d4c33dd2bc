//! Kafka to Arrow record batches: consumer, offsets, rebalances and dead letters.
