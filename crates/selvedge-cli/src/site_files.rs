//! The files of a site: a folder's YAML as the compiler takes it, by path within the folder.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The files that make a site.
pub const NAMES: [&str; 4] = ["site.yaml", "tracking-plan.yaml", "rules.yaml", "content.yaml"];
/// Bytes of one file.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The site's files in `folder`; those that do not exist are left out, for the compiler to say.
///
/// # Errors
/// Where the folder holds none of them, or one cannot be read as UTF-8 text or is too large.
pub fn read(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for name in NAMES {
        let path = folder.join(name);
        if path.exists() {
            files.insert(name.to_owned(), read_file(&path)?);
        }
    }
    ensure!(
        !files.is_empty(),
        "{} is no site: it holds none of {}; `selvedge new` writes one",
        folder.display(),
        NAMES.join(", ")
    );
    Ok(files)
}

fn read_file(path: &Path) -> Result<String> {
    let context = || format!("{} cannot be read", path.display());
    let bytes = fs::metadata(path).with_context(context)?.len();
    ensure!(bytes <= FILE_BYTES_MAX, "{} has {bytes} bytes; at most {FILE_BYTES_MAX}", path.display());
    fs::read_to_string(path).with_context(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_site_is_refused_and_other_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).is_err());
        fs::write(folder.path().join("site.yaml"), "name: shop\n").unwrap();
        fs::write(folder.path().join("notes.yaml"), "x: 1\n").unwrap();
        assert_eq!(read(folder.path()).unwrap().into_keys().collect::<Vec<_>>(), ["site.yaml"]);
    }
}
