//! A server on loopback that answers as a test tells it: also wrongly, slowly, or not at all.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// What the server was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Method and path with query, such as `GET /schemas/ids/1`.
    pub(crate) line: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

/// What it does then.
pub(crate) enum Reply {
    /// Status, further header lines (each ended by CRLF), body.
    Answer(u16, String, String),
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// The first bytes once, then the others for as long as somebody listens.
    Endless(Vec<u8>, Vec<u8>),
    /// Nothing, until the client hangs up.
    Silence,
}

impl Reply {
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::Answer(200, String::new(), body.into())
    }

    pub(crate) fn schema() -> Self {
        Self::ok(r#"{"schema":"\"string\""}"#)
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(
            status,
            String::new(),
            format!(r#"{{"error_code":{status},"message":"as told"}}"#),
        )
    }

    pub(crate) fn code(status: u16, code: u32) -> Self {
        Self::Answer(
            status,
            String::new(),
            format!(r#"{{"error_code":{code},"message":"as told"}}"#),
        )
    }
}

/// It ends with the value.
pub(crate) struct Fake {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    ended: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Fake {
    /// Answers with what `reply` says to a request and its number, from 0.
    pub(crate) fn start(reply: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let ended = Arc::new(AtomicBool::new(false));
        let (asked_here, ended_here, reply) = (Arc::clone(&asked), Arc::clone(&ended), Arc::new(reply));
        let accepting = thread::spawn(move || {
            let mut serving = Vec::new();
            for stream in listener.incoming() {
                if ended_here.load(Ordering::SeqCst) {
                    break;
                }
                let (asked, reply, stream) = (Arc::clone(&asked_here), Arc::clone(&reply), stream.unwrap());
                serving.push(thread::spawn(move || serve(stream, &asked, &*reply)));
            }
            for thread in serving {
                thread.join().unwrap();
            }
        });
        Self {
            address,
            asked,
            ended,
            accepting: Some(accepting),
        }
    }

    /// Answers with each of `replies` in turn, and with the schema `"string"` from then on.
    pub(crate) fn script(replies: Vec<Reply>) -> Self {
        let replies = Mutex::new(replies.into_iter());
        Self::start(move |_, _| replies.lock().unwrap().next().unwrap_or_else(Reply::schema))
    }

    /// `127.0.0.1:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How often it was asked.
    pub(crate) fn count(&self) -> usize {
        self.asked().len()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(&self.address));
        let joined = self.accepting.take().unwrap().join();
        // A panic while panicking would hide the test's own words.
        assert!(joined.is_ok() || thread::panicking(), "the fake server panicked");
    }
}

/// An address where nobody listens.
pub(crate) fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Serves one request. A client that hangs up is not this server's concern.
fn serve(mut stream: TcpStream, asked: &Mutex<Vec<Asked>>, reply: &dyn Fn(&Asked, usize) -> Reply) {
    let Some(request) = read_request(&stream) else {
        return;
    };
    let number = {
        let mut asked = asked.lock().unwrap();
        asked.push(request.clone());
        asked.len() - 1
    };
    match reply(&request, number) {
        Reply::Answer(status, headers, body) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
            );
            let _ = stream.write_all((head + &body).as_bytes());
        }
        Reply::Raw(bytes) => {
            let _ = stream.write_all(&bytes);
        }
        Reply::Endless(first, then) => {
            let mut going = stream.write_all(&first).is_ok();
            while going {
                going = stream.write_all(&then).is_ok();
                // Lets the client read each of them apart, and the machine do something else.
                thread::sleep(std::time::Duration::from_millis(1));
            }
        }
        Reply::Silence => {
            let _ = stream.read(&mut [0; 1]);
        }
    }
}

fn read_request(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&read| read > 0)?;
    let (mut authorization, mut length) = (None, 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|&read| read > 0)?;
        let Some((name, value)) = header.trim().split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "authorization" | "proxy-authorization" => authorization = Some(value.trim().to_owned()),
            "content-length" => length = value.trim().parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Asked {
        line,
        authorization,
        body: String::from_utf8(body).unwrap(),
    })
}
