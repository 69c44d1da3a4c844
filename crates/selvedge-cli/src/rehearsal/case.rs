//! One case of a site's tests, run.

use super::behind::{Behind, Detail};
use super::given::Given;
use super::stage::Stage;
use super::verdict::{self, Failure};
use super::visitor::{ALL_PURPOSES, Visitor};
use crate::recorded::happened::Happened;
use anyhow::{Context, Result};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use selvedge_compiler::cases::{Case, CaseEvent, Expect, Happening};
use selvedge_core::event::EventType;
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::log_row::Emission;
use selvedge_core::wire::program::Builtin;

/// When a case begins that does not say: a Monday morning.
const BEGIN: &str = "2026-06-01T10:00";

/// Page loads of one member are told from those of the next by this.
const MEMBER: u32 = 100;

/// What became of a case.
#[derive(Debug)]
pub struct CaseOutcome {
    /// What was not as expected; empty where the case passed.
    pub failures: Vec<Failure>,
    /// What happened.
    pub timeline: Vec<Line>,
}

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// Milliseconds behind the beginning.
    pub at_ms: u64,
    /// What happened.
    pub text: String,
    /// What came of it.
    pub notes: Vec<String>,
}

/// Runs a case on the stage, in the site's time zone.
///
/// # Errors
/// Where the case cannot be run at all: its beginning is no time, or the edge fails.
pub fn run(stage: &Stage, case: &Case, timezone: &str) -> Result<CaseOutcome> {
    let replaced = (!case.tables.is_empty()).then(|| stage.with_tables(&case.tables)).transpose()?;
    let stage = replaced.as_ref().unwrap_or(stage);
    let begin_ms = begin_ms(case, timezone)?;
    let granted = case.consent.unwrap_or(ALL_PURPOSES);
    let facts = case.given.iter().map(|given| (given.name.as_str(), &given.value));
    let given = Given::new(stage, facts);
    let visitor = Visitor::new(stage, VisitorId([7; 16]), granted, Detail::Facts).with(given);
    let mut run = Run {
        stage,
        case,
        begin_ms,
        visitor,
        last: None,
        told: Vec::new(),
        timeline: Vec::new(),
        failures: Vec::new(),
    };
    let end_ms = case.events.last().map_or(0, |event| event.at_ms);
    let mut expects: Vec<&Expect> = case.expects.iter().collect();
    // One without a time is meant right behind the last event; time does not run backwards for it.
    expects.sort_by_key(|expect| expect.at_ms.unwrap_or(end_ms));
    let mut expects = expects.into_iter().peekable();
    for event in &case.events {
        while let Some(expect) =
            expects.next_if(|expect| expect.at_ms.is_some_and(|at_ms| at_ms < event.at_ms))
        {
            run.expect(expect)?;
        }
        run.event(event)?;
    }
    for expect in expects {
        run.expect(expect)?;
    }
    Ok(CaseOutcome { failures: run.failures, timeline: run.timeline })
}

/// The case's beginning in Unix milliseconds. Where the clocks go back, the earlier one; where they go forward, the later.
fn begin_ms(case: &Case, timezone: &str) -> Result<u64> {
    let now = case.now.as_deref().unwrap_or(BEGIN);
    let civil: DateTime =
        now.parse().with_context(|| format!("{}: {now} is not a day that there is", case.name))?;
    let zone = TimeZone::get(timezone).with_context(|| format!("there is no time zone {timezone}"))?;
    let begin = zone.to_zoned(civil).context("the clocks do not show this time")?;
    Ok(u64::try_from(begin.timestamp().as_millisecond())?)
}

struct Run<'a> {
    stage: &'a Stage,
    case: &'a Case,
    begin_ms: u64,
    visitor: Visitor<'a>,
    /// The latest moment, and how long after the beginning it was.
    last: Option<(u64, Behind)>,
    /// What destinations were told since an expectation asked for it.
    told: Vec<Emission>,
    timeline: Vec<Line>,
    failures: Vec<Failure>,
}

impl Run<'_> {
    fn event(&mut self, event: &CaseEvent) -> Result<()> {
        let time_ms = self.begin_ms + event.at_ms;
        let happened = match &event.happening {
            Happening::Arrival => self.arrival(time_ms),
            Happening::Consent { granted, denied } => {
                self.visitor.consent(*granted, *denied, time_ms);
                self.last = None;
                self.note(event.at_ms, event.text.clone(), Vec::new());
                return Ok(());
            }
            Happening::Event { name, event_type, properties, context, tab, member } => Happened {
                writer: self.writer(*tab + *member * MEMBER),
                event_type: *event_type,
                name: name.clone(),
                time_ms,
                properties: properties.clone(),
                context: context.clone(),
            },
        };
        if matches!(event.happening, Happening::Event { member: 1.., .. }) {
            self.visitor.step_member(&happened)?;
            self.note(event.at_ms, event.text.clone(), Vec::new());
            return Ok(());
        }
        let behind = self.visitor.step(&happened)?;
        self.wakings(&behind.woken);
        let before = self.last.as_ref().map(|(_, behind)| behind);
        let notes = verdict::notes(self.stage, before, &behind);
        if let Some(refused) = &behind.refused {
            self.failures.push(Failure::refused(event, refused));
        }
        self.note(event.at_ms, event.text.clone(), notes);
        self.told.extend(behind.told.iter().cloned());
        self.last = Some((event.at_ms, behind));
        Ok(())
    }

    /// The visitor arrives: the page that the given facts tell of.
    fn arrival(&self, time_ms: u64) -> Happened {
        let mut properties = Map::new();
        properties.set("path", Value::Text("/".to_owned()));
        let of_page = [
            (Builtin::PagePath, "path"),
            (Builtin::PageTitle, "title"),
            (Builtin::PageCategory, "category"),
            (Builtin::PageSku, "sku"),
        ];
        for (builtin, property) in of_page {
            let given = self.case.given.iter().find(|given| given.name == builtin.name());
            given.into_iter().for_each(|given| properties.set(property, given.value.clone()));
        }
        Happened {
            writer: self.writer(0),
            event_type: EventType::Page,
            name: EventType::Page.as_str().to_owned(),
            time_ms,
            properties,
            context: Map::new(),
        }
    }

    fn writer(&self, tab: u32) -> WriterId {
        WriterId::mint(self.begin_ms, tab + 1)
    }

    /// Holds what is expected against what is so.
    fn expect(&mut self, expect: &Expect) -> Result<()> {
        let last_ms = self.last.as_ref().map(|(at_ms, _)| *at_ms);
        let end_ms = self.case.events.last().map_or(0, |event| event.at_ms);
        let at_ms = expect.at_ms.unwrap_or(end_ms);
        if last_ms != Some(at_ms) {
            let behind = self.visitor.look(self.writer(0), self.begin_ms + at_ms)?;
            self.wakings(&behind.woken);
            let notes = verdict::notes(self.stage, self.last.as_ref().map(|(_, behind)| behind), &behind);
            self.note(at_ms, "(looked at)".to_owned(), notes);
            self.last = Some((at_ms, behind));
        }
        if let Some((_, behind)) = &self.last {
            self.failures.extend(verdict::check(self.stage, behind, expect));
        }
        if let Some(emits) = &expect.emits {
            let told = std::mem::take(&mut self.told);
            let behind = self.last.as_ref().map(|(_, behind)| behind);
            let failure = verdict::check_emits(self.stage, behind, &told, (emits, &expect.place));
            self.failures.extend(failure);
        }
        Ok(())
    }

    /// What came of time alone.
    fn wakings(&mut self, woken: &[Behind]) {
        for behind in woken {
            let at_ms = u64::try_from(behind.now_ms).unwrap_or(0).saturating_sub(self.begin_ms);
            let notes = verdict::notes(self.stage, self.last.as_ref().map(|(_, behind)| behind), behind);
            if !notes.is_empty() {
                self.note(at_ms, "(time passes)".to_owned(), notes);
            }
            self.told.extend(behind.told.iter().cloned());
            self.last = Some((at_ms, behind.clone()));
        }
    }

    fn note(&mut self, at_ms: u64, text: String, notes: Vec<String>) {
        self.timeline.push(Line { at_ms, text, notes });
    }
}
