//! A site as written: forms, words and bounds are right, names are not resolved yet.

mod entries;
pub(crate) mod content;
pub(crate) mod plan;
mod csv;
pub(crate) mod caps;
pub(crate) mod capture;
mod condition;
pub(crate) mod lists;
mod stretch;
pub(crate) mod lookups;
pub(crate) mod goals;
pub(crate) mod timing;
mod zone;

pub(crate) mod schedule;
pub(crate) mod attribute;
mod score;
pub(crate) mod metric;
pub(crate) mod deciding;
pub(crate) mod destinations;
pub(crate) mod consent;
mod identity;
pub(crate) mod site;
pub(crate) mod emit;
pub(crate) mod rules;

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::source::{FileId, Files, Span};
use crate::suggest::nearest;
use crate::threads::Threads;
use crate::yaml;
use selvedge_core::tracking_plan::PlanEvent;

/// The file every other is read for.
pub(crate) const SITE_FILE: &str = "site.yaml";
/// The data contract.
pub(crate) const PLAN_FILE: &str = "tracking-plan.yaml";
/// The rules and what they name.
pub(crate) const RULES_FILE: &str = "rules.yaml";
/// What the rules show.
pub(crate) const CONTENT_FILE: &str = "content.yaml";
const FILES: [&str; 4] = [SITE_FILE, PLAN_FILE, RULES_FILE, CONTENT_FILE];

/// Everything written, file by file.
pub(crate) struct Written {
    pub site: site::Site,
    pub plan: Vec<PlanEvent>,
    pub rules: rules::RulesFile,
    pub contents: Vec<content::Content>,
}

/// Reads all files; what is wrong is reported and left out, so that the rest can still be checked. `None` where a file is
/// no YAML at all.
pub(crate) fn read(files: &Files<'_>, threads: Threads, report: &mut Report) -> Option<Written> {
    other_files(files, report);
    let mut is_whole = true;
    let mut root = |name: &str, report: &mut Report| {
        let Some(file) = files.find(name) else {
            missing_file(files, name, report);
            return None;
        };
        let node = yaml::parse(file, files.text(file), threads, report);
        is_whole &= node.is_some();
        node
    };
    let written = Written {
        site: root(SITE_FILE, report).map(|node| site::read(&node, files, report)).unwrap_or_default(),
        plan: root(PLAN_FILE, report).map(|node| plan::read(&node, report)).unwrap_or_default(),
        rules: root(RULES_FILE, report)
            .map(|node| rules::read(&node, files, threads, report))
            .unwrap_or_default(),
        contents: root(CONTENT_FILE, report).map(|node| content::read(&node, report)).unwrap_or_default(),
    };
    is_whole.then_some(written)
}

fn missing_file(files: &Files<'_>, name: &str, report: &mut Report) {
    if matches!(name, SITE_FILE | PLAN_FILE) {
        let top = Span::top(files.find(SITE_FILE).unwrap_or(FileId(0)));
        let message = format!("the site has no `{name}`");
        report.add_help(Code::E0001, top, message, "`selvedge new` writes one".to_owned());
    }
}

fn other_files(files: &Files<'_>, report: &mut Report) {
    for name in files.names().filter(|name| !FILES.contains(name)) {
        let Some(file) = files.find(name) else { continue };
        let is_test = name.starts_with("tests/");
        if !is_test && (name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json")) {
            let help = nearest(name, FILES).map(|meant| format!("rename it to `{meant}`"));
            report.add_help(Code::E0002, Span::top(file), format!("nothing reads `{name}`"), help);
        }
    }
}
