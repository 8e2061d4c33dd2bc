//! The shapes of a registry's JSON, and their way to and from the types of `sabot-schema`.
//!
//! Unknown members are passed over, and null is the same as absent, so that newer registries do not
//! break the client.

use std::collections::{BTreeMap, BTreeSet};

use sabot_schema::{
    Guid, Metadata, Reference, RegisteredSchema, Rule, RuleKind, RuleMode, RuleSet, Schema, SchemaId,
    SchemaKind, Subject, Version, VersionSpec,
};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind};

/// `SchemaString` (the answer of /schemas/ids and /schemas/guids), and what is sent to register,
/// look up or check.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SchemaJson {
    schema: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    references: Option<Vec<ReferenceJson>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<MetadataJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_set: Option<RuleSetJson>,
}

/// `Schema`: a schema under its subject.
#[derive(Debug, Deserialize)]
pub(crate) struct RegisteredJson {
    subject: String,
    version: i64,
    id: u32,
    guid: Option<String>,
    deleted: Option<bool>,
    #[serde(flatten)]
    schema: SchemaJson,
}

/// The answer to registering.
#[derive(Debug, Deserialize)]
pub(crate) struct RegistrationJson {
    pub(crate) id: u32,
    pub(crate) version: Option<u32>,
    pub(crate) guid: Option<String>,
}

/// The answer to a compatibility check.
#[derive(Debug, Deserialize)]
pub(crate) struct CompatibilityJson {
    pub(crate) is_compatible: bool,
    pub(crate) messages: Option<Vec<String>>,
}

/// /config: asked for, it is `compatibilityLevel`; set, it is `compatibility`.
#[derive(Debug, Deserialize)]
pub(crate) struct ConfigJson {
    #[serde(rename = "compatibilityLevel", alias = "compatibility")]
    pub(crate) level: Option<String>,
}

/// /mode.
#[derive(Debug, Deserialize)]
pub(crate) struct ModeJson {
    pub(crate) mode: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct ReferenceJson {
    name: String,
    subject: String,
    version: i32,
}

#[derive(Debug, Deserialize, Serialize)]
struct MetadataJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<BTreeMap<String, BTreeSet<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sensitive: Option<BTreeSet<String>>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleSetJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    migration_rules: Option<Vec<RuleJson>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain_rules: Option<Vec<RuleJson>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_rules: Option<Vec<RuleJson>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_at: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleJson {
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    doc: Option<String>,
    kind: Option<String>,
    mode: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    rule_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_success: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_failure: Option<String>,
    disabled: Option<bool>,
}

impl SchemaJson {
    pub(crate) fn into_schema(self) -> Result<Schema, Error> {
        let name = self.schema_type.as_deref().unwrap_or(SchemaKind::Avro.name());
        let kind = SchemaKind::from_name(name).ok_or_else(|| {
            Error::new(
                ErrorKind::Unreadable,
                format!("its type {name:?} is none of AVRO, PROTOBUF and JSON"),
            )
        })?;
        let mut schema = Schema::new(kind, self.schema);
        for ReferenceJson {
            name,
            subject,
            version,
        } in self.references.unwrap_or_default()
        {
            let version = VersionSpec::from_i32(version).map_err(|error| {
                Error::new(ErrorKind::Protocol, format!("reference {name:?}: {error}")).with_source(error)
            })?;
            schema.references.push(Reference::new(name, subject, version));
        }
        schema.metadata = self.metadata.map(MetadataJson::into_metadata);
        schema.rule_set = self.rule_set.map(RuleSetJson::into_rule_set);
        Ok(schema)
    }

    pub(crate) fn of(schema: &Schema) -> Self {
        let references = schema.references.iter().map(|reference| ReferenceJson {
            name: reference.name.to_string(),
            subject: reference.subject.to_string(),
            version: reference.version.to_i32(),
        });
        Self {
            schema: schema.text.to_string(),
            // Registries from before there were other types know no such member.
            schema_type: (schema.kind != SchemaKind::Avro).then(|| schema.kind.name().to_owned()),
            references: (!schema.references.is_empty()).then(|| references.collect()),
            metadata: schema.metadata.as_ref().map(MetadataJson::of),
            rule_set: schema.rule_set.as_ref().map(RuleSetJson::of),
        }
    }
}

impl RegisteredJson {
    pub(crate) fn into_registered(self) -> Result<RegisteredSchema, Error> {
        let version = u32::try_from(self.version)
            .ok()
            .and_then(Version::new)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Protocol,
                    format!("{} is not a version number", self.version),
                )
            })?;
        let schema = self.schema.into_schema()?;
        let mut registered =
            RegisteredSchema::new(Subject::from(self.subject), version, SchemaId(self.id), schema);
        registered.deleted = self.deleted.unwrap_or(false);
        if let Some(guid) = parse_guid(self.guid.as_deref()) {
            registered.guid = guid;
        }
        Ok(registered)
    }
}

/// Registries before 7.9, and Apicurio, send none; what cannot be read counts as none, for it can
/// be computed.
pub(crate) fn parse_guid(text: Option<&str>) -> Option<Guid> {
    text.and_then(|text| text.parse().ok())
}

impl MetadataJson {
    fn into_metadata(self) -> Metadata {
        Metadata {
            tags: self.tags.unwrap_or_default(),
            properties: self.properties.unwrap_or_default(),
            sensitive: self.sensitive.unwrap_or_default(),
        }
    }

    fn of(metadata: &Metadata) -> Self {
        Self {
            tags: (!metadata.tags.is_empty()).then(|| metadata.tags.clone()),
            properties: (!metadata.properties.is_empty()).then(|| metadata.properties.clone()),
            sensitive: (!metadata.sensitive.is_empty()).then(|| metadata.sensitive.clone()),
        }
    }
}

impl RuleSetJson {
    fn into_rule_set(self) -> RuleSet {
        let rules = |rules: Option<Vec<RuleJson>>| {
            rules
                .unwrap_or_default()
                .into_iter()
                .map(RuleJson::into_rule)
                .collect()
        };
        RuleSet {
            migration_rules: rules(self.migration_rules),
            domain_rules: rules(self.domain_rules),
            encoding_rules: rules(self.encoding_rules),
            enable_at: self.enable_at,
        }
    }

    fn of(set: &RuleSet) -> Self {
        let rules = |rules: &[Rule]| (!rules.is_empty()).then(|| rules.iter().map(RuleJson::of).collect());
        Self {
            migration_rules: rules(&set.migration_rules),
            domain_rules: rules(&set.domain_rules),
            encoding_rules: rules(&set.encoding_rules),
            enable_at: set.enable_at.clone(),
        }
    }
}

impl RuleJson {
    /// A kind or mode from the future reads as the default: it must not keep anyone from reading
    /// messages.
    fn into_rule(self) -> Rule {
        Rule {
            doc: self.doc,
            kind: self
                .kind
                .as_deref()
                .and_then(RuleKind::from_name)
                .unwrap_or_default(),
            mode: self
                .mode
                .as_deref()
                .and_then(RuleMode::from_name)
                .unwrap_or_default(),
            rule_type: self.rule_type,
            tags: self.tags.unwrap_or_default(),
            params: self.params.unwrap_or_default(),
            expr: self.expr,
            on_success: self.on_success,
            on_failure: self.on_failure,
            disabled: self.disabled.unwrap_or(false),
            ..Rule::named(self.name.unwrap_or_default())
        }
    }

    fn of(rule: &Rule) -> Self {
        Self {
            name: Some(rule.name.clone()),
            doc: rule.doc.clone(),
            kind: Some(rule.kind.name().to_owned()),
            mode: Some(rule.mode.name().to_owned()),
            rule_type: rule.rule_type.clone(),
            tags: (!rule.tags.is_empty()).then(|| rule.tags.clone()),
            params: (!rule.params.is_empty()).then(|| rule.params.clone()),
            expr: rule.expr.clone(),
            on_success: rule.on_success.clone(),
            on_failure: rule.on_failure.clone(),
            disabled: Some(rule.disabled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_survives_its_json() {
        let rule = Rule {
            doc: Some("d".into()),
            kind: RuleKind::Condition,
            mode: RuleMode::UpDown,
            rule_type: Some("CEL".into()),
            tags: ["PII".to_owned()].into(),
            params: [("a".to_owned(), "b".to_owned())].into(),
            expr: Some("x > 1".into()),
            on_success: Some("NONE".into()),
            on_failure: Some("DLQ".into()),
            disabled: true,
            ..Rule::named("r")
        };
        let metadata = Metadata {
            tags: [("**.ssn".to_owned(), ["PII".to_owned()].into())].into(),
            properties: [("owner".to_owned(), "me".to_owned())].into(),
            sensitive: ["owner".to_owned()].into(),
        };
        let rules = RuleSet {
            migration_rules: vec![rule.clone()],
            domain_rules: vec![rule.clone(), Rule::named("other")],
            encoding_rules: vec![rule],
            enable_at: Some("CLIENT".into()),
        };
        let version = VersionSpec::from_i32(3).unwrap();
        for schema in [
            Schema::avro("\"string\""),
            Schema::new(SchemaKind::Protobuf, "x").with_references([Reference::new("n", ":.c:s", version)]),
            Schema::new(SchemaKind::Json, "{}")
                .with_metadata(metadata)
                .with_rule_set(rules)
                .with_references([Reference::new("n", "s", VersionSpec::Latest)]),
        ] {
            let json = serde_json::to_string(&SchemaJson::of(&schema)).unwrap();
            let read: SchemaJson = serde_json::from_str(&json).unwrap();
            assert_eq!(read.into_schema().unwrap(), schema, "{json}");
        }
    }

    #[test]
    fn null_and_unknown_members_do_no_harm() {
        let text = r#"{"subject":"s","version":1,"id":7,"guid":null,"deleted":null,"schema":"x","schemaType":null,
            "references":null,"metadata":null,"ruleSet":{"domainRules":[{"name":"r","kind":"NEW","tags":null}]},"ts":1}"#;
        let read: RegisteredJson = serde_json::from_str(text).unwrap();
        let registered = read.into_registered().unwrap();
        assert_eq!(registered.id, SchemaId(7));
        assert_eq!(registered.schema.kind, SchemaKind::Avro);
        assert_eq!(registered.guid, registered.schema.guid());
        assert_eq!(
            registered.schema.rule_set.unwrap().domain_rules,
            [Rule::named("r")]
        );
    }

    #[test]
    fn what_cannot_be_a_schema_is_refused() {
        let kind = |text: &str| {
            serde_json::from_str::<SchemaJson>(text)
                .unwrap()
                .into_schema()
                .unwrap_err()
                .kind()
        };
        assert_eq!(
            kind(r#"{"schema":"x","schemaType":"THRIFT"}"#),
            ErrorKind::Unreadable
        );
        let reference = r#"{"schema":"x","references":[{"name":"n","subject":"s","version":0}]}"#;
        assert_eq!(kind(reference), ErrorKind::Protocol);
    }
}
