//! History, checked: the rule or goal exists, and is counted by its event.

use super::Checker;
use super::metric::{TypedMetric, count_kind};
use crate::codes::Code;
use crate::condition::{History, Metric};
use crate::resolved::fact::{Domain, Fact, Leaf, LeafTest, Typed};
use crate::suggest::{declare, did_you_mean};
use selvedge_core::wire::program::Window;

impl Checker<'_, '_> {
    /// A count of what became of a rule, or of a goal's event.
    pub(super) fn history(
        &mut self,
        metric: &Metric,
        history: History,
        is_windowed: bool,
        name: &str,
    ) -> Option<TypedMetric> {
        let (event, filter, window) = match history {
            History::Shown => ("exposure", Some(self.of_rule(metric, true)?), metric.window),
            History::Clicked => ("exposure_click", Some(self.of_rule(metric, false)?), metric.window),
            History::Dismissed => ("exposure_dismiss", Some(self.of_rule(metric, false)?), metric.window),
            History::Reached => {
                let goals = self.names.goals;
                let Some(goal) = goals.iter().find(|goal| goal.name.value == metric.path.name) else {
                    let known = goals.iter().map(|goal| goal.name.value.as_str());
                    return self.nothing_named("goal", metric, did_you_mean(&metric.path.name, known));
                };
                let within = goal.within_ms.filter(|_| !is_windowed).map(Window::Sliding);
                (goal.event.value.as_str(), None, within.unwrap_or(metric.window))
            }
        };
        let typed = self.typed(metric, name, count_kind(window), event.to_owned(), None)?;
        Some(TypedMetric { filter, window, ..typed })
    }

    /// The exposures, clicks or dismissals of a rule: of exposures, those in which it was really shown.
    fn of_rule(&mut self, metric: &Metric, is_exposure: bool) -> Option<Typed> {
        let id = &metric.path.name;
        if !self.names.rules.iter().any(|rule| rule.id.value == *id) {
            let known = self.names.rules.iter().map(|rule| rule.id.value.as_str());
            return self.nothing_named("rule", metric, did_you_mean(id, known));
        }
        let leaf = |property: &str, test| {
            let (fact, source) = (Fact::Property(property.to_owned()), metric.source.clone());
            Typed::Leaf(Leaf { fact, default: None, domain: Domain::Text, test, source })
        };
        let is_of_rule = leaf("rule", LeafTest::OneOf([id.clone()].into(), true));
        Some(if is_exposure {
            Typed::And(vec![is_of_rule, leaf("reason", LeafTest::Missing)])
        } else {
            is_of_rule
        })
    }

    fn nothing_named<T>(&mut self, what: &str, metric: &Metric, help: Option<String>) -> Option<T> {
        let message = format!("there is no {what} `{}`", metric.path.name);
        let help = help.unwrap_or_else(|| declare(what));
        self.report.add_help(Code::E0321, metric.path.span, message, help);
        None
    }
}
