//! `expect`: what slots show, why, and what becomes of rules.

use super::emits::read_emits;
use super::moment::offset_ms;
use super::reading::Reading;
use super::why::why;
use super::{Expect, ExpectReason, ExpectSlot, Why};
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields;
use crate::suggest::did_you_mean;
use crate::yaml::{Entry, Node, Value as Yaml};
use selvedge_core::wire::answer::Reason;

/// No rule has the slot.
const NONE: &str = "none";
/// Keys of an expectation that are no slots.
const KEYS: [&str; 4] = ["at", "why", "reasons", "emit"];

/// Reads `expect`: one expectation, or several in the order of time.
pub(super) fn read_expects(node: &Node, reading: &Reading<'_>, report: &mut Report) -> Vec<Expect> {
    let items = match &node.value {
        Yaml::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut expects: Vec<Expect> = items.iter().filter_map(|item| expect(item, reading, report)).collect();
    expects.sort_by_key(|expect| expect.at_ms.unwrap_or(u64::MAX));
    expects
}

fn expect(node: &Node, reading: &Reading<'_>, report: &mut Report) -> Option<Expect> {
    let map = fields::map(node, report)?;
    let first = map.entries.first().map_or(node.span, |entry| entry.key_span);
    let place = reading.place(first);
    let (slots, why) = (Vec::new(), Vec::new());
    let mut expect = Expect { at_ms: None, slots, why, reasons: Vec::new(), emits: None, place };
    for entry in &map.entries {
        match entry.key.as_str() {
            "at" => expect.at_ms = at(&entry.value, report),
            "why" => expect.why.extend(whys(&entry.value, reading, report)),
            "reasons" => expect.reasons.extend(reasons(&entry.value, reading, report)),
            "emit" => expect.emits = Some(read_emits(&entry.value, reading, report)),
            _ => expect.slots.extend(slot(entry, reading, report)),
        }
    }
    Some(expect)
}

fn at(node: &Node, report: &mut Report) -> Option<u64> {
    let text = fields::text(node, report)?;
    let at_ms = offset_ms(&text.value);
    if at_ms.is_none() {
        let message = format!("`{}` is not a time since the beginning", text.value);
        report.add_help(Code::E0505, text.span, message, "write for example `70s` or `1h30m`".to_owned());
    }
    at_ms
}

fn slot(entry: &Entry, reading: &Reading<'_>, report: &mut Report) -> Option<ExpectSlot> {
    let slot = entry.key.as_str();
    if !reading.slots().any(|known| known == slot) {
        let known = reading.slots().chain(KEYS);
        let message = format!("there is no slot `{slot}`");
        report.add_help(Code::E0204, entry.key_span, message, did_you_mean(slot, known));
        return None;
    }
    let content = fields::text(&entry.value, report)?;
    let place = reading.place(entry.key_span);
    if content.value == NONE {
        return Some(ExpectSlot { slot: slot.to_owned(), content: None, place });
    }
    if !reading.contents().any(|known| known == content.value) {
        let message = format!("there is no content `{}`", content.value);
        let help = did_you_mean(&content.value, reading.contents().chain([NONE]));
        report.add_help(Code::E0205, content.span, message, help);
        return None;
    }
    if !reading.shown_in(slot).any(|known| known == content.value) {
        let message = format!("nothing shows `{}` in `{slot}`", content.value);
        let help = did_you_mean(&content.value, reading.shown_in(slot).chain([NONE]));
        report.add_help(Code::E0504, content.span, message, help);
    }
    Some(ExpectSlot { slot: slot.to_owned(), content: Some(content.value), place })
}

fn whys(node: &Node, reading: &Reading<'_>, report: &mut Report) -> Vec<Why> {
    let items = fields::items(node);
    let texts: Vec<_> = items.iter().filter_map(|item| fields::text(item, report)).collect();
    let mut whys = Vec::new();
    for text in texts {
        let Some(why) = why(&text.value, reading.place(text.span)) else {
            let message = format!("`{}` does not say what a fact was", text.value);
            let help = "write for example `why: shoe_views = 2`".to_owned();
            report.add_help(Code::E0506, text.span, message, help);
            continue;
        };
        let is_name = !why.fact.contains(['(', ' ', '[']);
        if is_name && !reading.facts().any(|known| known == why.fact) {
            let message = format!("there is no fact `{}`", why.fact);
            report.add_help(Code::E0501, text.span, message, did_you_mean(&why.fact, reading.facts()));
            continue;
        }
        whys.push(why);
    }
    whys
}

fn reasons(node: &Node, reading: &Reading<'_>, report: &mut Report) -> Vec<ExpectReason> {
    let entries = fields::map(node, report).map(|map| map.entries.as_slice()).unwrap_or_default();
    entries.iter().filter_map(|entry| reason(entry, reading, report)).collect()
}

fn reason(entry: &Entry, reading: &Reading<'_>, report: &mut Report) -> Option<ExpectReason> {
    if !reading.rules().any(|known| known == entry.key) {
        let message = format!("there is no rule `{}`", entry.key);
        report.add_help(Code::E0501, entry.key_span, message, did_you_mean(&entry.key, reading.rules()));
        return None;
    }
    let words: Vec<(&'static str, Reason)> =
        Reason::ALL.iter().map(|reason| (reason.as_str(), *reason)).collect();
    let reason = fields::word(&entry.value, &words, &[], report)?;
    Some(ExpectReason { rule: entry.key.clone(), reason, place: reading.place(entry.key_span) })
}
