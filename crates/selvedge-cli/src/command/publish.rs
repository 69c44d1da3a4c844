//! `selvedge publish`: a site, checked and compiled, becomes the one in force.

use super::check::{compiled, compiled_beside};
use crate::arguments::PublishArguments;
use crate::exit::Ending;
use crate::remote::{Remote, expect_ok};
use anyhow::{Context, Result};
use selvedge_compiler::Compiled;
use selvedge_core::wire::program::Parts;
use selvedge_edge::publish::pack;
use serde::{Deserialize, Serialize};

const PATH: &str = "/v1/publish";
const PROGRAMS: &str = "/v1/programs";

/// A publish of the site's history.
#[derive(Debug, Deserialize)]
struct Entry {
    program: String,
}

/// What the worker says of a publish.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The site.
    pub site: String,
    /// The program's place in the site's history.
    pub publish: u64,
    /// The program's hash.
    pub program: String,
}

/// Runs the command.
///
/// # Errors
/// Where the site cannot be read, or the worker gives no answer or refuses.
pub fn run(arguments: &PublishArguments) -> Result<Ending> {
    let remote = Remote::new(&arguments.remote);
    let Some(compiled) = checked(arguments, &remote)? else {
        return Ok(Ending::Wrong);
    };
    let published = publish(&remote, &compiled)?;
    if arguments.json {
        println!("{}", serde_json::to_string(&published)?);
    } else {
        println!("{}: publish {}, program {}", published.site, published.publish, published.program);
    }
    Ok(Ending::Done)
}

/// The site, compiled, and checked beside the program in force unless that is not wanted; `None` where it has errors.
fn checked(arguments: &PublishArguments, remote: &Remote) -> Result<Option<Compiled>> {
    let Some(first) = compiled(&arguments.site)? else { return Ok(None) };
    match in_force(remote, &first.full.site)?.filter(|_| !arguments.force) {
        Some(older) => compiled_beside(&arguments.site, &older),
        None => Ok(Some(first)),
    }
}

/// The program that a site runs; `None` where nothing is published for it yet.
///
/// # Errors
/// Where the worker gives no answer or refuses, or has a program that cannot be read here.
pub fn in_force(remote: &Remote, site: &str) -> Result<Option<Parts>> {
    let path = format!("{PROGRAMS}?site={site}");
    let answer = remote.get(&path)?;
    if matches!(answer.status, 404 | 503) {
        return Ok(None);
    }
    let history: Vec<Entry> = serde_json::from_slice(&expect_ok(answer, PROGRAMS)?)
        .context("the worker's answer cannot be read")?;
    let Some(newest) = history.first() else { return Ok(None) };
    let path = format!("{PROGRAMS}/{}", newest.program);
    let bytes = expect_ok(remote.get(&path)?, &path)?;
    let parts = Parts::decode(&bytes).context(
        "the program in force was built by another version; --force publishes beside it unchecked",
    )?;
    Ok(Some(parts))
}

/// Makes a compiled site the one in force.
///
/// # Errors
/// Where the worker gives no answer or refuses.
pub fn publish(remote: &Remote, compiled: &Compiled) -> Result<Published> {
    let answer = expect_ok(remote.post(PATH, &pack(&compiled.full_bytes, &compiled.public_bytes))?, PATH)?;
    serde_json::from_slice(&answer).context("the worker's answer cannot be read")
}
