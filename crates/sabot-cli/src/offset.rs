//! kcat's `-o`: where to begin, and where to end.

use arrow_cast::parse::string_to_timestamp_nanos;

/// One `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OffsetArg {
    Beginning,
    End,
    /// What the group has committed.
    Stored,
    /// This offset in every partition.
    At(i64),
    /// So many before the end of every partition.
    Last(u64),
    /// The first message at this time or later, in milliseconds.
    Since(i64),
    /// Stop before the first message at this time or later, in milliseconds.
    Until(i64),
}

impl OffsetArg {
    /// Reads `beginning`, `end`, `stored`, `N`, `-N`, `s@TIME` or `e@TIME`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(time) = text.strip_prefix("s@") {
            return Ok(Self::Since(milliseconds(time)?));
        }
        if let Some(time) = text.strip_prefix("e@") {
            return Ok(Self::Until(milliseconds(time)?));
        }
        match text {
            "beginning" | "earliest" | "start" => return Ok(Self::Beginning),
            "end" | "latest" => return Ok(Self::End),
            "stored" | "committed" => return Ok(Self::Stored),
            _ => {}
        }
        let number = match text.strip_prefix('-') {
            Some(before) if before.starts_with('+') => None,
            Some(before) => before.parse().ok().map(Self::Last),
            // Rust would take a plus sign.
            None if text.starts_with('+') => None,
            None => text
                .parse::<u64>()
                .ok()
                .and_then(|at| i64::try_from(at).ok())
                .map(Self::At),
        };
        number.ok_or_else(|| "expected beginning, end, stored, N, -N, s@TIME or e@TIME".to_owned())
    }
}

fn milliseconds(text: &str) -> Result<i64, String> {
    if let Ok(ms) = text.parse::<u64>() {
        return i64::try_from(ms).map_err(|_| "the time lies too far in the future".to_owned());
    }
    match string_to_timestamp_nanos(text) {
        Ok(nanoseconds) if nanoseconds >= 0 => Ok(nanoseconds / 1_000_000),
        Ok(_) => Err("the time lies before 1970".to_owned()),
        Err(_) => Err("expected milliseconds since 1970, or a time such as 2024-01-31T12:00:00Z".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_as_kcat_reads_them() {
        for (text, offset) in [
            ("beginning", OffsetArg::Beginning),
            ("earliest", OffsetArg::Beginning),
            ("end", OffsetArg::End),
            ("stored", OffsetArg::Stored),
            ("0", OffsetArg::At(0)),
            ("9223372036854775807", OffsetArg::At(i64::MAX)),
            ("-5", OffsetArg::Last(5)),
            ("s@1700000000000", OffsetArg::Since(1_700_000_000_000)),
            ("e@0", OffsetArg::Until(0)),
            ("s@2024-01-01T00:00:00Z", OffsetArg::Since(1_704_067_200_000)),
            ("e@2024-01-01T01:00:00+01:00", OffsetArg::Until(1_704_067_200_000)),
            ("s@2024-01-01", OffsetArg::Since(1_704_067_200_000)),
        ] {
            assert_eq!(OffsetArg::parse(text), Ok(offset), "{text}");
        }
        for text in [
            "",
            "-",
            "--5",
            "+5",
            "1.5",
            "s@",
            "s@-5",
            "e@noon",
            "s@1969-01-01T00:00:00Z",
            "9223372036854775808",
        ] {
            OffsetArg::parse(text).expect_err(text);
        }
    }
}
