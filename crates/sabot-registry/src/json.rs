//! The shapes of a registry's JSON. Unknown members are passed over, so that newer registries do not break the client.

use serde::{Deserialize, Serialize};

/// `SchemaString` and `Schema` in one: the answers of /schemas/ids, /schemas/guids and /subjects/.../versions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SchemaJson {
    pub(crate) schema: String,
    pub(crate) schema_type: Option<String>,
    #[serde(default)]
    pub(crate) references: Option<Vec<ReferenceJson>>,
    pub(crate) rule_set: Option<RuleSetJson>,
    pub(crate) subject: Option<String>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct ReferenceJson {
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) version: i32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuleSetJson {
    #[serde(default)]
    domain_rules: Option<Vec<RuleJson>>,
    #[serde(default)]
    encoding_rules: Option<Vec<RuleJson>>,
}

#[derive(Debug, Deserialize)]
struct RuleJson {
    #[serde(default)]
    name: String,
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    disabled: bool,
}

impl RuleSetJson {
    /// The name of the first rule in force that turns values, or whole payloads, into ciphertext.
    pub(crate) fn encrypting_rule(&self) -> Option<&str> {
        let rules = [&self.domain_rules, &self.encoding_rules].into_iter().flatten().flatten();
        let mut encrypting = rules.filter(|rule| {
            !rule.disabled && rule.kind.as_deref().is_some_and(|kind| matches!(kind, "ENCRYPT" | "ENCRYPT_PAYLOAD"))
        });
        encrypting.next().map(|rule| rule.name.as_str())
    }
}
