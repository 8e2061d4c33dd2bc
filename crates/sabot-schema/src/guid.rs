//! The GUID of a schema, computed offline.
//!
//! It is the MD5 of what `Schema.updateHash` of Confluent's registry (8.x) feeds to it: the text,
//! each reference, then, where present, a byte 1 and the metadata, a byte 1 and the rules. Strings
//! go in as UTF-8 without lengths between them. Maps and sets go in sorted as Java sorts strings,
//! by UTF-16 unit.

use std::collections::{BTreeMap, BTreeSet};

use md5::{Digest, Md5};
use sabot_wire::Guid;

use crate::{Metadata, Reference, Rule, RuleSet, Schema};

/// Sets absent metadata or rules apart from empty ones.
const PRESENT: [u8; 1] = [1];

impl Schema {
    /// The GUID that a Confluent registry gives to this schema, computed without asking one.
    ///
    /// It depends on the text byte for byte, as the registry stores it (which may be a normalised
    /// form of what was sent), on references, metadata and rules, and not on the kind.
    #[must_use]
    pub fn guid(&self) -> Guid {
        let mut md5 = Md5::new();
        md5.update(self.text.as_bytes());
        for reference in &self.references {
            update_reference(&mut md5, reference);
        }
        if let Some(metadata) = &self.metadata {
            md5.update(PRESENT);
            update_metadata(&mut md5, metadata);
        }
        if let Some(rule_set) = &self.rule_set {
            md5.update(PRESENT);
            update_rule_set(&mut md5, rule_set);
        }
        Guid::from_bytes(md5.finalize().into())
    }
}

fn update_reference(md5: &mut Md5, reference: &Reference) {
    md5.update(reference.name.as_bytes());
    md5.update(reference.subject.as_bytes());
    md5.update(reference.version.to_i32().to_be_bytes());
}

fn update_metadata(md5: &mut Md5, metadata: &Metadata) {
    for (path, tags) in java_entries(&metadata.tags) {
        md5.update(path.as_bytes());
        update_set(md5, tags);
    }
    update_map(md5, &metadata.properties);
    update_set(md5, &metadata.sensitive);
}

fn update_rule_set(md5: &mut Md5, rule_set: &RuleSet) {
    let RuleSet {
        migration_rules,
        domain_rules,
        encoding_rules,
        enable_at,
    } = rule_set;
    for rule in migration_rules.iter().chain(domain_rules).chain(encoding_rules) {
        update_rule(md5, rule);
    }
    update_option(md5, enable_at.as_ref());
}

fn update_rule(md5: &mut Md5, rule: &Rule) {
    md5.update(rule.name.as_bytes());
    update_option(md5, rule.doc.as_ref());
    md5.update(rule.kind.name());
    md5.update(rule.mode.name());
    update_option(md5, rule.rule_type.as_ref());
    update_set(md5, &rule.tags);
    update_map(md5, &rule.params);
    update_option(md5, rule.expr.as_ref());
    update_option(md5, rule.on_success.as_ref());
    update_option(md5, rule.on_failure.as_ref());
    if rule.disabled {
        md5.update(PRESENT);
    }
}

fn update_option(md5: &mut Md5, text: Option<&String>) {
    if let Some(text) = text {
        md5.update(text.as_bytes());
    }
}

fn update_map(md5: &mut Md5, map: &BTreeMap<String, String>) {
    for (key, value) in java_entries(map) {
        md5.update(key.as_bytes());
        md5.update(value.as_bytes());
    }
}

fn update_set(md5: &mut Md5, set: &BTreeSet<String>) {
    let mut items: Vec<&String> = set.iter().collect();
    items.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
    for item in items {
        md5.update(item.as_bytes());
    }
}

/// A map's entries in Java's order, which differs from ours beyond U+FFFF.
fn java_entries<V>(map: &BTreeMap<String, V>) -> Vec<(&String, &V)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RuleKind, RuleMode, Version, VersionSpec};

    fn strings<const N: usize>(items: [&str; N]) -> BTreeSet<String> {
        items.into_iter().map(str::to_owned).collect()
    }

    fn pairs<const N: usize>(items: [(&str, &str); N]) -> BTreeMap<String, String> {
        items
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    fn assert_guid(schema: &Schema, expected_hex: &str) {
        assert_eq!(schema.guid(), expected_hex.parse().unwrap(), "{schema:?}");
    }

    // The expected values are what md5sum gives for the bytes that the registry feeds to its hash,
    // written out by hand.

    #[test]
    fn references_count_with_their_versions() {
        let schema = Schema::avro("\"int\"").with_references([
            Reference::new("a.B", "b-value", Version::new(3).unwrap()),
            Reference::new("c", "d", VersionSpec::Latest),
        ]);
        assert_guid(&schema, "4cbcef1c6ce10e80a7cddfe38ad5e18e");
    }

    #[test]
    fn metadata_counts_in_sorted_order() {
        let metadata = Metadata {
            tags: BTreeMap::from([
                ("q".to_owned(), strings(["c"])),
                ("p".to_owned(), strings(["b", "a"])),
            ]),
            properties: pairs([("k2", "v2"), ("k1", "v1")]),
            sensitive: strings(["k2"]),
        };
        assert_guid(
            &Schema::avro("\"int\"").with_metadata(metadata),
            "3c93aca4925372d5b645ebaf9ce58fbf",
        );
    }

    #[test]
    fn empty_metadata_and_rules_differ_from_none() {
        let schema = Schema::avro("\"int\"").with_metadata(Metadata::default());
        assert_guid(&schema, "1d1d1f702ee55e038ce54f3b6703c50f");
        assert_guid(
            &schema.with_rule_set(RuleSet::default()),
            "6b6b733ea141d0f5a224e52ab264970c",
        );
    }

    #[test]
    fn rules_count_with_every_member() {
        let full = Rule {
            doc: Some("d".to_owned()),
            rule_type: Some("ENCRYPT".to_owned()),
            tags: strings(["TAG", "PII"]),
            params: pairs([("b", "2"), ("a", "1")]),
            expr: Some("x".to_owned()),
            on_success: Some("ok".to_owned()),
            on_failure: Some("ERROR,NONE".to_owned()),
            disabled: true,
            ..Rule::named("enc")
        };
        let rule_set = RuleSet {
            migration_rules: vec![Rule {
                mode: RuleMode::Upgrade,
                ..Rule::named("up")
            }],
            domain_rules: vec![full],
            encoding_rules: vec![Rule {
                kind: RuleKind::Condition,
                mode: RuleMode::Read,
                ..Rule::named("e")
            }],
            enable_at: Some("CLIENT".to_owned()),
        };
        assert_guid(
            &Schema::avro("\"int\"").with_rule_set(rule_set),
            "6516dbf3cf124d3d8743001a04fe9007",
        );
    }

    #[test]
    fn strings_sort_by_utf16_unit() {
        // U+1F600 is above U+FF5E, but its first surrogate is below.
        let metadata = Metadata {
            properties: pairs([("\u{ff5e}", "y"), ("\u{1f600}", "x")]),
            ..Metadata::default()
        };
        assert_guid(
            &Schema::avro("\"int\"").with_metadata(metadata),
            "7fa705dd425ce95a4c2a80b923a32278",
        );
    }
}
