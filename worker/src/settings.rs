//! What the deployment says: text bindings of the environment.

use worker::Env;

/// Shards of topology entry 0 where nothing else is said.
const SHARDS_DEFAULT: u32 = 4;
/// Shards that one topology entry may have.
const SHARDS_MAX: u32 = 1_024;

/// The token of `ADMIN_TOKEN`; without one, admin routes are closed.
pub fn admin_token(env: &Env) -> Option<String> {
    text(env, "ADMIN_TOKEN")
}

/// The secret of this name.
pub fn secret(env: &Env, name: &str) -> Option<String> {
    text(env, name)
}

/// The shards of a site: `SHARDS`.
pub fn shards(env: &Env) -> u32 {
    let given = text(env, "SHARDS").and_then(|text| text.parse().ok());
    given.unwrap_or(SHARDS_DEFAULT).clamp(1, SHARDS_MAX)
}

/// Whether planted faults act: `SELVEDGE_TEST_FAULTS=1`, only in tests.
pub fn plants_faults(env: &Env) -> bool {
    text(env, "SELVEDGE_TEST_FAULTS").as_deref() == Some("1")
}

fn text(env: &Env, name: &str) -> Option<String> {
    env.var(name).ok().map(|value| value.to_string()).filter(|value| !value.is_empty())
}
