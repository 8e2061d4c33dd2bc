//! Values to bytes, with the freedoms of the format; and bytes to values, strictly.
//!
//! The specification leaves a writer free to cut arrays and maps into blocks, to write a block's
//! size in bytes behind a negative count, and to write integers with more bytes than they need.

use super::dice::Dice;
use super::types::{Base, Ty};
use super::values::{MAX_ITEMS, Val};

/// The bytes of `val` as a `ty`, with all the freedoms.
pub(crate) fn encode_freely(dice: &mut Dice<'_>, ty: &Ty, val: &Val, to: &mut Vec<u8>) {
    encode(&mut Some(dice), ty, val, to);
}

/// The bytes of `val` as a `ty`, as most writers write them.
pub(crate) fn encode_plainly(ty: &Ty, val: &Val, to: &mut Vec<u8>) {
    encode(&mut None, ty, val, to);
}

/// The choices of a writer; one without any writes plainly.
type Freedom<'a, 'b> = Option<&'a mut Dice<'b>>;

fn encode(dice: &mut Freedom<'_, '_>, ty: &Ty, val: &Val, to: &mut Vec<u8>) {
    match (val, &ty.base) {
        (Val::Null, _) => {}
        (Val::Boolean(value), _) => to.push(u8::from(*value)),
        (Val::Int(value), _) => varint(dice, i64::from(*value), 5, to),
        (Val::Long(value), _) => varint(dice, *value, 10, to),
        (Val::Float(value), _) => to.extend(value.to_le_bytes()),
        (Val::Double(value), _) => to.extend(value.to_le_bytes()),
        (Val::Bytes(bytes), Base::Fixed(..)) => to.extend(bytes),
        (Val::Bytes(bytes), _) => sized(dice, bytes, to),
        (Val::Text(text), _) => sized(dice, text.as_bytes(), to),
        (Val::Enum(at), _) => varint(dice, *at as i64, 5, to),
        (Val::Array(items), Base::Array(ty)) => {
            blocks(dice, items, to, |dice, item, to| encode(dice, ty, item, to));
        }
        (Val::Map(entries), Base::Map(ty)) => blocks(dice, entries, to, |dice, (key, value), to| {
            sized(dice, key.as_bytes(), to);
            encode(dice, ty, value, to);
        }),
        (Val::Record(values), Base::Record(_, fields)) => {
            for (field, value) in fields.iter().zip(values) {
                encode(dice, &field.ty, value, to);
            }
        }
        (Val::Union(branch, value), Base::Union(branches)) => {
            varint(dice, *branch as i64, 10, to);
            encode(dice, &branches[*branch], value, to);
        }
        _ => panic!("{val:?} is no {ty:?}"),
    }
}

/// A zigzag varint, now and then of more bytes than necessary.
fn varint(dice: &mut Freedom<'_, '_>, value: i64, max_bytes: usize, to: &mut Vec<u8>) {
    let start = to.len();
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        to.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    to.push(rest as u8);
    let room = max_bytes.saturating_sub(to.len() - start);
    if let Some(dice) = dice
        && room > 0
        && dice.once_in(16)
    {
        let last = to.len() - 1;
        to[last] |= 0x80;
        to.extend(std::iter::repeat_n(0x80, dice.below(room)));
        to.push(0);
    }
}

fn sized(dice: &mut Freedom<'_, '_>, bytes: &[u8], to: &mut Vec<u8>) {
    varint(dice, bytes.len() as i64, 10, to);
    to.extend(bytes);
}

fn blocks<T>(
    dice: &mut Freedom<'_, '_>,
    items: &[T],
    to: &mut Vec<u8>,
    mut write: impl FnMut(&mut Freedom<'_, '_>, &T, &mut Vec<u8>),
) {
    let mut rest = items;
    while !rest.is_empty() {
        let (block, behind) =
            rest.split_at(rest.len() - dice.as_mut().map_or(0, |dice| dice.below(rest.len())));
        rest = behind;
        let mut bytes = Vec::new();
        block.iter().for_each(|item| write(dice, item, &mut bytes));
        let count = block.len() as i64;
        if dice.as_mut().is_some_and(|dice| dice.once_in(3)) {
            varint(dice, -count, 10, to);
            varint(dice, bytes.len() as i64, 10, to);
        } else {
            varint(dice, count, 10, to);
        }
        to.extend(bytes);
    }
    to.push(0);
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bad {
    Truncated,
    Trailing,
    Varint,
    Length,
    /// A boolean, an enum's index or a union's index.
    Value,
    Utf8,
    Items,
}

/// Reads a whole body as the specification says, and nothing else.
pub(crate) fn decode(ty: &Ty, body: &[u8]) -> Result<Val, Bad> {
    let mut strict = Strict {
        bytes: body,
        items_left: MAX_ITEMS,
    };
    let val = strict.value(ty)?;
    if strict.bytes.is_empty() {
        Ok(val)
    } else {
        Err(Bad::Trailing)
    }
}

struct Strict<'a> {
    bytes: &'a [u8],
    items_left: usize,
}

impl<'a> Strict<'a> {
    fn value(&mut self, ty: &Ty) -> Result<Val, Bad> {
        Ok(match &ty.base {
            Base::Null => Val::Null,
            Base::Boolean => match self.take(1)?[0] {
                byte @ (0 | 1) => Val::Boolean(byte == 1),
                _ => return Err(Bad::Value),
            },
            Base::Int => Val::Int(self.int()?),
            Base::Long => Val::Long(self.long()?),
            Base::Float => Val::Float(f32::from_le_bytes(self.array()?)),
            Base::Double => Val::Double(f64::from_le_bytes(self.array()?)),
            Base::Bytes => Val::Bytes(self.sized()?.into()),
            Base::Text => Val::Text(self.text()?),
            Base::Fixed(_, size) => Val::Bytes(self.take(*size)?.into()),
            Base::Enum(_, symbols) => {
                let at = usize::try_from(self.int()?).ok();
                let at = at.filter(|at| *at < symbols.symbols.len());
                Val::Enum(at.ok_or(Bad::Value)?)
            }
            Base::Array(item) => Val::Array(self.blocks(|strict| strict.value(item))?),
            Base::Map(value) => Val::Map(self.blocks(|strict| Ok((strict.text()?, strict.value(value)?)))?),
            Base::Record(_, fields) => {
                let values = fields.iter().map(|field| self.value(&field.ty));
                Val::Record(values.collect::<Result<_, _>>()?)
            }
            Base::Union(branches) => {
                let at = usize::try_from(self.long()?).map_err(|_| Bad::Value)?;
                let branch = branches.get(at).ok_or(Bad::Value)?;
                Val::Union(at, Box::new(self.value(branch)?))
            }
        })
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Bad> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(Bad::Truncated)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Bad> {
        let taken = self.take(N)?;
        Ok(taken.try_into().expect("because it has that many bytes"))
    }

    /// A varint of at most `bits` bits, in as many bytes as those need at most.
    fn varint(&mut self, bits: u32) -> Result<u64, Bad> {
        let mut value = 0u64;
        for shift in (0..bits).step_by(7) {
            let byte = self.take(1)?[0];
            let group = u64::from(byte & 0x7f);
            if bits - shift < 7 && (byte >= 0x80 || group >> (bits - shift) > 0) {
                return Err(Bad::Varint);
            }
            value |= group << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Bad::Varint)
    }

    fn int(&mut self) -> Result<i32, Bad> {
        let value = self.varint(32)? as u32;
        Ok((value >> 1) as i32 ^ -((value & 1) as i32))
    }

    fn long(&mut self) -> Result<i64, Bad> {
        let value = self.varint(64)?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn sized(&mut self) -> Result<&'a [u8], Bad> {
        let len = usize::try_from(self.long()?).map_err(|_| Bad::Length)?;
        self.take(len).map_err(|_| Bad::Length)
    }

    fn text(&mut self) -> Result<String, Bad> {
        String::from_utf8(self.sized()?.into()).map_err(|_| Bad::Utf8)
    }

    fn blocks<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, Bad>) -> Result<Vec<T>, Bad> {
        let mut items = Vec::new();
        loop {
            let written = self.long()?;
            if written == 0 {
                return Ok(items);
            }
            let mut size = None;
            if written < 0 {
                let bytes = usize::try_from(self.long()?).map_err(|_| Bad::Length)?;
                size = Some(bytes);
                if bytes > self.bytes.len() {
                    return Err(Bad::Length);
                }
            }
            let count = usize::try_from(written.unsigned_abs()).map_err(|_| Bad::Items)?;
            self.items_left = self.items_left.checked_sub(count).ok_or(Bad::Items)?;
            let start = self.bytes.len();
            for _ in 0..count {
                items.push(item(self)?);
            }
            if size.is_some_and(|size| start - self.bytes.len() != size) {
                return Err(Bad::Length);
            }
        }
    }
}
