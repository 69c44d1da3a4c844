//! `capture` of site.yaml: the kinds that pages are told of, the events that the plan gets, and what docs/capture.md says of both.

mod common;

use common::{Site, rendered, small_site};
use selvedge_compiler::default_plan::{KINDS, Takes};
use selvedge_compiler::{Code, Compiled, compile};
use selvedge_core::tracking_plan::{PlanEvent, PropertyType};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

fn site(capture: &str) -> Site {
    let mut files = small_site();
    let site = files.get_mut("site.yaml").expect("a site.yaml");
    let _ = write!(site, "\ncapture:\n{capture}\n");
    files
}

fn compiled(capture: &str) -> Compiled {
    let files = site(capture);
    let compilation = compile(&files);
    let said = rendered(&files, &compilation);
    compilation.program.unwrap_or_else(|| panic!("{said}"))
}

fn kinds(compiled: &Compiled) -> Vec<(&str, &str)> {
    let edge = compiled.full.edge.as_ref().expect("the full program");
    edge.capture.iter().map(|(kind, option)| (kind.as_str(), option.as_str())).collect()
}

fn event<'a>(compiled: &'a Compiled, name: &str) -> Option<&'a PlanEvent> {
    assert_eq!(compiled.public.plan, compiled.full.plan);
    compiled.full.plan.event(name)
}

#[test]
fn pages_are_told_what_is_on_and_the_plan_knows_its_events() {
    let found =
        compiled("  clicks: true\n  search: [q, query]\n  exit: false\n  scroll: page\n  routes: false");
    assert_eq!(kinds(&found), [("routes", "off"), ("clicks", ""), ("search", "q,query")]);
    for (name, is_known) in
        [("link_click", true), ("site_search", true), ("scroll_depth", true), ("exit_intent", false)]
    {
        assert_eq!(event(&found, name).is_some(), is_known, "{name}");
    }
    assert!(kinds(&compiled("  routes: true")).is_empty());
    assert!(kinds(&compiled("  loss: true")).is_empty());
    let silent = compiled("  loss: false");
    assert_eq!(kinds(&silent), [("loss", "off")], "delivery without a tracking plan has to know");
    assert!(event(&silent, "events_lost").is_none());
}

#[test]
fn text_that_is_read_off_the_page_is_masked() {
    let found = compiled("  clicks: true");
    let click = event(&found, "link_click").expect("known");
    assert!(click.properties.iter().all(|property| property.masked && !property.pii));
}

#[test]
fn the_sites_own_description_of_an_event_holds() {
    let mut files = site("  clicks: true\n  ecommerce: true");
    let plan = files.get_mut("tracking-plan.yaml").expect("a plan");
    plan.push_str("\n  link_click:\n    version: 7\n    purposes: [advertising]\n");
    let found = compile(&files).program.expect("a program");
    assert_eq!(event(&found, "link_click").map(|event| event.version), Some(7));
    assert_eq!(event(&found, "add_to_cart").map(|event| event.version), Some(1));
}

#[test]
fn a_data_layer_becomes_events_that_are_known() {
    let found = compiled("  ecommerce: true\n  datalayer:\n    order: purchase\n    Lead sent: refund");
    assert!(kinds(&found).contains(&("datalayer", "order:purchase,Lead sent:refund")));
    let codes = |capture: &str| -> Vec<Code> {
        compile(&site(capture)).diagnostics.iter().map(|found| found.code).collect()
    };
    assert!(codes("  datalayer:\n    order: purchse").contains(&Code::E0860));
    assert!(codes("  search: true").contains(&Code::E0007));
    assert!(codes("  search: []").contains(&Code::E0006));
    assert!(codes("  clicks: sometimes").contains(&Code::E0015));
    assert!(codes("  clickz: true").contains(&Code::E0005));
}

#[test]
fn every_kind_can_be_written_and_its_events_are_apart() {
    let mut capture = String::new();
    for kind in KINDS {
        let value = if kind.takes == Takes::Parameters { "[q]" } else { "true" };
        let _ = writeln!(capture, "  {}: {value}", kind.name);
    }
    let found = compiled(&capture);
    let mut names: Vec<&str> = KINDS.iter().flat_map(|kind| kind.events).map(|event| event.name).collect();
    assert!(names.iter().all(|name| event(&found, name).is_some()));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for event in KINDS.iter().flat_map(|kind| kind.events) {
        assert!(event.properties.is_sorted_by_key(|(name, ..)| name), "{}", event.name);
    }
}

/// The table of docs/capture.md, as the default plan has it.
fn table() -> String {
    let mut table = String::from("| switch | what is captured | event | properties |\n|---|---|---|---|\n");
    for kind in KINDS {
        let (mut switch, mut about) = (format!("`{}`", kind.name), kind.about);
        if kind.events.is_empty() {
            let _ = writeln!(table, "| {switch} | {about} | | |");
        }
        for event in kind.events {
            let properties: Vec<String> = event
                .properties
                .iter()
                .map(|(name, property_type, masked)| {
                    let mark = if *masked { " (masked)" } else { "" };
                    format!("`{name}` {}{mark}", word(*property_type))
                })
                .collect();
            let _ = writeln!(table, "| {switch} | {about} | `{}` | {} |", event.name, properties.join(", "));
            (switch, about) = (String::new(), "");
        }
    }
    table
}

const fn word(property_type: PropertyType) -> &'static str {
    property_type.as_str()
}

/// `SELVEDGE_UPDATE_DOCS=1` writes it.
#[test]
fn the_table_of_the_docs_is_the_default_plan() {
    const MARKS: [&str; 2] = ["<!-- kinds: generated -->\n", "<!-- end of kinds -->"];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/capture.md");
    let text = fs::read_to_string(&path).expect("docs/capture.md");
    let (before, rest) = text.split_once(MARKS[0]).expect("the first mark");
    let (found, after) = rest.split_once(MARKS[1]).expect("the second mark");
    if std::env::var_os("SELVEDGE_UPDATE_DOCS").is_some() {
        let written = [before, MARKS[0], &table(), MARKS[1], after].concat();
        fs::write(&path, written).expect("docs/capture.md can be written");
        return;
    }
    assert_eq!(found, table(), "run with SELVEDGE_UPDATE_DOCS=1");
}
