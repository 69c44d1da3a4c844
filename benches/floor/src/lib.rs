//! What the platform alone costs: read the body, hand it to a Durable Object, write one row, answer. No decoding, no
//! consent, no state. `POST /write` is the floor of collect; `GET /read` the floor of decide.

#![allow(missing_docs, reason = "the attribute macros make functions of their own")]

use worker::{Context, DurableObject, Env, Request, Response, Result, State, durable_object, event};

/// Bytes of a row: what a visitor's state and a packed log row take together.
const ROW_BYTES: usize = 700;

/// Hands every request but `/health` to the one object.
///
/// # Errors
/// When the object cannot be reached.
#[event(fetch)]
pub async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    if request.path() == "/health" {
        return Response::ok("ok");
    }
    env.durable_object("FLOOR")?.get_by_name("floor")?.fetch_with_request(request).await
}

/// One object with one table.
#[durable_object(fetch)]
pub struct Floor {
    state: State,
}

impl DurableObject for Floor {
    fn new(state: State, _env: Env) -> Self {
        let table = "CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB)";
        // A failure here shows as the failure of the first statement below.
        let _ = state.storage().sql().exec(table, None);
        Self { state }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let sql = self.state.storage().sql();
        if request.path() == "/read" {
            let rows = sql.exec("SELECT body FROM log ORDER BY seq DESC LIMIT 1", None)?.raw().count();
            return Response::ok(rows.to_string());
        }
        let mut body = request.bytes().await?;
        body.resize(ROW_BYTES, 0);
        sql.exec("INSERT INTO log (body) VALUES (?)", vec![body.into()])?;
        Response::ok("ok")
    }
}
