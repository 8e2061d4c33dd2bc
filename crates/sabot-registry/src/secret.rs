//! Credentials, which nothing prints.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What is shown in the place of a secret.
pub(crate) const REDACTED: &str = "***";

/// How the client proves who it is.
#[derive(Clone)]
pub(crate) struct Credentials {
    /// The value of the `Authorization` header.
    header: String,
    /// What may never appear in an error, each at least [`MIN_SCRUBBED_BYTES`] long.
    secrets: Vec<String>,
}

/// Shorter secrets are not looked for in what a registry says: they would blot out ordinary words.
const MIN_SCRUBBED_BYTES: usize = 4;

impl Credentials {
    pub(crate) fn basic(user: &str, password: &str) -> Self {
        let encoded = STANDARD.encode(format!("{user}:{password}"));
        Self::new(format!("Basic {encoded}"), vec![password.to_owned(), encoded])
    }

    pub(crate) fn bearer(token: &str) -> Self {
        Self::new(format!("Bearer {token}"), vec![token.to_owned()])
    }

    fn new(header: String, mut secrets: Vec<String>) -> Self {
        secrets.retain(|secret| secret.len() >= MIN_SCRUBBED_BYTES);
        // A secret that contains another has to go first, or its rest would stay.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { header, secrets }
    }

    /// The value of the `Authorization` header.
    pub(crate) fn header(&self) -> &str {
        &self.header
    }

    /// Whether a header can carry them: visible ASCII alone.
    pub(crate) fn is_sendable(&self) -> bool {
        self.header.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    }

    /// Takes these credentials out of a text that somebody else wrote.
    pub(crate) fn scrub(&self, mut text: String) -> String {
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), REDACTED);
            }
        }
        text
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// The text without anything that could be user-info: all between the scheme and the last `@`.
pub(crate) fn redact_url(url: &str) -> String {
    let Some((before, after)) = url.rsplit_once('@') else {
        return url.to_owned();
    };
    let scheme = before.find("//").map_or("", |at| &before[..at + 2]);
    format!("{scheme}{REDACTED}@{after}")
}
