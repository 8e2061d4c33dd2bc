//! Avro's schema resolution, one pair of types at a time.
//!
//! Where several branches of a reader's union would do, an exact match comes before one by
//! unqualified name, and that before a promotion; within each, the first branch wins. The
//! specification says only "the first that matches", which would turn the ints of
//! `["double", "int"]` into doubles even where both sides are this same schema; Java's reference
//! implementation prefers exact matches too.

use crate::schema::{At, Kind, Logical};

/// How a writer's type matches a reader's; better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    Exact,
    /// Named types with the same unqualified name, or with an alias.
    ByName,
    Promoted,
}

/// Whether and how values of `writer` can be read as `reader`, what is below aside. Neither is a
/// union.
pub(super) fn fit(writer: At<'_>, reader: At<'_>) -> Option<Fit> {
    let fit = match (writer.kind(), reader.kind()) {
        (Kind::Int, Kind::Long | Kind::Float | Kind::Double)
        | (Kind::Long, Kind::Float | Kind::Double)
        | (Kind::Float, Kind::Double) => Fit::Promoted,
        // Text is no number's bytes; but Avro's own rules look at the base types alone.
        (Kind::String, Kind::Bytes) if is_decimal(reader) && reader.schema.is_arrow => return None,
        (Kind::String, Kind::Bytes) | (Kind::Bytes, Kind::String) => Fit::Promoted,
        (Kind::Fixed(written), Kind::Fixed(read)) if written != read => return None,
        (Kind::Fixed(_), Kind::Fixed(_))
        | (Kind::Enum(_), Kind::Enum(_))
        | (Kind::Record(_), Kind::Record(_)) => fit_names(writer, reader)?,
        (Kind::Union(_), _) | (_, Kind::Union(_)) => return None,
        (written, read) if std::mem::discriminant(written) == std::mem::discriminant(read) => Fit::Exact,
        _ if reader.schema.is_arrow && fits_arrow(writer, reader) => Fit::Promoted,
        _ => return None,
    };
    conversion(writer, reader).map(|_| fit)
}

/// What an Arrow type takes beyond what Avro's resolution allows, where it can mean but one thing.
fn fits_arrow(writer: At<'_>, reader: At<'_>) -> bool {
    let is_uuid = |at: At<'_>| at.ty().logical == Some(Logical::Uuid);
    match (writer.kind(), reader.kind()) {
        (Kind::Enum(_), Kind::String) => !is_uuid(reader),
        (Kind::Fixed(_), Kind::String) => is_uuid(writer) || is_decimal(writer),
        (Kind::Fixed(_), Kind::Bytes) => true,
        (Kind::String, Kind::Fixed(_)) => is_uuid(reader),
        _ => false,
    }
}

fn is_decimal(at: At<'_>) -> bool {
    matches!(at.ty().logical, Some(Logical::Decimal(_) | Logical::BigDecimal))
}

fn fit_names(writer: At<'_>, reader: At<'_>) -> Option<Fit> {
    let written = writer.ty().named.as_ref()?;
    let Some(read) = &reader.ty().named else {
        // An Arrow type has no name to compare.
        return Some(Fit::ByName);
    };
    if written.name == read.name {
        return Some(Fit::Exact);
    }
    let is_alias = || read.aliases.contains(&written.name);
    (written.name.short() == read.name.short() || is_alias()).then_some(Fit::ByName)
}

/// What a number has to be multiplied by to be of the reader's logical type; `None` where that type
/// means another thing.
///
/// The specification compares decimals alone. Other logical types are compared here too, since
/// reading milliseconds as microseconds, or dates as timestamps, gives wrong values without a word.
/// One side without a logical type takes the other's: that is how logical types are added to
/// schemas.
pub(super) fn conversion(writer: At<'_>, reader: At<'_>) -> Option<i64> {
    let (Some(written), Some(read)) = (writer.ty().logical, reader.ty().logical) else {
        return Some(1);
    };
    match (written, read) {
        (Logical::Decimal(written), Logical::Decimal(read)) => {
            (written.scale == read.scale && written.precision <= read.precision).then_some(1)
        }
        (Logical::BigDecimal, Logical::Decimal(_)) if reader.schema.is_arrow => Some(1),
        (Logical::TimeMillis, Logical::TimeMicros) => Some(1000),
        (
            Logical::Timestamp {
                unit: written,
                is_utc: a,
            },
            Logical::Timestamp {
                unit: read,
                is_utc: b,
            },
        ) => {
            let steps = (read as u32).checked_sub(written as u32)?;
            (a == b).then(|| 1000i64.pow(steps))
        }
        _ => (written == read).then_some(1),
    }
}
