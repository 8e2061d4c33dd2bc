//! Schema resolution as the specification words it, one value at a time: the oracle of the
//! differential check.
//!
//! It knows nothing of plans and columns. Where Sabot goes beyond the specification or chooses
//! between readings of it, the model follows DESIGN.md: an exact branch of a reader's union comes
//! before one by name and one by promotion, and logical types are compared. On its way it notes
//! where apache-avro is known to do otherwise ([`Deviation`]).

use arrow_buffer::i256;

use super::types::{Base, Field, Logical, Name, Symbols, Ty};
use super::values::Val;

/// Where apache-avro 0.22 deviates from the specification when it resolves a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deviation {
    /// "A reader's field may have aliases": it looks for a writer's field under the reader's name
    /// alone.
    FieldAlias,
    /// "If the reader's field has no counterpart, its default value is used", of a type with a
    /// logical type, bytes or a union in it: it takes the JSON for text in UTF-8, does not size
    /// fixed, and knows a union's first branch alone.
    Default,
    /// "A logical type is always serialized using its underlying Avro type": it does not read one
    /// as its base type, nor as one of another unit.
    Logical,
    /// "For decimals, the scale and precision match": it refuses numbers that were written with too
    /// few bytes to hold every number of that precision.
    Decimal,
    /// It takes decimals of more digits than their precision; and durations beyond Arrow's signed
    /// parts are Sabot's limit.
    Range,
    /// It reads UUIDs in braces and as URNs, and the sixteen bytes of a text as one.
    Uuid,
    /// "The first schema in the reader's union that matches the writer's schema": it looks for one
    /// that takes the value.
    Union,
    /// Pairs of types that do not match, which it reads all the same: long as int, double as float,
    /// names as numbers, bytes and text as fixed and enum, fixed as text, maps as records, arrays
    /// of ints as bytes.
    Lenient,
    /// Named types have to have the same name; it does not compare names at all.
    Names,
}

/// How a writer's type matches a reader's; better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Exact,
    ByName,
    Promoted,
}

/// Resolves values, and notes deviations.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) deviations: Vec<Deviation>,
}

impl Model {
    /// `val`, written as `writer`, read as `reader`; `None` where it cannot be.
    pub(crate) fn resolve(&mut self, writer: &Ty, reader: &Ty, val: &Val) -> Option<Val> {
        if let (Some(branches), Val::Union(at, val)) = (writer.branches(), val) {
            let branch = &branches[*at];
            if !is_resolvable(branch, reader) {
                // A whole branch cannot be read, where apache-avro looks at the value alone.
                let is_shallow = is_shallow_match(branch, reader);
                self.note(Deviation::Lenient, is_shallow || is_lenient(branch, reader));
                self.note(Deviation::Names, is_named_pair(branch, reader));
                return None;
            }
            return self.resolve(branch, reader, val);
        }
        if let Some(branches) = reader.branches() {
            let at = best_branch(writer, branches)?;
            self.note(Deviation::Union, !is_found_by_value(writer, branches, at));
            let val = self.resolve(writer, &branches[at], val)?;
            return Some(Val::Union(at, Box::new(val)));
        }
        if let (Some(Logical::Decimal(precision, _)), Val::Bytes(bytes)) = (reader.logical, val) {
            self.note(Deviation::Decimal, digits_of(bytes.len()) < precision);
        }
        // It wants the bytes to be one, and makes a number of them.
        self.note(Deviation::Logical, reader.logical == Some(Logical::BigDecimal));
        let is_other = writer.logical.is_some() && writer.logical != reader.logical;
        let is_decimal = |ty: &Ty| matches!(ty.logical, Some(Logical::Decimal(..)));
        self.note(
            Deviation::Logical,
            is_other && !(is_decimal(writer) && is_decimal(reader)),
        );
        let is_promoted = reader.logical.is_some()
            && matches!(
                (&writer.base, &reader.base),
                (Base::Bytes, Base::Text) | (Base::Text, Base::Bytes)
            );
        self.note(Deviation::Logical, is_promoted);
        self.base(writer, reader, val)
    }

    fn note(&mut self, deviation: Deviation, is_there: bool) {
        if is_there && !self.deviations.contains(&deviation) {
            self.deviations.push(deviation);
        }
    }

    fn base(&mut self, writer: &Ty, reader: &Ty, val: &Val) -> Option<Val> {
        Some(match (val, &writer.base, &reader.base) {
            (Val::Int(value), _, Base::Int) => Val::Int(*value),
            (Val::Int(value), _, Base::Long) => Val::Long(scaled(writer, reader, i64::from(*value))?),
            (Val::Int(value), _, Base::Float) => Val::Float(*value as f32),
            (Val::Int(value), _, Base::Double) => Val::Double(f64::from(*value)),
            (Val::Long(value), _, Base::Long) => Val::Long(scaled(writer, reader, *value)?),
            (Val::Long(value), _, Base::Float) => Val::Float(*value as f32),
            (Val::Long(value), _, Base::Double) => Val::Double(*value as f64),
            (Val::Float(value), _, Base::Double) => Val::Double(f64::from(*value)),
            (Val::Text(text), _, Base::Bytes) => {
                self.checked(reader, Val::Bytes(text.clone().into_bytes()))?
            }
            (Val::Bytes(bytes), Base::Bytes, Base::Text) => {
                let text = String::from_utf8(bytes.clone()).ok()?;
                self.checked(reader, Val::Text(text))?
            }
            (Val::Enum(at), Base::Enum(_, written), Base::Enum(_, read)) => {
                Val::Enum(symbol(&written.symbols[*at], read)?)
            }
            (Val::Array(items), Base::Array(written), Base::Array(read)) => {
                let items = items.iter().map(|item| self.resolve(written, read, item));
                Val::Array(items.collect::<Option<_>>()?)
            }
            (Val::Map(entries), Base::Map(written), Base::Map(read)) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| Some((key.clone(), self.resolve(written, read, value)?)));
                Val::Map(entries.collect::<Option<_>>()?)
            }
            (Val::Record(values), Base::Record(_, written), Base::Record(_, read)) => {
                let sources = sources(written, read);
                let fields = read.iter().zip(sources);
                let fields = fields.map(|(field, source)| self.field(written, field, source, values));
                Val::Record(fields.collect::<Option<_>>()?)
            }
            (val, ..) => self.checked(reader, val.clone())?,
        })
    }

    fn field(
        &mut self,
        written: &[Field],
        field: &Field,
        source: Option<usize>,
        values: &[Val],
    ) -> Option<Val> {
        let Some(at) = source else {
            let default = field.default.clone()?;
            self.note(Deviation::Default, !is_plain_default(&field.ty));
            return Some(default);
        };
        self.note(Deviation::FieldAlias, written[at].name != field.name);
        self.resolve(&written[at].ty, &field.ty, &values[at])
    }

    /// A value that a logical type has to be able to hold.
    fn checked(&mut self, reader: &Ty, val: Val) -> Option<Val> {
        if reader.logical == Some(Logical::Uuid)
            && let Val::Text(text) = &val
            && uuid(text).is_none()
        {
            self.note(Deviation::Uuid, true);
            return None;
        }
        let is_held = is_holdable(reader, &val);
        self.note(Deviation::Range, !is_held);
        is_held.then_some(val)
    }
}

/// Decimal digits that every number of `bytes` bytes can have.
fn digits_of(bytes: usize) -> u8 {
    let bits = (bytes * 8).saturating_sub(1) as f64;
    (bits * std::f64::consts::LOG10_2).min(255.0) as u8
}

/// Whether values of `val`'s kind fit the logical type, as Arrow holds it.
fn is_holdable(ty: &Ty, val: &Val) -> bool {
    match (ty.logical, val) {
        // Of more digits than Arrow's decimals have, the bytes are kept as they are.
        (Some(Logical::Decimal(77.., _)), _) => true,
        (Some(Logical::Decimal(precision, _)), Val::Bytes(bytes)) => {
            let limit = (0..precision).fold(i256::ONE, |limit, _| limit.wrapping_mul(i256::from_i128(10)));
            decimal(bytes).is_some_and(|value| limit.wrapping_neg() < value && value < limit)
        }
        (Some(Logical::Duration), Val::Bytes(bytes)) => bytes[3] < 0x80 && bytes[7] < 0x80,
        _ => true,
    }
}

/// A decimal's number, where 256 bits can hold it.
pub(crate) fn decimal(bytes: &[u8]) -> Option<i256> {
    let sign = if bytes.first().is_some_and(|first| *first >= 0x80) {
        0xff
    } else {
        0
    };
    let mut digits = bytes;
    while let [first, second, ..] = digits
        && *first == sign
        && (*second >= 0x80) == (sign == 0xff)
    {
        digits = &digits[1..];
    }
    let mut wide = [sign; 32];
    let start = 32usize.checked_sub(digits.len())?;
    wide[start..].copy_from_slice(digits);
    Some(i256::from_be_bytes(wide))
}

/// The bytes of a UUID's text: 32 hexadecimal digits, with hyphens in all of the usual places or in
/// none.
pub(crate) fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits = match text.split('-').collect::<Vec<_>>()[..] {
        [all] => all.to_owned(),
        [a, b, c, d, e] if [a, b, c, d, e].map(str::len) == [8, 4, 4, 4, 12] => [a, b, c, d, e].concat(),
        _ => return None,
    };
    if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let value = u128::from_str_radix(&digits, 16).ok()?;
    Some(value.to_be_bytes())
}

fn scaled(writer: &Ty, reader: &Ty, value: i64) -> Option<i64> {
    value.checked_mul(factor(writer, reader)?)
}

/// What one unit of the writer's logical type is in the reader's; `None` where they mean different
/// things.
fn factor(writer: &Ty, reader: &Ty) -> Option<i64> {
    let (Some(written), Some(read)) = (writer.logical, reader.logical) else {
        return Some(1);
    };
    match (written, read) {
        (Logical::Decimal(precision, scale), Logical::Decimal(read, read_scale)) => {
            (scale == read_scale && precision <= read).then_some(1)
        }
        (Logical::TimeMillis, Logical::TimeMicros) => Some(1000),
        (Logical::Timestamp(unit, is_utc), Logical::Timestamp(read, read_utc)) => {
            let steps = read.checked_sub(unit).filter(|_| is_utc == read_utc)?;
            Some(1000i64.pow(steps))
        }
        _ => (written == read).then_some(1),
    }
}

fn fit(writer: &Ty, reader: &Ty) -> Option<Fit> {
    factor(writer, reader)?;
    match (&writer.base, &reader.base) {
        (Base::Int, Base::Long | Base::Float | Base::Double)
        | (Base::Long, Base::Float | Base::Double)
        | (Base::Float, Base::Double)
        | (Base::Text, Base::Bytes)
        | (Base::Bytes, Base::Text) => Some(Fit::Promoted),
        (Base::Fixed(a, size), Base::Fixed(b, read)) if size == read => fit_names(a, b),
        (Base::Enum(a, _), Base::Enum(b, _)) | (Base::Record(a, _), Base::Record(b, _)) => fit_names(a, b),
        (Base::Fixed(..) | Base::Union(_), _) => None,
        (a, b) => (a.keyword() == b.keyword()).then_some(Fit::Exact),
    }
}

fn fit_names(writer: &Name, reader: &Name) -> Option<Fit> {
    let namespace = reader.full.len() - reader.short().len();
    let mut aliases = reader.aliases.iter().map(|alias| match alias.contains('.') {
        true => alias.clone(),
        false => format!("{}{alias}", &reader.full[..namespace]),
    });
    if writer.full == reader.full {
        Some(Fit::Exact)
    } else {
        (writer.short() == reader.short() || aliases.any(|alias| alias == writer.full)).then_some(Fit::ByName)
    }
}

fn best_branch(writer: &Ty, branches: &[Ty]) -> Option<usize> {
    let fits = branches.iter().enumerate();
    let fits = fits.filter_map(|(at, branch)| Some((fit(writer, branch)?, at)));
    fits.min().map(|(_, at)| at)
}

/// Whether a writer schema can be read as a reader schema: for a writer's union, whether any branch
/// but null can.
pub(crate) fn is_resolvable(writer: &Ty, reader: &Ty) -> bool {
    if let Some(branches) = writer.branches() {
        let mut relevant = branches.iter().filter(|ty| !ty.is_null() || branches.len() == 1);
        return relevant.any(|branch| is_resolvable(branch, reader));
    }
    if let Some(branches) = reader.branches() {
        return best_branch(writer, branches).is_some_and(|at| is_resolvable(writer, &branches[at]));
    }
    if fit(writer, reader).is_none() {
        return false;
    }
    match (&writer.base, &reader.base) {
        (Base::Array(written), Base::Array(read)) | (Base::Map(written), Base::Map(read)) => {
            is_resolvable(written, read)
        }
        (Base::Record(_, written), Base::Record(_, read)) => {
            let fields = read.iter().zip(sources(written, read));
            fields.into_iter().all(|(field, source)| match source {
                Some(at) => is_resolvable(&written[at].ty, &field.ty),
                None => field
                    .default
                    .as_ref()
                    .is_some_and(|default| is_default_holdable(&field.ty, default)),
            })
        }
        _ => true,
    }
}

/// A default that its own type cannot hold would spoil every row, so that the schema is refused.
fn is_default_holdable(ty: &Ty, val: &Val) -> bool {
    match (val, &ty.base) {
        (Val::Array(items), Base::Array(item)) => items.iter().all(|val| is_default_holdable(item, val)),
        (Val::Map(entries), Base::Map(value)) => {
            entries.iter().all(|(_, val)| is_default_holdable(value, val))
        }
        (Val::Record(values), Base::Record(_, fields)) => {
            let mut fields = fields.iter().zip(values);
            fields.all(|(field, val)| is_default_holdable(&field.ty, val))
        }
        (Val::Union(at, val), Base::Union(branches)) => is_default_holdable(&branches[*at], val),
        _ => is_holdable(ty, val),
    }
}

/// For each of the reader's fields the writer's: by name, else by an alias that no other field has
/// taken.
pub(crate) fn sources(written: &[Field], read: &[Field]) -> Vec<Option<usize>> {
    let find = |name: &str| written.iter().position(|field| field.name == name);
    let mut sources: Vec<_> = read.iter().map(|field| find(&field.name)).collect();
    for (at, field) in read
        .iter()
        .enumerate()
        .filter(|(_, field)| find(&field.name).is_none())
    {
        let mut aliases = field.aliases.iter().filter_map(|alias| find(alias));
        sources[at] = aliases.find(|source| !sources.contains(&Some(*source)));
    }
    sources
}

fn symbol(written: &str, read: &Symbols) -> Option<usize> {
    let found = read.symbols.iter().position(|symbol| symbol == written);
    found.or(read.default)
}

/// Whether apache-avro finds the branch `at` for a value of `writer`: it looks for the base type
/// first, and among named types, arrays and maps for one that takes the value.
fn is_found_by_value(writer: &Ty, branches: &[Ty], at: usize) -> bool {
    if branches.iter().filter(|ty| !ty.is_null()).count() <= 1 {
        return true;
    }
    let is_complex = |ty: &&Ty| ty.name().is_some() || matches!(ty.base, Base::Array(_) | Base::Map(_));
    let chosen = &branches[at];
    match is_complex(&chosen) {
        // Logical types over fixed may also be over bytes or text, it thinks.
        true if matches!(chosen.base, Base::Fixed(..)) => {
            !branches
                .iter()
                .any(|ty| matches!(ty.base, Base::Bytes | Base::Text))
                && branches.iter().filter(is_complex).count() == 1
        }
        true => branches.iter().filter(is_complex).count() == 1,
        false => writer.base == chosen.base && !branches.iter().any(|ty| ty.name().is_some()),
    }
}

fn is_named_pair(writer: &Ty, reader: &Ty) -> bool {
    let is_pair = |reader: &Ty| writer.name().is_some() && reader.name().is_some();
    reader
        .branches()
        .map_or(is_pair(reader), |branches| branches.iter().any(is_pair))
}

fn is_shallow_match(writer: &Ty, reader: &Ty) -> bool {
    match reader.branches() {
        Some(branches) => best_branch(writer, branches).is_some(),
        None => fit(writer, reader).is_some(),
    }
}

/// Whether apache-avro reads some values of `writer` as `reader` although the types do not match.
fn is_lenient(writer: &Ty, reader: &Ty) -> bool {
    if let Some(branches) = reader.branches() {
        return branches.iter().any(|branch| is_lenient(writer, branch));
    }
    matches!(
        (&writer.base, &reader.base),
        (Base::Long, Base::Int)
            | (Base::Double | Base::Text, Base::Float)
            | (Base::Text, Base::Double | Base::Enum(..))
            | (Base::Text | Base::Bytes, Base::Fixed(..))
            | (Base::Fixed(..), Base::Text | Base::Bytes | Base::Fixed(..))
            | (Base::Array(_), Base::Bytes)
            | (Base::Map(_), Base::Record(..))
    ) || matches!(reader.logical, Some(Logical::Decimal(..)))
}

/// Whether apache-avro reads a default of this type as the specification says.
fn is_plain_default(ty: &Ty) -> bool {
    if ty.logical.is_some() {
        return false;
    }
    match &ty.base {
        Base::Bytes | Base::Fixed(..) | Base::Union(_) => false,
        Base::Array(inner) | Base::Map(inner) => is_plain_default(inner),
        Base::Record(_, fields) => fields.iter().all(|field| is_plain_default(&field.ty)),
        _ => true,
    }
}
