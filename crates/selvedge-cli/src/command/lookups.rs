//! `selvedge lookups`: rows for the tables that are pushed.

use crate::arguments::{LookupsArguments, LookupsCommand, SiteArguments};
use crate::exit::Ending;
use crate::remote::{Remote, expect_ok};
use crate::site_files;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::Path;

/// A version of a table, as the worker tells it.
#[derive(Debug, Serialize, Deserialize)]
struct Version {
    name: String,
    version: u64,
    time_ms: u64,
    rows: u64,
}

/// Runs the command.
///
/// # Errors
/// Where the file cannot be read, or the worker gives no answer or refuses.
pub fn run(arguments: &LookupsArguments) -> Result<Ending> {
    let (at, versions) = match &arguments.what {
        LookupsCommand::Push { name, file, rows, at } => {
            let method = if *rows { "PATCH" } else { "PUT" };
            (at, vec![changed(at, method, name, &read(file)?)?])
        }
        LookupsCommand::Remove { name, key, at } => {
            let path = format!("{name}/{}", encoded(key));
            (at, vec![changed(at, "DELETE", &path, &[])?])
        }
        LookupsCommand::List { at } => {
            let path = format!("/v1/lookups/{}", site_of(at)?);
            let answer = expect_ok(Remote::new(&at.remote).get(&path)?, &path)?;
            (at, serde_json::from_slice(&answer).context("the worker's answer cannot be read")?)
        }
    };
    if at.json {
        match (&arguments.what, versions.first()) {
            (LookupsCommand::List { .. }, _) => println!("{}", serde_json::to_string(&versions)?),
            (_, Some(version)) => println!("{}", serde_json::to_string(version)?),
            (_, None) => {}
        }
    } else {
        for Version { name, version, rows, .. } in &versions {
            println!("{name}: version {version}, {rows} rows");
        }
    }
    Ok(Ending::Done)
}

fn changed(at: &SiteArguments, method: &str, path: &str, body: &[u8]) -> Result<Version> {
    let path = format!("/v1/lookups/{}/{path}", site_of(at)?);
    let answer = expect_ok(Remote::new(&at.remote).send(method, &path, body)?, &path)?;
    serde_json::from_slice(&answer).context("the worker's answer cannot be read")
}

fn read(file: &Path) -> Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text).context("standard input cannot be read")?;
        return Ok(text);
    }
    std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
}

/// The name of the site: that which is given, else that of the folder's site.yaml.
fn site_of(at: &SiteArguments) -> Result<String> {
    if let Some(site) = &at.site {
        return Ok(site.clone());
    }
    let files = site_files::read(&at.dir)?;
    match selvedge_compiler::compile(&files).program {
        Some(compiled) => Ok(compiled.full.site),
        None => bail!("the site in {} does not compile; name it with --site", at.dir.display()),
    }
}

/// A text as one segment of an address.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_key_is_one_segment_of_an_address() {
        assert_eq!(super::encoded("NG-1/ä b"), "NG-1%2F%C3%A4%20b");
    }
}
