//! What each slot shows, by going over everything that was decided and seen before.

mod delays;

mod drawn;

pub mod terms;

pub mod trials;

use super::history::{History, value};
use super::kleene::Seen;
use super::reading::Reading;
use super::site::{Condition, Literal};
use terms::{Hold, Rule, Site};
use trials::Trials;

/// What a slot shows: the rule that has it, the variant that the visitor is in, and a content; without one the page's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub rule: Option<usize>,
    pub variant: Option<usize>,
    pub content: Option<&'static str>,
}

const HOLD_MS: i64 = 30 * 60_000;

/// What was decided once: behind so many events, at a time, for a writer.
struct Decided {
    events: usize,
    now_ms: i64,
    writer: u64,
    /// The place in the history of the event that began the session; there may be none.
    session: Option<usize>,
    /// The rule of each slot that began there.
    began: [Option<usize>; 2],
    shown: [Shown; 2],
    /// The rules whose `until` was true.
    over: Vec<usize>,
    /// Those whose condition was true, and that were live and allowed.
    ready: Vec<usize>,
    /// Those of a trigger and a delay that only lacked the place.
    taken: Vec<usize>,
}

/// Who decides, with all that was decided before.
pub struct Judge<'a> {
    rules: &'a [Rule],
    history: &'a History,
    /// The visitor's id, as its buckets are drawn by.
    visitor: String,
    /// What is tried as it was published last.
    pub trials: &'a Trials,
    before: Vec<Decided>,
    /// What the visitor is in for good: by the names of what is tried and its salt.
    frozen: Vec<((&'static str, &'static str), usize)>,
    /// Exposures, by their place in the history, at which nothing of the rule was seen.
    unseen: Vec<usize>,
}

impl<'a> Judge<'a> {
    pub fn new(site: &'a Site, history: &'a History, visitor: String) -> Self {
        let (rules, trials) = (&site.rules, &site.trials[0]);
        let (before, frozen, unseen) = (Vec::new(), Vec::new(), Vec::new());
        Self { rules, history, visitor, trials, before, frozen, unseen }
    }

    /// What each slot shows at a moment behind the first events, while the rules `stopped` are.
    pub fn decide(&mut self, events: usize, now_ms: i64, stopped: &[&str]) -> [Shown; 2] {
        let asking = &self.history.events[events - 1];
        let reading = Reading::new(self.history, events, now_ms, false);
        let holds = |when: &Condition| reading.holds(when) == Some(true);
        let is_over = |at: &usize| self.rules[*at].until.as_ref().is_some_and(holds);
        let over: Vec<usize> = (0..self.rules.len()).filter(is_over).collect();
        let is_allowed = |at: &usize| {
            let rule = &self.rules[*at];
            let is_live = rule.status == "live" && !stopped.contains(&rule.id);
            is_live && asking.in_force.holds(rule.purpose)
        };
        let is_helped = reading.attribute("needs_help") == Seen::exact(1);
        let may_act = |at: &usize| {
            let is_off = self.rules[*at].is_suppressed && is_helped;
            is_allowed(at) && !is_off && !over.contains(at) && !self.is_held_out(*at)
        };
        let is_ready = |at: &usize| is_allowed(at) && self.rules[*at].when.as_ref().is_none_or(holds);
        let ready: Vec<usize> = (0..self.rules.len()).filter(is_ready).collect();
        let may_begin = |at: &usize| {
            let is_ready = ready.contains(at);
            is_ready
                && may_act(at)
                && self.is_considered(*at, events, reading.now_ms, is_ready)
                && self.has_room(&self.rules[*at], events, &reading)
        };
        let mut standing =
            [0, 1].map(|slot| self.held(slot, events, &reading).into_iter().flatten().find(may_act));
        let mut began = [None; 2];
        let mut order: Vec<usize> = (0..self.rules.len()).collect();
        order.sort_by_key(|at| (-self.rules[*at].priority, self.rules[*at].id));
        for at in order {
            let rule = &self.rules[at];
            let is_grouped = |other: &usize| self.rules[*other].in_group;
            let is_excluded = rule.in_group && standing.iter().flatten().any(is_grouped);
            if standing[rule.slot].is_none() && may_begin(&at) && !is_excluded {
                (standing[rule.slot], began[rule.slot]) = (Some(at), Some(at));
            }
        }
        // Of a writer who only told of what came too late, no page view is known that could hold anything.
        let is_heard = reading.applied.iter().any(|(_, event)| event.writer == asking.writer);
        let lasts = |at: &usize| is_heard || self.rules[*at].hold != Hold::Page;
        let began = began.map(|at| at.filter(lasts));
        let is_taken = |at: &usize| {
            let rule = &self.rules[*at];
            let waits = !rule.triggers.is_empty() && rule.after_ms.is_some();
            waits && standing[rule.slot] != Some(*at) && may_begin(at)
        };
        let taken = (0..self.rules.len()).filter(is_taken).collect();
        let shown = [0, 1].map(|slot| self.shown(standing[slot], slot, events));
        let (now_ms, session) = (reading.now_ms, reading.session_begun_at());
        self.before.push(Decided {
            events,
            now_ms,
            writer: asking.writer,
            session,
            began,
            shown,
            over,
            ready,
            taken,
        });
        shown
    }

    /// What began in this page view stays until it ends; else what began at most its time ago, or in this session. What once
    /// was over does not come back.
    fn held(&self, slot: usize, events: usize, reading: &Reading) -> [Option<usize>; 2] {
        let writer = self.history.events[events - 1].writer;
        let begun_at = reading.page_begun_at();
        let session = reading.session_begun_at();
        let is_of_page = |before: &&Decided| before.writer == writer && before.events > begun_at.unwrap_or(0);
        let is_by_page = |at: usize| self.rules[at].hold == Hold::Page;
        let of_page = self.before.iter().filter(is_of_page);
        let of_page = newest(of_page, slot, is_by_page).map(|(at, _)| at);
        let beyond = newest(self.before.iter(), slot, |at| !is_by_page(at));
        let beyond = beyond.filter(|(at, began)| match self.rules[*at].hold {
            Hold::Session => began.session == session,
            _ => reading.now_ms - began.now_ms < HOLD_MS,
        });
        [of_page, beyond.map(|(at, _)| at)]
    }

    /// Whether an event came too late to count.
    fn is_late(&self, place: usize) -> bool {
        let event = &self.history.events[place];
        Reading::new(self.history, place + 1, event.time_ms, false).is_late(place + 1)
    }

    fn has_room(&self, rule: &Rule, events: usize, reading: &Reading) -> bool {
        let is_of = |name: &'static str| {
            let told = self.history.events[..events].iter().enumerate();
            told.filter(move |(_, event)| {
                event.name == name && value(&event.properties, "rule") == Some(&Literal::Text(rule.id))
            })
        };
        let writer = self.history.events[events - 1].writer;
        let begun_at = reading.page_begun_at().unwrap_or(0);
        let shown = is_of("exposure")
            .filter(|(at, event)| *at >= begun_at && event.writer == writer && !self.unseen.contains(at));
        let dismissed = is_of("exposure_dismiss");
        let dismissed = dismissed.filter(|(_, event)| reading.now_ms - event.time_ms < 60 * 60_000);
        rule.shown_per_page.is_none_or(|limit| shown.count() < limit)
            && rule.dismissals_per_hour.is_none_or(|limit| dismissed.count() < limit)
    }
}

/// The rule that began last in a slot, of those of one kind of hold, and where; none, if it was over since.
fn newest<'b>(
    before: impl DoubleEndedIterator<Item = &'b Decided>,
    slot: usize,
    is_of_kind: impl Fn(usize) -> bool,
) -> Option<(usize, &'b Decided)> {
    let mut later: Vec<&Decided> = Vec::new();
    for decided in before.rev() {
        if let Some(at) = decided.began[slot].filter(|at| is_of_kind(*at)) {
            let is_over = later.iter().any(|later| later.over.contains(&at));
            return (!is_over).then_some((at, decided));
        }
        later.push(decided);
    }
    None
}
