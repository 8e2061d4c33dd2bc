//! Which changes a compatibility level lets pass.
//!
//! Avro alone is understood. What cannot be checked is refused rather than called compatible: a
//! JSON or Protobuf schema passes where it equals the version before, or where the level is `NONE`.

use sabot_schema::{CompatibilityLevel, RegisteredSchema, Schema, SchemaKind, Subject, VersionSpec};

use super::Store;
use crate::StoreError;
use crate::avro::can_read;
use crate::check::{Checked, Model};

impl Store {
    /// What keeps a schema from being registered under a subject; nothing if it can be.
    ///
    /// With `version` it is held against that version alone, otherwise against those that the
    /// subject's level says.
    ///
    /// # Errors
    ///
    /// 40402 where the version does not exist, 42201 for a malformed schema, 42205 where its kind
    /// cannot be checked.
    pub fn test_compatibility(
        &self,
        subject: &Subject,
        schema: Schema,
        version: Option<VersionSpec>,
        normalize: bool,
    ) -> Result<Vec<String>, StoreError> {
        let versions = match version {
            None => self.live_versions(subject),
            Some(VersionSpec::Latest) => self.live_versions(subject).pop().into_iter().collect(),
            Some(exact) => {
                let missing = |_| StoreError::version_not_found(exact);
                vec![self.version(subject, exact, false).map_err(missing)?]
            }
        };
        let normalize = normalize || self.config_in_scope(subject).normalize == Some(true);
        let checked = self.check(subject, schema, normalize, false)?;
        self.incompatibilities(subject, &checked, &versions)
    }

    pub(super) fn refuse_incompatible(&self, subject: &Subject, new: &Checked) -> Result<(), StoreError> {
        let messages = self.incompatibilities(subject, new, &self.live_versions(subject))?;
        if messages.is_empty() {
            Ok(())
        } else {
            Err(StoreError::incompatible(subject, &messages))
        }
    }

    fn live_versions(&self, subject: &Subject) -> Vec<RegisteredSchema> {
        let entries = self.entries(subject).filter(|(_, entry)| !entry.deleted);
        entries
            .filter_map(|(version, entry)| self.registered(subject, version, entry))
            .collect()
    }

    /// Compares with the newest of `olds`, or with all of them, newest first.
    fn incompatibilities(
        &self,
        subject: &Subject,
        new: &Checked,
        olds: &[RegisteredSchema],
    ) -> Result<Vec<String>, StoreError> {
        let level = self.config_in_scope(subject).level.unwrap_or_default();
        if level == CompatibilityLevel::None {
            return Ok(Vec::new());
        }
        let count = if level.is_transitive() { olds.len() } else { 1 };
        let mut messages = Vec::new();
        for old in olds.iter().rev().take(count) {
            let found = self.compare(level, new, old)?;
            if !found.is_empty() {
                messages.extend(found);
                messages.push(format!("{{oldSchemaVersion: {}}}", old.version));
                messages.push(format!("{{oldSchema: '{}'}}", old.schema.text));
            }
        }
        if !messages.is_empty() {
            messages.push(format!("{{compatibility: '{level}'}}"));
        }
        Ok(messages)
    }

    fn compare(
        &self,
        level: CompatibilityLevel,
        new: &Checked,
        old: &RegisteredSchema,
    ) -> Result<Vec<String>, StoreError> {
        if new.schema.kind != old.schema.kind {
            return Ok(vec!["Incompatible because of different schema type".to_owned()]);
        }
        if new.schema.text == old.schema.text && new.schema.references == old.schema.references {
            return Ok(Vec::new());
        }
        let old = self.check(&old.subject, old.schema.clone(), false, true)?;
        let (Model::Avro(new), Model::Avro(old)) = (&new.model, &old.model) else {
            return Err(unsupported(new.schema.kind));
        };
        let mut messages = Vec::new();
        if level.is_backward() {
            messages.extend(can_read(new, old, true).map_err(StoreError::not_permitted)?);
        }
        if level.is_forward() {
            messages.extend(can_read(old, new, false).map_err(StoreError::not_permitted)?);
        }
        Ok(messages)
    }
}

fn unsupported(kind: SchemaKind) -> StoreError {
    StoreError::not_permitted(format!(
        "This registry does not check the compatibility of {kind} schemas: set the subject's compatibility to NONE"
    ))
}
