//! What a condition is at a moment, by going over the whole history.

use super::calendar;
use super::files::{ATTRIBUTES, Attribute, Scope, SetTo};
use super::history::{Happened, History, Values, value};
use super::kleene::{Seen, holds};
use super::metric::{Class, Metric, Window};
use super::score::Rounding;
use super::site::{Condition, Literal, Sequence, Source, Test};
use selvedge_core::consent::Purposes;

const MICRO: i64 = 1_000_000;
const LATE_MS: i64 = 30_000;
const IDLE_MS: i64 = 30 * 60_000;
const DAY_MS: i64 = 24 * 60 * 60_000;
/// The part of what ends a run.
const ENDS: usize = usize::MAX;
const PERSONAL: Purposes = Purposes::PERSONALIZATION;

/// The session as it stands after the history.
#[derive(Debug, Clone, Default)]
struct Session {
    number: usize,
    start_ms: i64,
    last_ms: i64,
    previous_end_ms: Option<i64>,
    /// The place in the history of the event that began it.
    begun_at: usize,
    medium: Option<Literal>,
    pages: usize,
    entry: Option<Literal>,
}

/// The page view that is open in a writer's page.
struct Page {
    start_ms: i64,
    begun_at: usize,
    path: Option<Literal>,
}

/// A history read up to a moment.
#[derive(Clone)]
pub struct Reading<'a> {
    history: &'a History,
    /// Everything that happened, with its place, but what came too late.
    pub(super) applied: Vec<(usize, &'a Happened)>,
    session: Session,
    writer: u64,
    pub(super) now_ms: i64,
    /// What is granted at the moment.
    in_force: Purposes,
    /// It knows also what was not observed.
    pub(super) knows_all: bool,
    /// What rounding may do to a faded score.
    pub(super) rounding: Rounding,
}

impl<'a> Reading<'a> {
    /// What the first `events` events tell at `now_ms`, asked by the writer of the last of them under its consent.
    pub fn new(history: &'a History, events: usize, now_ms: i64, knows_all: bool) -> Self {
        let mut applied = Vec::new();
        let mut newest_ms = None;
        for (at, event) in history.events[..events].iter().enumerate() {
            let usable = event.purposes().and(event.in_force);
            if newest_ms.is_none_or(|newest_ms: i64| newest_ms - event.time_ms <= LATE_MS) {
                applied.push((at, event));
                if !usable.is_empty() {
                    newest_ms = newest_ms.max(Some(event.time_ms));
                }
            }
        }
        let asking = &history.events[events - 1];
        let now_ms = newest_ms.map_or(now_ms, |newest_ms| now_ms.max(newest_ms));
        let in_force = if knows_all { Purposes(u16::MAX) } else { asking.in_force };
        let mut reading = Self {
            history,
            applied,
            session: Session::default(),
            writer: asking.writer,
            now_ms,
            in_force,
            knows_all,
            rounding: Rounding::No,
        };
        reading.session = reading.sessions();
        reading
    }

    /// Whether the last of the events came too late.
    pub fn is_late(&self, events: usize) -> bool {
        self.applied.last().is_none_or(|(at, _)| *at != events - 1)
    }

    /// The same with faded scores rounded otherwise.
    pub fn rounded(&self, rounding: Rounding) -> Self {
        Self { rounding, ..self.clone() }
    }

    pub(super) fn usable(&self, event: &Happened) -> Purposes {
        if self.knows_all { event.purposes() } else { event.purposes().and(event.in_force) }
    }

    fn said<'b>(&'b self, event: &'b Happened, name: &str) -> Option<&'b Literal> {
        value(&event.context, name).or_else(|| value(&self.history.context, name))
    }

    /// Sessions of 30 minutes and 24 hours, and of one campaign; counted with analytics.
    fn sessions(&self) -> Session {
        let mut session = Session::default();
        for (at, event) in &self.applied {
            if !self.usable(event).holds(Purposes::ANALYTICS) {
                continue;
            }
            let idle_ms = event.time_ms - session.last_ms;
            let campaign = value(&event.context, "utm.medium");
            let ends = idle_ms > IDLE_MS
                || event.time_ms - session.start_ms > DAY_MS
                || campaign.is_some_and(|campaign| session.medium.as_ref() != Some(campaign));
            if session.number == 0 || idle_ms >= 0 && ends {
                session = Session {
                    number: session.number + 1,
                    start_ms: event.time_ms,
                    last_ms: event.time_ms,
                    previous_end_ms: (session.number > 0).then_some(session.last_ms),
                    begun_at: *at,
                    medium: self.said(event, "utm.medium").cloned(),
                    pages: 0,
                    entry: None,
                };
            }
            session.last_ms = session.last_ms.max(event.time_ms);
            if event.name == "page" && event.time_ms >= session.start_ms && self.begins_page(*at, event) {
                session.pages += 1;
                session.entry = session.entry.or_else(|| value(&event.properties, "path").cloned());
            }
        }
        session
    }

    /// A page view begins unless a newer one of its writer was heard of before.
    fn begins_page(&self, at: usize, event: &Happened) -> bool {
        let before = self.applied.iter().filter(|(earlier, _)| *earlier < at);
        let mut pages = before.filter(|(_, page)| page.name == "page" && page.writer == event.writer);
        pages.all(|(_, page)| page.time_ms <= event.time_ms || self.usable(page).is_empty())
    }

    fn page(&self) -> Option<Page> {
        let mut pages = self.applied.iter().filter(|(at, event)| {
            event.name == "page"
                && event.writer == self.writer
                && !self.usable(event).is_empty()
                && self.begins_page(*at, event)
        });
        let (at, event) = pages.next_back()?;
        let path = value(&event.properties, "path").cloned();
        Some(Page { start_ms: event.time_ms, begun_at: *at, path })
    }

    /// The place in the history of the event that began the open page view.
    pub fn page_begun_at(&self) -> Option<usize> {
        self.page().map(|page| page.begun_at)
    }

    /// The place in the history of the event that began the session.
    pub fn session_begun_at(&self) -> Option<usize> {
        (self.session.number > 0).then_some(self.session.begun_at)
    }

    /// Whether what belongs to the rules' purpose is observed now.
    pub(super) fn is_observed(&self) -> bool {
        let newest = self.applied.last().is_none_or(|(_, event)| event.in_force.holds(PERSONAL));
        self.knows_all || self.in_force.holds(PERSONAL) && newest
    }

    /// Since when the rules' purpose was granted without a gap. A gap lasts from the last event before it to the first after.
    fn observed_since_ms(&self) -> i64 {
        let mut since_ms = self.history.born_ms;
        let mut was_granted = true;
        for (_, event) in self.applied.iter().filter(|_| !self.knows_all) {
            let is_granted = event.in_force.holds(PERSONAL);
            if !is_granted {
                since_ms = since_ms.max(event.time_ms + 1);
            } else if !was_granted {
                since_ms = since_ms.max(event.time_ms);
            }
            was_granted = is_granted;
        }
        since_ms
    }

    /// Since when a metric was observed without a gap. Of an event whose amounts are in another currency nothing is known to one
    /// that is made of amounts.
    fn since_ms(&self, metric: &Metric) -> i64 {
        let hides = |event: &&Happened| {
            metric.is_of_amounts()
                && event.name == metric.event
                && event.is_foreign()
                && self.usable(event).holds(PERSONAL)
        };
        let hidden = self.applied.iter().map(|(_, event)| *event).filter(hides);
        let after_ms = hidden.map(|event| event.time_ms + 1);
        after_ms.fold(self.observed_since_ms(), i64::max)
    }

    /// The first moment of a metric's window; `None` where nothing is known of it.
    pub(super) fn start_ms(&self, metric: &Metric) -> Option<i64> {
        let start_ms = match metric.window {
            Window::Sliding(window_ms) => self.now_ms - window_ms + 1,
            Window::Panes(window_ms) => {
                let pane_ms = window_ms / 12;
                (self.now_ms.div_euclid(pane_ms) - 11) * pane_ms
            }
            Window::Session => self.session.start_ms,
            Window::Page => self.page()?.start_ms,
            Window::Today | Window::Week | Window::Month => calendar::start_ms(metric.window, self.now_ms),
            Window::Ever => i64::MIN,
        };
        Some(if metric.of_session { start_ms.max(self.session.start_ms) } else { start_ms })
    }

    /// The events that a metric is worked out of, where its window begins then.
    pub(super) fn measured(&self, metric: &Metric, start_ms: i64) -> Vec<&'a Happened> {
        let page = self.page();
        let is_within = |at: usize, event: &Happened| match (metric.window, &page) {
            (Window::Page, Some(page)) => at >= page.begun_at && event.writer == self.writer,
            (Window::Page, None) => false,
            (Window::Session, _) => self.session.number > 0 && at >= self.session.begun_at,
            _ if metric.of_session => self.session.number > 0 && at >= self.session.begun_at,
            _ => true,
        };
        let measured = self.applied.iter().filter(|(at, event)| {
            event.name == metric.event
                && self.usable(event).holds(PERSONAL)
                && !(metric.is_of_amounts() && event.is_foreign())
                && event.time_ms >= start_ms
                && is_within(*at, event)
                && passes(metric.filter.as_ref(), &event.properties)
        });
        measured.map(|(_, event)| *event).collect()
    }

    /// Whether a window that begins then was observed whole.
    pub(super) fn is_whole(&self, metric: &Metric, start_ms: i64) -> bool {
        self.is_observed() && self.since_ms(metric) <= start_ms.max(self.history.born_ms)
    }

    /// The same of all time, or of the session.
    pub(super) fn watches_from(&self, of_session: bool) -> bool {
        let start_ms = if of_session { self.session.start_ms } else { i64::MIN };
        self.is_observed() && self.observed_since_ms() <= start_ms.max(self.history.born_ms)
    }

    /// What may be used for rules, of all time or of the session.
    pub(super) fn personal(&self, of_session: bool) -> impl Iterator<Item = &'a Happened> {
        let session = &self.session;
        let is_within = move |at: usize, event: &Happened| {
            !of_session || session.number > 0 && at >= session.begun_at && event.time_ms >= session.start_ms
        };
        let found = self
            .applied
            .iter()
            .filter(move |(at, event)| self.usable(event).holds(PERSONAL) && is_within(*at, event));
        found.map(|(_, event)| *event)
    }

    fn metric(&self, metric: &Metric) -> Seen {
        match metric.class {
            Class::Distinct => self.distinct(metric),
            Class::Last => self.nth_newest(metric, 0),
            Class::Previous => self.nth_newest(metric, 1),
            Class::TimeSince => self.time_since(metric),
            Class::First => self.first(metric),
            Class::MostFrequent | Class::Top | Class::Same => self.frequent(metric),
            _ => self.amount(metric),
        }
    }

    fn distinct(&self, metric: &Metric) -> Seen {
        let start_ms = self.start_ms(metric).expect("not of a page");
        let mut values: Vec<&Literal> = Vec::new();
        for event in self.measured(metric, start_ms) {
            match value(&event.properties, metric.property.expect("a property")) {
                Some(literal) if !values.contains(&literal) => values.push(literal),
                _ => {}
            }
        }
        let is_whole = self.is_whole(metric, start_ms);
        Seen::count(values.len(), is_whole)
    }

    /// The newest value but `newer`; not known where one newer than it may have gone unseen.
    fn nth_newest(&self, metric: &Metric, newer: usize) -> Seen {
        let name = metric.property.expect("a property");
        let mut values: Vec<(i64, &Literal)> = Vec::new();
        for event in self.measured(metric, i64::MIN) {
            values.extend(value(&event.properties, name).map(|literal| (event.time_ms, literal)));
        }
        values.sort_by_key(|(time_ms, _)| *time_ms);
        let found = values.iter().rev().nth(newer);
        let since_ms = self.since_ms(metric);
        let is_watched = self.is_observed()
            && (since_ms <= self.history.born_ms || found.is_some_and(|(time_ms, _)| *time_ms >= since_ms));
        if is_watched { Seen::of(found.map(|(_, literal)| *literal)) } else { Seen::Unobserved }
    }

    fn time_since(&self, metric: &Metric) -> Seen {
        let newest_ms = self.measured(metric, i64::MIN).iter().map(|event| event.time_ms).max();
        let since_ms = self.since_ms(metric);
        let is_watched = self.is_observed()
            && (since_ms <= self.history.born_ms || newest_ms.is_some_and(|newest_ms| newest_ms >= since_ms));
        match newest_ms.map(|newest_ms| self.now_ms - newest_ms) {
            Some(ago_ms) => Seen::Number(if is_watched { ago_ms } else { 0 }, ago_ms),
            None if is_watched => Seen::Missing,
            None => Seen::Unobserved,
        }
    }

    /// Whether a sequence or an absence is there, for one who saw everything.
    fn sequence(&self, sequence: &Sequence) -> Seen {
        let holds = if sequence.is_absence {
            let newest_ms = self.applied.iter().filter(|(_, event)| event.name == sequence.steps[0]);
            let newest_ms = newest_ms.map(|(_, event)| event.time_ms).max().unwrap_or(i64::MIN);
            self.now_ms - newest_ms.max(self.history.born_ms) >= sequence.within_ms
        } else {
            self.runs(sequence)
        };
        Seen::exact(i64::from(holds))
    }

    fn runs(&self, sequence: &Sequence) -> bool {
        // When the run began, and how many steps it went; when the last one was completed.
        let mut run: Option<(i64, usize)> = None;
        let mut done_ms: Option<i64> = None;
        for (time_ms, part) in self.parts(sequence) {
            let in_time = run.is_some_and(|(began_ms, _)| time_ms - began_ms < sequence.within_ms);
            run = match (part, run) {
                (0, _) => Some((time_ms, 1)),
                (ENDS, _) => None,
                (part, Some((began_ms, steps))) if part == steps && in_time => Some((began_ms, steps + 1)),
                (_, run) => run,
            };
            if sequence.then_no.is_none() && run.is_some_and(|(_, steps)| steps == sequence.steps.len()) {
                (run, done_ms) = (None, Some(time_ms));
            }
        }
        match sequence.then_no {
            Some(_) => run.is_some_and(|(began_ms, steps)| {
                steps == sequence.steps.len() && self.now_ms - began_ms >= sequence.within_ms
            }),
            None => done_ms.is_some_and(|done_ms| self.now_ms - done_ms < sequence.within_ms),
        }
    }

    /// What the events are to a sequence, in order; those that came more than two seconds too late are nothing.
    fn parts(&self, sequence: &Sequence) -> Vec<(i64, usize)> {
        let mut parts = Vec::new();
        let mut newest_ms = i64::MIN;
        for (_, event) in &self.applied {
            if !event.purposes().and(event.in_force).is_empty() {
                newest_ms = newest_ms.max(event.time_ms);
            }
            let ends = [sequence.then_no, sequence.without].contains(&Some(event.name));
            let step = sequence.steps.iter().position(|step| *step == event.name);
            let part = if ends { Some(ENDS) } else { step };
            if event.time_ms >= newest_ms.saturating_sub(2_000) {
                parts.extend(part.map(|part| (event.time_ms, part)));
            }
        }
        parts.sort();
        parts
    }

    fn amount(&self, metric: &Metric) -> Seen {
        let Some(start_ms) = self.start_ms(metric) else { return nothing_known(metric) };
        let is_whole = self.is_whole(metric, start_ms);
        let events = self.measured(metric, start_ms);
        let number = |event: &&Happened| value(&event.properties, "value").and_then(Literal::number);
        let numbers: Vec<i64> = events.iter().filter_map(number).collect();
        let sum: i64 = numbers.iter().sum();
        let count = i64::try_from(numbers.len()).unwrap();
        match (metric.class, numbers.iter().min(), numbers.iter().max()) {
            (Class::Count | Class::Tally, _, _) => Seen::count(events.len(), is_whole),
            (Class::Sum, _, _) if is_whole => Seen::exact(sum),
            (Class::Sum, _, _) if adds_nothing_negative(metric) => Seen::Number(sum, i64::MAX),
            (Class::Sum, _, _) => Seen::Something,
            (_, None, _) | (_, _, None) if is_whole => Seen::Missing,
            (Class::Avg, _, _) if is_whole => Seen::exact(sum.div_euclid(count)),
            (Class::Min, Some(min), _) => Seen::Number(if is_whole { *min } else { i64::MIN }, *min),
            (Class::Max, _, Some(max)) => Seen::Number(*max, if is_whole { *max } else { i64::MAX }),
            _ => Seen::Unobserved,
        }
    }

    fn builtin(&self, name: &str) -> Seen {
        let session = &self.session;
        let is_begun = session.number > 0;
        match name {
            "visitor.is_new" if is_begun => Seen::exact(i64::from(session.number == 1)),
            "visitor.is_new" => Seen::Number(0, 1),
            "session.number" => Seen::count(session.number, is_begun),
            "session.pages" => Seen::count(session.pages, is_begun),
            "days_since_last_visit" if is_begun => session
                .previous_end_ms
                .map_or(Seen::Missing, |end_ms| Seen::exact((session.start_ms - end_ms) / DAY_MS * MICRO)),
            "session.entry_page" if is_begun => Seen::of(session.entry.as_ref()),
            "utm.medium" if is_begun => Seen::of(session.medium.as_ref()),
            "utm.medium" => match value(&self.history.context, name) {
                Some(literal) => Seen::of(Some(literal)),
                None => Seen::Unobserved,
            },
            "cart.value" | "cart.items" | "cart.last_sku" => self.of_cart(name),
            "page.path" => self.page().map_or(Seen::Unobserved, |page| Seen::of(page.path.as_ref())),
            _ => Seen::Unobserved,
        }
    }

    /// The newest change of an attribute wins; of two at once the later heard of.
    pub(super) fn attribute(&self, name: &str) -> Seen {
        let attribute = ATTRIBUTES.iter().find(|known| known.name == name).expect("an attribute of the site");
        if !self.is_observed() {
            return Seen::Unobserved;
        }
        let mut newest = (i64::MIN, self.untouched(attribute));
        for (at, event) in &self.applied {
            let mut change = |seen| {
                if event.time_ms >= newest.0 {
                    newest = (event.time_ms, seen);
                }
            };
            if !self.knows_all && !event.in_force.holds(PERSONAL) {
                change(Seen::Unobserved);
            } else if attribute.scope == Scope::Session
                && *at == self.session.begun_at
                && self.session.number > 0
            {
                change(Seen::Missing);
            }
            if self.usable(event).holds(PERSONAL)
                && let Some(seen) = self.change_by(attribute, event)
            {
                change(seen);
            }
        }
        newest.1
    }

    fn untouched(&self, attribute: &Attribute) -> Seen {
        match attribute.scope {
            Scope::Context => Seen::of(value(&self.history.context, attribute.name)),
            Scope::Visitor | Scope::Session => Seen::Missing,
        }
    }

    fn change_by(&self, attribute: &Attribute, event: &Happened) -> Option<Seen> {
        if let Some((_, to)) = attribute.set.iter().find(|(name, _)| *name == event.name) {
            return Some(match to {
                SetTo::Constant(literal) => Seen::of(Some(literal)),
                SetTo::Property("value") if event.is_foreign() => Seen::Unobserved,
                SetTo::Property(name) => Seen::of(value(&event.properties, name)),
            });
        }
        match attribute.scope {
            Scope::Visitor if event.name == "identify" => {
                value(&event.properties, attribute.name).map(|literal| Seen::of(Some(literal)))
            }
            Scope::Context => self.said(event, attribute.name).map(|literal| Seen::of(Some(literal))),
            _ => None,
        }
    }

    pub fn seen(&self, source: &Source) -> Seen {
        match source {
            Source::Metric(metric) => self.metric(metric),
            Source::Sequence(sequence) => self.sequence(sequence),
            Source::Score(score) => self.score(score),
            Source::Builtin(name) => self.builtin(name),
            Source::Attribute(name) => self.attribute(name),
            Source::Property(name) => panic!("{name} is no fact of a rule"),
        }
    }

    /// Whether the condition holds; `None` where that is not known.
    pub fn holds(&self, condition: &Condition) -> Option<bool> {
        holds(condition, &|source| self.seen(source))
    }
}

fn nothing_known(metric: &Metric) -> Seen {
    match metric.class {
        Class::Count | Class::Tally => Seen::count(0, false),
        Class::Sum if adds_nothing_negative(metric) => Seen::count(0, false),
        Class::Sum => Seen::Something,
        _ => Seen::Unobserved,
    }
}

/// Whether a sum's filter says that what it adds is at least 0.
fn adds_nothing_negative(metric: &Metric) -> bool {
    matches!(&metric.filter, Some(Condition::Ask { test: Test::Compare(">=", literal), .. }) if literal.number() >= Some(0))
}

/// An event passes a filter only where that is known.
pub(super) fn passes(filter: Option<&Condition>, properties: &Values) -> bool {
    let seen = |source: &Source| match source {
        Source::Property(name) => Seen::of(value(properties, name)),
        other => panic!("{other} is no property"),
    };
    filter.is_none_or(|filter| holds(filter, &seen) == Some(true))
}
