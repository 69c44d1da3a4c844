//! Which cap keeps a rule off, in words: `2 per session`, `group promotions: 3 per session`.

use super::stage::Stage;
use super::told::{duration_text, fact_name};
use selvedge_core::rules::CapOf;
use selvedge_core::wire::program::{Cap, Rule, Window};

/// The cap of the rule at this place that is used up: whose it is, where it is not the rule's own, and how it is written.
pub(super) fn cap_text(stage: &Stage, rule: u16, of: CapOf, at: usize) -> Option<String> {
    let rule = stage.rule(rule)?;
    let parts = &stage.parts;
    let text = |caps: &[Cap]| caps.get(at).map(written);
    match of {
        CapOf::Rule => text(&rule.caps),
        CapOf::Group => {
            let group = parts.groups.get(usize::from(rule.group?))?;
            Some(format!("group {}: {}", group.name, text(&group.caps)?))
        }
        CapOf::Slot => {
            let slot = parts.slots.get(usize::from(rule.slot))?;
            Some(format!("slot {}: {}", slot.name, text(&slot.caps)?))
        }
        CapOf::Site => Some(format!("all rules: {}", text(&parts.deciding.caps)?)),
        CapOf::Dismissals => Some(format!("dismissals: {}", text(&rule.terms.dismissals)?)),
        CapOf::Value => of_value(stage, rule),
    }
}

fn of_value(stage: &Stage, rule: &Rule) -> Option<String> {
    let cap = rule.terms.per_value?;
    Some(format!("{} per {}", cap.limit, fact_name(stage, cap.fact, "value")))
}

fn written(cap: &Cap) -> String {
    let stretch = match cap.window {
        Window::Page => "page".to_owned(),
        Window::Session => "session".to_owned(),
        Window::Sliding(ms) => duration_text(i64::try_from(ms).unwrap_or(i64::MAX)),
        Window::Today => "day".to_owned(),
        Window::Week => "week".to_owned(),
        Window::Month => "month".to_owned(),
        Window::Ever => "visitor".to_owned(),
    };
    format!("{} per {stretch}", cap.limit)
}
