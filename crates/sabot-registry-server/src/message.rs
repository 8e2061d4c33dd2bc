//! The JSON of requests and answers, and its way to and from the types of `sabot-schema`.

use std::collections::{BTreeMap, BTreeSet};

use sabot_schema::{
    CompatibilityLevel, Metadata, Reference, RegisteredSchema, Rule, RuleKind, RuleMode, RuleSet, Schema,
    SchemaId, SchemaKind, Version, VersionSpec,
};
use serde::{Deserialize, Serialize};

use crate::{Config, StoreError};

/// What a client sends to register, look up or test a schema.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SchemaRequest {
    /// Java's client sends 0 or -1 for none, here and in `id`.
    version: Option<i64>,
    id: Option<i64>,
    schema_type: Option<String>,
    schema: Option<String>,
    references: Option<Vec<ReferenceMessage>>,
    metadata: Option<MetadataMessage>,
    rule_set: Option<RuleSetMessage>,
}

impl SchemaRequest {
    pub(crate) fn id(&self) -> Option<SchemaId> {
        self.id.and_then(|id| u32::try_from(id).ok()).map(SchemaId)
    }

    pub(crate) fn version(&self) -> Option<Version> {
        self.version
            .and_then(|version| Version::new(u32::try_from(version).ok()?))
    }

    pub(crate) fn into_schema(self) -> Result<Schema, StoreError> {
        let kind = match &self.schema_type {
            None => SchemaKind::Avro,
            Some(name) => SchemaKind::from_name(name)
                .ok_or_else(|| StoreError::invalid_schema(format_args!("Invalid schema type {name}")))?,
        };
        let mut schema = Schema::new(kind, self.schema.unwrap_or_default());
        let references = self
            .references
            .unwrap_or_default()
            .into_iter()
            .map(ReferenceMessage::into_reference);
        schema.references = references.collect::<Result<_, _>>()?;
        schema.metadata = self.metadata.map(MetadataMessage::into_metadata);
        schema.rule_set = self.rule_set.map(RuleSetMessage::into_rule_set).transpose()?;
        Ok(schema)
    }
}

/// A schema as an answer. Each endpoint leaves out what it does not tell.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SchemaMessage {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<u32>,
    pub(crate) guid: String,
    pub(crate) schema_type: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) references: Vec<ReferenceMessage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<MetadataMessage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rule_set: Option<RuleSetMessage>,
    pub(crate) schema: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_id: Option<u32>,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) deleted: bool,
}

impl From<RegisteredSchema> for SchemaMessage {
    fn from(registered: RegisteredSchema) -> Self {
        let schema = registered.schema;
        Self {
            subject: Some(registered.subject.to_string()),
            version: Some(registered.version.get()),
            id: Some(registered.id.0),
            guid: registered.guid.to_string(),
            schema_type: schema.kind.name(),
            references: schema.references.iter().map(ReferenceMessage::from).collect(),
            metadata: schema.metadata.map(MetadataMessage::from),
            rule_set: schema.rule_set.map(RuleSetMessage::from),
            schema: schema.text.to_string(),
            max_id: None,
            deleted: registered.deleted,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReferenceMessage {
    name: String,
    subject: String,
    version: i32,
}

impl ReferenceMessage {
    fn into_reference(self) -> Result<Reference, StoreError> {
        let version = VersionSpec::from_i32(self.version).map_err(StoreError::invalid_schema)?;
        Ok(Reference::new(self.name, self.subject, version))
    }
}

impl From<&Reference> for ReferenceMessage {
    fn from(reference: &Reference) -> Self {
        let Reference {
            name,
            subject,
            version,
        } = reference;
        Self {
            name: name.to_string(),
            subject: subject.to_string(),
            version: version.to_i32(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MetadataMessage {
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<BTreeMap<String, BTreeSet<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sensitive: Option<BTreeSet<String>>,
}

impl MetadataMessage {
    fn into_metadata(self) -> Metadata {
        Metadata {
            tags: self.tags.unwrap_or_default(),
            properties: self.properties.unwrap_or_default(),
            sensitive: self.sensitive.unwrap_or_default(),
        }
    }
}

impl From<Metadata> for MetadataMessage {
    fn from(metadata: Metadata) -> Self {
        let Metadata {
            tags,
            properties,
            sensitive,
        } = metadata;
        Self {
            tags: Some(tags).filter(|tags| !tags.is_empty()),
            properties: Some(properties).filter(|properties| !properties.is_empty()),
            sensitive: Some(sensitive).filter(|sensitive| !sensitive.is_empty()),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuleSetMessage {
    #[serde(skip_serializing_if = "Option::is_none")]
    migration_rules: Option<Vec<RuleMessage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain_rules: Option<Vec<RuleMessage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_rules: Option<Vec<RuleMessage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_at: Option<String>,
}

impl RuleSetMessage {
    fn into_rule_set(self) -> Result<RuleSet, StoreError> {
        let rules = |rules: Option<Vec<RuleMessage>>| -> Result<Vec<Rule>, StoreError> {
            rules
                .unwrap_or_default()
                .into_iter()
                .map(RuleMessage::into_rule)
                .collect()
        };
        Ok(RuleSet {
            migration_rules: rules(self.migration_rules)?,
            domain_rules: rules(self.domain_rules)?,
            encoding_rules: rules(self.encoding_rules)?,
            enable_at: self.enable_at,
        })
    }
}

impl From<RuleSet> for RuleSetMessage {
    fn from(rule_set: RuleSet) -> Self {
        let rules = |rules: Vec<Rule>| {
            (!rules.is_empty()).then(|| rules.into_iter().map(RuleMessage::from).collect())
        };
        Self {
            migration_rules: rules(rule_set.migration_rules),
            domain_rules: rules(rule_set.domain_rules),
            encoding_rules: rules(rule_set.encoding_rules),
            enable_at: rule_set.enable_at,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleMessage {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    doc: Option<String>,
    kind: Option<String>,
    mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
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

impl RuleMessage {
    fn into_rule(self) -> Result<Rule, StoreError> {
        let unknown =
            |what: &str, name: &str| StoreError::invalid_rules(format_args!("{name} is not a rule's {what}"));
        let kind = match &self.kind {
            None => RuleKind::default(),
            Some(name) => RuleKind::from_name(name).ok_or_else(|| unknown("kind", name))?,
        };
        let mode = match &self.mode {
            None => RuleMode::default(),
            Some(name) => RuleMode::from_name(name).ok_or_else(|| unknown("mode", name))?,
        };
        Ok(Rule {
            name: self.name,
            doc: self.doc,
            kind,
            mode,
            rule_type: self.r#type,
            tags: self.tags.unwrap_or_default(),
            params: self.params.unwrap_or_default(),
            expr: self.expr,
            on_success: self.on_success,
            on_failure: self.on_failure,
            disabled: self.disabled.unwrap_or(false),
        })
    }
}

impl From<Rule> for RuleMessage {
    fn from(rule: Rule) -> Self {
        Self {
            name: rule.name,
            doc: rule.doc,
            kind: Some(rule.kind.name().to_owned()),
            mode: Some(rule.mode.name().to_owned()),
            r#type: rule.rule_type,
            tags: Some(rule.tags).filter(|tags| !tags.is_empty()),
            params: Some(rule.params).filter(|params| !params.is_empty()),
            expr: rule.expr,
            on_success: rule.on_success,
            on_failure: rule.on_failure,
            disabled: Some(rule.disabled),
        }
    }
}

/// A configuration as it is set. What this registry does not do is refused rather than ignored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ConfigRequest {
    #[serde(alias = "compatibilityLevel", skip_serializing_if = "Option::is_none")]
    compatibility: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    normalize: Option<bool>,
}

impl ConfigRequest {
    pub(crate) fn into_config(self) -> Result<Config, StoreError> {
        let level = self.compatibility.map(|name| name.parse::<CompatibilityLevel>());
        let level = level.transpose().map_err(|_| StoreError::invalid_level())?;
        Ok(Config {
            level,
            normalize: self.normalize,
        })
    }
}

impl From<Config> for ConfigRequest {
    fn from(config: Config) -> Self {
        Self {
            compatibility: config.level.map(|level| level.to_string()),
            normalize: config.normalize,
        }
    }
}

/// A configuration as it is read, where the level has another name than where it is set.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConfigMessage {
    #[serde(skip_serializing_if = "Option::is_none")]
    compatibility_level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    normalize: Option<bool>,
}

impl From<Config> for ConfigMessage {
    fn from(config: Config) -> Self {
        Self {
            compatibility_level: config.level.map(CompatibilityLevel::name),
            normalize: config.normalize,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ModeMessage {
    pub(crate) mode: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct CompatibilityMessage {
    pub(crate) is_compatible: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) messages: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ErrorMessage<'a> {
    pub(crate) error_code: u32,
    pub(crate) message: &'a str,
}

#[derive(Debug, Serialize)]
pub(crate) struct SubjectVersionMessage {
    pub(crate) subject: String,
    pub(crate) version: u32,
}

#[derive(Debug, Serialize)]
pub(crate) struct ContextIdMessage {
    pub(crate) context: String,
    pub(crate) id: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
