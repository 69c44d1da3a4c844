//! Which variant the visitor is in, who is held out, and what of it is kept for good.

use super::super::files::FALLBACKS;
use super::super::history::{Values, value};
use super::super::reading::Reading;
use super::super::site::Literal;
use super::trials::{EXPERIMENTS, Experiment, HELD_OUT, VARIANTS};
use super::{Judge, Shown};
use selvedge_core::consent::Purposes;

const HOLDOUT: &str = "holdout";

impl Judge<'_> {
    pub(super) fn is_held_out(&self, rule: usize) -> bool {
        let drawn = || self.trials.is_held_out(&self.visitor);
        let kept = self.kept((HOLDOUT, self.trials.holdout_salt));
        self.rules[rule].is_in_holdout && kept.map_or_else(drawn, |kept| kept == HELD_OUT)
    }

    /// What a slot shows where this rule has it.
    pub(super) fn shown(&self, rule: Option<usize>, slot: usize, events: usize) -> Shown {
        let variant = rule.and_then(|rule| self.variant(rule, events));
        let content = match (rule, variant) {
            (None, _) => FALLBACKS[slot],
            (Some(_), None) => Some("news"),
            (Some(_), Some(variant)) => Experiment::content(variant, slot).or(FALLBACKS[slot]),
        };
        Shown { rule, variant, content }
    }

    /// The variant of the rule's experiment behind the first events: what was seen first, else what is drawn.
    fn variant(&self, rule: usize, events: usize) -> Option<usize> {
        let at = self.rules[rule].experiment?;
        let experiment = &self.trials.experiments[at];
        let kept = self.kept((EXPERIMENTS[at], experiment.salt));
        let user = if experiment.is_by_user { self.user(events) } else { None };
        kept.or_else(|| experiment.draw(user.unwrap_or(&self.visitor)))
    }

    /// The user who was identified last.
    fn user(&self, events: usize) -> Option<&'static str> {
        let asking = &self.history.events[events - 1];
        let reading = Reading::new(self.history, events, asking.time_ms, false);
        let personal = |usable: Purposes| usable.holds(Purposes::PERSONALIZATION);
        let told = reading.applied.iter().filter(|(_, event)| personal(event.purposes().and(event.in_force)));
        let users = told.filter_map(|(_, event)| match value(&event.properties, "user_id") {
            Some(Literal::Text(user)) => Some((event.time_ms, *user)),
            _ => None,
        });
        users.max_by_key(|(time_ms, _)| *time_ms).map(|(_, user)| user)
    }

    fn kept(&self, name: (&'static str, &'static str)) -> Option<usize> {
        self.frozen.iter().find(|(known, _)| *known == name).map(|(_, kept)| *kept)
    }

    fn freeze(&mut self, name: (&'static str, &'static str), kept: Option<usize>) {
        if let (Some(kept), None) = (kept, self.kept(name)) {
            self.frozen.push((name, kept));
        }
    }

    /// What the exposure at a place of the history says besides its rule. What the visitor is in with it is kept.
    pub fn expose(&mut self, place: usize) -> Values {
        let event = &self.history.events[place];
        let is_named =
            |rule: &usize| value(&event.properties, "rule") == Some(&Literal::Text(self.rules[*rule].id));
        let Some(rule) = (0..self.rules.len()).find(is_named).filter(|_| event.name == "exposure") else {
            return Values::new();
        };
        let last = self.before.iter().rev().find(|before| before.writer == event.writer);
        let shown = last.and_then(|last| last.shown.iter().find(|shown| shown.rule == Some(rule)));
        let told = shown.and_then(|shown| shown.variant);
        let reason = match (shown, told) {
            (None, _) if self.is_held_out(rule) => Some("holdout"),
            (Some(_), Some(0)) => Some("control"),
            _ => None,
        };
        let mut said = Values::new();
        said.extend(told.map(|variant| ("variant", Literal::Text(VARIANTS[variant]))));
        said.extend(reason.map(|reason| ("reason", Literal::Text(reason))));
        if reason.is_some() {
            self.unseen.push(place);
        }
        if self.rules[rule].is_in_holdout {
            let kept = if self.is_held_out(rule) { HELD_OUT } else { HELD_OUT + 1 };
            self.freeze((HOLDOUT, self.trials.holdout_salt), Some(kept));
        }
        if let Some(at) = self.rules[rule].experiment.filter(|_| reason != Some("holdout")) {
            let variant = told.or_else(|| self.variant(rule, place + 1));
            self.freeze((EXPERIMENTS[at], self.trials.experiments[at].salt), variant);
        }
        said
    }
}
