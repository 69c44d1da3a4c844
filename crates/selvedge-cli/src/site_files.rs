//! The files of a site: a folder's YAML and CSV as the compiler takes them, by path within the folder.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The folder of a site's own tests, beside its files.
const TESTS: &str = "tests";
/// Bytes of one file.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Files of one folder.
const FILES_MAX: usize = 1_000;

/// The YAML and CSV files of the site in `folder`, and those of its tests, by path within the folder.
///
/// # Errors
/// Where the folder holds none, or one cannot be read as UTF-8 text or is too large.
pub fn read(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    ensure!(
        folder.is_dir(),
        "{} is not there: name the folder of a site, or write one with `selvedge new`",
        folder.display()
    );
    read_folder(folder, "", &mut files)?;
    ensure!(
        !files.is_empty(),
        "{} is no site: it holds no YAML files; `selvedge new` writes a site",
        folder.display()
    );
    if folder.join(TESTS).is_dir() {
        read_folder(&folder.join(TESTS), "tests/", &mut files)?;
    }
    Ok(files)
}

fn read_folder(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> Result<()> {
    let context = || format!("{} cannot be read", folder.display());
    for entry in fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let Some(name) = site_name(&path) else { continue };
        ensure!(files.len() < FILES_MAX, "{} holds more than {FILES_MAX} files", folder.display());
        files.insert(format!("{prefix}{name}"), read_file(&path)?);
    }
    Ok(())
}

/// The name of a visible YAML or CSV file.
fn site_name(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let is_read = path
        .extension()
        .is_some_and(|extension| ["yaml", "yml", "csv"].iter().any(|known| extension == *known));
    (is_read && !name.starts_with('.') && path.is_file()).then_some(name)
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
        let missing = read(&folder.path().join("shop")).unwrap_err().to_string();
        assert!(missing.contains("`selvedge new`"), "{missing}");
        fs::write(folder.path().join("site.yaml"), "name: shop\n").unwrap();
        fs::write(folder.path().join("notes.txt"), "x: 1\n").unwrap();
        fs::write(folder.path().join(".#site.yaml"), "x: 1\n").unwrap();
        fs::create_dir(folder.path().join("tests")).unwrap();
        fs::write(folder.path().join("tests/hero.yaml"), "[]\n").unwrap();
        assert_eq!(
            read(folder.path()).unwrap().into_keys().collect::<Vec<_>>(),
            ["site.yaml", "tests/hero.yaml"]
        );
    }
}
