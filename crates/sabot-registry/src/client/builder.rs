//! How a client is configured.

use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use ureq::tls::TlsConfig;
use ureq::{Agent, Proxy};

use super::{Client, Shared};
use crate::Error;
use crate::endpoint::Endpoint;
use crate::retry::Backoff;
use crate::secret::{Credentials, redact_url};
use crate::transport::Transport;

/// A TCP connection, TLS included, gets at most this share of an attempt, so that failover does not
/// wait for the dead.
const LONGEST_CONNECT: Duration = Duration::from_secs(5);
/// No attempt takes longer, whatever is configured.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(24 * 3600);

/// Configures a [`Client`]; made by [`Client::builder`]. Mistakes surface in
/// [`ClientBuilder::build`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    urls: Vec<String>,
    credentials: Option<Credentials>,
    proxy: Option<String>,
    proxy_from_env: bool,
    timeout: Duration,
    deadline: Duration,
    backoff: Backoff,
    latest_ttl: Duration,
    negative_ttl: Duration,
    cache_capacity: usize,
    max_response_bytes: usize,
}

impl ClientBuilder {
    pub(crate) fn new(urls: Vec<String>) -> Self {
        Self {
            urls,
            credentials: None,
            proxy: None,
            proxy_from_env: false,
            timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(60),
            backoff: Backoff {
                retries: 5,
                base: Duration::from_millis(100),
                cap: Duration::from_secs(5),
            },
            latest_ttl: Duration::from_secs(60),
            negative_ttl: Duration::from_secs(5),
            cache_capacity: 4096,
            max_response_bytes: 16 << 20,
        }
    }

    /// HTTP basic authentication, for every URL. It takes the place of a URL's own user-info and of
    /// [`Self::bearer`].
    pub fn basic_auth(mut self, user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        self.credentials = Some(Credentials::basic(user.as_ref(), password.as_ref()));
        self
    }

    /// A bearer token, for every URL. It takes the place of a URL's own user-info and of
    /// [`Self::basic_auth`].
    pub fn bearer(mut self, token: impl AsRef<str>) -> Self {
        self.credentials = Some(Credentials::bearer(token.as_ref()));
        self
    }

    /// Goes through an HTTP proxy, such as `http://user:password@proxy:3128`. By default there is
    /// none.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Takes the proxy from `ALL_PROXY`, `HTTPS_PROXY` and `HTTP_PROXY`, and its exceptions from
    /// `NO_PROXY`. Without this call the environment has no influence.
    pub fn proxy_from_env(mut self) -> Self {
        self.proxy_from_env = true;
        self
    }

    /// How long one attempt may take, from the host name to the last byte of the answer. 10 s
    /// unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long one call may take with all its attempts, waits and references. 60 s unless set.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How often to go round all URLs again after errors that may pass. 5 unless set; 0 tries each
    /// URL once.
    pub fn retries(mut self, retries: u32) -> Self {
        self.backoff.retries = retries;
        self
    }

    /// The longest wait after the first round, and after any. 100 ms and 5 s unless set. Waits
    /// double from one to the other, and are drawn at random from zero up to that; `Retry-After` is
    /// added, and may exceed the second.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        (self.backoff.base, self.backoff.cap) = (first, longest);
        self
    }

    /// How long a subject's latest version is taken to be the latest. 60 s unless set; zero asks
    /// every time.
    pub fn latest_ttl(mut self, ttl: Duration) -> Self {
        self.latest_ttl = ttl;
        self
    }

    /// How long "there is no such schema" is remembered. 5 s unless set; zero asks every time.
    pub fn negative_ttl(mut self, ttl: Duration) -> Self {
        self.negative_ttl = ttl;
        self
    }

    /// How many schemas each cache keeps. 4096 unless set.
    pub fn cache_capacity(mut self, schemas: usize) -> Self {
        self.cache_capacity = schemas;
        self
    }

    /// How large an answer may be, and a schema with everything it refers to, in bytes. 16 MiB
    /// unless set.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// Makes the client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Configuration`] where a URL, the proxy, the credentials or a time is not
    /// usable.
    pub fn build(self) -> Result<Client, Error> {
        if self.timeout.is_zero() || self.deadline.is_zero() {
            return Err(Error::configuration(
                "timeout and deadline have to be longer than zero",
            ));
        }
        let shared = Shared::new(
            self.transport()?,
            self.latest_ttl,
            self.negative_ttl,
            self.cache_capacity,
        );
        Ok(Client::from_shared(shared))
    }

    fn transport(&self) -> Result<Transport, Error> {
        let mut endpoints = Vec::new();
        for url in self
            .urls
            .iter()
            .flat_map(|urls| urls.split(','))
            .filter(|url| !url.trim().is_empty())
        {
            let mut endpoint = Endpoint::parse(url)?;
            endpoint.credentials = self.credentials.clone().or(endpoint.credentials);
            if endpoint
                .credentials
                .as_ref()
                .is_some_and(|credentials| !credentials.is_sendable())
            {
                return Err(Error::configuration(
                    "the credentials hold characters that an HTTP header cannot carry",
                ));
            }
            endpoints.push(endpoint);
        }
        if endpoints.is_empty() {
            return Err(Error::configuration("no registry URL is given"));
        }
        let timeout = self.timeout.min(LONGEST_ATTEMPT);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A redirect would turn a POST into a GET, or carry credentials elsewhere: it is
            // reported instead.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(self.http_proxy()?)
            .timeout_connect(Some(timeout.min(LONGEST_CONNECT)))
            .tls_config(TlsConfig::default())
            .user_agent(concat!("sabot/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Transport {
            agent: Agent::new_with_config(config),
            endpoints,
            current: AtomicUsize::new(0),
            backoff: self.backoff,
            timeout,
            deadline: self.deadline,
            max_response_bytes: self.max_response_bytes,
        })
    }

    fn http_proxy(&self) -> Result<Option<Proxy>, Error> {
        match &self.proxy {
            Some(url) => Proxy::new(url).map(Some).map_err(|_| {
                Error::configuration(format!("proxy URL \"{}\": it is not valid", redact_url(url)))
            }),
            None if self.proxy_from_env => Ok(Proxy::try_from_env()),
            None => Ok(None),
        }
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls: Vec<_> = self
            .urls
            .iter()
            .flat_map(|urls| urls.split(','))
            .map(redact_url)
            .collect();
        f.debug_struct("ClientBuilder")
            .field("urls", &urls)
            .field("credentials", &self.credentials)
            .field("proxy", &self.proxy.as_deref().map(redact_url))
            .field("timeout", &self.timeout)
            .field("deadline", &self.deadline)
            .field("backoff", &self.backoff)
            .finish_non_exhaustive()
    }
}
