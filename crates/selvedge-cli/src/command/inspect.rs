//! `selvedge inspect`: what is inside a program, what each rule costs, what reaches the page and what does not.

use crate::arguments::InspectArguments;
use crate::exit::Ending;
use crate::inspection::{inspection_of_bytes, inspection_of_site};
use anyhow::{Context, Result, bail};
use std::fs;

/// Runs the command.
///
/// # Errors
/// Where the site or program cannot be read, or the site has errors.
pub fn run(arguments: &InspectArguments) -> Result<Ending> {
    let path = &arguments.program;
    let found = if path.is_dir() {
        let compilation = selvedge_compiler::compile(&crate::site_files::read(path)?);
        let Some(compiled) = &compilation.program else {
            bail!("{} has errors; `selvedge check {0}` says which", path.display());
        };
        inspection_of_site(compiled)?
    } else {
        let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        inspection_of_bytes(&bytes)
            .with_context(|| format!("{} is no program that `selvedge build` wrote", path.display()))?
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print!("{found}");
    }
    Ok(Ending::Done)
}
