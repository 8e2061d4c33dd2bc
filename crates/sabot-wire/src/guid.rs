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

    /// Reads the text of a UUID, as [`FromStr`] does.
    ///
    /// Without a branch for each character, so that the compiler reads many of them at once: UUIDs
    /// are many in messages too.
    ///
    /// # Errors
    ///
    /// [`ParseGuidError`] if it has not 32 hexadecimal digits, with hyphens in the usual places or
    /// none.
    ///
    /// ```
    /// use sabot_wire::Guid;
    ///
    /// let guid = Guid::parse(b"89791762-2336-4186-9674-299B90A802E2")?;
    /// assert_eq!(Ok(guid), Guid::parse(b"89791762233641869674299b90a802e2"));
    /// # Ok::<(), sabot_wire::ParseGuidError>(())
    /// ```
    #[inline]
    pub fn parse(text: &[u8]) -> Result<Self, ParseGuidError> {
        let digits = digits(text).ok_or(ParseGuidError)?;
        let values = digits.map(|digit| {
            let decimal = digit.wrapping_sub(b'0');
            // Setting this bit makes capitals small, and nothing but a letter a letter.
            let letter = (digit | 0x20).wrapping_sub(b'a');
            match (decimal < 10, letter < 6) {
                (true, _) => decimal,
                (false, true) => letter + 10,
                (false, false) => NO_DIGIT,
            }
        });
        let mut bytes = [0; 16];
        let (pairs, _) = values.as_chunks::<2>();
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = high << 4 | low;
        }
        match values.iter().fold(0, |all, value| all | value) {
            NO_DIGIT.. => Err(ParseGuidError),
            _ => Ok(Self(bytes)),
        }
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

/// The text is not a UUID of 32 hexadecimal digits, with hyphens in the usual four places or none
/// at all.
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
        Self::parse(text.as_bytes())
    }
}

/// What stands for a character that is no digit: a bit that no digit has.
const NO_DIGIT: u8 = 0x80;

/// The hexadecimal digits of a UUID's text, without its hyphens.
#[inline]
fn digits(text: &[u8]) -> Option<[u8; 32]> {
    let Ok(text) = <&[u8; 36]>::try_from(text) else {
        return text.try_into().ok();
    };
    let hyphens = [text[8], text[13], text[18], text[23]];
    let mut digits = [0; 32];
    digits[..8].copy_from_slice(&text[..8]);
    digits[8..12].copy_from_slice(&text[9..13]);
    digits[12..16].copy_from_slice(&text[14..18]);
    digits[16..20].copy_from_slice(&text[19..23]);
    digits[20..].copy_from_slice(&text[24..]);
    (hyphens == [b'-'; 4]).then_some(digits)
}
