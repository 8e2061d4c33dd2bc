//! Compatibility levels and modes: of a subject, of a context, of the whole registry.
//!
//! A setting holds for what is below it and sets nothing itself: subject, then its context (for the
//! default context the top level), then the global context `:.__GLOBAL:`. A context is spelt as the
//! subject without a name, `:.a:`.

use sabot_schema::{CompatibilityLevel, Context, Mode, Subject};

use super::Store;
use crate::StoreError;

/// A compatibility configuration. What is `None` is not set at this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a plain record of the registry's own format"
)]
pub struct Config {
    /// Which changes pass.
    pub level: Option<CompatibilityLevel>,
    /// Whether schemas are normalised without being asked to.
    pub normalize: Option<bool>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Settings {
    config: Option<Config>,
    mode: Option<Mode>,
}

impl Store {
    /// The configuration of one place (`None`: the top level), with the default level where it has
    /// none.
    ///
    /// # Errors
    ///
    /// 40408 where it has no configuration.
    pub fn config(&self, place: Option<&Subject>) -> Result<Config, StoreError> {
        let key = key(place);
        let own = self.settings.get(&key).and_then(|settings| settings.config);
        let config = match (own, place) {
            (None, Some(subject)) if key.is_some() => return Err(StoreError::no_compatibility(subject)),
            (own, _) => own.unwrap_or_default(),
        };
        Ok(Config {
            level: config.level.or(Some(CompatibilityLevel::default())),
            ..config
        })
    }

    /// The configuration that holds for a subject; its level is always set.
    #[must_use]
    pub fn config_in_scope(&self, subject: &Subject) -> Config {
        let places = places(subject);
        let configs = places.iter().filter_map(|place| self.settings.get(place)?.config);
        let merged = configs.fold(Config::default(), |inner, outer| Config {
            level: inner.level.or(outer.level),
            normalize: inner.normalize.or(outer.normalize),
        });
        Config {
            level: merged.level.or(Some(CompatibilityLevel::default())),
            ..merged
        }
    }

    /// Sets what `config` sets, leaves the rest, and gives the outcome.
    ///
    /// # Errors
    ///
    /// 42208 for a reserved subject.
    pub fn set_config(&mut self, place: Option<&Subject>, config: Config) -> Result<Config, StoreError> {
        let settings = self.settings.entry(valid_key(place)?).or_default();
        let old = settings.config.unwrap_or_default();
        let new = Config {
            level: config.level.or(old.level),
            normalize: config.normalize.or(old.normalize),
        };
        settings.config = Some(new);
        Ok(new)
    }

    /// Takes a configuration away and gives what it was.
    ///
    /// # Errors
    ///
    /// 40401 where a subject has none; the top level always has one.
    pub fn delete_config(&mut self, place: Option<&Subject>) -> Result<Config, StoreError> {
        let old = match (self.config(place), place) {
            (Err(_), Some(subject)) => return Err(StoreError::subject_not_found(subject)),
            (old, _) => old?,
        };
        if let Some(settings) = self.settings.get_mut(&key(place)) {
            settings.config = None;
        }
        Ok(old)
    }

    /// The mode of one place (`None`: the top level).
    ///
    /// # Errors
    ///
    /// 40409 where it has none.
    pub fn mode(&self, place: Option<&Subject>) -> Result<Mode, StoreError> {
        let key = key(place);
        match (self.settings.get(&key).and_then(|settings| settings.mode), place) {
            (None, Some(subject)) if key.is_some() => Err(StoreError::no_mode(subject)),
            (mode, _) => Ok(mode.unwrap_or_default()),
        }
    }

    /// The mode that holds for a subject.
    #[must_use]
    pub fn mode_in_scope(&self, subject: &Subject) -> Mode {
        let places = places(subject);
        places
            .iter()
            .find_map(|place| self.settings.get(place)?.mode)
            .unwrap_or_default()
    }

    /// Sets a mode.
    ///
    /// # Errors
    ///
    /// 42204 for `FORWARD` anywhere but in the global context, 42205 for `IMPORT` where there are
    /// schemas already and it is not forced, 42208 for a reserved subject.
    pub fn set_mode(&mut self, place: Option<&Subject>, mode: Mode, force: bool) -> Result<(), StoreError> {
        let key = valid_key(place)?;
        let is_global = key
            .as_ref()
            .is_some_and(|subject| subject.context().name() == Context::GLOBAL_NAME);
        if mode == Mode::Forward && !is_global {
            return Err(StoreError::invalid_mode());
        }
        let scope = key
            .clone()
            .unwrap_or_else(|| Subject::new(Context::default(), ""));
        let was_import = self.mode_in_scope(&scope) == Mode::Import;
        if mode == Mode::Import && !was_import && !force && self.holds_schemas(&scope, is_global) {
            return Err(StoreError::not_permitted(
                "Cannot import since found existing subjects",
            ));
        }
        self.settings.entry(key).or_default().mode = Some(mode);
        Ok(())
    }

    /// Takes a mode away and gives what it was.
    ///
    /// # Errors
    ///
    /// 40401 where a subject has none; the top level always has one.
    pub fn delete_mode(&mut self, place: Option<&Subject>) -> Result<Mode, StoreError> {
        let old = match (self.mode(place), place) {
            (Err(_), Some(subject)) => return Err(StoreError::subject_not_found(subject)),
            (old, _) => old?,
        };
        if let Some(settings) = self.settings.get_mut(&key(place)) {
            settings.mode = None;
        }
        Ok(old)
    }

    pub(super) fn allow_writing(&self, subject: &Subject) -> Result<(), StoreError> {
        match self.mode_in_scope(subject) {
            Mode::ReadOnly | Mode::ReadOnlyOverride => Err(StoreError::not_permitted(format!(
                "Subject {subject} is in read-only mode"
            ))),
            _ => Ok(()),
        }
    }

    pub(super) fn allow_registering(&self, subject: &Subject, with_id: bool) -> Result<(), StoreError> {
        if !subject.is_valid() {
            return Err(StoreError::invalid_subject(subject));
        }
        self.allow_writing(subject)?;
        match (self.mode_in_scope(subject), with_id) {
            (Mode::Import | Mode::Forward, true) | (Mode::ReadWrite, false) => Ok(()),
            (_, true) => Err(StoreError::not_permitted(format!(
                "Subject {subject} is not in import mode"
            ))),
            (_, false) => Err(StoreError::not_permitted(format!(
                "Subject {subject} is not in read-write mode"
            ))),
        }
    }

    /// Whether a place has schemas that are not deleted: a subject, a context, or everything.
    fn holds_schemas(&self, scope: &Subject, is_global: bool) -> bool {
        if is_global {
            return !self.subjects(":*:", super::Filter::Live).is_empty();
        }
        if scope.name().is_empty() {
            let subjects = self.subjects(&scope.to_string(), super::Filter::Live);
            return !subjects.is_empty();
        }
        self.has_subject(scope, false)
    }
}

/// The default context as a place is the top level.
fn key(place: Option<&Subject>) -> Option<Subject> {
    place
        .filter(|subject| !(subject.context().is_default() && subject.name().is_empty()))
        .cloned()
}

/// As `key`, for what may be written: the global context counts, reserved names do not.
fn valid_key(place: Option<&Subject>) -> Result<Option<Subject>, StoreError> {
    let key = key(place);
    match &key {
        Some(subject) if !subject.is_valid() && *subject != global() => {
            Err(StoreError::invalid_subject(subject))
        }
        _ => Ok(key),
    }
}

/// The places whose settings hold for a subject, nearest first.
fn places(subject: &Subject) -> [Option<Subject>; 3] {
    let context = Subject::new(subject.context().clone(), "");
    [key(Some(subject)), key(Some(&context)), Some(global())]
}

fn global() -> Subject {
    Subject::from(":.__GLOBAL:")
}
