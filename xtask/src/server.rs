//! A worker with its keys: what `dev` shows to a person and what the tests start and kill.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use selvedge_compiler::Compiled;

use crate::repo::Repo;
use crate::secrets;
use crate::site::{self, Published, Site};
use crate::workerd::{self, Program, Settings, Workerd};

/// Durable Objects that share a site's visitors on one machine.
const SHARDS: &str = "4";

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The port on 127.0.0.1; 0 lets the system choose.
    pub port: u16,
    /// Where state is kept.
    pub data: PathBuf,
    /// Further text bindings of the worker, which win over those made here.
    pub bindings: BTreeMap<String, String>,
    /// Names of secrets that the site's sources need; values are made once and kept in `data`.
    pub secrets: Vec<String>,
    /// The address of a KV namespace for programs; see [`Settings::kv`].
    pub kv: Option<String>,
}

/// A worker, the folder of its state, and its keys.
#[derive(Debug)]
pub struct Server {
    workerd: Workerd,
    settings: Settings,
    repo: Repo,
    /// Held as long as the data folder is in use.
    _lock: File,
}

impl Server {
    /// Starts the worker with the keys of the data folder, on the modules and pages as they are built now.
    ///
    /// # Errors
    /// When it is not built or does not start.
    pub fn start(repo: &Repo, options: Options) -> Result<Server> {
        let Options { port, data, bindings: given, secrets: mut names, kv } = options;
        std::fs::create_dir_all(&data)
            .with_context(|| format!("cannot make the data folder {}", data.display()))?;
        let lock = lock(&data)?;
        names.push(secrets::ADMIN_TOKEN.to_string());
        let mut bindings = secrets::of(&data, &names)?;
        bindings.insert("SHARDS".to_string(), SHARDS.to_string());
        bindings.extend(given);
        let settings = Settings { program: Program::selvedge(repo), port, data, bindings, kv };
        workerd::install(repo, &settings)?;
        let workerd = Workerd::start(repo, &settings)?;
        Ok(Server { workerd, settings, repo: repo.clone(), _lock: lock })
    }

    /// The address that it serves, without a slash at the end.
    pub fn url(&self) -> String {
        self.workerd.url()
    }

    /// The folder of its state.
    pub fn data(&self) -> &Path {
        &self.settings.data
    }

    /// The token that the admin routes ask for.
    pub fn admin_token(&self) -> &str {
        self.binding(secrets::ADMIN_TOKEN).unwrap_or("")
    }

    /// A text binding of the worker, such as a server key.
    pub fn binding(&self, name: &str) -> Option<&str> {
        self.settings.bindings.get(name).map(String::as_str)
    }

    /// All text bindings of the worker.
    pub fn bindings(&self) -> &BTreeMap<String, String> {
        &self.settings.bindings
    }

    /// Compiles `site` and publishes it.
    ///
    /// # Errors
    /// With the diagnostics when it does not compile, or the worker's reason when it refuses.
    pub fn publish_site(&mut self, site: &Site) -> Result<Published> {
        let checked = site::check(&site.read()?);
        let Some(program) = checked.program else { bail!("the site does not compile:\n{}", checked.report) };
        self.publish(&program)
    }

    /// Publishes a program; a worker that lacks a secret which the program names is started again with it first.
    ///
    /// # Errors
    /// When the worker does not start or refuses the program.
    pub fn publish(&mut self, program: &Compiled) -> Result<Published> {
        let lacking: Vec<String> =
            site::secrets(program).into_iter().filter(|name| self.binding(name).is_none()).collect();
        if !lacking.is_empty() {
            self.settings.bindings.extend(secrets::of(&self.settings.data, &lacking)?);
            self.restart()?;
        }
        site::publish(&self.url(), self.admin_token(), program)
    }

    /// The worker's process.
    pub fn workerd(&self) -> &Workerd {
        &self.workerd
    }

    /// The id of the worker's process.
    pub fn process_id(&self) -> u32 {
        self.workerd.process_id()
    }

    /// Ends the worker with SIGKILL, as a power cut would.
    pub fn kill(&mut self) {
        self.workerd.kill();
    }

    /// Starts it again on the same state, keys and port, ended or not.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.kill();
        self.settings.port = self.workerd.port();
        workerd::configure(&self.settings)?;
        self.workerd = Workerd::start(&self.repo, &self.settings)?;
        Ok(())
    }

    /// The end of the worker's own log, for a failing test to show.
    pub fn log_end(&self) -> String {
        self.workerd.log_end()
    }

    /// Nothing while the worker runs.
    ///
    /// # Errors
    /// When the worker ended by itself; with the end of its log.
    pub fn ensure_running(&mut self) -> Result<()> {
        if self.workerd.is_running() {
            return Ok(());
        }
        bail!("the worker ended by itself; the end of its log:\n{}", self.log_end())
    }
}

/// Two workers on one folder would write over each other.
fn lock(data: &Path) -> Result<File> {
    let file = File::create(data.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "the data folder {} is in use by another `cargo xtask dev`: stop that one, or choose another folder with --data",
            data.display()
        ),
        Err(TryLockError::Error(problem)) => Err(problem).context("cannot lock the data folder"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_folder_serves_one_worker_at_a_time() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let held = lock(folder.path())?;
        assert!(lock(folder.path()).is_err_and(|problem| problem.to_string().contains("--data")));
        drop(held);
        lock(folder.path()).map(drop)
    }
}
