//! Conformance suite for any Sabot `Decoder`, generators and fault injection.
