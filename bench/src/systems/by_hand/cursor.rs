//! What is left of a message.

/// Why a message cannot be read.
#[derive(Debug)]
pub enum Bad {
    Truncated,
    Varint,
    Length,
    Boolean,
    Tag,
    Trailing,
}

/// Where a message is read.
pub struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// All that is left.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    #[inline]
    pub fn end(&self) -> Result<(), Bad> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Bad::Trailing)
        }
    }

    #[inline]
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Bad> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Bad::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Bad> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Bad::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    #[inline]
    pub fn double(&mut self) -> Result<f64, Bad> {
        self.array().map(f64::from_le_bytes)
    }

    #[inline]
    pub fn boolean(&mut self) -> Result<bool, Bad> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Bad::Boolean),
        }
    }

    #[inline]
    pub fn long(&mut self) -> Result<i64, Bad> {
        let raw = self.varint()?;
        Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    #[inline]
    pub fn int(&mut self) -> Result<i32, Bad> {
        i32::try_from(self.long()?).map_err(|_| Bad::Varint)
    }

    /// The branch of `[null, T]`: whether a value follows.
    #[inline]
    pub fn is_present(&mut self) -> Result<bool, Bad> {
        match self.array()? {
            [0] => Ok(false),
            [2] => Ok(true),
            _ => Err(Bad::Tag),
        }
    }

    /// A length that the message has room for.
    #[inline]
    pub fn length(&mut self) -> Result<usize, Bad> {
        let length = usize::try_from(self.long()?).map_err(|_| Bad::Length)?;
        if length > self.0.len() {
            return Err(Bad::Truncated);
        }
        Ok(length)
    }

    /// The count of the next block of an array or map; 0 ends it.
    #[inline]
    pub fn block(&mut self) -> Result<usize, Bad> {
        let count = self.long()?;
        if count < 0 {
            self.length()?;
        }
        // Each item of these schemas takes a byte at least.
        usize::try_from(count.unsigned_abs())
            .ok()
            .filter(|count| *count <= self.0.len())
            .ok_or(Bad::Length)
    }

    /// One byte mostly; otherwise eight at once, and a loop at the message's end.
    #[inline]
    fn varint(&mut self) -> Result<u64, Bad> {
        let first = *self.0.first().ok_or(Bad::Truncated)?;
        if first < 0x80 {
            self.0 = &self.0[1..];
            return Ok(first.into());
        }
        if let Some(chunk) = self.0.first_chunk() {
            let word = u64::from_le_bytes(*chunk);
            let stops = !word & 0x8080_8080_8080_8080;
            if stops != 0 {
                let used = stops.trailing_zeros() / 8 + 1;
                let kept = word & (u64::MAX >> (64 - 8 * used)) & 0x7f7f_7f7f_7f7f_7f7f;
                self.0 = &self.0[used as usize..];
                return Ok(compact(kept));
            }
        }
        self.long_varint()
    }

    #[cold]
    fn long_varint(&mut self) -> Result<u64, Bad> {
        let mut value = 0;
        for (at, byte) in self.0.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if *byte < 0x80 {
                if at == 9 && *byte > 1 {
                    break;
                }
                self.0 = &self.0[at + 1..];
                return Ok(value);
            }
        }
        Err(Bad::Varint)
    }
}

/// Eight times seven bits, moved together in three steps.
#[inline]
fn compact(word: u64) -> u64 {
    let pairs = (word & 0x007f_007f_007f_007f) | ((word & 0x7f00_7f00_7f00_7f00) >> 1);
    let fours = (pairs & 0x0000_3fff_0000_3fff) | ((pairs & 0x3fff_0000_3fff_0000) >> 2);
    (fours & 0x0fff_ffff) | ((fours & 0x0fff_ffff_0000_0000) >> 4)
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn numbers_of_every_length_are_read() {
        for shift in 0..64 {
            let power = 1_i64 << shift;
            for value in [power, power.wrapping_neg(), power.wrapping_sub(1)] {
                let mut bytes = Vec::new();
                let mut rest = ((value << 1) ^ (value >> 63)) as u64;
                while rest > 0x7f {
                    bytes.push(rest as u8 | 0x80);
                    rest >>= 7;
                }
                bytes.push(rest as u8);
                for padding in [0, 8] {
                    let mut padded = bytes.clone();
                    padded.resize(bytes.len() + padding, 0xff);
                    let mut cursor = Cursor::new(&padded);
                    assert_eq!(cursor.long().unwrap(), value);
                    assert_eq!(cursor.rest().len(), padding);
                }
            }
        }
    }

    #[test]
    fn a_number_without_an_end_is_refused() {
        for count in [1, 9, 10, 20] {
            assert!(Cursor::new(&vec![0xff; count]).long().is_err());
        }
    }
}
