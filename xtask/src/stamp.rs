//! Skipping what is up to date: a stamp holds the fingerprint of everything that a step read.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::repo::{Repo, files_under};

/// The fingerprint of a step's inputs, being put together.
#[derive(Default)]
pub struct Fingerprint {
    hasher: DefaultHasher,
}

impl Fingerprint {
    /// Adds a text, such as a tool's version or its options.
    pub fn text(mut self, text: &str) -> Fingerprint {
        text.hash(&mut self.hasher);
        self
    }

    /// Adds one file's content.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn file(mut self, path: &Path) -> Result<Fingerprint> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        bytes.hash(&mut self.hasher);
        Ok(self)
    }

    /// Adds the paths and contents of all files under `folder`, without `node_modules` and `dist`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn tree(mut self, folder: &Path) -> Result<Fingerprint> {
        let skip = |path: &Path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
            matches!(name, "node_modules" | "dist")
        };
        for file in files_under(folder, &skip)? {
            file.strip_prefix(folder)?.hash(&mut self.hasher);
            self = self.file(&file)?;
        }
        Ok(self)
    }

    fn finish(self) -> String {
        format!("{:016x}", self.hasher.finish())
    }
}

/// Runs `step` unless its last run had the same inputs and all its `outputs` are still there.
/// Gives back whether it ran.
///
/// # Errors
/// The step's own, or that the stamp cannot be written.
pub fn unless_fresh(
    repo: &Repo,
    name: &str,
    inputs: Fingerprint,
    outputs: &[PathBuf],
    step: impl FnOnce() -> Result<()>,
) -> Result<bool> {
    let place = repo.scratch().join(format!("{name}.stamp"));
    let fingerprint = inputs.finish();
    let same = fs::read_to_string(&place).is_ok_and(|stamp| stamp == fingerprint);
    if same && outputs.iter().all(|output| output.exists()) {
        return Ok(false);
    }
    // A step that fails half-way must not look fresh on the next run.
    let _ = fs::remove_file(&place);
    step()?;
    for output in outputs {
        anyhow::ensure!(output.exists(), "the step `{name}` ran, but did not make {}", output.display());
    }
    fs::create_dir_all(repo.scratch())?;
    fs::write(&place, fingerprint)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repo_in(folder: &Path) -> Repo {
        Repo { root: folder.to_path_buf(), target: folder.join("target") }
    }

    #[test]
    fn a_step_runs_again_only_when_an_input_changed_or_an_output_is_gone() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let repo = repo_in(folder.path());
        let (input, output) = (folder.path().join("input"), folder.path().join("output"));
        let run = || {
            let inputs = Fingerprint::default().text("tool 1").file(&input)?;
            unless_fresh(&repo, "step", inputs, std::slice::from_ref(&output), || {
                Ok(fs::write(&output, "made")?)
            })
        };
        fs::write(&input, "one")?;
        assert!(run()?, "first run");
        assert!(!run()?, "nothing changed");
        fs::write(&input, "two")?;
        assert!(run()?, "input changed");
        fs::remove_file(&output)?;
        assert!(run()?, "output gone");
        Ok(())
    }

    #[test]
    fn a_failed_step_is_not_fresh() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let repo = repo_in(folder.path());
        let inputs = || Fingerprint::default().text("same");
        assert!(unless_fresh(&repo, "step", inputs(), &[], || anyhow::bail!("broken")).is_err());
        assert!(unless_fresh(&repo, "step", inputs(), &[], || Ok(()))?);
        Ok(())
    }
}
