//! Sites for tests: folders of the repository, and a small one that tests change.

use std::collections::BTreeMap;
use std::path::Path;

/// The files of a folder, relative to the repository's root.
pub fn site_folder(folder: &str) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&root).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        if path.is_file() && name.ends_with(".yaml") {
            files.insert(name, std::fs::read_to_string(&path).expect("readable"));
        }
    }
    files
}

/// A small site with everything that a rule may name.
#[allow(dead_code)]
pub fn shop() -> BTreeMap<String, String> {
    site_folder("crates/selvedge-compiler/tests/site")
}
