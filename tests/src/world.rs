//! One worker of one test: its process, its folder, its site.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use selvedge_compiler::Compiled;
use serde_json::Value;
use tempfile::TempDir;
use xtask::build;
use xtask::repo::Repo;
use xtask::server::{self, Server};
use xtask::site::{Published, Site};
use xtask::workerd::Workerd;

use crate::http::{Answer, Client};

/// The binding that lets a test plant panics and errors in the worker.
const FAULTS: &str = "SELVEDGE_TEST_FAULTS";
/// The binding that holds the shop's server key.
const SERVER_KEY: &str = "SHOP_SERVER_KEY";

/// Whether `cargo xtask test --full` asks for larger counts.
pub fn full_counts() -> bool {
    std::env::var_os("SELVEDGE_FULL").is_some()
}

/// The shop of `examples/shop`, compiled as its files are now.
///
/// # Errors
/// With its diagnostics, where it has errors.
pub fn compiled_shop() -> Result<Compiled> {
    compiled_shop_as(str::to_string)
}

/// The same with another site.yaml, made of the shop's.
///
/// # Errors
/// With its diagnostics, where it has errors.
pub fn compiled_shop_as(site: impl Fn(&str) -> String) -> Result<Compiled> {
    compiled_shop_with("site.yaml", site)
}

/// The same with another text of one of its files, made of the shop's.
///
/// # Errors
/// With its diagnostics, where it has errors.
pub fn compiled_shop_with(file: &str, edit: impl Fn(&str) -> String) -> Result<Compiled> {
    let mut files = Site::at(Repo::find()?.path("examples/shop"))?.read()?;
    if let Some(text) = files.get_mut(file) {
        *text = edit(text);
    }
    let checked = xtask::site::check(&files);
    checked.program.with_context(|| checked.report)
}

/// How a world is made; the default is the shop of `examples/shop` in a temporary folder.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Where state is kept; without it in a temporary folder that is removed at the end.
    pub data: Option<PathBuf>,
    /// The folder with the site's YAML files, relative to the repository.
    pub site: Option<PathBuf>,
    /// Further text bindings of the worker.
    pub bindings: BTreeMap<String, String>,
    /// The port on 127.0.0.1; 0 lets the system choose.
    pub port: u16,
    /// Whether the site is left unpublished: the test publishes a program of its own.
    pub is_unpublished: bool,
    /// The address of a KV namespace for programs.
    pub kv: Option<String>,
}

/// A worker that serves a published site. Dropping it ends the worker and removes its temporary folder.
#[derive(Debug)]
pub struct World {
    server: Server,
    site: Site,
    published: Published,
    client: Client,
    // Dropped last, when the worker no longer writes there.
    _folder: Option<TempDir>,
}

impl World {
    /// The shop, published.
    ///
    /// # Errors
    /// When something cannot be built, started or published.
    pub fn start() -> Result<World> {
        World::with(Setup::default())
    }

    /// A world as `setup` says. Planted faults are always possible in it.
    ///
    /// # Errors
    /// When something cannot be built, started or published.
    pub fn with(setup: Setup) -> Result<World> {
        let repo = Repo::find()?;
        build::once(&repo)?;
        let site = Site::at(repo.path(setup.site.unwrap_or_else(|| PathBuf::from("examples/shop"))))?;
        let (data, folder) = match setup.data {
            Some(data) => (data, None),
            None => {
                let folder = tempfile::Builder::new().prefix("selvedge-").tempdir()?;
                (folder.path().to_path_buf(), Some(folder))
            }
        };
        let mut bindings = BTreeMap::from([(FAULTS.to_string(), "1".to_string())]);
        bindings.extend(setup.bindings);
        let secrets = vec![SERVER_KEY.to_string()];
        let mut server = Server::start(
            &repo,
            server::Options { port: setup.port, data, bindings, secrets, kv: setup.kv },
        )?;
        let published =
            if setup.is_unpublished { Published::default() } else { server.publish_site(&site)? };
        let client = Client::new(server.url());
        Ok(World { server, site, published, client, _folder: folder })
    }

    /// The folder of the worker's state.
    pub fn data(&self) -> &std::path::Path {
        self.server.data()
    }

    /// The worker's address, without a slash at the end.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The worker's process.
    pub fn workerd(&self) -> &Workerd {
        self.server.workerd()
    }

    /// A client of the worker; it stays usable over [`World::restart`].
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The token that the admin routes ask for.
    pub fn admin_token(&self) -> &str {
        self.server.admin_token()
    }

    /// The shop's server key.
    pub fn server_key(&self) -> &str {
        self.server.binding(SERVER_KEY).unwrap_or("")
    }

    /// All text bindings of the worker.
    pub fn bindings(&self) -> &BTreeMap<String, String> {
        self.server.bindings()
    }

    /// What the last publish answered.
    pub fn published(&self) -> &Published {
        &self.published
    }

    /// `GET path` with the admin token.
    ///
    /// # Errors
    /// When no answer came.
    pub fn admin_get(&self, path: &str) -> Result<Answer> {
        self.client.get(path, &[("authorization", &format!("Bearer {}", self.admin_token()))])
    }

    /// `POST path` with the admin token.
    ///
    /// # Errors
    /// When no answer came.
    pub fn admin_post(&self, path: &str, body: &[u8]) -> Result<Answer> {
        self.client.post(path, &[("authorization", &format!("Bearer {}", self.admin_token()))], body)
    }

    /// A request of this method to `path`, with the admin token.
    ///
    /// # Errors
    /// When no answer came.
    pub fn admin_send(&self, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
        let bearer = format!("Bearer {}", self.admin_token());
        self.client.send(method, path, &[("authorization", &bearer)], body)
    }

    /// The whole log, one object an event.
    ///
    /// # Errors
    /// When it cannot be read, or is not NDJSON.
    pub fn log(&self) -> Result<Vec<Value>> {
        self.lines("/v1/log?from=")
    }

    /// The whole quarantine, one object an entry.
    ///
    /// # Errors
    /// When it cannot be read, or is not NDJSON.
    pub fn quarantine(&self) -> Result<Vec<Value>> {
        self.lines("/v1/quarantine")
    }

    /// Publishes the site again, as its files are now.
    ///
    /// # Errors
    /// When it does not compile or is refused.
    pub fn publish(&mut self) -> Result<&Published> {
        self.published = self.server.publish_site(&self.site)?;
        Ok(&self.published)
    }

    /// Publishes a program as its bytes, whatever the site's files say.
    ///
    /// # Errors
    /// When the worker refuses it.
    pub fn publish_bytes(&self, full: &[u8], public: &[u8]) -> Result<()> {
        let answer = self.admin_post("/v1/publish", &selvedge_edge::publish::pack(full, public))?;
        anyhow::ensure!(answer.status == 200, "POST /v1/publish: {} {}", answer.status, answer.text());
        Ok(())
    }

    /// Ends workerd with SIGKILL, as a power cut would.
    pub fn kill9(&mut self) {
        self.server.kill();
    }

    /// Starts workerd again on the same state and port, killing it first where it still runs.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.server.restart()
    }

    /// The end of the worker's own log, for a failing test to show.
    pub fn worker_log(&self) -> String {
        self.server.log_end()
    }

    /// The id of the worker's process.
    pub fn process_id(&self) -> u32 {
        self.server.process_id()
    }

    /// The memory that workerd holds now, in kB (Linux).
    ///
    /// # Errors
    /// When its status cannot be read.
    pub fn worker_memory_kb(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.process_id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    fn lines(&self, path: &str) -> Result<Vec<Value>> {
        let answer = self.admin_get(path)?;
        anyhow::ensure!(answer.status == 200, "GET {path}: {} {}", answer.status, answer.text());
        answer.json_lines()
    }
}
