//! A destination of a test: an HTTP server on loopback that answers as it is told, and remembers what it was sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::visitor::now_ms;

/// How a request is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// With this status, and no more.
    Status(u16),
    /// With this status and a header.
    With(u16, &'static str, String),
    /// Not at all: the connection is cut once the request is read.
    Cut,
    /// With 200, after a while.
    Slow(Duration),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// When: Unix milliseconds.
    pub at_ms: u64,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
    /// How it was answered.
    pub status: u16,
}

impl Received {
    /// The first header of that name (lower case); empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The records in the body: a batch, or one.
    pub fn records(&self) -> Vec<Value> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Array(records)) => records,
            Ok(record) => vec![record],
            Err(_) => Vec::new(),
        }
    }

    /// Whether it was taken.
    pub fn is_taken(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

type Answering = Box<dyn FnMut(&Received) -> Reply + Send>;

struct Shared {
    answering: Mutex<Answering>,
    received: Mutex<Vec<Received>>,
}

/// The server. It ends with the process of the test.
#[derive(Clone)]
pub struct Receiver {
    shared: Arc<Shared>,
    port: u16,
}

impl Receiver {
    /// A server that answers as `answering` says.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(answering: impl FnMut(&Received) -> Reply + Send + 'static) -> Result<Receiver> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let shared =
            Arc::new(Shared { answering: Mutex::new(Box::new(answering)), received: Mutex::default() });
        let of_all = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&of_all);
                thread::spawn(move || while matches!(serve(&stream, &shared), Ok(true)) {});
            }
        });
        Ok(Receiver { shared, port })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/in", self.port)
    }

    /// From now on it answers so.
    pub fn answers(&self, answering: impl FnMut(&Received) -> Reply + Send + 'static) {
        *held(&self.shared.answering) = Box::new(answering);
    }

    /// Everything that came, in order.
    pub fn received(&self) -> Vec<Received> {
        held(&self.shared.received).clone()
    }

    /// The records that it took, in order.
    pub fn taken(&self) -> Vec<Value> {
        let received = held(&self.shared.received);
        received.iter().filter(|request| request.is_taken()).flat_map(Received::records).collect()
    }

    /// Waits until it has taken so many records.
    ///
    /// # Errors
    /// When they do not come within `max`.
    pub fn wait_for(&self, records: usize, max: Duration) -> Result<Vec<Value>> {
        let begun = Instant::now();
        loop {
            let taken = self.taken();
            if taken.len() >= records {
                return Ok(taken);
            }
            if begun.elapsed() > max {
                let count = self.received().len();
                bail!("it took {} of {records} records, in {count} requests", taken.len());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// One request; whether the connection goes on.
fn serve(stream: &TcpStream, shared: &Shared) -> Result<bool> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(false);
    }
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").context("a length")?;
    let mut body = vec![0; length.1.parse()?];
    reader.read_exact(&mut body)?;
    let mut received = Received { at_ms: now_ms(), headers, body, status: 0 };
    let reply = (held(&shared.answering))(&received);
    let (status, header) = match reply {
        Reply::Status(status) => (status, String::new()),
        Reply::With(status, name, value) => (status, format!("{name}: {value}\r\n")),
        Reply::Cut => (0, String::new()),
        Reply::Slow(time) => {
            thread::sleep(time);
            (200, String::new())
        }
    };
    received.status = status;
    held(&shared.received).push(received);
    if status == 0 {
        stream.shutdown(std::net::Shutdown::Both)?;
        return Ok(false);
    }
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status} OK\r\n{header}content-length: 0\r\n\r\n")?;
    Ok(true)
}
