//! A running worker: the generated workerd config, the process, and its end.
//!
//! workerd runs in a process group of its own, under a watcher that ends the group when this process dies, however
//! it dies. Stopping is always SIGKILL: state is durable before it is acknowledged, so nothing is lost by it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::repo::{Repo, copy_tree, files_under};
use crate::{pages, setup};

const COMPATIBILITY_DATE: &str = "2026-10-01";
/// The binding by which the worker connects to this machine; without it workerd does not let it either.
const DEV_LOOPBACK: &str = "DEV_LOOPBACK";
/// What the worker reaches with it.
const LOOPBACK_NETWORK: &str = "allow = [\"public\", \"local\"]";
/// The binding that names a file with the certificate of an authority which the worker trusts too: that of a test.
const DEV_AUTHORITY: &str = "DEV_AUTHORITY";
/// The first module of the config is the worker's entry.
const ENTRY: &str = "index.mjs";
const START_MAX: Duration = Duration::from_secs(60);

/// What a worker is made of.
#[derive(Clone, Debug)]
pub struct Program {
    /// The folder of its modules.
    pub modules: PathBuf,
    /// Its Durable Objects: the binding and the class.
    pub objects: &'static [(&'static str, &'static str)],
    /// Whether it serves the built pages.
    pub has_pages: bool,
}

impl Program {
    /// The product.
    pub fn selvedge(repo: &Repo) -> Program {
        let objects = &[("SHARD", "Shard"), ("REGISTRY", "Registry")];
        Program { modules: repo.worker_output(), objects, has_pages: true }
    }

    /// The floor of the collect benchmark.
    pub fn floor(repo: &Repo) -> Program {
        Program { modules: repo.floor_output(), objects: &[("FLOOR", "Floor")], has_pages: false }
    }
}

/// What one worker is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What it is made of.
    pub program: Program,
    /// The port on 127.0.0.1; 0 lets the system choose.
    pub port: u16,
    /// Where everything that must survive lives: the Durable Objects' storage, the keys, the worker's log.
    pub data: PathBuf,
    /// Text bindings of the worker by name: the admin token, server keys, the number of shards.
    pub bindings: BTreeMap<String, String>,
    /// The address (host and port) of a server that speaks as a KV namespace does, bound as `PROGRAMS`.
    pub kv: Option<String>,
}

/// A worker that serves. Dropping it ends it.
#[derive(Debug)]
pub struct Workerd {
    child: Child,
    /// Its end tells the watcher that this process is gone.
    _lifeline: ChildStdin,
    port: u16,
    log: PathBuf,
}

/// Lays the worker's modules, its files and its config into `settings.data`.
///
/// # Errors
/// When something is not built or cannot be written.
pub fn install(repo: &Repo, settings: &Settings) -> Result<()> {
    let run = run_folder(&settings.data);
    if run.exists() {
        fs::remove_dir_all(&run)?;
    }
    let modules = run.join("modules");
    copy_tree(&settings.program.modules, &modules)
        .context("the worker is not built: run `cargo xtask build`")?;
    let assets = run.join("assets");
    fs::create_dir_all(&assets)?;
    if settings.program.has_pages {
        pages::stage(repo, &assets)?;
    }
    fs::create_dir_all(settings.data.join("objects"))?;
    configure(settings)
}

/// Writes the config for what is laid out already: for a restart on another port or with other bindings.
///
/// # Errors
/// When it cannot be written.
pub fn configure(settings: &Settings) -> Result<()> {
    let run = run_folder(&settings.data);
    fs::write(run.join("workerd.capnp"), config(settings, &run.join("modules"))?)?;
    Ok(())
}

impl Workerd {
    /// Starts what [`install`] laid out and waits until `/health` answers 200.
    ///
    /// # Errors
    /// When workerd refuses the config or the worker does not answer within a minute; with the end of its log.
    pub fn start(repo: &Repo, settings: &Settings) -> Result<Workerd> {
        let log = settings.data.join("workerd.log");
        let mut child = spawn(repo, settings, &log)?;
        let lifeline = child.stdin.take().context("the worker's standard input is a pipe")?;
        let control = child.stdout.take().context("the worker's control channel is a pipe")?;
        let mut workerd = Workerd { child, _lifeline: lifeline, port: settings.port, log };
        let started = listening_port(control).and_then(|port| {
            workerd.port = port;
            workerd.wait_for_health()
        });
        started.with_context(|| {
            format!("the worker did not start; the end of its log:\n{}", workerd.log_end())
        })?;
        Ok(workerd)
    }

    /// The address that it serves, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port that it serves on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The id of its process.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a power cut would, and waits until it is gone.
    pub fn kill(&mut self) {
        let Ok(raw) = i32::try_from(self.child.id()) else { return };
        if let Some(group) = rustix::process::Pid::from_raw(raw) {
            // The group may be gone already: that is what we want.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait();
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The last lines of its log.
    pub fn log_end(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }

    /// The time that its process has spent on a processor (Linux), to a hundredth of a second.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn processor_time(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process_id()))?;
        // The second field is the name in parentheses, and may hold blanks: count behind it.
        let after = stat.rsplit(')').next().unwrap_or_default();
        let ticks = after.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        Ok(Duration::from_millis(ticks.sum::<Result<u64, _>>()?.saturating_mul(10)))
    }

    fn wait_for_health(&mut self) -> Result<()> {
        let health = format!("{}/health", self.url());
        let deadline = Instant::now() + START_MAX;
        loop {
            let answer =
                ureq::get(&health).config().timeout_global(Some(Duration::from_secs(5))).build().call();
            let problem = match answer {
                Ok(_) => return Ok(()),
                Err(problem) => problem,
            };
            if !self.is_running() {
                bail!("workerd ended before it was ready");
            }
            if Instant::now() > deadline {
                bail!("{health} gave no 200 within {} s: {problem}", START_MAX.as_secs());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Workerd {
    fn drop(&mut self) {
        self.kill();
    }
}

fn run_folder(data: &Path) -> PathBuf {
    data.join("run")
}

/// A file that may grow no more (a limit that a test sets) is an error of the write, not the end of the process.
/// fd 3 (the control channel) is the pipe that we read, standard output goes to the log with standard error, and the
/// watcher kills the group when our end of its input closes.
const LAUNCH: &str = r#"
trap "" XFSZ
exec 3>&1 1>&2 4<&0
( cat <&4 >/dev/null 3>&-; kill -KILL 0 ) &
exec "$@" 4<&- </dev/null
"#;

fn spawn(repo: &Repo, settings: &Settings, log: &Path) -> Result<Child> {
    let log = File::options().create(true).append(true).open(log)?;
    let mut command = Command::new("sh");
    command.args(["-c", LAUNCH, "sh"]).arg(setup::workerd(repo)?);
    command.args(["serve", "--experimental", "--control-fd=3", "workerd.capnp"]);
    command.current_dir(run_folder(&settings.data)).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
    command.spawn().context("cannot start workerd through sh")
}

/// Reads the control channel until the http socket listens, then keeps it drained.
fn listening_port(control: impl std::io::Read + Send + 'static) -> Result<u16> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(control).lines().map_while(std::io::Result::ok) {
            if let Some(port) = port_of(&line) {
                let _ = send.send(port);
            }
        }
    });
    receive.recv_timeout(START_MAX).context("workerd did not report that it listens")
}

fn port_of(line: &str) -> Option<u16> {
    let message: Value = serde_json::from_str(line).ok()?;
    let listens = message.get("event")?.as_str()? == "listen" && message.get("socket")?.as_str()? == "http";
    if listens { u16::try_from(message.get("port")?.as_u64()?).ok() } else { None }
}

/// The config in workerd's own language. Paths in it are relative to the folder that it stands in.
fn config(settings: &Settings, modules: &Path) -> Result<String> {
    let objects = std::path::absolute(settings.data.join("objects"))?;
    let assets = std::path::absolute(run_folder(&settings.data).join("assets"))?;
    let (mut bindings, mut namespaces) = (String::new(), String::new());
    for (binding, class) in settings.program.objects {
        let key = text(&format!("selvedge-{}", class.to_lowercase()));
        writeln!(namespaces, "    (className = {}, uniqueKey = {key}, enableSql = true),", text(class))?;
        writeln!(bindings, "    (name = {}, durableObjectNamespace = {}),", text(binding), text(class))?;
    }
    for (name, value) in settings.bindings.iter().filter(|(name, _)| *name != DEV_AUTHORITY) {
        writeln!(bindings, "    (name = {}, text = {}),", text(name), text(value))?;
    }
    let mut services = String::new();
    if settings.bindings.get(DEV_LOOPBACK).is_some_and(|value| value == "1") {
        let trusted = match settings.bindings.get(DEV_AUTHORITY) {
            Some(file) => format!(", trustedCertificates = [{}]", text(&fs::read_to_string(file)?)),
            None => String::new(),
        };
        let network = format!("{LOOPBACK_NETWORK}, tlsOptions = (trustBrowserCas = true{trusted})");
        writeln!(services, "    (name = \"internet\", network = ({network})),")?;
    }
    if let Some(address) = &settings.kv {
        writeln!(
            services,
            "    (name = \"programs\", external = (address = {}, http = ())),",
            text(address)
        )?;
        writeln!(bindings, "    (name = \"PROGRAMS\", kvNamespace = \"programs\"),")?;
    }
    Ok(format!(
        r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "selvedge", worker = .selvedge),
    (name = "objects", disk = (path = {objects}, writable = true)),
    (name = "assets", disk = (path = {assets})),
{services}  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "selvedge")],
);

const selvedge :Workerd.Worker = (
  compatibilityDate = "{COMPATIBILITY_DATE}",
  modules = [
{modules}  ],
  durableObjectNamespaces = [
{namespaces}  ],
  durableObjectStorage = (localDisk = "objects"),
  bindings = [
    (name = "ASSETS", service = "assets"),
{bindings}  ],
);
"#,
        objects = text(&objects.to_string_lossy()),
        assets = text(&assets.to_string_lossy()),
        port = settings.port,
        modules = module_list(modules)?,
    ))
}

fn module_list(folder: &Path) -> Result<String> {
    let mut list = String::new();
    let mut names = Vec::new();
    for file in files_under(folder, &|_| false)? {
        names.push(file.strip_prefix(folder)?.to_string_lossy().into_owned());
    }
    names.sort_by_key(|name| (name != ENTRY, name.clone()));
    anyhow::ensure!(names.first().is_some_and(|first| first == ENTRY), "the worker has no {ENTRY}");
    for name in names {
        let kind = match Path::new(&name).extension().and_then(|extension| extension.to_str()) {
            Some("js" | "mjs") => "esModule",
            Some("wasm") => "wasm",
            _ => continue,
        };
        let place = text(&format!("modules/{name}"));
        writeln!(list, "    (name = {}, {kind} = embed {place}),", text(&name))?;
    }
    Ok(list)
}

/// A string literal of the config language.
fn text(value: &str) -> String {
    let mut quoted = String::from("\"");
    for character in value.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            '\n' => quoted.push_str("\\n"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_http_socket_reports_the_port() {
        assert_eq!(port_of(r#"{"event":"listen","socket":"http","port":41234}"#), Some(41234));
        assert_eq!(port_of(r#"{"event":"listen","socket":"other","port":41234}"#), None);
        assert_eq!(port_of("not json"), None);
    }

    #[test]
    fn quotes_and_newlines_of_a_binding_cannot_break_out_of_its_string() {
        assert_eq!(text("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
    }

    #[test]
    fn the_entry_is_the_first_module_and_other_files_are_left_out() -> Result<()> {
        let folder = tempfile::tempdir()?;
        for name in ["worker.js", "index.mjs", "worker_bg.wasm", "package.json"] {
            fs::write(folder.path().join(name), "")?;
        }
        let list = module_list(folder.path())?;
        let first = list.lines().next().unwrap_or_default();
        assert!(first.contains(r#"(name = "index.mjs", esModule = embed"#), "{list}");
        assert!(list.contains(r#"wasm = embed "modules/worker_bg.wasm""#), "{list}");
        assert!(!list.contains("package.json"), "{list}");
        Ok(())
    }
}
