//! Destinations resolved: their conditions read what is in a record, and what they remove and rename is there.

use super::fact::{Fact, FactType};
use super::fuse::truth_of;
use super::measured::property_type;
use super::names::{Meaning, Names};
use super::truth::Truth;
use super::typed::Checker;
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::Spanned;
use crate::source::Span;
use crate::suggest::did_you_mean;
use crate::written::destinations::Destination;
use crate::written::rules::RulesFile;
use crate::written::site::Site;
use selvedge_core::consent::Purposes;
use selvedge_core::event::EventType;
use selvedge_core::tracking_plan::{OWN_PROPERTIES, PlanEvent};
use selvedge_core::wire::program::{RecordKind, Way};
use selvedge_core::wire::record::{FIELDS, Field, Holds, event_types};

/// What each destination's records must pass, in their order; `None` where it takes all.
pub(super) fn resolve_filters(site: &Site, checker: &mut Checker<'_, '_>) -> Vec<Option<Truth>> {
    let filter = |found: &Destination| {
        let typed = checker.record_condition(found.when.as_ref()?.as_ref()?)?;
        Some(truth_of(typed, checker.report))
    };
    site.destinations.iter().map(filter).collect()
}

/// Checks what destinations remove and rename, and whether they take anything.
pub(super) fn check(site: &Site, rules: &RulesFile, events: &[PlanEvent], report: &mut Report) {
    for found in &site.destinations {
        for path in &found.remove {
            if check_path(path, events, true, report) {
                check_identity(path, "removed", report);
            }
        }
        for (path, name) in &found.rename {
            if check_path(path, events, false, report) && check_identity(path, "renamed", report) {
                check_new_name(path, name, events, report);
            }
        }
        if !takes_something(found, site, rules, events) && !report.has_errors() {
            let message = format!("`{}` takes nothing", found.name.value);
            let help = "send it records of kinds that the site has, for purposes that they serve".to_owned();
            report.add_help(Code::W0802, found.name.span, message, help);
        }
    }
}

/// Whether there can be a record that goes there.
fn takes_something(found: &Destination, site: &Site, rules: &RulesFile, events: &[PlanEvent]) -> bool {
    let serves = |purposes: Purposes| !purposes.and(found.purposes).is_empty();
    let is_told = || {
        let told = rules.rules.iter().filter_map(|rule| rule.emit.as_ref()?.as_ref());
        told.into_iter().any(|emit| emit.to.value == found.name.value)
    };
    // What a site has without naming it: page views, exposures.
    let own = Purposes::ANALYTICS.or(Purposes::PERSONALIZATION);
    let has = |kind| match kind {
        RecordKind::Event => serves(own) || events.iter().any(|event| serves(event.purposes)),
        RecordKind::Decision | RecordKind::Exposure => {
            rules.rules.iter().any(|rule| rule.slot.is_some()) && serves(own)
        }
        RecordKind::Goal => !site.goals.is_empty(),
        RecordKind::Emit => is_told(),
        // What every destination gets is no use of its own.
        RecordKind::Erase => false,
    };
    let is_read = found.way == Way::Log;
    RecordKind::ALL
        .into_iter()
        .any(|kind| found.records.has(kind) && has(kind) && (!is_read || kind == RecordKind::Emit))
}

/// Whether a record can have something at this path; reports where none has. `all` allows `*` at its end.
fn check_path(path: &Spanned<String>, events: &[PlanEvent], all: bool, report: &mut Report) -> bool {
    let (first, rest) = match path.value.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path.value.as_str(), None),
    };
    let holds = Field::named(first).map(|field| field.holds);
    let is_there = match (holds, rest) {
        (Some(_), None) => true,
        (Some(Holds::Context | Holds::Properties | Holds::Told), Some("*")) => all,
        (Some(Holds::Context | Holds::Told), Some(_)) => true,
        (Some(Holds::Properties), Some(name)) => has_property(name, events),
        _ => false,
    };
    if !is_there {
        let help = did_you_mean(&path.value, paths(events).iter().map(String::as_str));
        report.add_help(Code::E0804, path.span, format!("no record has `{}`", path.value), help);
    }
    is_there
}

fn check_identity(path: &Spanned<String>, what: &str, report: &mut Report) -> bool {
    let is_free = !Field::named(&path.value).is_some_and(Field::is_identity);
    if !is_free {
        let message = format!("`{}` says which record it is: it is not {what}", path.value);
        report.add(Code::E0805, path.span, message);
    }
    is_free
}

/// Reports a new name that stands beside the old one already.
fn check_new_name(path: &Spanned<String>, to: &Spanned<String>, events: &[PlanEvent], report: &mut Report) {
    let has = |event: &PlanEvent, name: &str| event.properties.iter().any(|known| known.name == name);
    let is_taken = match path.value.split_once('.') {
        Some(("properties", name)) => events.iter().any(|event| has(event, name) && has(event, &to.value)),
        Some(_) => false,
        None => Field::named(&to.value).is_some(),
    };
    if is_taken {
        let message = format!("`{}` is there already: one of the two would be lost", to.value);
        report.add_help(Code::E0805, to.span, message, format!("write for example `{}_2`", to.value));
    }
}

fn has_property(path: &str, events: &[PlanEvent]) -> bool {
    let first = path.split('.').next().unwrap_or(path);
    let named =
        |event: &PlanEvent| event.properties.iter().any(|known| known.name == path || known.name == first);
    OWN_PROPERTIES.contains(&path) || events.iter().any(named)
}

/// Paths that records have, for suggestions.
fn paths(events: &[PlanEvent]) -> Vec<String> {
    let properties = events.iter().flat_map(|event| &event.properties);
    let properties = properties.map(|property| format!("properties.{}", property.name));
    FIELDS.iter().map(|field| field.name.to_owned()).chain(properties).collect()
}

impl Checker<'_, '_> {
    /// What a name means in a condition on records.
    pub(super) fn record_name(&mut self, path: &str, span: Span) -> Option<Meaning> {
        let found = match path.split_once('.') {
            None => Field::named(path).map(|field| column_type(field, self.names)),
            Some(("properties", name)) => property_of_any(name, self.names.events),
            Some(("context", name)) => Some(context_type(name, self.names)),
            Some(("fields", _)) => Some(FactType::Untyped),
            Some(_) => None,
        };
        let Some(fact_type) = found else { return self.not_in_record(path, span) };
        let fact = match fact_type {
            FactType::Time => Fact::TimeProperty(path.to_owned()),
            _ => Fact::Property(path.to_owned()),
        };
        Some(Meaning::Fact(fact, fact_type))
    }

    pub(super) fn not_in_record<T>(&mut self, what: &str, span: Span) -> Option<T> {
        let events = self.names.events;
        let (message, help) = match self.names.find(what) {
            _ if has_property(what, events) => {
                (format!("`{what}` is a property"), Some(format!("write `properties.{what}`")))
            }
            Some(_) => (
                format!("`{what}` is known of visitors: what leaves later is judged by the record alone"),
                Some("send it along: `emit` with `fields` of a rule".to_owned()),
            ),
            None => {
                let known = paths(events);
                (format!("no record has `{what}`"), did_you_mean(what, known.iter().map(String::as_str)))
            }
        };
        self.report.add_help(Code::E0801, span, message, help);
        None
    }
}

/// What a column holds. Of names, what they can be is known.
fn column_type(field: &Field, names: &Names<'_>) -> FactType {
    let text = |one_of: Vec<String>| FactType::Text { one_of, kept: false };
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match field.holds {
        Holds::Word(words) if FIELDS.iter().filter(|other| other.name == field.name).count() == 1 => {
            text(owned(words))
        }
        Holds::EventType => text(owned(&event_types())),
        Holds::Text if field.name == "name" => text(record_names(names)),
        Holds::Type | Holds::Text | Holds::Word(_) => text(Vec::new()),
        Holds::Time => FactType::Time,
        Holds::Whole | Holds::Number => FactType::Number,
        Holds::Flag => FactType::Bool,
        Holds::Texts => FactType::List,
        Holds::Context | Holds::Properties | Holds::Told => FactType::Opaque("an object"),
    }
}

/// What `name` can be: an event, or what a message enters.
fn record_names(names: &Names<'_>) -> Vec<String> {
    let own = EventType::ALL.into_iter().map(|known| known.as_str().to_owned());
    let events = names.events.iter().map(|event| event.name.clone());
    let told = names.rules.iter().filter_map(|rule| rule.emit.as_ref()?.as_ref());
    own.chain(events).chain(told.map(|emit| emit.enter.clone())).collect()
}

/// What the properties of this name are; where events differ, what they are compared with says it.
fn property_of_any(name: &str, events: &[PlanEvent]) -> Option<FactType> {
    let mut types = events.iter().filter_map(|event| property_type(event, name));
    let Some(first) = types.next() else {
        let inner = name.split_once('.').is_some_and(|_| has_property(name, events));
        return (inner || OWN_PROPERTIES.contains(&name)).then_some(FactType::Untyped);
    };
    Some(if types.all(|other| other == first) { first } else { FactType::Untyped })
}

/// What a fact of the moment is: a built-in one has its type.
fn context_type(name: &str, names: &Names<'_>) -> FactType {
    match names.find(name) {
        Some(Meaning::Fact(Fact::Builtin(_), FactType::Text { one_of, .. })) => {
            FactType::Text { one_of, kept: false }
        }
        Some(Meaning::Fact(Fact::Builtin(_), fact_type)) => fact_type,
        _ => FactType::Untyped,
    }
}
