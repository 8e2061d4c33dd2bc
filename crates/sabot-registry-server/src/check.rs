//! What a schema's text has to be, by its kind.

use std::collections::HashSet;

use sabot_schema::{Rule, RuleSet, Schema, SchemaKind};

use crate::StoreError;
use crate::avro::Avro;
use crate::json::Json;

/// A schema in its stored form, found well-formed.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) schema: Schema,
    pub(crate) model: Model,
}

/// What is known of a schema beyond its text.
#[derive(Debug)]
pub(crate) enum Model {
    Avro(Box<Avro>),
    /// Nothing: this crate reads neither JSON Schema nor Protobuf.
    Opaque,
}

/// Brings `schema` into its stored form. `references` are the texts it depends on, each after its
/// own dependencies.
pub(crate) fn check(
    mut schema: Schema,
    references: &[Schema],
    normalize: bool,
) -> Result<Checked, StoreError> {
    if schema.text.trim().is_empty() {
        return Err(StoreError::invalid_schema("Empty schema"));
    }
    if let Some(rule_set) = &schema.rule_set {
        check_rules(rule_set)?;
    }
    if references.iter().any(|reference| reference.kind != schema.kind) {
        return Err(StoreError::invalid_schema(
            "a reference leads to a schema of another type",
        ));
    }
    if normalize {
        schema
            .references
            .sort_by(|a, b| (&a.subject, a.version.to_i32()).cmp(&(&b.subject, b.version.to_i32())));
        schema.references.dedup();
    }
    let model = match schema.kind {
        SchemaKind::Avro => {
            let texts = references.iter().map(|reference| &*reference.text);
            let mut avro = Avro::parse(&schema.text, texts).map_err(StoreError::invalid_schema)?;
            if normalize {
                avro.normalize();
            }
            schema.text = avro.canonical().map_err(StoreError::invalid_schema)?.into();
            Model::Avro(Box::new(avro))
        }
        SchemaKind::Json => {
            let json = Json::parse(&schema.text).map_err(StoreError::invalid_schema)?;
            if !matches!(json, Json::Object(_) | Json::Bool(_)) {
                return Err(StoreError::invalid_schema(
                    "a JSON schema is an object or a boolean",
                ));
            }
            schema.text = json.to_string().into();
            Model::Opaque
        }
        SchemaKind::Protobuf => Model::Opaque,
        kind => {
            return Err(StoreError::invalid_schema(format_args!(
                "a registry takes no schema of type {kind}"
            )));
        }
    };
    Ok(Checked { schema, model })
}

fn check_rules(rule_set: &RuleSet) -> Result<(), StoreError> {
    let RuleSet {
        migration_rules,
        domain_rules,
        encoding_rules,
        ..
    } = rule_set;
    for (rules, migration) in [
        (migration_rules, true),
        (domain_rules, false),
        (encoding_rules, false),
    ] {
        let mut names = HashSet::new();
        for rule in rules {
            check_rule(rule, migration)?;
            if !names.insert(&rule.name) {
                let message = format!("Found rule with duplicate name '{}'", rule.name);
                return Err(StoreError::invalid_rules(message));
            }
        }
    }
    Ok(())
}

fn check_rule(rule: &Rule, migration: bool) -> Result<(), StoreError> {
    let Rule {
        name,
        mode,
        rule_type,
        ..
    } = rule;
    let starts_well = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
    if !starts_well || !name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
        return Err(StoreError::invalid_rules(format_args!(
            "Illegal rule name '{name}'"
        )));
    }
    if rule_type.is_none() {
        return Err(StoreError::invalid_rules(format_args!(
            "Missing type of rule '{name}'"
        )));
    }
    if mode.is_migration() != migration {
        let message = format!(
            "Rule '{name}' has the mode {}, which its list does not take",
            mode.name()
        );
        return Err(StoreError::invalid_rules(message));
    }
    Ok(())
}
