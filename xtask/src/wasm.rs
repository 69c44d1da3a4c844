//! The wasm modules: cargo, then wasm-bindgen as a library, then wasm-opt of the npm package `binaryen`.
//!
//! The page's module goes to `www/sdk/generated/` as plain imports and exports (the SDK has its own loader). The
//! worker's goes to `target/worker/` as ES modules for workerd, beside the hand-written shim of `worker/shim/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::repo::{Repo, copy_tree, files_under};
use crate::stamp::{Fingerprint, unless_fresh};
use crate::wasm_cuts::without;
use crate::wasm_hints::without_hints;
use crate::wasm_split::{Halves, split};
use crate::wasm_traps::without_panics;
use crate::{run, say};

/// What rustc's `wasm32-unknown-unknown` emits. Named one by one: `-all` makes Binaryen write an encoding that
/// browsers and Node 20 refuse.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];
/// A function that is inlined takes fewer bytes and compresses worse: only the smallest are, which saves 1 % of what travels.
/// Sharing of expressions inside a function does the same. Pointers are sums of Rust's own, which never wrap around: an
/// offset may go into the access. Functions that stand in the order of their names stand beside those of their kind, which
/// compresses better; and so does data in one piece, zeros included.
const PAGE_OPTIONS: [&str; 13] = [
    "-Oz",
    "--converge",
    "--skip-pass=local-cse",
    "--skip-pass=memory-packing",
    "--low-memory-unused",
    "--one-caller-inline-max-function-size=15",
    "--flexible-inline-max-function-size=8",
    "--always-inline-max-function-size=4",
    "--reorder-functions-by-name",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
    "--zero-filled-memory",
];
/// What every page runs, once more: a function with one caller goes into it. Browsers compile each function when it is first called, on the
/// main thread; so there are a quarter fewer of them, for half a percent of what travels.
const START_OPTIONS: [&str; 8] = [
    "-Oz",
    "--converge",
    "--skip-pass=local-cse",
    "--skip-pass=memory-packing",
    "--low-memory-unused",
    "--one-caller-inline-max-function-size=4000",
    "--flexible-inline-max-function-size=8",
    "--always-inline-max-function-size=8",
];
/// As the page's: what is inlined less, and stands beside its like, weighs an eighth less on its way.
const WORKER_OPTIONS: [&str; 10] = [
    "-Oz",
    "--skip-pass=local-cse",
    "--low-memory-unused",
    "--one-caller-inline-max-function-size=15",
    "--flexible-inline-max-function-size=8",
    "--always-inline-max-function-size=4",
    "--reorder-functions-by-name",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];
/// The probe of the heads measures what they take.
const PROBE_OPTIONS: [&str; 4] = ["-O2", "--strip-debug", "--strip-producers", "--strip-target-features"];
/// The module of the page that comes in two, and the file of its second half.
const SPLIT: &str = "selvedge";
const LATER: &str = "later.wasm";
/// Part of every stamp: raise it when the way of building changes.
const RECIPE: &str = "recipe 9, wasm-bindgen 0.2.130";

/// Builds the page's modules into `www/sdk/generated/`: the base (`selvedge`, and `later.wasm` of it),
/// the rule engine (`rules`) and what reads consent
/// strings (`strings`).
///
/// # Errors
/// With the output of the step that failed.
pub fn page(repo: &Repo) -> Result<()> {
    page_module(repo, "selvedge-browser", Profile::Wasm, "selvedge", "page")?;
    page_module(repo, "selvedge-rules", Profile::Engine, "rules", "rule engine's")?;
    page_module(repo, "selvedge-strings", Profile::Wasm, "strings", "consent strings'")
}

fn page_module(repo: &Repo, package: &str, profile: Profile, name: &str, what: &str) -> Result<()> {
    let compiled = compile(repo, package, profile, what)?;
    let folder = repo.path("www/sdk/generated");
    let mut outputs = vec![folder.join(format!("{name}_bg.js")), folder.join(format!("{name}_bg.wasm"))];
    if name == SPLIT {
        outputs.push(folder.join(LATER));
    }
    let inputs = inputs(&compiled, &PAGE_OPTIONS)?;
    unless_fresh(repo, &format!("page-{name}-wasm"), inputs, &outputs, || {
        let bound = repo.scratch().join(format!("page-{name}"));
        empty(&bound)?;
        let mut bindgen = Bindgen::new();
        bindgen.bundler(true)?.typescript(false).remove_producers_section(true);
        let plain = repo.scratch().join(format!("page-{name}-plain.wasm"));
        let (module, _) = without_panics(without_reference_types(fs::read(&compiled)?)?)?;
        fs::write(&plain, module)?;
        bind(&mut bindgen, &plain, name, &bound)?;
        let module = bound.join(format!("{name}_bg.wasm"));
        let later = bound.join(LATER);
        let mut modules = vec![&module];
        if name == SPLIT {
            let Halves { first, second } = split(&fs::read(&module)?)?;
            fs::write(&module, first)?;
            fs::write(&later, second)?;
            modules.push(&later);
        }
        for module in modules {
            optimise(repo, module, &PAGE_OPTIONS)?;
            if name == SPLIT {
                optimise(repo, module, &START_OPTIONS)?;
            }
            fs::write(module, without_hints(fs::read(module)?)?)?;
        }
        fs::create_dir_all(&folder)?;
        for output in &outputs {
            let file = output.file_name().context("an output has a name")?;
            fs::copy(bound.join(file), output)
                .with_context(|| format!("wasm-bindgen made no {}", file.display()))?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Builds the heads' probe (`tests/probe`) into `target/probe/`, for tests in Chromium: compiled as the page's rule engine is,
/// because that is whose decisions it stands for.
///
/// # Errors
/// With the output of the step that failed.
pub fn probe(repo: &Repo) -> Result<()> {
    for_a_test(repo, "selvedge-probe", Profile::Engine, "probe", &PROBE_OPTIONS)
}

/// Builds the rule engine of the benchmarks (`benches/measured`) into `target/measured/`, as the page's is built.
///
/// # Errors
/// With the output of the step that failed.
pub fn measured(repo: &Repo) -> Result<()> {
    for_a_test(repo, "selvedge-measured", Profile::Engine, "measured", &PAGE_OPTIONS)
}

fn for_a_test(repo: &Repo, package: &str, profile: Profile, name: &str, options: &[&str]) -> Result<()> {
    let compiled = compile(repo, package, profile, name)?;
    let folder = repo.target.join(name);
    let module = folder.join(format!("{name}_bg.wasm"));
    let outputs = [folder.join(format!("{name}.js")), module.clone()];
    unless_fresh(repo, &format!("{name}-wasm"), inputs(&compiled, options)?, &outputs, || {
        for_the_web(&compiled, name, &folder)?;
        optimise(repo, &module, options)
    })?;
    Ok(())
}

fn for_the_web(compiled: &Path, name: &str, folder: &Path) -> Result<()> {
    empty(folder)?;
    let mut bindgen = Bindgen::new();
    bindgen.web(true)?.typescript(false);
    bind(&mut bindgen, compiled, name, folder)
}

/// Builds the engines of `benches/peers` as one module into `target/peers_page/`: compiled for speed, as their authors mean
/// them to be.
///
/// # Errors
/// With the output of the step that failed.
pub fn peers(repo: &Repo) -> Result<()> {
    let target = repo.target.join("peers");
    say::step("building the peers' wasm (first time about 5 min)", || {
        let mut cargo = run::cargo(&repo.path("benches/peers"));
        cargo.args(["build", "--lib", "--profile", "wasm", "--target", "wasm32-unknown-unknown"]);
        run::quiet(cargo.arg("--target-dir").arg(&target).arg("--quiet"))
    })?;
    let compiled = target.join("wasm32-unknown-unknown/wasm/selvedge_peers.wasm");
    let folder = repo.target.join("peers_page");
    let outputs = [folder.join("peers_page.js"), folder.join("peers_page_bg.wasm")];
    unless_fresh(repo, "peers-wasm", inputs(&compiled, &[])?, &outputs, || {
        for_the_web(&compiled, "peers_page", &folder)
    })?;
    Ok(())
}

/// Builds the worker's modules into [`Repo::worker_output`].
///
/// # Errors
/// With the output of the step that failed.
pub fn worker(repo: &Repo) -> Result<()> {
    for_workerd(repo, "selvedge-worker", "worker", &repo.path("worker/shim"), &repo.worker_output())
}

/// Builds the floor of the collect benchmark (`benches/floor`) into [`Repo::floor_output`].
///
/// # Errors
/// With the output of the step that failed.
pub fn floor(repo: &Repo) -> Result<()> {
    for_workerd(repo, "selvedge-floor", "floor", &repo.path("benches/floor/shim"), &repo.floor_output())
}

/// The modules of a worker: those of wasm-bindgen, named `worker`, and the hand-written ones of `shim`.
fn for_workerd(repo: &Repo, package: &str, what: &str, shim: &Path, folder: &Path) -> Result<()> {
    let compiled = compile(repo, package, Profile::Wasm, what)?;
    let outputs = ["worker.js", "worker_bg.wasm", "index.mjs"].map(|name| folder.join(name));
    let inputs = inputs(&compiled, &WORKER_OPTIONS)?.tree(shim)?;
    unless_fresh(repo, &format!("{what}-wasm"), inputs, &outputs, || {
        empty(folder)?;
        let mut bindgen = Bindgen::new();
        bindgen.module(true)?.typescript(false).reset_state_function(true).remove_producers_section(true);
        bind(&mut bindgen, &compiled, "worker", folder)?;
        import_as_module(folder)?;
        optimise(repo, &folder.join("worker_bg.wasm"), &WORKER_OPTIONS)?;
        copy_tree(shim, folder)
    })?;
    Ok(())
}

/// How cargo compiles a module: the profile of the root `Cargo.toml`.
#[derive(Clone, Copy)]
enum Profile {
    /// For few bytes.
    Wasm,
    /// For speed.
    Engine,
}

impl Profile {
    const fn name(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Engine => "engine",
        }
    }
}

/// Compiles `package` to wasm and gives the place of the module; cargo itself skips what is up to date.
fn compile(repo: &Repo, package: &str, profile: Profile, what: &str) -> Result<PathBuf> {
    let file = format!("{}.wasm", package.replace('-', "_"));
    let module = repo.target.join("wasm32-unknown-unknown").join(profile.name()).join(file);
    let first = if module.exists() { "" } else { " (first time about 60 s)" };
    say::step(&format!("building the {what} wasm{first}"), || {
        let mut cargo = run::cargo(&repo.root);
        cargo.args(["build", "--package", package, "--lib", "--profile", profile.name()]);
        cargo.args(["--target", "wasm32-unknown-unknown"]).arg("--target-dir").arg(&repo.target);
        run::quiet(cargo.arg("--quiet"))
    })?;
    Ok(module)
}

fn inputs(compiled: &Path, options: &[&str]) -> Result<Fingerprint> {
    Fingerprint::default().text(RECIPE).text(&options.join(" ")).text(&FEATURES.join(" ")).file(compiled)
}

fn bind(bindgen: &mut Bindgen, compiled: &Path, name: &str, folder: &Path) -> Result<()> {
    bindgen.input_path(compiled).out_name(name);
    bindgen.generate(folder).with_context(|| {
        format!(
            "wasm-bindgen could not bind {}: is the crate's wasm-bindgen the same version?",
            compiled.display()
        )
    })
}

/// workerd has no source-phase imports: a wasm module imported as default gives the same `WebAssembly.Module`.
fn import_as_module(folder: &Path) -> Result<()> {
    let is_script = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "js");
    for script in files_under(folder, &|_| false)?.into_iter().filter(is_script) {
        let text = fs::read_to_string(&script)?;
        fs::write(&script, text.replace("import source ", "import "))?;
    }
    Ok(())
}

/// The module with its claim to use reference types taken back. wasm-bindgen takes that claim, which rustc makes for
/// every module, as leave to add a table of JavaScript values and a start function; a boundary of bytes and numbers
/// needs neither.
fn without_reference_types(mut module: Vec<u8>) -> Result<Vec<u8>> {
    const CLAIM: &[u8] = b"+\x0freference-types";
    let place = module.windows(CLAIM.len()).rposition(|window| window == CLAIM);
    let prefix = place.and_then(|place| module.get_mut(place));
    *prefix.context(
        "the module does not list its target features: is `strip` in the wasm profile more than debuginfo?",
    )? = b'-';
    Ok(module)
}

fn optimise(repo: &Repo, module: &Path, options: &[&str]) -> Result<()> {
    let mut wasm_opt = run::command(repo.npm_binary("wasm-opt"), &repo.root);
    wasm_opt.args(options).args(FEATURES).arg(module).arg("-o").arg(module);
    say::step("  shrinking it with wasm-opt", || run::quiet(&mut wasm_opt))?;
    Ok(())
}

/// The page's module that [`page`] left with its names, without the functions that `is_part` names, shrunk in one pass: enough to compare
/// two of them, and quick.
///
/// # Errors
/// When it was not built, or cannot be shrunk.
pub fn page_without(repo: &Repo, name: &str, at: usize, is_part: impl Fn(&str) -> bool) -> Result<Vec<u8>> {
    let plain = fs::read(repo.scratch().join(format!("page-{name}-plain.wasm")))?;
    let module = repo.scratch().join(format!("page-{name}-without-{at}.wasm"));
    fs::write(&module, without(plain, is_part)?.0)?;
    let mut wasm_opt = run::command(repo.npm_binary("wasm-opt"), &repo.root);
    let options = PAGE_OPTIONS.iter().filter(|option| **option != "--converge");
    run::quiet(wasm_opt.args(options).args(FEATURES).arg(&module).arg("-o").arg(&module))?;
    Ok(fs::read(&module)?)
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_claim_to_reference_types_is_taken_back() -> Result<()> {
        let module = b"code +\x0bbulk-memory+\x0freference-types+\x08sign-ext".to_vec();
        let left = without_reference_types(module)?;
        assert_eq!(left, b"code +\x0bbulk-memory-\x0freference-types+\x08sign-ext");
        assert!(without_reference_types(b"stripped".to_vec()).is_err());
        Ok(())
    }
}
