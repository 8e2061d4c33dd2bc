//! One call over HTTP: attempts, failover, retries, and what an answer means.
//!
//! A call goes round the addresses, beginning with the one that answered last, and moves on only
//! after an error that may pass; between rounds it sleeps. Everything ends at the call's deadline.
//! A 404 ends it at once: another address of the same registry would say the same.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::{Method, Request as HttpRequest, Response, header};
use ureq::{Agent, AsSendBody, Body, Timeout};

use crate::endpoint::Endpoint;
use crate::retry::{Backoff, Deadline, parse_retry_after};
use crate::secret::redact_url;
use crate::{Error, ErrorKind};

/// Sent with every request, and the first thing that a registry offers.
const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
const ACCEPT: &str = "application/vnd.schemaregistry.v1+json, application/json";

/// Enough for any registry's error; more of an error page is of no use to anyone.
const MAX_ERROR_BODY_BYTES: u64 = 64 << 10;
const MAX_MESSAGE_CHARS: usize = 500;

/// What is asked.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// After the base URL: begins with a slash, percent-encoded, with its query.
    pub(crate) path: String,
    pub(crate) body: Option<Vec<u8>>,
    /// For errors, such as `fetching schema 7`.
    pub(crate) doing: String,
    /// Whether it does no harm to ask twice, and gives the same answer.
    pub(crate) repeatable: bool,
}

impl Request {
    pub(crate) fn get(path: String, doing: String) -> Self {
        Self {
            method: Method::GET,
            path,
            body: None,
            doing,
            repeatable: true,
        }
    }

    /// A request that carries JSON. Registering and configuring twice is the same as once.
    pub(crate) fn send(method: Method, path: String, body: Vec<u8>, doing: String) -> Self {
        Self {
            method,
            path,
            body: Some(body),
            doing,
            repeatable: true,
        }
    }

    /// Asked a second time, a deletion finds nothing more to delete: that would hide that it was
    /// done.
    pub(crate) fn delete(path: String, doing: String) -> Self {
        Self {
            method: Method::DELETE,
            path,
            body: None,
            doing,
            repeatable: false,
        }
    }
}

/// The HTTP side of a client.
pub(crate) struct Transport {
    pub(crate) agent: Agent,
    pub(crate) endpoints: Vec<Endpoint>,
    /// The endpoint that answered last.
    pub(crate) current: AtomicUsize,
    pub(crate) backoff: Backoff,
    /// Of one attempt, body included.
    pub(crate) timeout: Duration,
    /// Of one call, all attempts and waits included.
    pub(crate) deadline: Duration,
    pub(crate) max_response_bytes: usize,
}

impl Transport {
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.deadline)
    }

    /// Makes the call, and lets `read` make of the JSON answer what it is to be.
    pub(crate) fn call<J: DeserializeOwned, T>(
        &self,
        request: &Request,
        deadline: Deadline,
        read: impl FnOnce(J) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let answer = self.exchange(request, deadline).and_then(|(body, endpoint)| {
            // Without the cause as a source: its text may quote the answer, and has to be cleaned
            // as the answer is.
            let unexpected = |error| format!("the answer is not what a registry sends: {error}");
            let json = serde_json::from_slice(nonempty(&body));
            json.map_err(|error| Error::new(ErrorKind::Protocol, unexpected(error)))
                .and_then(read)
                .map_err(|error| {
                    error
                        .map_message(|message| clean(message, endpoint))
                        .at(&endpoint.base)
                })
        });
        answer.map_err(|error| error.within(&request.doing))
    }

    /// Tries until there is an answer, or no hope, or no time.
    fn exchange(&self, request: &Request, deadline: Deadline) -> Result<(Vec<u8>, &Endpoint), Error> {
        let mut failure: Option<Error> = None;
        let (mut attempts, mut round) = (0, 0);
        loop {
            let start = self.current.load(Ordering::Relaxed);
            let mut asked_to_wait: Option<Duration> = None;
            for step in 0..self.endpoints.len() {
                let Some(left) = deadline.left() else { break };
                let index = (start + step) % self.endpoints.len();
                let endpoint = &self.endpoints[index];
                attempts += 1;
                match self.attempt(endpoint, request, self.timeout.min(left)) {
                    Err(error) if may_repeat(&error, request) => {
                        asked_to_wait = asked_to_wait.into_iter().chain(error.retry_after()).min();
                        // That the deadline cut the last attempt short says less than what went
                        // wrong before. A connection that it cuts short looks like an address that
                        // is out of reach.
                        let cut_short = left < self.timeout
                            && matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Unreachable)
                            && deadline.is_over();
                        failure = failure.filter(|_| cut_short).or(Some(error));
                    }
                    result => {
                        self.current.store(index, Ordering::Relaxed);
                        let answer = result.map(|body| (body, endpoint));
                        return answer.map_err(|error| error.with_attempts(attempts));
                    }
                }
            }
            let pause = self.backoff.pause(round, asked_to_wait, fastrand::f64());
            if round == self.backoff.retries || deadline.left().is_none_or(|left| left <= pause) {
                let unasked = || {
                    Error::new(
                        ErrorKind::Timeout,
                        "the deadline passed before the registry was asked",
                    )
                };
                return Err(failure.map_or_else(unasked, |error| error.with_attempts(attempts)));
            }
            std::thread::sleep(pause);
            round += 1;
        }
    }

    /// Asks one address once.
    fn attempt(&self, endpoint: &Endpoint, request: &Request, timeout: Duration) -> Result<Vec<u8>, Error> {
        let mut builder = HttpRequest::builder()
            .method(request.method.clone())
            .uri(format!("{}{}", endpoint.base, request.path))
            .header(header::ACCEPT, ACCEPT);
        if let Some(credentials) = &endpoint.credentials {
            builder = builder.header(header::AUTHORIZATION, credentials.header());
        }
        let answer = match &request.body {
            Some(body) => {
                let builder = builder.header(header::CONTENT_TYPE, MEDIA_TYPE);
                self.run(builder.body(body.as_slice()), timeout)
            }
            None => self.run(builder.body(()), timeout),
        };
        answer
            .map_err(|error| transport_error(error, timeout))
            .and_then(|answer| self.read(answer, endpoint, &request.path, timeout))
            .map_err(|error| error.at(&endpoint.base))
    }

    fn run<B: AsSendBody>(
        &self,
        request: Result<HttpRequest<B>, ureq::http::Error>,
        timeout: Duration,
    ) -> Result<Response<Body>, ureq::Error> {
        let request = self.agent.configure_request(request?);
        self.agent.run(request.timeout_global(Some(timeout)).build())
    }

    /// Reads an answer to its end, or to its limit.
    fn read(
        &self,
        mut answer: Response<Body>,
        endpoint: &Endpoint,
        path: &str,
        timeout: Duration,
    ) -> Result<Vec<u8>, Error> {
        let status = answer.status();
        if status.is_success() {
            let limit = self.max_response_bytes;
            let body = answer.body_mut().with_config().limit(limit as u64).read_to_vec();
            return body.map_err(|error| match error {
                ureq::Error::BodyExceedsLimit(_) => Error::new(
                    ErrorKind::TooLarge,
                    format!("the answer exceeds the limit of {limit} bytes"),
                ),
                error => transport_error(error, timeout),
            });
        }
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after =
            header(header::RETRY_AFTER).and_then(|value| parse_retry_after(value, SystemTime::now()));
        let location = header(header::LOCATION).map(redact_url);
        // An error whose body cannot be read is still that error.
        let body = answer
            .body_mut()
            .with_config()
            .limit(MAX_ERROR_BODY_BYTES)
            .read_to_vec()
            .unwrap_or_default();
        let error = match location {
            Some(location) if status.is_redirection() => Error::new(
                ErrorKind::Protocol,
                clean(
                    &format!("redirected to {location}: give the client that URL"),
                    endpoint,
                ),
            )
            .with_status(status.as_u16(), None),
            _ => status_error(status.as_u16(), &body, endpoint, path),
        };
        Err(error.with_retry_after(retry_after))
    }
}

/// Some registries answer a deletion with nothing at all.
fn nonempty(body: &[u8]) -> &[u8] {
    if body.is_empty() { b"null" } else { body }
}

/// The error body of every registry.
#[derive(Deserialize)]
struct Complaint {
    error_code: u32,
    #[serde(default)]
    message: Option<String>,
}

/// What a status other than 2xx means.
fn status_error(status: u16, body: &[u8], endpoint: &Endpoint, path: &str) -> Error {
    let complaint = serde_json::from_slice::<Complaint>(body).ok();
    let code = complaint.as_ref().map(|complaint| complaint.error_code);
    let kind = match status {
        // A bare 404 comes from a path that the registry does not know, or from something else
        // altogether.
        404 if code.is_some_and(|code| (40_400..=40_499).contains(&code)) => ErrorKind::NotFound,
        409 => ErrorKind::Incompatible,
        400 | 422 => ErrorKind::Rejected,
        401 | 403 | 407 => ErrorKind::Unauthorized,
        429 => ErrorKind::RateLimited,
        408 | 500..=599 => ErrorKind::Server,
        _ => ErrorKind::Protocol,
    };
    let said = complaint.and_then(|complaint| complaint.message);
    let mut message = clean(
        said.as_deref().unwrap_or(&String::from_utf8_lossy(body)),
        endpoint,
    );
    if status == 404 && kind == ErrorKind::Protocol {
        // Also what an older registry says of what came later, such as GUIDs.
        message = format!("it does not know {path}: {message}")
            .trim_end_matches(": ")
            .to_owned();
    }
    Error::new(kind, message)
        .with_status(status, code)
        .with_undone(matches!(status, 429 | 503))
}

/// Makes a text that came over the network fit for a log: no secret of ours, one line, of bounded
/// length.
fn clean(text: &str, endpoint: &Endpoint) -> String {
    let scrubbed = endpoint
        .credentials
        .as_ref()
        .map(|credentials| credentials.scrub(text.to_owned()));
    let words: Vec<_> = scrubbed.as_deref().unwrap_or(text).split_whitespace().collect();
    let line = words.join(" ");
    let mut short: String = line
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_MESSAGE_CHARS)
        .collect();
    if line.chars().nth(MAX_MESSAGE_CHARS).is_some() {
        short.push('…');
    }
    short
}

/// What a failure below HTTP means. None of ureq's texts holds a header; its URLs are ours, without
/// user-info.
#[cold]
fn transport_error(error: ureq::Error, timeout: Duration) -> Error {
    use std::io::ErrorKind as Io;
    let kind = match &error {
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed => ErrorKind::Unreachable,
        ureq::Error::Timeout(_) => ErrorKind::Timeout,
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => ErrorKind::Tls,
        // What rustls refuses arrives as invalid data.
        ureq::Error::Io(io) if io.kind() == Io::InvalidData => ErrorKind::Tls,
        ureq::Error::Io(io) if io.kind() == Io::TimedOut => ErrorKind::Timeout,
        ureq::Error::Io(_) | ureq::Error::ConnectProxyFailed(_) => ErrorKind::Unreachable,
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => ErrorKind::Configuration,
        _ => ErrorKind::Protocol,
    };
    let message = match &error {
        ureq::Error::Timeout(Timeout::Connect) => "no connection within the timeout".to_owned(),
        ureq::Error::Timeout(Timeout::Resolve) => {
            "the host name was not resolved within the timeout".to_owned()
        }
        ureq::Error::Timeout(_) => format!("nothing within {timeout:.1?}"),
        ureq::Error::Io(io) if io.kind() == Io::ConnectionRefused => "connection refused".to_owned(),
        ureq::Error::Io(io) => io.to_string(),
        error => error.to_string(),
    };
    let before_sending = matches!(
        &error,
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect)
            | ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed
    ) || matches!(&error, ureq::Error::Io(io) if io.kind() == Io::ConnectionRefused);
    let fault = Error::new(kind, message).with_undone(before_sending);
    match error {
        ureq::Error::Io(io) => fault.with_source(io),
        error => fault.with_source(error),
    }
}

/// Whether to go on to the next address, and round again.
fn may_repeat(error: &Error, request: &Request) -> bool {
    error.is_retryable() && (request.repeatable || error.is_undone())
}
