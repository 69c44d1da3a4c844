//! For tests: the files of a new site, and a worker that speaks just enough HTTP.

use crate::command::new::FILES;
use crate::recorded::History;
use crate::recorded::source::RecordedArguments;
use selvedge_core::event::Batch;
use selvedge_core::wire::answer::{Answer, Grant};
use selvedge_core::wire::batch_decode::{decode_batch, open};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, spawn};

/// The files of a new site.
pub fn new_site() -> BTreeMap<String, String> {
    FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// A recorded log with the columns `user`, `at` and `event`; each product is a shoe.
pub fn recorded(log: &str) -> History {
    let map = "
dataset: small
site: my-site
write_key: wk
user: user
time: {column: at, format: unix_s}
event: {column: event}
properties:
  - events: [product_view]
    set: {sku: {constant: s-1}, category: {constant: shoes}}
";
    let folder = tempfile::tempdir().unwrap();
    let (log_file, map_file) = (folder.path().join("log.csv"), folder.path().join("map.yaml"));
    std::fs::write(&log_file, log).unwrap();
    std::fs::write(&map_file, map).unwrap();
    let events = Some(log_file.display().to_string());
    RecordedArguments { events, map: Some(map_file), ..RecordedArguments::default() }.read().unwrap()
}

/// What the worker does with one request.
pub enum Reply {
    /// Answers with this status.
    Status(u16),
    /// Cuts the connection without an answer.
    Cut,
    /// Accepts all events and leases these grants.
    Accept(Vec<Grant>),
}

/// A worker that replies so, in this order, one connection each, and gives back the bodies it read.
pub fn worker(replies: Vec<Reply>) -> (String, JoinHandle<Vec<Vec<u8>>>) {
    let (listener, url) = bind();
    let thread = spawn(move || replies.into_iter().map(|reply| serve(&listener, reply)).collect());
    (url, thread)
}

/// A worker that has a program and accepts every batch; it keeps them in the order in which they came.
pub fn accepting_worker() -> (String, Arc<Mutex<Vec<Batch>>>) {
    let (listener, url) = bind();
    let batches = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&batches);
    spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            let kept = Arc::clone(&kept);
            spawn(move || accept_one(&stream, &kept));
        }
    });
    (url, batches)
}

fn bind() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

fn accept_one(stream: &TcpStream, kept: &Mutex<Vec<Batch>>) {
    let (path, body) = read_request(stream);
    if path == "/s/shop/config" {
        return answer(stream, 200, br#"{"program":"00","policy_version":2}"#);
    }
    assert_eq!(path, "/v1/collect");
    kept.lock().unwrap().push(decode(&body));
    answer(stream, 200, &accept(&body, Vec::new()));
}

fn serve(listener: &TcpListener, reply: Reply) -> Vec<u8> {
    let (stream, _) = listener.accept().unwrap();
    let (_, body) = read_request(&stream);
    match reply {
        Reply::Cut => {}
        Reply::Status(status) => answer(&stream, status, b"no"),
        Reply::Accept(grants) => answer(&stream, 200, &accept(&body, grants)),
    }
    body
}

/// The batch in the body of a request.
pub fn decode(body: &[u8]) -> Batch {
    decode_batch(open(body).unwrap().sections, None).unwrap()
}

fn accept(body: &[u8], grants: Vec<Grant>) -> Vec<u8> {
    let accepted = u32::try_from(decode(body).events.len()).unwrap();
    Answer { accepted, grants, ..Answer::default() }.encode().unwrap()
}

fn answer(mut stream: &TcpStream, status: u16, body: &[u8]) {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")
        .unwrap();
    stream.write_all(body).unwrap();
}

/// Path and body of a request.
fn read_request(stream: &TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let path = lines[0].split(' ').nth(1).unwrap().to_owned();
    let headers = lines.iter().filter_map(|line| line.split_once(':'));
    let mut lengths = headers.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; lengths.next().map_or(0, |(_, value)| value.trim().parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    (path, body)
}
