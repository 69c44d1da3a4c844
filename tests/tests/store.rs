//! The program store: KV where it is bound, read before the registry, and never needed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use selvedge_tests::{Setup, Visitor, World};
use serde_json::json;

/// How the KV namespace behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mood {
    #[default]
    Well,
    /// It answers every request with 500.
    Broken,
    /// It takes requests and never answers.
    Silent,
    /// It shows nothing yet of what was written.
    Behind,
    /// It gives values cut off.
    Torn,
}

#[derive(Debug, Default)]
struct Shelf {
    mood: Mood,
    values: BTreeMap<String, Vec<u8>>,
    /// Keys that were given, in order.
    given: Vec<String>,
    asked: usize,
}

/// A KV namespace, as workerd speaks to one: `GET` and `PUT` of a key.
#[derive(Clone, Debug, Default)]
struct Kv(Arc<Mutex<Shelf>>);

impl Kv {
    /// Serves until the test ends; gives its address.
    fn serve(&self) -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let kv = self.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kv = kv.clone();
                thread::spawn(move || kv.answer(stream));
            }
        });
        Ok(address)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Shelf) -> T) -> T {
        act(&mut self.0.lock().expect("no test panics with the shelf in hand"))
    }

    fn set(&self, mood: Mood) {
        self.with(|shelf| shelf.mood = mood);
    }

    fn answer(&self, mut stream: TcpStream) -> Result<()> {
        let (method, key, body) = request(&mut BufReader::new(stream.try_clone()?))?;
        let mood = self.with(|shelf| {
            shelf.asked += 1;
            shelf.mood
        });
        let (status, value) = match (mood, method.as_str()) {
            (Mood::Silent, _) => {
                thread::sleep(Duration::from_secs(60));
                return Ok(());
            }
            (Mood::Broken, _) => ("500 Broken", Vec::new()),
            (_, "PUT") => {
                self.with(|shelf| shelf.values.insert(key, body));
                ("200 OK", Vec::new())
            }
            (Mood::Behind, _) => ("404 Not Found", Vec::new()),
            _ => match self.with(|shelf| shelf.values.get(&key).cloned()) {
                Some(value) => {
                    self.with(|shelf| shelf.given.push(key));
                    let length = if mood == Mood::Torn { value.len() / 2 } else { value.len() };
                    ("200 OK", value[..length].to_vec())
                }
                None => ("404 Not Found", Vec::new()),
            },
        };
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", value.len())?;
        Ok(stream.write_all(&value)?)
    }
}

/// Method, key and body of a request.
fn request(reader: &mut impl BufRead) -> Result<(String, String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let key = target.split('?').next().unwrap_or_default().to_owned();
    let (mut length, mut is_chunked) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim_end().to_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(text) = header.strip_prefix("content-length:") {
            length = text.trim().parse()?;
        }
        is_chunked |= header.starts_with("transfer-encoding:") && header.contains("chunked");
    }
    let mut body = Vec::new();
    loop {
        if is_chunked {
            let mut size = String::new();
            reader.read_line(&mut size)?;
            length = u64::from_str_radix(size.trim(), 16)?;
        }
        reader.by_ref().take(length).read_to_end(&mut body)?;
        if !is_chunked {
            return Ok((method.to_owned(), key, body));
        }
        reader.read_line(&mut String::new())?;
        if length == 0 {
            return Ok((method.to_owned(), key, body));
        }
    }
}

/// The site serves: its config names a program, the program is there, and events are decided by it.
fn serves(world: &World, seed: u64) -> Result<()> {
    let config = world.client().get("/s/shop/config", &[])?.json()?;
    let program = config["program"].as_str().context("a program")?.to_owned();
    let answer = world.client().get(&format!("/s/shop/program/{program}"), &[])?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut visitor = Visitor::new(seed);
    let event = visitor.track("search", json!({"query": "boots"}));
    let answer = world.client().post("/v1/collect", &[], visitor.batch(&[event]).to_string().as_bytes())?;
    assert_eq!((answer.status, &answer.json()?["accepted"]), (200, &json!(1)));
    Ok(())
}

#[test]
fn programs_are_kept_in_kv_and_nothing_stops_where_it_fails() -> Result<()> {
    let kv = Kv::default();
    let mut world = World::with(Setup { kv: Some(kv.serve()?), ..Setup::default() })?;
    serves(&world, 1)?;
    let keys = kv.with(|shelf| shelf.values.keys().cloned().collect::<Vec<_>>());
    assert_eq!(keys.len(), 2, "both forms are written: {keys:?}");

    // A worker that begins anew reads both forms from KV.
    kv.with(|shelf| shelf.given.clear());
    world.restart()?;
    serves(&world, 2)?;
    let given = kv.with(|shelf| shelf.given.clone());
    assert!(keys.iter().all(|key| given.contains(key)), "{given:?}\n{}", world.worker_log());

    for (seed, mood) in (3..).zip([Mood::Behind, Mood::Broken, Mood::Torn, Mood::Silent]) {
        kv.set(mood);
        let asked = kv.with(|shelf| shelf.asked);
        world.restart()?;
        serves(&world, seed).with_context(|| format!("{mood:?}"))?;
        assert!(kv.with(|shelf| shelf.asked) > asked, "{mood:?}: KV was asked");
    }

    // Publishing needs it no more than reading does.
    kv.set(Mood::Broken);
    world.publish()?;
    serves(&world, 9)
}
