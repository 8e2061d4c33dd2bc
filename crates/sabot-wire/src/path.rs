//! Protobuf message indexes: which message of a schema file a payload is.

/// The path to a message type in a protobuf file, as indexes from the top level inwards.
///
/// It borrows the zigzag varints of the frame, which were checked when the frame was split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessagePath<'a> {
    /// The indexes' zigzag varints without the count; empty stands for `[0]`, the first message.
    encoded: &'a [u8],
}

impl MessagePath<'static> {
    /// The first message of the file, `[0]`; what every codec but protobuf uses.
    pub const FIRST: Self = Self { encoded: &[] };
}
