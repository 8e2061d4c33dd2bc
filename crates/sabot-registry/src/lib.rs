//! Client of a Confluent-compatible schema registry: fetch, register, compatibility, caches, single flight, retries.
