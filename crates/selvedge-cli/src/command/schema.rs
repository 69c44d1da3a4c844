//! `selvedge schema`: JSON Schemas of a site's files, for editors and other tools.

use crate::arguments::SchemaArguments;
use crate::exit::Ending;
use crate::schema::{names, of_file};
use crate::{records, site_files};
use anyhow::{Context, Result, bail};
use selvedge_compiler::{compile, render};
use std::fs;
use std::path::Path;

/// Runs the command.
///
/// # Errors
/// Where there is no such file, or the folder cannot be written.
pub fn run(arguments: &SchemaArguments) -> Result<Ending> {
    if let Some(site) = &arguments.records {
        return print_records(site);
    }
    match (&arguments.file, &arguments.out) {
        (Some(name), None) => {
            let name = name.trim_end_matches(".yaml");
            let Some(schema) = of_file(name) else {
                bail!("there is no schema of `{name}`; known are {}", names().join(", "));
            };
            println!("{}", serde_json::to_string_pretty(&schema)?);
        }
        (_, Some(folder)) => {
            let context = || format!("{} cannot be written", folder.display());
            fs::create_dir_all(folder).with_context(context)?;
            for name in names() {
                let path = folder.join(format!("{name}.schema.json"));
                let schema = of_file(name).with_context(context)?;
                fs::write(&path, serde_json::to_string_pretty(&schema)? + "\n").with_context(context)?;
                println!("{}", path.display());
            }
        }
        (None, None) => names().iter().for_each(|name| println!("{name}")),
    }
    Ok(Ending::Done)
}

/// Prints what the records of a site look like.
fn print_records(site: &Path) -> Result<Ending> {
    let files = site_files::read(site)?;
    let compilation = compile(&files);
    let Some(program) = compilation.program else {
        for found in &compilation.diagnostics {
            eprintln!("{}", render(found, files.get(&found.file).map_or("", String::as_str)));
        }
        return Ok(Ending::Wrong);
    };
    let schema = records::schema(&program.full.site, &program.full.plan);
    println!("{}", serde_json::to_string_pretty(&schema)?);
    Ok(Ending::Done)
}
