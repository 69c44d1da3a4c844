//! `selvedge build`: a site to program files, named by the program's hash.

use super::check::compiled;
use crate::arguments::BuildArguments;
use crate::exit::Ending;
use anyhow::{Context, Result};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// Runs the command.
///
/// # Errors
/// Where the site cannot be read or the files cannot be written.
pub fn run(arguments: &BuildArguments) -> Result<Ending> {
    let Some(compiled) = compiled(&arguments.site)? else {
        return Ok(Ending::Wrong);
    };
    fs::create_dir_all(&arguments.out)
        .with_context(|| format!("{} cannot be made", arguments.out.display()))?;
    let full = write(&arguments.out, &format!("{}.full.svp", compiled.hash), &compiled.full_bytes)?;
    let public = write(&arguments.out, &format!("{}.public.svp", compiled.hash), &compiled.public_bytes)?;
    if arguments.json {
        println!("{}", json!({"program": compiled.hash.to_string(), "full": full, "public": public}));
    } else {
        println!("{}\n{}", full.display(), public.display());
    }
    Ok(Ending::Done)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, bytes).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}
