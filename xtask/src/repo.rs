//! Where things are: the repository's root, the target directory, and the files that a chore reads.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The repository and the directory that builds go to.
#[derive(Clone, Debug)]
pub struct Repo {
    /// The folder that holds the workspace's Cargo.toml.
    pub root: PathBuf,
    /// Cargo's target directory: `CARGO_TARGET_DIR` where that is set, else `target/` in the root.
    pub target: PathBuf,
}

impl Repo {
    /// The repository that this xtask was compiled from.
    ///
    /// # Errors
    /// When the folder that xtask was compiled in is gone (the clone was moved or removed).
    pub fn find() -> Result<Repo> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let root = folder.canonicalize().with_context(|| {
            format!(
                "the repository that xtask was built in, {}, is gone: run `cargo xtask` in the clone itself",
                folder.display()
            )
        })?;
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(named) => std::path::absolute(PathBuf::from(named))?,
            None => root.join("target"),
        };
        Ok(Repo { root, target })
    }

    /// A path under the root.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// The npm workspace.
    pub fn www(&self) -> PathBuf {
        self.path("www")
    }

    /// A binary that an npm package put into `www/node_modules/.bin`.
    pub fn npm_binary(&self, name: &str) -> PathBuf {
        self.www().join("node_modules/.bin").join(name)
    }

    /// The built worker: its modules, ready to be listed in a workerd config.
    pub fn worker_output(&self) -> PathBuf {
        self.target.join("worker")
    }

    /// The built floor of the collect benchmark, as the worker's.
    pub fn floor_output(&self) -> PathBuf {
        self.target.join("floor")
    }

    /// The folder that xtask keeps its stamps and intermediate files in.
    pub fn scratch(&self) -> PathBuf {
        self.target.join("xtask")
    }
}

/// All files under `folder`, sorted by path, without those for whose path `skip` says yes.
///
/// # Errors
/// When a folder cannot be listed.
pub fn files_under(folder: &Path, skip: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if skip(&path) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Copies every file of `from` to the same place under `to`, making folders as needed.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for file in files_under(from, &|_| false)? {
        let place = to.join(file.strip_prefix(from)?);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(&file, &place)
            .with_context(|| format!("cannot copy {} to {}", file.display(), place.display()))?;
    }
    Ok(())
}
