//! What the structured checks share: targets, projections, bodies good and bad.

use sabot_decode::{
    BigDecimalType, BinaryType, EnumType, Mapping, StringType, TimeZone, UnionType, UuidType, WideDecimalType,
};

use super::dice::Dice;
use super::encode::{encode_freely, encode_plainly};
use super::types::{Base, Field, Ty};
use super::values::{Val, value};

/// Random Arrow types where there is a choice.
pub(crate) fn mapping(dice: &mut Dice<'_>) -> Mapping {
    let mut mapping = Mapping::default();
    if dice.once_in(2) {
        mapping.strings = dice.pick(&[StringType::Utf8, StringType::LargeUtf8, StringType::Utf8View]);
        mapping.bytes = dice.pick(&[
            BinaryType::Binary,
            BinaryType::LargeBinary,
            BinaryType::BinaryView,
        ]);
        mapping.time_zone = dice.pick(&[TimeZone::Utc, TimeZone::None, TimeZone::Named("+02:00".into())]);
        mapping.enums = dice.pick(&[EnumType::Dictionary, EnumType::Utf8, EnumType::Int32]);
        mapping.uuids = dice.pick(&[UuidType::FixedSizeBinary, UuidType::Utf8]);
        mapping.unions = dice.pick(&[UnionType::Dense, UnionType::Struct]);
    }
    mapping
}

/// The same for decimals that the model knows nothing of.
pub(crate) fn big_mapping(dice: &mut Dice<'_>, mapping: &mut Mapping) {
    mapping.wide_decimals = dice.pick(&[WideDecimalType::Binary, WideDecimalType::Utf8]);
    mapping.big_decimals = dice.pick(&[
        BigDecimalType::Binary,
        BigDecimalType::Utf8,
        BigDecimalType::Decimal128 { scale: 2 },
        BigDecimalType::Decimal256 { scale: -1 },
    ]);
}

/// What of a mapping a given Arrow schema leaves open.
pub(crate) fn left_open(mapping: &Mapping) -> Mapping {
    let mut left = Mapping::default();
    if mapping.time_zone == TimeZone::None {
        left.time_zone = TimeZone::None;
    }
    left
}

/// What a random projection leaves of `ty`, and its paths.
pub(crate) fn projection(dice: &mut Dice<'_>, ty: &Ty) -> (Ty, Vec<String>) {
    let mut paths = Vec::new();
    let Base::Record(name, fields) = &ty.base else {
        return (ty.clone(), vec!["value".into()]);
    };
    let fields = project_fields(dice, fields, "", &mut paths);
    (Base::Record(name.clone(), fields).into(), paths)
}

fn project_fields(dice: &mut Dice<'_>, fields: &[Field], path: &str, paths: &mut Vec<String>) -> Vec<Field> {
    let mut kept = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        let is_last_chance = kept.is_empty() && at + 1 == fields.len();
        if !is_last_chance && dice.once_in(2) {
            continue;
        }
        let path = format!("{path}{}", field.name);
        let ty = if dice.once_in(3) {
            project(dice, &field.ty, &path, paths)
        } else {
            paths.push(path);
            field.ty.clone()
        };
        let default = field
            .default
            .as_ref()
            .map(|default| pruned(default, &field.ty, &ty));
        kept.push(Field {
            ty,
            default,
            ..field.clone()
        });
    }
    kept
}

/// Paths of a random projection that may select branches of unions: what it leaves is known to
/// nobody but Sabot.
pub(crate) fn any_projection(dice: &mut Dice<'_>, ty: &Ty) -> Vec<String> {
    let mut paths = Vec::new();
    match &ty.base {
        Base::Record(_, fields) => any_fields(dice, fields, "", &mut paths),
        _ => any_paths(dice, ty, "value", &mut paths),
    }
    paths
}

fn any_fields(dice: &mut Dice<'_>, fields: &[Field], path: &str, paths: &mut Vec<String>) {
    for field in fields {
        if !dice.once_in(3) {
            any_paths(dice, &field.ty, &format!("{path}{}", field.name), paths);
        }
    }
}

fn any_paths(dice: &mut Dice<'_>, ty: &Ty, path: &str, paths: &mut Vec<String>) {
    if dice.once_in(3) {
        return paths.push(path.to_owned());
    }
    match &ty.base {
        Base::Record(_, fields) => any_fields(dice, fields, &format!("{path}."), paths),
        Base::Array(item) => any_paths(dice, item, &format!("{path}[]"), paths),
        Base::Map(value) => any_paths(dice, value, &format!("{path}{{}}"), paths),
        Base::Union(branches) => match branches.iter().filter(|ty| !ty.is_null()).count() {
            1 => branches
                .iter()
                .filter(|ty| !ty.is_null())
                .for_each(|branch| any_paths(dice, branch, path, paths)),
            _ => {
                for branch in branches {
                    let name = branch.name().map_or(branch.base.keyword(), |name| &name.full);
                    if dice.once_in(2) {
                        any_paths(dice, branch, &format!("{path}<{name}>"), paths);
                    }
                }
            }
        },
        _ => paths.push(path.to_owned()),
    }
}

/// What is left of `val`, a value of `full`, where only the fields of `kept` are.
fn pruned(val: &Val, full: &Ty, kept: &Ty) -> Val {
    match (val, &full.base, &kept.base) {
        (Val::Array(items), Base::Array(full), Base::Array(kept)) => {
            Val::Array(items.iter().map(|item| pruned(item, full, kept)).collect())
        }
        (Val::Map(entries), Base::Map(full), Base::Map(kept)) => {
            let entries = entries.iter();
            Val::Map(
                entries
                    .map(|(key, val)| (key.clone(), pruned(val, full, kept)))
                    .collect(),
            )
        }
        (Val::Union(at, val), Base::Union(full), Base::Union(kept)) => {
            Val::Union(*at, Box::new(pruned(val, &full[*at], &kept[*at])))
        }
        (Val::Record(values), Base::Record(_, full), Base::Record(_, kept)) => {
            let fields = full.iter().zip(values).filter_map(|(field, val)| {
                let kept = kept.iter().find(|kept| kept.name == field.name)?;
                Some(pruned(val, &field.ty, &kept.ty))
            });
            Val::Record(fields.collect())
        }
        _ => val.clone(),
    }
}

fn project(dice: &mut Dice<'_>, ty: &Ty, path: &str, paths: &mut Vec<String>) -> Ty {
    let mut projected = ty.clone();
    match &mut projected.base {
        Base::Record(_, fields) if !fields.is_empty() => {
            *fields = project_fields(dice, fields, &format!("{path}."), paths);
        }
        Base::Array(item) => **item = project(dice, item, &format!("{path}[]"), paths),
        Base::Map(value) => **value = project(dice, value, &format!("{path}{{}}"), paths),
        Base::Union(branches) if branches.iter().filter(|ty| !ty.is_null()).count() == 1 => {
            for branch in branches.iter_mut().filter(|ty| !ty.is_null()) {
                *branch = project(dice, branch, path, paths);
            }
        }
        _ => paths.push(path.to_owned()),
    }
    projected
}

/// A few values of `ty` and their bytes: all of them plain, so that they make blocks, or each as it
/// comes.
pub(crate) fn bodies(dice: &mut Dice<'_>, ty: &Ty) -> Vec<(Val, Vec<u8>)> {
    let is_free = dice.once_in(2);
    let bodies = (0..=dice.below(4)).map(|_| {
        let val = value(dice, ty);
        let mut bytes = Vec::new();
        if is_free {
            encode_freely(dice, ty, &val, &mut bytes);
        } else {
            encode_plainly(ty, &val, &mut bytes);
        }
        (val, bytes)
    });
    bodies.collect()
}

/// The body with something wrong, or perhaps nothing.
pub(crate) fn spoil(dice: &mut Dice<'_>, body: &mut Vec<u8>) {
    const NASTY: [&[u8]; 6] = [
        &[0x80],
        &[0xff; 5],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        &[0x80; 11],
        &[0xc3, 0x28],
    ];
    for _ in 0..=dice.below(3) {
        let at = dice.below(body.len() + 1);
        match dice.below(6) {
            0 => body.truncate(at),
            1 if at < body.len() => body[at] ^= 1 << dice.below(8),
            2 => body.insert(at, dice.below(256) as u8),
            3 if at < body.len() => drop(body.remove(at)),
            4 => drop(body.splice(at..at, dice.pick(&NASTY).iter().copied())),
            _ if at < body.len() => body[at] = dice.below(256) as u8,
            _ => body.push(dice.below(256) as u8),
        }
    }
}
