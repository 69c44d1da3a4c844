//! A site's folder: read, compiled, published. The command line of Selvedge does each; here they stand together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use selvedge_cli::command::publish;
use selvedge_cli::remote::{Remote, RemoteArguments};
use selvedge_cli::site_files;
use selvedge_compiler::{Compiled, compile, render};
use selvedge_core::wire::program::SourceKind;

pub use selvedge_cli::command::publish::Published;

/// The files of a site by their path in its folder.
pub type Files = BTreeMap<String, String>;

/// What the compiler says about a site.
pub struct Checked {
    /// All diagnostics as a person reads them; empty where there are none.
    pub report: String,
    /// When the compiler began.
    pub start: Instant,
    /// The program, unless an error stands in its way.
    pub program: Option<Compiled>,
}

/// The folder of a site.
#[derive(Clone, Debug)]
pub struct Site {
    folder: PathBuf,
}

impl Site {
    /// The site in `folder`.
    ///
    /// # Errors
    /// When there is no `site.yaml` in it.
    pub fn at(folder: PathBuf) -> Result<Site> {
        let marker = folder.join("site.yaml");
        anyhow::ensure!(marker.is_file(), "{} is not a site: it has no site.yaml", folder.display());
        Ok(Site { folder })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its YAML files as they are now.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn read(&self) -> Result<Files> {
        site_files::read(&self.folder)
    }
}

/// Compiles `files`.
pub fn check(files: &Files) -> Checked {
    let start = Instant::now();
    let compilation = compile(files);
    let source = |file: &str| files.get(file).map_or("", String::as_str);
    let report =
        compilation.diagnostics.iter().map(|diagnostic| render(diagnostic, source(&diagnostic.file)));
    Checked { report: report.collect::<Vec<_>>().join("\n"), start, program: compilation.program }
}

/// The names of the environment bindings that hold the secrets of a program's sources.
pub fn secrets(program: &Compiled) -> Vec<String> {
    let sources = program.full.edge.iter().flat_map(|edge| &edge.sources);
    sources.filter(|source| source.kind != SourceKind::Browser).map(|source| source.key.clone()).collect()
}

/// Sends `program` to the worker at `url`.
///
/// # Errors
/// When the worker cannot be reached or refuses it; with its reason.
pub fn publish(url: &str, admin_token: &str, program: &Compiled) -> Result<Published> {
    let remote = Remote::new(&RemoteArguments { url: url.to_string(), token: admin_token.to_string() });
    publish::publish(&remote, program)
}
