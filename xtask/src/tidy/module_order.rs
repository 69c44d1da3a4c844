//! A module imports only modules that stand above it: the order of the `mod` lines is the order of the floors.

use std::path::Path;

use anyhow::Result;

use super::Finding;
use super::tree::{Module, ModulePath, Tree};
use crate::repo::Repo;

/// The crates that keep this order.
const CRATES: [&str; 12] = [
    "crates/selvedge-core",
    "crates/selvedge-client",
    "crates/selvedge-edge",
    "crates/selvedge-kafka",
    "crates/selvedge-compiler",
    "crates/selvedge-cli",
    "crates/selvedge-browser",
    "crates/selvedge-rules",
    "crates/selvedge-strings",
    "worker",
    "tests",
    "xtask",
];

/// Every import of a module that stands below its importer.
///
/// # Errors
/// When a module's file cannot be read.
pub fn check(repo: &Repo) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for folder in CRATES {
        let root = repo.path(folder).join("src/lib.rs");
        findings.extend(check_crate(&root, &repo.root)?);
    }
    Ok(findings)
}

fn check_crate(root: &Path, repo: &Path) -> Result<Vec<Finding>> {
    let tree = Tree::read(root)?;
    let mut findings = Vec::new();
    for module in tree.modules.values().filter(|module| !module.path.is_empty()) {
        for (line, path) in module.references() {
            let target = tree.resolve(&path);
            if let Some((upper, lower)) = wrong_way(&tree, module, &target) {
                let message = format!(
                    "`{lower}` imports `{upper}`, which stands below it: move the shared part up, or the `mod` line down"
                );
                findings.push(Finding::at_line(&module.file, repo, line, message));
            }
        }
    }
    Ok(findings)
}

/// Where the two paths part, the imported sibling must come first. Gives back both siblings' paths where it does not.
fn wrong_way(tree: &Tree, module: &Module, target: &ModulePath) -> Option<(String, String)> {
    let same = module.path.iter().zip(target).take_while(|(own, other)| own == other).count();
    let (own, other) = (module.path.get(..=same)?, target.get(..=same)?);
    let order = |path: &[String]| tree.modules.get(path).map(|module| module.order);
    if order(other)? > order(own)? { Some((other.join("::"), own.join("::"))) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn crate_of(files: &[(&str, &str)]) -> Result<Vec<String>> {
        let folder = tempfile::tempdir()?;
        for (name, text) in files {
            let place = folder.path().join(name);
            fs::create_dir_all(place.parent().unwrap_or(folder.path()))?;
            fs::write(place, text)?;
        }
        let findings = check_crate(&folder.path().join("lib.rs"), folder.path())?;
        Ok(findings.into_iter().map(|finding| finding.to_string()).collect())
    }

    #[test]
    fn an_import_from_above_is_fine() -> Result<()> {
        let lib = ("lib.rs", "pub mod upper;\npub mod lower;\n");
        let files = [lib, ("upper.rs", "pub struct A;"), ("lower.rs", "use crate::upper::A;")];
        assert_eq!(crate_of(&files)?, Vec::<String>::new());
        Ok(())
    }

    #[test]
    fn every_way_to_import_from_below_is_caught() -> Result<()> {
        let ways = [
            "use crate::lower::A;",
            "use crate::{other, lower::A};",
            "use crate::{\n  other::{B},\n  lower,\n};",
            "use super::lower::A;",
            "fn f() { crate::lower::a(); }",
            "use crate::A;",
        ];
        for way in ways {
            let lib = ("lib.rs", "mod other;\nmod upper;\npub mod lower;\npub use lower::A;");
            let findings =
                crate_of(&[lib, ("other.rs", ""), ("upper.rs", way), ("lower.rs", "pub struct A;")])?;
            assert_eq!(findings.len(), 1, "{way}: {findings:?}");
            assert!(
                findings
                    .iter()
                    .all(|finding| finding.starts_with("upper.rs:") && finding.contains("`lower`"))
            );
        }
        Ok(())
    }

    #[test]
    fn comments_texts_and_tests_import_nothing() -> Result<()> {
        let text = "// use crate::lower;\nconst A: &str = \"use crate::lower;\";\n#[cfg(test)]\nmod tests { use crate::lower::A; }";
        let files = [("lib.rs", "mod upper;\nmod lower;"), ("upper.rs", text), ("lower.rs", "")];
        assert_eq!(crate_of(&files)?, Vec::<String>::new());
        Ok(())
    }

    #[test]
    fn folders_keep_the_order_too() -> Result<()> {
        let files = [
            ("lib.rs", "mod wire;\nmod rules;"),
            ("wire/mod.rs", "mod codec;\nmod batch;"),
            ("wire/codec.rs", "use super::batch::B;\nuse crate::rules::R;"),
            ("wire/batch.rs", "use super::codec::C;"),
            ("rules.rs", "use crate::wire::batch::B;"),
        ];
        let findings = crate_of(&files)?;
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(
            findings.iter().any(|finding| finding.contains("`wire::codec` imports `wire::batch`")),
            "{findings:?}"
        );
        assert!(findings.iter().any(|finding| finding.contains("`wire` imports `rules`")), "{findings:?}");
        Ok(())
    }
}
