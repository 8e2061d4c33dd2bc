//! Whether each option of a mapping is honoured, or refused by name.
//!
//! An option that is accepted has to show: no column may have a type that it chose against. Where
//! the corpus has no column that an option concerns, nothing can be seen, and nothing is asked.

use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;
use arrow_schema::{DataType, Field, Fields};
use sabot_decode::{
    BigDecimalType, BinaryType, EnumType, Mapping, MappingOption, OutputSchema, RecursionType, StringType,
    Target, TimeZone, UnionType, UuidType, WideDecimalType,
};

use super::harness::{Harness, Steps};
use super::{Invariant, Violation};

/// Tries every choice of every option, each alone.
pub(super) fn check(harness: Harness<'_>) -> Result<(), Violation> {
    for (option, choose) in CHOICES {
        let mut target = harness.target.clone();
        choose(&mut target.mapping);
        check_choice(harness, *option, &target)?;
    }
    let mut target = harness.target.clone();
    target.mapping.time_zone = TimeZone::Named("no zone".into());
    let is_refused = refusal(harness, &target)?.is_some_and(|message| message.contains("`time_zone`"));
    if is_refused {
        return Ok(());
    }
    Err(harness.violation(Invariant::Mapping, "\"no zone\" is not refused as a `time_zone`"))
}

type Choice = (MappingOption, fn(&mut Mapping));

/// What is not the default.
const CHOICES: &[Choice] = &[
    (MappingOption::Strings, |to| to.strings = StringType::LargeUtf8),
    (MappingOption::Strings, |to| to.strings = StringType::Utf8View),
    (MappingOption::Bytes, |to| to.bytes = BinaryType::LargeBinary),
    (MappingOption::Bytes, |to| to.bytes = BinaryType::BinaryView),
    (MappingOption::Enums, |to| to.enums = EnumType::Utf8),
    (MappingOption::Enums, |to| to.enums = EnumType::Int32),
    (MappingOption::Uuids, |to| to.uuids = UuidType::Utf8),
    (MappingOption::Unions, |to| to.unions = UnionType::Struct),
    (MappingOption::WideDecimals, |to| {
        to.wide_decimals = WideDecimalType::Utf8;
    }),
    (MappingOption::BigDecimals, |to| {
        to.big_decimals = BigDecimalType::Utf8;
    }),
    (MappingOption::Recursion, |to| {
        to.recursion = RecursionType::Refuse;
    }),
    (MappingOption::Recursion, |to| {
        to.recursion = RecursionType::Binary;
    }),
    (MappingOption::TimeZone, |to| to.time_zone = TimeZone::None),
    (MappingOption::TimeZone, |to| {
        to.time_zone = TimeZone::Named("Europe/Berlin".into());
    }),
];

fn check_choice(harness: Harness<'_>, option: MappingOption, target: &Target) -> Result<(), Violation> {
    let check = format!("the mapping {:?}", target.mapping);
    let harness = Harness {
        target,
        check: &check,
        ..harness
    };
    let fail = |message| Err(harness.violation(Invariant::Mapping, message));
    let name = format!("`{}`", option.name());
    let run = match harness.run(&harness.corpus.good_rows(), Steps::whole()) {
        Ok(run) => run,
        Err(refused) if refused.invariant.is_some() => return Err(refused),
        Err(refused) if refused.message.contains(&name) => return Ok(()),
        Err(refused) => return fail(format!("the error does not name {name}: {}", refused.message)),
    };
    if let Some(error) = run.errors.iter().flatten().next() {
        return fail(format!("a good payload is refused: {}", error.kind));
    }
    // A given schema says what the types are.
    let is_given = matches!(target.output, OutputSchema::Arrow(_));
    match unheeded(run.batch.schema().fields(), option, &target.mapping) {
        Some(field) if !is_given => fail(format!(
            "{name} is neither honoured nor refused: there is {field}"
        )),
        _ => Ok(()),
    }
}

/// Why the target is refused, if it is.
fn refusal(harness: Harness<'_>, target: &Target) -> Result<Option<String>, Violation> {
    let harness = Harness { target, ..harness };
    match harness.run(&harness.corpus.good_rows(), Steps::whole()) {
        Ok(_) => Ok(None),
        Err(refused) if refused.invariant.is_none() => Ok(Some(refused.message)),
        Err(violation) => Err(violation),
    }
}

/// A field, at any level, that has a type which the option chose against.
fn unheeded(fields: &Fields, option: MappingOption, mapping: &Mapping) -> Option<String> {
    fields.iter().find_map(|field| {
        if !is_heeded(field, option, mapping) {
            return Some(format!("{field:?}"));
        }
        match field.data_type() {
            DataType::Struct(fields) => unheeded(fields, option, mapping),
            DataType::List(inner) | DataType::Map(inner, _) => {
                unheeded(&[inner.clone()].into_iter().collect(), option, mapping)
            }
            DataType::Union(branches, _) => unheeded(
                &branches.iter().map(|(_, branch)| branch.clone()).collect(),
                option,
                mapping,
            ),
            _ => None,
        }
    })
}

fn is_heeded(field: &Field, option: MappingOption, mapping: &Mapping) -> bool {
    let ty = field.data_type();
    let metadata = |key: &str| field.metadata().get(key).map(String::as_str);
    let extension = metadata(EXTENSION_TYPE_NAME_KEY);
    let is_bytes = matches!(
        ty,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView
    );
    let is_text = matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let is_logical = |name| metadata("avro.logicalType") == Some(name);
    match option {
        MappingOption::Strings => !is_text || *ty == mapping.strings.data_type(),
        MappingOption::Bytes => !is_bytes || *ty == mapping.bytes.data_type(),
        MappingOption::Enums => !matches!(ty, DataType::Dictionary(..)),
        MappingOption::Uuids => extension != Some("arrow.uuid"),
        MappingOption::Unions => !matches!(ty, DataType::Union(..)),
        MappingOption::WideDecimals => !(is_bytes && is_logical("decimal")),
        MappingOption::BigDecimals => !(is_bytes && is_logical("big-decimal")),
        MappingOption::Recursion => extension != Some("arrow.json"),
        MappingOption::TimeZone => match ty {
            DataType::Timestamp(_, Some(zone)) => mapping.time_zone.name().as_ref() == Some(zone),
            _ => true,
        },
        other => panic!("{other:?} has no check"),
    }
}
