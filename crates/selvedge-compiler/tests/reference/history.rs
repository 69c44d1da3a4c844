//! What happened to a visitor.

use super::site::Literal;
use selvedge_core::consent::Purposes;

pub type Values = Vec<(&'static str, Literal)>;

/// One event, in the order of arrival.
#[derive(Debug, Clone)]
pub struct Happened {
    pub time_ms: i64,
    pub name: &'static str,
    pub properties: Values,
    pub context: Values,
    pub in_force: Purposes,
    pub writer: u64,
    /// Moments after it at which is asked too.
    pub asked_after_ms: Vec<i64>,
}

impl Happened {
    /// Whether its amounts are in another currency than the site's.
    pub fn is_foreign(&self) -> bool {
        value(&self.properties, "currency").is_some_and(|currency| *currency != Literal::Text("EUR"))
    }

    /// What the tracking plan lets the event be used for.
    pub fn purposes(&self) -> Purposes {
        let personal = Purposes::PERSONALIZATION;
        match self.name {
            "search" => personal,
            "support_chat" => personal.or(Purposes::ANALYTICS).or(Purposes::NECESSARY),
            _ => personal.or(Purposes::ANALYTICS),
        }
    }
}

/// A visitor and all that happened to it.
#[derive(Debug, Clone)]
pub struct History {
    pub born_ms: i64,
    /// What every batch says.
    pub context: Values,
    pub events: Vec<Happened>,
}

/// What an event or a context says of something.
pub fn value<'a>(values: &'a Values, name: &str) -> Option<&'a Literal> {
    values.iter().find(|(known, _)| *known == name).map(|(_, literal)| literal)
}
