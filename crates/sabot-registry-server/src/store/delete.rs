//! Deletion: soft first, which hides a version, then hard, which forgets it.

use sabot_schema::{SchemaId, Subject, Version, VersionSpec};

use super::{Entry, Store};
use crate::StoreError;

impl Store {
    /// Deletes every version of a subject and says which these were.
    ///
    /// # Errors
    ///
    /// 40401 where the subject does not exist, 40404 where it is soft-deleted already, 40405 where
    /// it is to be forgotten without having been, 42205 where its mode does not allow it, 42206
    /// where another subject's schema refers to it.
    pub fn delete_subject(&mut self, subject: &Subject, permanent: bool) -> Result<Vec<Version>, StoreError> {
        self.allow_writing(subject)?;
        if !self.has_subject(subject, true) {
            return Err(StoreError::subject_not_found(subject));
        }
        if !permanent && !self.has_subject(subject, false) {
            return Err(StoreError::subject_soft_deleted(subject));
        }
        let versions: Vec<Version> = self
            .entries(subject)
            .filter(|(_, entry)| permanent || !entry.deleted)
            .map(|(version, _)| version)
            .collect();
        for version in &versions {
            if self.is_referenced(subject, *version, permanent, Some(subject)) {
                return Err(StoreError::referenced(subject, version));
            }
        }
        if permanent && self.has_subject(subject, false) {
            return Err(StoreError::subject_not_soft_deleted(subject));
        }
        for version in &versions {
            self.remove(subject, *version, permanent);
        }
        Ok(versions)
    }

    /// Deletes one version and says which it was.
    ///
    /// # Errors
    ///
    /// 40401 where the subject does not exist, 40402 where it does not have the version, 40406
    /// where that is soft-deleted already, 40407 where it is to be forgotten without having been,
    /// 42205 where the subject's mode does not allow it, 42206 where another schema refers to it.
    pub fn delete_version(
        &mut self,
        subject: &Subject,
        version: VersionSpec,
        permanent: bool,
    ) -> Result<Version, StoreError> {
        self.allow_writing(subject)?;
        // The latest is the latest of those that are left, unless none is.
        let live = version == VersionSpec::Latest && self.has_subject(subject, false);
        let found = self.version(subject, version, !live)?;
        let version = found.version;
        if !permanent && found.deleted {
            return Err(StoreError::version_soft_deleted(subject, version));
        }
        if self.is_referenced(subject, version, permanent, None) {
            return Err(StoreError::referenced(subject, version));
        }
        if permanent && !found.deleted {
            return Err(StoreError::version_not_soft_deleted(subject, version));
        }
        self.remove(subject, version, permanent);
        Ok(version)
    }

    /// Forgets the soft-deleted versions that a new version of the same schema replaces, but for
    /// those still referred to.
    pub(super) fn drop_superseded(&mut self, subject: &Subject, id: SchemaId, version: Version) {
        let superseded = |(at, entry): &(Version, Entry)| entry.deleted && entry.id == id && *at < version;
        let superseded: Vec<_> = self.entries(subject).filter(superseded).collect();
        for (version, _) in superseded {
            if !self.is_referenced(subject, version, true, None) {
                self.remove(subject, version, true);
            }
        }
    }

    /// Whether a schema refers to this version: one that is not soft-deleted (or any, with
    /// `deleted`), and not under the subject `except`.
    fn is_referenced(
        &self,
        subject: &Subject,
        version: Version,
        deleted: bool,
        except: Option<&Subject>,
    ) -> bool {
        self.referrers(subject, version)
            .any(|referrer| (deleted || !referrer.deleted) && except != Some(&referrer.subject))
    }

    fn remove(&mut self, subject: &Subject, version: Version, permanent: bool) {
        let Some(shelf) = self.shelves.get_mut(subject.context()) else {
            return;
        };
        let Some(versions) = shelf.subjects.get_mut(subject.name()) else {
            return;
        };
        if !permanent {
            if let Some(entry) = versions.get_mut(&version) {
                entry.deleted = true;
            }
            return;
        }
        let Some(Entry { id, .. }) = versions.remove(&version) else {
            return;
        };
        let is_last = versions.is_empty();
        if is_last {
            shelf.subjects.remove(subject.name());
        }
        let mut entries = shelf.subjects.values().flat_map(|versions| versions.values());
        if !entries.any(|entry| entry.id == id)
            && let Some(schema) = shelf.schemas.remove(&id)
        {
            shelf.ids.remove(&schema);
        }
        if is_last {
            self.settings.remove(&Some(subject.clone()));
        }
    }
}
