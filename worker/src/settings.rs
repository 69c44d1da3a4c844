//! What the deployment says: text bindings of the environment. They stay the same for as long as an isolate lives: what
//! every request asks for is read once.

use selvedge_edge::topology::Topology;
use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use worker::Env;

/// Shards of the one topology entry there is where nothing else is said.
const SHARDS_DEFAULT: u32 = 4;

thread_local! {
    static TOPOLOGY: OnceCell<Rc<Topology>> = const { OnceCell::new() };
    static PLANTS_FAULTS: Cell<Option<bool>> = const { Cell::new(None) };
}

/// The token of `ADMIN_TOKEN`; without one, admin routes are closed.
pub fn admin_token(env: &Env) -> Option<String> {
    text(env, "ADMIN_TOKEN")
}

/// The secret of this name.
pub fn secret(env: &Env, name: &str) -> Option<String> {
    text(env, name)
}

/// Where visitors live: `TOPOLOGY`, or one entry of `SHARDS` shards.
///
/// # Errors
/// Where `TOPOLOGY` is none: better no answer than visitors in the wrong place.
pub fn topology(env: &Env) -> Result<Rc<Topology>, worker::Error> {
    TOPOLOGY.with(|known| match known.get() {
        Some(topology) => Ok(Rc::clone(topology)),
        None => read_topology(env).map(|read| Rc::clone(known.get_or_init(|| Rc::new(read)))),
    })
}

fn read_topology(env: &Env) -> Result<Topology, worker::Error> {
    if let Some(json) = text(env, "TOPOLOGY") {
        return Topology::parse(&json).map_err(|fault| worker::Error::RustError(fault.to_string()));
    }
    let shards = text(env, "SHARDS").and_then(|text| text.parse().ok());
    Ok(Topology::single(shards.unwrap_or(SHARDS_DEFAULT)))
}

/// How often an open page asks for its config again: `CONFIG_REFRESH_MS`; 0, where it is not set, is never.
pub fn refresh_ms(env: &Env) -> u32 {
    text(env, "CONFIG_REFRESH_MS").and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Whether planted faults act: `SELVEDGE_TEST_FAULTS=1`, only in tests.
pub fn plants_faults(env: &Env) -> bool {
    PLANTS_FAULTS.get().unwrap_or_else(|| {
        let is_on = text(env, "SELVEDGE_TEST_FAULTS").as_deref() == Some("1");
        PLANTS_FAULTS.set(Some(is_on));
        is_on
    })
}

/// Whether destinations may stand on this machine: `DEV_LOOPBACK=1`, only in development. Told at `/metrics`.
pub fn may_reach_loopback(env: &Env) -> bool {
    text(env, "DEV_LOOPBACK").as_deref() == Some("1")
}

fn text(env: &Env, name: &str) -> Option<String> {
    env.var(name).ok().map(|value| value.to_string()).filter(|value| !value.is_empty())
}
