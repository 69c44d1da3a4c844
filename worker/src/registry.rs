//! The registry: which program each site runs, all programs ever published, and the history of both. One object for the
//! whole deployment; workers poll its pointers.

use crate::barrier::{self, Failure};
use crate::clock::now_ms;
use crate::packed::pack;
use crate::programs::Pointer;
use crate::reply::{self, Answered, Problem};
use crate::sql;
use crate::tables;
use selvedge_core::limits::PUSH_BYTES_MAX;
use selvedge_edge::fault::Fault;
use selvedge_edge::lookups::Push;
use selvedge_edge::order::{ORDER_BYTES_MAX, Pause, Rollback};
use selvedge_edge::publish::{PUBLISH_BYTES_MAX, Published};
use serde::Serialize;
use worker::{DurableObject, Env, Method, Request, Response, SqlStorage, State, durable_object};

/// Bytes of one stored part of a program: a value has at most 2 MB.
const PART_BYTES_MAX: usize = 1_000_000;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS site(name TEXT PRIMARY KEY, publish INTEGER, program TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history(
    site TEXT, publish INTEGER, program TEXT, time_ms INTEGER, PRIMARY KEY(site, publish)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS program(
    hash TEXT, form TEXT, part INTEGER, bytes BLOB, PRIMARY KEY(hash, form, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS paused(site TEXT, rule TEXT, PRIMARY KEY(site, rule)) WITHOUT ROWID;
";

/// The registry object.
#[durable_object(fetch)]
pub struct Registry {
    state: State,
    sql: SqlStorage,
}

impl DurableObject for Registry {
    fn new(state: State, _env: Env) -> Self {
        let sql = state.storage().sql();
        Self { state, sql }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        match self.answer(&mut request).await {
            Ok(response) => Ok(response),
            Err(problem) => reply::of_problem(problem),
        }
    }
}

/// One publish of a site.
#[derive(Debug, Serialize)]
struct Entry {
    publish: u64,
    program: String,
    time: String,
    time_ms: u64,
}

impl Registry {
    async fn answer(&self, request: &mut Request) -> Answered {
        sql::run(&self.sql, TABLES, Vec::new())?;
        sql::run(&self.sql, tables::TABLES, Vec::new())?;
        let path = request.path();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (request.method(), segments.as_slice()) {
            (Method::Get, ["pointers"]) => self.pointers(),
            (Method::Get, ["history", site]) => self.history(site),
            (Method::Get, ["program", hash, form]) => self.program(hash, form),
            (Method::Get, ["lookup", site, name, version]) => self.lookup(site, name, version),
            (Method::Post, ["lookup", site, name]) => {
                let body = crate::body::read(request, PUSH_BYTES_MAX.saturating_mul(2)).await?;
                self.push(site, name, &body)
            }
            (Method::Post, ["publish"]) => {
                let body = crate::body::read(request, PUBLISH_BYTES_MAX).await?;
                self.publish(&body)
            }
            (Method::Post, ["pause", site]) => {
                let order = Pause::read(&crate::body::read(request, ORDER_BYTES_MAX).await?)?;
                self.pause(site, &order)
            }
            (Method::Post, ["rollback", site]) => {
                let order = Rollback::read(&crate::body::read(request, ORDER_BYTES_MAX).await?)?;
                self.rollback(site, order.publish)
            }
            _ => Err(Fault::not_found("the registry has no such path").into()),
        }
    }

    fn pointers(&self) -> Answered {
        let rows = sql::rows(&self.sql, "SELECT name, publish, program FROM site", Vec::new())?;
        let pointers: Vec<Pointer> = rows
            .into_iter()
            .map(|row| {
                let mut values = row.into_iter();
                let site = sql::text(values.next());
                let (publish, program) = (sql::number(values.next()), sql::text(values.next()));
                let lookups = tables::newest(&self.sql, &site)?;
                Ok(Pointer { paused: paused(&self.sql, &site)?, lookups, site, publish, program })
            })
            .collect::<worker::Result<_>>()?;
        reply::bytes(pack(&pointers, &[])?)
    }

    fn history(&self, site: &str) -> Answered {
        let statement =
            "SELECT publish, program, time_ms FROM history WHERE site = ? ORDER BY publish DESC LIMIT 1000";
        let entries: Vec<Entry> = sql::rows(&self.sql, statement, vec![site.into()])?
            .into_iter()
            .map(|row| {
                let mut values = row.into_iter();
                let (publish, program) = (sql::number(values.next()), sql::text(values.next()));
                let time_ms = sql::number(values.next());
                Entry { publish, program, time: selvedge_edge::text::rfc_3339(time_ms), time_ms }
            })
            .collect();
        reply::json(serde_json::to_string(&entries).unwrap_or_default())
    }

    fn program(&self, hash: &str, form: &str) -> Answered {
        let statement = "SELECT bytes FROM program WHERE hash = ? AND form = ? ORDER BY part";
        let rows = sql::rows(&self.sql, statement, vec![hash.into(), form.into()])?;
        if rows.is_empty() {
            return Err(Fault::not_found("there is no program of this hash").into());
        }
        let parts = rows.into_iter().map(|row| sql::blob(row.into_iter().next()));
        reply::bytes(parts.collect::<Vec<_>>().concat())
    }

    /// The bytes of a version of a pushed table.
    fn lookup(&self, site: &str, name: &str, version: &str) -> Answered {
        let version = version.parse().unwrap_or(0);
        match tables::bytes(&self.sql, site, name, version)? {
            bytes if bytes.is_empty() => {
                Err(Fault::not_found("there is no such version of the table").into())
            }
            bytes => reply::bytes(bytes),
        }
    }

    /// Takes rows of a table, in one transaction; gives the version that they made.
    fn push(&self, site: &str, name: &str, body: &[u8]) -> Answered {
        let push = Push::decode(body).map_err(|fault| Fault::internal(fault.to_string()))?;
        let (sql, site, name, now_ms) = (self.sql.clone(), site.to_owned(), name.to_owned(), now_ms());
        let pushed = barrier::transaction(&self.state.storage(), move || {
            tables::push(&sql, &site, &name, push, now_ms)
        });
        match pushed {
            Ok(Ok(version)) => reply::json(serde_json::to_string(&version).unwrap_or_default()),
            Ok(Err(fault)) => Err(fault.into()),
            Err(Failure::Work(error)) => Err(Problem::Platform(error)),
            Err(Failure::Panicked | Failure::Storage) => {
                Err(Fault::storage("the rows could not be stored").into())
            }
        }
    }

    /// Stores both forms and moves the pointer, in one transaction. The program in force published again changes nothing.
    fn publish(&self, body: &[u8]) -> Answered {
        let published = Published::read(body)?;
        let (sql, now_ms) = (self.sql.clone(), now_ms());
        let (site, program) = (published.site.clone(), published.hash.to_string());
        let (full, public) = (published.full.to_vec(), published.public.to_vec());
        self.move_pointer(move || store(&sql, &Publish { site, program, full, public, now_ms }))
    }

    /// Stops a rule of the site, or lets it act again. With all, nothing that was stopped before stays so.
    fn pause(&self, site: &str, order: &Pause) -> Answered {
        let (sql, site, order) = (self.sql.clone(), site.to_owned(), order.clone());
        self.move_pointer(move || {
            let statement = match (order.resume, order.all) {
                (false, _) => "INSERT OR REPLACE INTO paused VALUES (?, ?)",
                (true, false) => "DELETE FROM paused WHERE site = ? AND rule = ?",
                (true, true) => "DELETE FROM paused WHERE site = ? AND rule IS NOT ?",
            };
            let of = if order.resume && order.all { "" } else { order.of() };
            sql::run(&sql, statement, vec![site.as_str().into(), of.into()])?;
            pointer_of(&sql, &site)
        })
    }

    /// Puts the program of an earlier publish in force, as a publish of its own.
    fn rollback(&self, site: &str, publish: Option<u64>) -> Answered {
        let known = pointer_of(&self.sql, site)?;
        let statement =
            "SELECT program FROM history WHERE site = ? AND (? = 0 OR publish = ?) AND program IS NOT ?
            ORDER BY publish DESC LIMIT 1";
        let wanted = sql::of_number(publish.unwrap_or(0));
        // The program in force is no step back, unless it is asked for by its number.
        let not = if publish.is_some() { "" } else { known.program.as_str() };
        let values = vec![site.into(), wanted.clone(), wanted, not.into()];
        let mut rows = sql::rows(&self.sql, statement, values)?.into_iter().flatten();
        let program = sql::text(rows.next());
        if program.is_empty() {
            return Err(Fault::not_found("there is no such publish to go back to").into());
        }
        let (sql, site, now_ms) = (self.sql.clone(), site.to_owned(), now_ms());
        self.move_pointer(move || advance(&sql, &site, &program, now_ms))
    }

    /// Does something in one transaction that ends with where the site stands.
    fn move_pointer(&self, work: impl FnOnce() -> worker::Result<Pointer> + 'static) -> Answered {
        match barrier::transaction(&self.state.storage(), work) {
            Ok(pointer) => reply::json(pointer.render()),
            Err(Failure::Work(error)) => Err(Problem::Platform(error)),
            Err(Failure::Panicked | Failure::Storage) => {
                Err(Fault::storage("the program could not be stored").into())
            }
        }
    }
}

struct Publish {
    site: String,
    program: String,
    full: Vec<u8>,
    public: Vec<u8>,
    now_ms: u64,
}

fn store(sql: &SqlStorage, publish: &Publish) -> worker::Result<Pointer> {
    let Publish { site, program, full, public, now_ms } = publish;
    for (form, bytes) in [("full", full), ("public", public)] {
        for (part, chunk) in (0u64..).zip(bytes.chunks(PART_BYTES_MAX)) {
            let values =
                vec![program.as_str().into(), form.into(), sql::of_number(part), sql::of_bytes(chunk)];
            sql::run(sql, "INSERT OR REPLACE INTO program VALUES (?, ?, ?, ?)", values)?;
        }
    }
    advance(sql, site, program, *now_ms)
}

/// Puts a stored program in force. The one in force already changes nothing.
fn advance(sql: &SqlStorage, site: &str, program: &str, now_ms: u64) -> worker::Result<Pointer> {
    let known = pointer_of(sql, site)?;
    if known.program == program {
        return Ok(known);
    }
    let next = known.publish.saturating_add(1);
    let entry = vec![site.into(), sql::of_number(next), program.into(), sql::of_number(now_ms)];
    sql::run(sql, "INSERT INTO history VALUES (?, ?, ?, ?)", entry)?;
    let moved = vec![site.into(), sql::of_number(next), program.into()];
    sql::run(sql, "INSERT OR REPLACE INTO site VALUES (?, ?, ?)", moved)?;
    pointer_of(sql, site)
}

/// Where a site stands; at publish 0 where nothing was published.
fn pointer_of(sql: &SqlStorage, site: &str) -> worker::Result<Pointer> {
    let statement = "SELECT publish, program FROM site WHERE name = ?";
    let mut known = sql::rows(sql, statement, vec![site.into()])?.into_iter().flatten();
    let (publish, program) = (sql::number(known.next()), sql::text(known.next()));
    let (paused, lookups) = (paused(sql, site)?, tables::newest(sql, site)?);
    Ok(Pointer { site: site.to_owned(), publish, program, paused, lookups })
}

/// The rules of a site that were stopped.
fn paused(sql: &SqlStorage, site: &str) -> worker::Result<Vec<String>> {
    let statement = "SELECT rule FROM paused WHERE site = ? ORDER BY rule";
    let rows = sql::rows(sql, statement, vec![site.into()])?;
    Ok(rows.into_iter().map(|row| sql::text(row.into_iter().next())).collect())
}
