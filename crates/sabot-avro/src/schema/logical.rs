//! Logical types: which there are, and which base types can carry them.

use serde_json::{Map, Value};

use super::Kind;

/// A logical type that its base type can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logical {
    Decimal(Decimal),
    /// A decimal with its scale in each value.
    BigDecimal,
    Uuid,
    Date,
    TimeMillis,
    TimeMicros,
    Timestamp {
        unit: TimeUnit,
        is_utc: bool,
    },
    Duration,
}

/// A decimal's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub(crate) precision: u16,
    pub(crate) scale: u16,
}

/// A timestamp's unit, coarsest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimeUnit {
    Millis,
    Micros,
    Nanos,
}

impl Decimal {
    /// Digits of Arrow's widest decimal.
    pub(crate) const MAX_ARROW_PRECISION: u16 = 76;
    /// Digits of decimals that are known as such: more make bytes, whatever is asked for.
    const MAX_PRECISION: u16 = 1000;

    /// `None` where the attributes are not a decimal's: the type is then its base type.
    fn parse(attributes: &Map<String, Value>, kind: &Kind) -> Option<Self> {
        let precision = attributes.get("precision")?.as_u64()?;
        let scale = attributes.get("scale").map_or(Some(0), Value::as_u64)?;
        let fits = match kind {
            Kind::Fixed(size) => precision <= digits_of(*size),
            _ => true,
        };
        if precision == 0 || scale > precision || !fits || precision > u64::from(Self::MAX_PRECISION) {
            return None;
        }
        Some(Self {
            precision: precision as u16,
            scale: scale as u16,
        })
    }
}

/// Decimal digits that always fit into a signed number of `bytes` bytes.
fn digits_of(bytes: usize) -> u64 {
    let bits = (bytes as u64).saturating_mul(8).saturating_sub(1);
    // log10(2) to more places than any size that matters here needs.
    (bits as f64 * std::f64::consts::LOG10_2) as u64
}

impl Logical {
    /// The logical type `name` over `kind`; `None` where it is unknown or does not fit, and is
    /// therefore ignored.
    pub(super) fn parse(name: &str, attributes: &Map<String, Value>, kind: &Kind) -> Option<Self> {
        let timestamp = |unit, is_utc| Self::Timestamp { unit, is_utc };
        Some(match (name, kind) {
            ("decimal", Kind::Bytes | Kind::Fixed(_)) => Self::Decimal(Decimal::parse(attributes, kind)?),
            ("big-decimal", Kind::Bytes) => Self::BigDecimal,
            ("uuid", Kind::String | Kind::Fixed(16)) => Self::Uuid,
            ("date", Kind::Int) => Self::Date,
            ("time-millis", Kind::Int) => Self::TimeMillis,
            ("time-micros", Kind::Long) => Self::TimeMicros,
            ("timestamp-millis", Kind::Long) => timestamp(TimeUnit::Millis, true),
            ("timestamp-micros", Kind::Long) => timestamp(TimeUnit::Micros, true),
            ("timestamp-nanos", Kind::Long) => timestamp(TimeUnit::Nanos, true),
            ("local-timestamp-millis", Kind::Long) => timestamp(TimeUnit::Millis, false),
            ("local-timestamp-micros", Kind::Long) => timestamp(TimeUnit::Micros, false),
            ("local-timestamp-nanos", Kind::Long) => timestamp(TimeUnit::Nanos, false),
            ("duration", Kind::Fixed(12)) => Self::Duration,
            _ => return None,
        })
    }
}
