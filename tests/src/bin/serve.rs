//! A worker for tests that are not written in Rust.
//!
//! It prints one line of JSON, `{"url", "admin_token", "bindings", "publish", "program"}`, and then obeys the lines of
//! its standard input: `kill` ends the worker with SIGKILL, `start` starts it again on the same state and port,
//! `publish` publishes the site again. Each is answered with one line of JSON. It ends with its input.
//! `SELVEDGE_SITE` names another site's folder, `SELVEDGE_DATA` a data folder that is kept, `SELVEDGE_BINDINGS` further
//! text bindings as JSON.

use std::io::BufRead as _;

use anyhow::Result;
use selvedge_tests::{Setup, World};
use serde_json::{Value, json};

fn main() -> Result<()> {
    let folder = |name: &str| std::env::var_os(name).map(Into::into);
    let bindings = match std::env::var("SELVEDGE_BINDINGS") {
        Ok(json) => serde_json::from_str(&json)?,
        Err(_) => std::collections::BTreeMap::new(),
    };
    let (site, data) = (folder("SELVEDGE_SITE"), folder("SELVEDGE_DATA"));
    let setup = Setup { site, data, bindings, ..Setup::default() };
    let mut world = World::with(setup)?;
    println!("{}", description(&world));
    for line in std::io::stdin().lock().lines() {
        println!("{}", obey(&mut world, line?.trim()));
    }
    Ok(())
}

fn description(world: &World) -> Value {
    let published = world.published();
    json!({
        "url": world.url(),
        "admin_token": world.admin_token(),
        "bindings": world.bindings(),
        "publish": published.publish,
        "program": published.program,
    })
}

fn obey(world: &mut World, order: &str) -> Value {
    let result = match order {
        "kill" => {
            world.kill9();
            Ok(())
        }
        "start" => world.restart(),
        "publish" => world.publish().map(|_| ()),
        _ => Err(anyhow::anyhow!("`{order}` is none of kill, start, publish")),
    };
    match result {
        Ok(()) => json!({ "done": order }),
        Err(problem) => json!({ "error": format!("{problem:#}") }),
    }
}
