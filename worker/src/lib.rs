//! The wasm boundary of the edge.
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{event, durable_object, DurableObject, Context, Env, Request, Response, Result, State};

mod barrier;

/// Every request to the worker.
#[event(fetch)]
pub async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    match request.path().as_str() {
        "/health" => Response::ok("ok"),
        "/__fault/panic" => panic!("planted"),
        _ => env.durable_object("SHARD")?.get_by_name("shop/0/0")?.fetch_with_request(request).await,
    }
}

/// Owner.
#[durable_object(fetch)]
pub struct Shard { state: State, _env: Env }
impl DurableObject for Shard {
    fn new(state: State, env: Env) -> Self { Self { state, _env: env } }
    async fn fetch(&self, req: Request) -> Result<Response> {
        let sql = self.state.storage().sql();
        sql.exec("CREATE TABLE IF NOT EXISTS log(seq INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB)", None)?;
        barrier::put(sql.clone(), req.path());
        let status = barrier::run(&self.state);
        let n: Vec<serde_json::Value> = sql.exec("SELECT count(*) AS n FROM log", None)?.to_array()?;
        Response::ok(format!("{status} {n:?}\n"))
    }
}
/// Registry.
#[durable_object(fetch)]
pub struct Registry { _state: State, _env: Env }
impl DurableObject for Registry {
    fn new(state: State, env: Env) -> Self { Self { _state: state, _env: env } }
    async fn fetch(&self, _req: Request) -> Result<Response> { Response::ok("r") }
}
/// Step.
#[wasm_bindgen]
pub fn selvedge_step() -> u32 { barrier::step() }
