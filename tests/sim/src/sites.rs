//! The sites of every world: two, alike but for their names, each with two programs that caps, groups and the edge play in.

use anyhow::{Context, Result};
use selvedge_compiler::compile;
use selvedge_core::id::ProgramHash;
use selvedge_core::wire::program::{Cap, Parts, Window};
use std::collections::BTreeMap;
use std::rc::Rc;

const SITE: &str = include_str!("../sites/site.yaml");
const PLAN: &str = include_str!("../sites/tracking-plan.yaml");
const CONTENT: &str = include_str!("../sites/content.yaml");
const RULES: [&str; 2] = [include_str!("../sites/rules-a.yaml"), include_str!("../sites/rules-b.yaml")];
const NAMES: [&str; 2] = ["shop", "store"];

/// One program of a site, in both forms.
#[derive(Debug)]
pub struct Compiled {
    /// Its name.
    pub hash: ProgramHash,
    /// What the edge runs.
    pub full: Vec<u8>,
    /// What pages load.
    pub public: Vec<u8>,
    /// What stands in it.
    pub parts: Parts,
}

/// A site with its programs.
#[derive(Debug, Clone)]
pub struct SiteFiles {
    /// Its name.
    pub name: &'static str,
    /// The key that its pages send with.
    pub key: String,
    /// Its programs, in no order of time.
    pub programs: Vec<Rc<Compiled>>,
}

/// All sites, compiled.
///
/// # Errors
/// Where a site does not compile.
pub fn all() -> Result<Vec<SiteFiles>> {
    NAMES.into_iter().map(site).collect()
}

fn site(name: &'static str) -> Result<SiteFiles> {
    let programs = RULES.into_iter().map(|rules| program(name, rules).map(Rc::new));
    Ok(SiteFiles { name, key: format!("wk_{name}"), programs: programs.collect::<Result<_>>()? })
}

fn program(name: &str, rules: &str) -> Result<Compiled> {
    let file = |file: &str, text: &str| (file.to_owned(), text.replace("NAME", name));
    let files: BTreeMap<String, String> = [
        file("site.yaml", SITE),
        file("tracking-plan.yaml", PLAN),
        file("content.yaml", CONTENT),
        file("rules.yaml", rules),
    ]
    .into();
    let compilation = compile(&files);
    let found: Vec<String> = compilation.diagnostics.iter().map(|found| format!("{found:?}")).collect();
    let program = compilation.program.with_context(|| found.join("\n"))?;
    let (hash, full, public) = (program.hash, program.full_bytes, program.public_bytes);
    Ok(Compiled { hash, full, public, parts: program.full })
}

/// What an exposure of a rule counts for, by name, with its sliding caps: how many in how many milliseconds.
#[must_use]
pub fn capped(parts: &Parts, rule: &str) -> Vec<(String, u16, u64)> {
    let Some(rule) = parts.rules.iter().find(|known| known.id == rule) else { return Vec::new() };
    let mut all = windows(&format!("rule {}", rule.id), &rule.caps);
    if let Some(group) = rule.group.and_then(|at| parts.groups.get(usize::from(at))) {
        all.extend(windows(&format!("group {}", group.name), &group.caps));
    }
    if let Some(slot) = parts.slots.get(usize::from(rule.slot)) {
        all.extend(windows(&format!("slot {}", slot.name), &slot.caps));
    }
    all.extend(windows("site", &parts.deciding.caps));
    all
}

/// How often a rule may be seen in a session, where that is capped.
#[must_use]
pub fn per_session(parts: &Parts, rule: &str) -> Option<u16> {
    let rule = parts.rules.iter().find(|known| known.id == rule)?;
    rule.caps.iter().find(|cap| cap.window == Window::Session).map(|cap| cap.limit)
}

fn windows(name: &str, caps: &[Cap]) -> Vec<(String, u16, u64)> {
    let sliding = |cap: &Cap| match cap.window {
        Window::Sliding(window_ms) => Some((name.to_owned(), cap.limit, window_ms)),
        _ => None,
    };
    caps.iter().filter_map(sliding).collect()
}
