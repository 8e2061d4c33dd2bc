//! Errors with the codes that Confluent's registry answers with.

use std::fmt;

use sabot_schema::Subject;

/// Characters of an error's details that are passed on.
const DETAIL_CHARS: usize = 1000;

/// Why a request was refused: an HTTP status, Confluent's error code, and a message for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (error code {code})")]
pub struct StoreError {
    status: u16,
    code: u32,
    message: String,
}

impl StoreError {
    /// An error whose code starts with its status, as all of the registry's own do.
    #[cold]
    fn new(code: u32, message: impl Into<String>) -> Self {
        let status = if code > 999 { code / 100 } else { code };
        // Every code below is written in this file: its status has three digits.
        Self {
            status: status as u16,
            code,
            message: message.into(),
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The registry's error code, such as 40401. Without a code of its own it is the status.
    #[must_use]
    pub const fn code(&self) -> u32 {
        self.code
    }

    /// The message, as the registry words it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized")
    }

    pub(crate) fn no_such_path() -> Self {
        Self::new(404, "HTTP 404 Not Found")
    }

    pub(crate) fn too_large(limit_bytes: usize) -> Self {
        Self::new(413, format!("The request's body exceeds {limit_bytes} bytes"))
    }

    pub(crate) fn subject_not_found(subject: &Subject) -> Self {
        Self::new(40401, format!("Subject '{subject}' not found."))
    }

    pub(crate) fn version_not_found(version: impl fmt::Display) -> Self {
        Self::new(40402, format!("Version {version} not found."))
    }

    pub(crate) fn schema_not_found() -> Self {
        Self::new(40403, "Schema not found")
    }

    pub(crate) fn no_such_schema(key: impl fmt::Display) -> Self {
        Self::new(40403, format!("Schema {key} not found"))
    }

    pub(crate) fn subject_soft_deleted(subject: &Subject) -> Self {
        let message =
            format!("Subject '{subject}' was soft deleted. Set permanent=true to delete permanently");
        Self::new(40404, message)
    }

    pub(crate) fn subject_not_soft_deleted(subject: &Subject) -> Self {
        let message = format!("Subject '{subject}' was not deleted first before being permanently deleted");
        Self::new(40405, message)
    }

    pub(crate) fn version_soft_deleted(subject: &Subject, version: impl fmt::Display) -> Self {
        let message = format!(
            "Subject '{subject}' Version {version} was soft deleted. Set permanent=true to delete permanently"
        );
        Self::new(40406, message)
    }

    pub(crate) fn version_not_soft_deleted(subject: &Subject, version: impl fmt::Display) -> Self {
        let message = format!(
            "Subject '{subject}' Version {version} was not deleted first before being permanently deleted"
        );
        Self::new(40407, message)
    }

    pub(crate) fn no_compatibility(subject: &Subject) -> Self {
        let message = format!("Subject '{subject}' does not have subject-level compatibility configured");
        Self::new(40408, message)
    }

    pub(crate) fn no_mode(subject: &Subject) -> Self {
        Self::new(
            40409,
            format!("Subject '{subject}' does not have subject-level mode configured"),
        )
    }

    /// The one error whose code depends on the registry's version: 409 before 8.2, 40901 from then
    /// on.
    pub(crate) fn incompatible(subject: &Subject, messages: &[String]) -> Self {
        let message = format!(
            "Schema being registered is incompatible with an earlier schema for subject \"{subject}\", details: [{}]",
            messages.join(", ")
        );
        Self::new(409, message)
    }

    /// Details may quote the schema, which may be long.
    pub(crate) fn invalid_schema(details: impl fmt::Display) -> Self {
        let details: String = details.to_string().chars().take(DETAIL_CHARS).collect();
        Self::new(42201, format!("Invalid schema, details: {details}"))
    }

    pub(crate) fn invalid_version(error: impl fmt::Display) -> Self {
        let message = "The specified version is not a valid version id. Allowed values are between [1, 2^31-1] \
                       and the string \"latest\"";
        Self::new(42202, format!("{message}: {error}"))
    }

    pub(crate) fn invalid_level() -> Self {
        let message = "Invalid compatibility level. Valid values are none, backward, forward, full, \
                       backward_transitive, forward_transitive, and full_transitive";
        Self::new(42203, message)
    }

    pub(crate) fn invalid_mode() -> Self {
        Self::new(
            42204,
            "Invalid mode. Valid values are READWRITE, READONLY, IMPORT, and FORWARD",
        )
    }

    pub(crate) fn not_permitted(message: impl Into<String>) -> Self {
        Self::new(42205, message)
    }

    pub(crate) fn referenced(subject: &Subject, version: impl fmt::Display) -> Self {
        let message =
            format!("One or more references exist to the schema {{subject={subject},version={version}}}.");
        Self::new(42206, message)
    }

    pub(crate) fn id_mismatch(id: impl fmt::Display) -> Self {
        Self::new(
            42207,
            format!("The schema does not match the one that has the id {id}"),
        )
    }

    pub(crate) fn invalid_subject(subject: impl fmt::Display) -> Self {
        Self::new(
            42208,
            format!("The specified subject '{subject}' is not a valid."),
        )
    }

    pub(crate) fn invalid_rules(details: impl fmt::Display) -> Self {
        Self::new(42210, format!("Invalid rule set: {details}"))
    }
}
