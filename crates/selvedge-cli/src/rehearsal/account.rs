//! The state of a rehearsed visitor's account: stepped by what the visitor and the account's other members do.

use super::given::Given;
use super::stage::Stage;
use selvedge_core::event::Event;
use selvedge_core::rules::{self, Moment, Orders};
use selvedge_core::tracking_plan::{Trust, judge};
use selvedge_core::wire::program::{AttributeScope, Scope};
use selvedge_core::wire::state::VisitorState;
use selvedge_edge::rates;
use std::borrow::Cow;

/// The state of an account; none where the site keeps nothing of accounts.
#[derive(Debug, Default)]
pub struct Account {
    state: Option<VisitorState>,
}

impl Account {
    /// What is known of it.
    #[must_use]
    pub const fn state(&self) -> Option<&VisitorState> {
        self.state.as_ref()
    }

    /// Begins it where it has not begun, with what is given.
    pub fn begin(&mut self, stage: &Stage, given: &Given, now_ms: i64) {
        if self.state.is_none() && keeps_accounts(stage) {
            let mut state = VisitorState::new(now_ms);
            given.keep_account(stage, &mut state);
            self.state = Some(state);
        }
    }

    /// Steps it by an event of one of its members, as far as the tracking plan lets it.
    pub fn step(&mut self, stage: &Stage, event: &Event, moment: &Moment<'_>) {
        let Some(state) = &mut self.state else { return };
        let plan = &stage.parts.plan;
        if let Ok(known) = judge(plan, event, Trust::Server) {
            let usable = known.purposes.and(moment.in_force);
            let told = rates::counted(&stage.site, Cow::Borrowed(event), moment.now_ms);
            let orders = Orders { is_converted: told.is_converted, ..moment.orders };
            let moment = Moment { orders, ..*moment };
            rules::step_account(&stage.site.program, state, &told.event, usable, &moment);
        }
    }
}

fn keeps_accounts(stage: &Stage) -> bool {
    let of_account = |scope: AttributeScope| scope == AttributeScope::Account;
    stage.parts.attributes.iter().any(|attribute| of_account(attribute.scope))
        || stage.parts.metrics.iter().any(|metric| metric.scope == Scope::Account)
}
