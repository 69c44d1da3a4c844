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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::new_site;
    use std::collections::BTreeMap;

    /// The site in a folder, its files written in this order.
    fn folder(files: &[(String, String)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tests")).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn built(files: &[(String, String)]) -> BTreeMap<String, Vec<u8>> {
        let (site, out) = (folder(files), tempfile::tempdir().unwrap());
        let arguments =
            BuildArguments { site: site.path().to_owned(), out: out.path().to_owned(), json: false };
        assert_eq!(run(&arguments).unwrap(), Ending::Done);
        let entries = fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().path());
        entries
            .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
            .collect()
    }

    #[test]
    fn the_same_site_gives_the_same_bytes_whatever_the_order_of_its_files() {
        let files: Vec<(String, String)> = new_site().into_iter().collect();
        let first = built(&files);
        assert_eq!(first.len(), 2);
        assert_eq!(built(&files), first);
        assert_eq!(built(&files.iter().rev().cloned().collect::<Vec<_>>()), first);
    }

    #[test]
    fn a_test_of_the_site_is_no_part_of_its_program() {
        let files: Vec<(String, String)> = new_site().into_iter().collect();
        let without: Vec<_> = files.iter().filter(|(name, _)| !name.starts_with("tests/")).cloned().collect();
        assert_eq!(built(&without), built(&files));
    }
}
