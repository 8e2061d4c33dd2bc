//! Base URLs: parsed once, user-info taken out, so that no URL kept or printed holds a secret.

use std::sync::Arc;

use ureq::http::Uri;

use crate::Error;
use crate::secret::{Credentials, redact_url};

/// One registry address.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// Scheme, host, port and path; no user-info, and no slash at the end.
    pub(crate) base: Arc<str>,
    /// From the URL's user-info, or the client's own.
    pub(crate) credentials: Option<Credentials>,
}

impl Endpoint {
    /// Reads `http[s]://[user:password@]host[:port][/path]`.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let url = url.trim();
        let fault =
            |what: &str| Error::configuration(format!("registry URL \"{}\": {what}", redact_url(url)));
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(fault("it has to begin with http:// or https://"));
        };
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err(fault("it has to begin with http:// or https://"));
        }
        if rest.contains(['?', '#']) {
            return Err(fault(
                "a base URL has neither query nor fragment (percent-encode ? and # in a password)",
            ));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if path.contains('@') {
            return Err(fault(
                "percent-encode the special characters of user and password (/ is %2F, @ is %40)",
            ));
        }
        let (user_info, host) = authority
            .rsplit_once('@')
            .map_or((None, authority), |(user, host)| (Some(user), host));
        let base = format!("{scheme}://{host}{}", path.trim_end_matches('/'));
        let uri = Uri::try_from(&base).map_err(|_| fault("it is not a valid URL"))?;
        if uri.host().is_none_or(str::is_empty) {
            return Err(fault("it names no host"));
        }
        if host
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.ends_with(']') && port.parse::<u16>().is_err())
        {
            return Err(fault("the port is not a number up to 65535"));
        }
        let credentials =
            user_info.map(|info| credentials_of(info).ok_or_else(|| fault("its user-info is not UTF-8")));
        Ok(Self {
            base: base.into(),
            credentials: credentials.transpose()?,
        })
    }
}

fn credentials_of(user_info: &str) -> Option<Credentials> {
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    Some(Credentials::basic(
        &percent_decode(user)?,
        &percent_decode(password)?,
    ))
}

/// Undoes percent-encoding. A `%` without two hexadecimal digits stands for itself.
fn percent_decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high << 4 | low) as u8);
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

/// Percent-encodes everything but RFC 3986's unreserved characters, so that a subject stays one
/// path segment whatever it holds.
pub(crate) fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
