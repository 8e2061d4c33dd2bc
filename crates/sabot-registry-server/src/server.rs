//! HTTP on a thread of its own.
//!
//! One thread with its own single-threaded runtime: a caller needs no runtime, and has none imposed
//! on it. The store is asked under one lock, which keeps every request atomic; a registry for
//! development needs no more.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::oneshot;

use crate::fault::{Fault, Faults};
use crate::message::ErrorMessage;
use crate::route;
use crate::{Store, StoreError};

const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// Schemas are read by recursion, bounded by their depth; this is several times what the deepest
/// takes.
const STACK_BYTES: usize = 16 << 20;

/// How a [`Server`] listens.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Where. The default is a free port of the loopback interface.
    pub address: SocketAddr,
    /// User name and password that every request has to bring. The default asks for none.
    pub basic_auth: Option<(String, String)>,
    /// The longest body that is read. The default is 8 MiB.
    pub body_limit_bytes: usize,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            basic_auth: None,
            body_limit_bytes: 8 << 20,
        }
    }
}

impl ServerOptions {
    /// Listens at `address`. One that is not on the loopback interface lets everyone who reaches it
    /// in.
    #[must_use]
    pub const fn with_address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Asks every request for this user name and password.
    #[must_use]
    pub fn with_basic_auth(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.basic_auth = Some((user.into(), password.into()));
        self
    }

    /// Reads no body longer than this.
    #[must_use]
    pub const fn with_body_limit_bytes(mut self, body_limit_bytes: usize) -> Self {
        self.body_limit_bytes = body_limit_bytes;
        self
    }
}

impl fmt::Debug for ServerOptions {
    /// Leaves the password out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerOptions")
            .field("address", &self.address)
            .field(
                "basic_auth",
                &self.basic_auth.as_ref().map(|(user, _)| (user, "...")),
            )
            .field("body_limit_bytes", &self.body_limit_bytes)
            .finish()
    }
}

/// A registry that listens, until it is shut down or dropped.
///
/// ```
/// use sabot_registry_server::{Server, ServerOptions};
/// let server = Server::start(ServerOptions::default())?;
/// let url = format!("{}/subjects/orders-value/versions", server.url());
/// let mut answer = ureq::post(&url).send(r#"{"schema": "\"string\""}"#).unwrap();
/// assert!(answer.body_mut().read_to_string().unwrap().starts_with(r#"{"version":1,"id":1,"#));
/// server.shutdown();
/// # Ok::<_, std::io::Error>(())
/// ```
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    store: Mutex<Store>,
    faults: Faults,
    /// The one `Authorization` header that is let in.
    authorization: Option<String>,
    body_limit_bytes: usize,
}

impl Server {
    /// Starts an empty registry. When this returns, it takes connections.
    ///
    /// # Errors
    ///
    /// Where the address cannot be listened at, or no thread can be started.
    pub fn start(options: ServerOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(options.address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let authorization = options
            .basic_auth
            .map(|(user, password)| format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
        let shared = Arc::new(Shared {
            store: Mutex::new(Store::new()),
            faults: Faults::default(),
            authorization,
            body_limit_bytes: options.body_limit_bytes,
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let listener = {
            let _guard = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let router = Router::new().fallback(handle).with_state(Arc::clone(&shared));
        let (stop, stopped) = oneshot::channel();
        let serve = move || {
            runtime.spawn(async move { axum::serve(listener, router).await });
            // The sender is only ever dropped. Dropping the runtime then closes every connection,
            // busy ones too.
            let _ = runtime.block_on(stopped);
        };
        let thread = std::thread::Builder::new()
            .name("sabot-registry-server".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(serve)?;
        Ok(Self {
            address,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens, as a registry's URL: `http://127.0.0.1:8081`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Faults to come and requests that came.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Asks the store without HTTP. Requests wait meanwhile.
    pub fn with_store<R>(&self, ask: impl FnOnce(&mut Store) -> R) -> R {
        ask(&mut self.shared.store())
    }

    /// Closes every connection and waits until the thread has ended. Dropping does the same.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It panics on no input; if it did all the same, there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn store(&self) -> MutexGuard<'_, Store> {
        // The store changes only after it has checked everything: a panic leaves it whole.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match shared
        .faults
        .next(request.method().as_str(), request.uri().path())
    {
        Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
        Some(Fault::Disconnect) => return broken_response(),
        Some(Fault::Status {
            status,
            retry_after_s,
        }) => return fault_response(status, retry_after_s),
        None => {}
    }
    match answer(&shared, request).await {
        Ok(body) => response(StatusCode::OK, body),
        Err(error) => error_response(&error),
    }
}

async fn answer(shared: &Shared, request: Request) -> route::Answer {
    let (parts, body) = request.into_parts();
    if !is_authorized(shared, &parts.headers) {
        return Err(StoreError::unauthorized());
    }
    let limit_bytes = shared.body_limit_bytes;
    // A connection that breaks ends here too, and then nobody reads the answer.
    let body = to_bytes(body, limit_bytes)
        .await
        .map_err(|_| StoreError::too_large(limit_bytes))?;
    let path = parts.uri.path();
    let path = path.strip_prefix('/').unwrap_or(path);
    let mut segments = path
        .split('/')
        .map(percent_decode)
        .collect::<Result<Vec<_>, _>>()?;
    if segments.len() > 1 && segments.last().is_some_and(String::is_empty) {
        segments.pop();
    }
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
        .map_err(|error| StoreError::bad_request(error.to_string()))?;
    let request = route::Request {
        method: parts.method.as_str(),
        path: &segments,
        query: &query,
        body: &body,
    };
    route::answer(&mut shared.store(), request)
}

fn is_authorized(shared: &Shared, headers: &HeaderMap) -> bool {
    let Some(expected) = &shared.authorization else {
        return true;
    };
    headers
        .get(header::AUTHORIZATION)
        .is_some_and(|given| given.as_bytes() == expected.as_bytes())
}

/// Decodes one segment of a path.
fn percent_decode(segment: &str) -> Result<String, StoreError> {
    let malformed = || StoreError::bad_request(format!("The path's segment {segment:?} is malformed"));
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>().ok_or_else(malformed)?;
        let digit = |at: usize| char::from(digits[at]).to_digit(16);
        let (high, low) = digit(0).zip(digit(1)).ok_or_else(malformed)?;
        // Two hexadecimal digits make one byte.
        bytes.push((high << 4 | low) as u8);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| malformed())
}

fn response(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    response
}

fn error_response(error: &StoreError) -> Response {
    let message = ErrorMessage {
        error_code: error.code(),
        message: error.message(),
    };
    let body = serde_json::to_string(&message).unwrap_or_default();
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = response(status, body);
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"sabot\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn fault_response(status: u16, retry_after_s: Option<u32>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = status.as_u16();
    let message = ErrorMessage {
        error_code: code.into(),
        message: "Fault on purpose",
    };
    let mut response = response(status, serde_json::to_string(&message).unwrap_or_default());
    if let Some(seconds) = retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// An answer whose body fails before its first byte, upon which the server closes the connection.
fn broken_response() -> Response {
    let mut response = response(StatusCode::OK, Body::from_stream(Broken));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from_static("1"));
    response
}

struct Broken;

impl futures_core::Stream for Broken {
    type Item = Result<String, io::Error>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())))
    }
}
