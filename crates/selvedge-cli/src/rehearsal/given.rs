//! Facts that hold from the beginning: some are context, the others are put where the edge would have kept them.

use super::stage::Stage;
use selvedge_core::number::Micro;
use selvedge_core::rules::kept_as;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::program::{AttributeScope, Builtin, attribute_hash};
use selvedge_core::wire::state::{AttributeCell, Cell, CellBody, VisitorState};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Facts that hold from the beginning.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// What every event's context says.
    pub context: Map,
    /// What is kept of the visitor.
    kept: Vec<(String, Value)>,
}

impl Given {
    /// Sorts facts into what is context and what is kept.
    #[must_use]
    pub fn new<'a>(stage: &Stage, facts: impl Iterator<Item = (&'a str, &'a Value)>) -> Self {
        let mut given = Self::default();
        for (name, value) in facts {
            if is_context(stage, name) {
                given.context.set(name, value.clone());
            } else {
                given.kept.push((name.to_owned(), value.clone()));
            }
        }
        given
    }

    /// Whether anything is to be kept.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        !self.kept.is_empty()
    }

    /// The country that the edge sees.
    #[must_use]
    pub fn country(&self) -> Option<&str> {
        self.context.text(Builtin::GeoCountry.name())
    }

    /// Puts what is kept of the account into its state.
    pub fn keep_account(&self, stage: &Stage, state: &mut VisitorState) {
        let of_account = self.kept.iter().filter(|(name, _)| is_of_account(stage, name));
        of_account.for_each(|(name, value)| keep_attribute(stage, name, value, state));
    }

    /// Puts what is kept into the state of a visitor whose session has begun.
    pub fn keep(&self, stage: &Stage, state: &mut VisitorState) {
        for (name, value) in self.kept.iter().filter(|(name, _)| !is_of_account(stage, name)) {
            if !keep_of_session(name, value, state) {
                keep_attribute(stage, name, value, state);
            }
        }
    }
}

fn is_context(stage: &Stage, name: &str) -> bool {
    let of_session =
        [Builtin::VisitorIsNew, Builtin::SessionNumber, Builtin::SessionPages, Builtin::DaysSinceLastVisit];
    let is_attribute = stage
        .parts
        .attributes
        .iter()
        .any(|attribute| attribute.name == name && attribute.scope != AttributeScope::Context);
    !is_attribute && !of_session.iter().any(|builtin| builtin.name() == name)
}

fn is_of_account(stage: &Stage, name: &str) -> bool {
    let mut attributes = stage.parts.attributes.iter();
    attributes.any(|attribute| attribute.name == name && attribute.scope == AttributeScope::Account)
}

/// Facts that the session itself is; whether it was one.
fn keep_of_session(name: &str, value: &Value, state: &mut VisitorState) -> bool {
    let session = &mut state.session;
    let whole = || u32::try_from(micro(value).unwrap_or(0) / 1_000_000).unwrap_or(0);
    match Builtin::ALL.iter().find(|builtin| builtin.name() == name) {
        Some(Builtin::VisitorIsNew) if *value == Value::Bool(false) => {
            session.number = session.number.max(2);
            session.previous_end_ms.get_or_insert(session.start_ms.saturating_sub(DAY_MS));
        }
        Some(Builtin::VisitorIsNew) => session.number = 1,
        Some(Builtin::SessionNumber) => {
            session.number = whole().max(1);
            if session.number > 1 {
                session.previous_end_ms.get_or_insert(session.start_ms.saturating_sub(DAY_MS));
            }
        }
        Some(Builtin::SessionPages) => session.pages = whole(),
        Some(Builtin::DaysSinceLastVisit) => {
            let days = i64::from(whole());
            session.number = session.number.max(2);
            session.previous_end_ms = Some(session.start_ms.saturating_sub(days.saturating_mul(DAY_MS)));
        }
        _ => return false,
    }
    true
}

fn keep_attribute(stage: &Stage, name: &str, value: &Value, state: &mut VisitorState) {
    let Some(attribute) = stage.parts.attributes.iter().find(|attribute| attribute.name == name) else {
        return;
    };
    let hash = attribute_hash(attribute);
    let cell =
        AttributeCell { time_ms: state.session.start_ms, value: kept_as(attribute.attribute_type, value) };
    let body = CellBody::Attribute(cell);
    match state.cells.binary_search_by_key(&hash, |cell| cell.hash) {
        Ok(at) => state.cells[at].body = body,
        Err(at) => state.cells.insert(at, Cell { hash, is_old: false, body }),
    }
}

fn micro(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.micro().map(|Micro(micro)| micro),
        _ => None,
    }
}
