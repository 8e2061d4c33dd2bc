//! A schema's globally unique id, as Confluent's v1 frames and headers carry it.

use core::fmt;
use core::str::FromStr;

/// A schema GUID: 16 bytes, written as a hyphenated, lower-case UUID.
///
/// ```
/// use sabot_wire::Guid;
///
/// let guid: Guid = "89791762-2336-4186-9674-299b90a802e2".parse()?;
/// assert_eq!(guid.as_bytes()[..2], [0x89, 0x79]);
/// assert_eq!(guid.to_string(), "89791762-2336-4186-9674-299b90a802e2");
/// # Ok::<(), sabot_wire::ParseGuidError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Guid([u8; 16]);

impl Guid {
    /// Takes the 16 bytes in the order in which a v1 frame carries them (big-endian UUID).
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes in wire order.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a UUID of 32 hexadecimal digits, with hyphens in the usual four places or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseGuidError;

impl fmt::Display for ParseGuidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a schema GUID: expected a UUID such as 89791762-2336-4186-9674-299b90a802e2")
    }
}

impl core::error::Error for ParseGuidError {}

impl FromStr for Guid {
    type Err = ParseGuidError;

    fn from_str(text: &str) -> Result<Self, ParseGuidError> {
        let hyphenated = text.len() == 36;
        if !hyphenated && text.len() != 32 {
            return Err(ParseGuidError);
        }
        let mut bytes = [0; 16];
        let mut digits = 0;
        for (at, c) in text.bytes().enumerate() {
            if hyphenated && matches!(at, 8 | 13 | 18 | 23) {
                if c != b'-' {
                    return Err(ParseGuidError);
                }
                continue;
            }
            let digit = char::from(c).to_digit(16).ok_or(ParseGuidError)? as u8;
            bytes[digits / 2] = bytes[digits / 2] << 4 | digit;
            digits += 1;
        }
        Ok(Self(bytes))
    }
}
