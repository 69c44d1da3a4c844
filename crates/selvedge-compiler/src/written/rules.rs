//! rules.yaml: attributes, metrics, audiences, groups and rules.

use crate::codes::Code;
use crate::condition::Expr;
use crate::diagnostic::Report;
use crate::fields::{self, Elsewhere, Fields, NameKind, Spanned};
use crate::source::Files;
use crate::threads::Threads;
use crate::written::attribute::{Attribute, read_attribute};
use crate::written::caps::{RuleCaps, read_caps, read_rule_caps};
use crate::written::condition::read_condition;
use crate::written::deciding::{Deciding, read_deciding};
use crate::written::emit::{Emit, read_emit};
use crate::written::entries::{name_of, named};
use crate::written::metric::{Metric, read_metrics};
use crate::written::plan::purpose;
use crate::written::schedule::{Schedule, read_schedule};
use crate::written::stretch::read_hold;
use crate::written::timing::{Timing, read_timing};
use crate::yaml::{Entry, Node};
use selvedge_core::consent::Purposes;
use selvedge_core::wire::program::{Cap, Hold, Status};

/// rules.yaml as written.
#[derive(Debug, Default)]
pub(crate) struct RulesFile {
    pub attributes: Vec<Attribute>,
    pub metrics: Vec<Metric>,
    pub audiences: Vec<Audience>,
    pub groups: Vec<Group>,
    pub deciding: Deciding,
    pub rules: Vec<Rule>,
}

/// A named condition as written.
#[derive(Debug)]
pub(crate) struct Audience {
    pub name: Spanned<String>,
    pub condition: Option<Expr>,
}

/// An exclusion group as written.
#[derive(Debug)]
pub(crate) struct Group {
    pub name: Spanned<String>,
    pub max_per_page: Option<u16>,
    pub caps: Vec<Cap>,
}

/// A rule as written.
#[derive(Debug)]
pub(crate) struct Rule {
    pub id: Spanned<String>,
    pub priority: i32,
    pub status: Status,
    pub purpose: Purposes,
    /// `None`: none written. `Some(None)`: written with an error.
    pub when: Option<Option<Expr>>,
    pub slot: Option<Spanned<String>>,
    pub content: Option<Spanned<String>>,
    pub group: Option<Spanned<String>>,
    pub caps: RuleCaps,
    pub hold: Hold,
    /// `None`: none written. `Some(None)`: written with an error.
    pub until: Option<Option<Expr>>,
    pub schedule: Option<Schedule>,
    pub service: bool,
    pub experiment: Option<Spanned<String>>,
    pub private: bool,
    pub timing: Timing,
    /// `None`: none written. `Some(None)`: written with an error.
    pub emit: Option<Option<Emit>>,
    /// It shows nothing, and only sends its message.
    pub is_mute: bool,
}

/// Reads rules.yaml.
pub(crate) fn read(root: &Node, files: &Files<'_>, threads: Threads, report: &mut Report) -> RulesFile {
    let Some(mut fields) = Fields::of(root, report) else { return RulesFile::default() };
    let source = files.text(root.span.file);
    let file = RulesFile {
        attributes: named(fields.optional("attributes"), read_attribute, report),
        metrics: read_metrics(&mut fields, source, report),
        audiences: named(
            fields.optional("audiences"),
            |entry, report| read_audience(entry, source, report),
            report,
        ),
        groups: named(fields.optional("groups"), read_group, report),
        deciding: read_deciding(&mut fields, source, report),
        rules: read_rules(fields.optional("rules"), source, threads, report),
    };
    fields.finish(&[], report);
    file
}

fn read_audience(entry: &Entry, source: &str, report: &mut Report) -> Option<Audience> {
    let name = name_of(entry, NameKind::Dotted, report);
    let condition = read_condition(&entry.value, source, report);
    Some(Audience { name, condition })
}

fn read_group(entry: &Entry, report: &mut Report) -> Option<Group> {
    let name = name_of(entry, NameKind::Dashed, report);
    let mut fields = Fields::of(&entry.value, report)?;
    let max = fields.optional("max_per_page").and_then(|node| fields::whole(node, 1, 256, report));
    let caps = fields.optional("cap").map(|node| read_caps(node, report)).unwrap_or_default();
    fields.finish(&[], report);
    Some(Group { name, max_per_page: max.and_then(|max| u16::try_from(max).ok()), caps })
}

fn read_rules(node: Option<&Node>, source: &str, threads: Threads, report: &mut Report) -> Vec<Rule> {
    let items = node.and_then(|node| fields::list(node, report)).unwrap_or_default();
    // All at once: a rule is large, and is moved wherever the list grows.
    let mut rules = Vec::with_capacity(items.len());
    let (first, second) = items.split_at(items.len() / 2);
    let mut found = report.beside();
    let ((), others) = threads.both(
        || rules.extend(rules_in(first, source, report)),
        || rules_in(second, source, &mut found).collect::<Vec<Rule>>(),
    );
    rules.extend(others);
    report.append(found);
    rules
}

fn rules_in(items: &[Node], source: &str, report: &mut Report) -> impl Iterator<Item = Rule> {
    items.iter().filter_map(|item| read_rule(item, source, report))
}

const ELSEWHERE: [Elsewhere; 4] = [
    ("on", "the events that a rule waits for stand under `trigger`", "write `trigger` in its place"),
    ("if", "the condition of a rule stands under `when`", "write `when` in its place"),
    ("condition", "the condition of a rule stands under `when`", "write `when` in its place"),
    ("name", "a rule is named by its `id`", "write `id` in its place"),
];

fn read_rule(node: &Node, source: &str, report: &mut Report) -> Option<Rule> {
    const STATUSES: [(&str, Status); 3] =
        [("draft", Status::Draft), ("live", Status::Live), ("paused", Status::Paused)];
    let mut fields = Fields::of(node, report)?;
    let id = fields.required("id").and_then(|node| fields::text(node, report));
    let when = fields.filled("when", report).map(|node| read_condition(node, source, report));
    let emit = fields.optional("emit").map(|node| read_emit(node, source, report));
    let show = if emit.is_some() { fields.optional("show") } else { fields.required("show") };
    let show = show.map(|node| read_show(node, report));
    let is_mute = emit.is_some() && show.is_none();
    let group = fields.optional("group").and_then(|node| fields::text(node, report));
    let priority = fields
        .optional("priority")
        .and_then(|node| fields::whole(node, i64::from(i32::MIN), i64::from(i32::MAX), report));
    let caps = fields.optional("cap").map(|node| read_rule_caps(node, report)).unwrap_or_default();
    let schedule = fields.optional("schedule").and_then(|node| read_schedule(node, report));
    let until = fields.filled("until", report).map(|node| read_condition(node, source, report));
    let service = fields.optional("service").and_then(|node| fields::flag(node, report)).unwrap_or(false);
    let experiment = fields.optional("experiment").and_then(|node| fields::text(node, report));
    let hold = fields.optional("hold").and_then(|node| read_hold(node, report));
    let status = fields.optional("status").and_then(|node| fields::word(node, &STATUSES, &[], report));
    let purpose = fields.optional("purpose").and_then(|node| rule_purpose(node, service, report));
    let private = fields.optional("private").and_then(|node| fields::flag(node, report));
    let timing = read_timing(&mut fields, report);
    fields.finish(&ELSEWHERE, report);
    let id = id?;
    fields::name(&id.value, id.span, NameKind::Dashed, report);
    let (slot, content) = show.unwrap_or_default();
    Some(Rule {
        id,
        priority: priority.and_then(|priority| i32::try_from(priority).ok()).unwrap_or(0),
        status: status.unwrap_or(Status::Live),
        purpose: purpose.unwrap_or(if service { Purposes::NECESSARY } else { Purposes::PERSONALIZATION }),
        when,
        slot,
        content,
        group,
        caps,
        hold: hold.unwrap_or(Hold::Page),
        until,
        schedule,
        service,
        experiment,
        private: private.unwrap_or(false),
        timing,
        emit,
        is_mute,
    })
}

/// A service notice is for what the page cannot work without, and says so by itself.
fn rule_purpose(node: &Node, is_service: bool, report: &mut Report) -> Option<Purposes> {
    let purpose = purpose(node, report)?;
    if is_service && purpose != Purposes::NECESSARY {
        let help = "remove `purpose`, or `service: true`".to_owned();
        report.add_help(Code::E0324, node.span, "a service notice has the purpose `necessary`", help);
    } else if purpose == Purposes::NECESSARY && !is_service {
        let message = "the rule acts without the visitor's consent";
        let help = "keep it only for what the page cannot work without".to_owned();
        report.add_help(Code::W0003, node.span, message, help);
    }
    Some(purpose)
}

fn read_show(node: &Node, report: &mut Report) -> (Option<Spanned<String>>, Option<Spanned<String>>) {
    let Some(mut fields) = Fields::of(node, report) else { return (None, None) };
    let slot = fields.required("slot").and_then(|node| fields::text(node, report));
    let content = fields.required("content").and_then(|node| fields::text(node, report));
    fields.finish(&[], report);
    (slot, content)
}
