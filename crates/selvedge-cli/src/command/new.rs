//! `selvedge new`: a small site that checks clean, to begin from.

use crate::arguments::NewArguments;
use crate::exit::Ending;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

/// The files of a new site.
pub const FILES: [(&str, &str); 5] = [
    ("site.yaml", include_str!("../../templates/site.yaml")),
    ("tracking-plan.yaml", include_str!("../../templates/tracking-plan.yaml")),
    ("rules.yaml", include_str!("../../templates/rules.yaml")),
    ("content.yaml", include_str!("../../templates/content.yaml")),
    ("tests/hero.yaml", include_str!("../../templates/tests/hero.yaml")),
];

/// Runs the command.
///
/// # Errors
/// Where the folder holds something already, or cannot be written.
pub fn run(arguments: &NewArguments) -> Result<Ending> {
    write(&arguments.dir)?;
    let dir = arguments.dir.display();
    println!(
        "{dir} is a site. Next:\n  selvedge check {dir}\n  selvedge test {dir}\n  selvedge publish {dir}"
    );
    Ok(Ending::Done)
}

fn write(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    let mut entries = fs::read_dir(dir).with_context(|| format!("{} cannot be read", dir.display()))?;
    ensure!(entries.next().is_none(), "{} is not empty; nothing was written", dir.display());
    for (name, content) in FILES {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap_or(dir))
            .with_context(|| format!("{} cannot be made", dir.display()))?;
        fs::write(&path, content).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site_files;

    #[test]
    fn a_new_site_checks_clean() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path()).unwrap();
        let files = site_files::read(dir.path()).unwrap();
        let compilation = selvedge_compiler::compile(&files);
        assert_eq!(compilation.diagnostics, []);
        assert!(compilation.program.is_some());
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("notes.txt"), "mine").unwrap();
        assert!(write(dir.path()).unwrap_err().to_string().contains("not empty"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
