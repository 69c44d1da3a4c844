//! `selvedge publish`: a site, checked and compiled, becomes the one in force.

use super::check::compiled;
use crate::arguments::PublishArguments;
use crate::exit::Ending;
use crate::remote::{Remote, expect_ok};
use anyhow::{Context, Result};
use selvedge_compiler::Compiled;
use selvedge_edge::publish::pack;
use serde::{Deserialize, Serialize};

const PATH: &str = "/v1/publish";

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
    let Some(compiled) = compiled(&arguments.site)? else {
        return Ok(Ending::Wrong);
    };
    let published = publish(&Remote::new(&arguments.remote), &compiled)?;
    if arguments.json {
        println!("{}", serde_json::to_string(&published)?);
    } else {
        println!("{}: publish {}, program {}", published.site, published.publish, published.program);
    }
    Ok(Ending::Done)
}

/// Makes a compiled site the one in force.
///
/// # Errors
/// Where the worker gives no answer or refuses.
pub fn publish(remote: &Remote, compiled: &Compiled) -> Result<Published> {
    let answer = expect_ok(remote.post(PATH, &pack(&compiled.full_bytes, &compiled.public_bytes))?, PATH)?;
    serde_json::from_slice(&answer).context("the worker's answer cannot be read")
}
