//! Sequences and absences as written, run: the table of docs/rules.md, and rules that wait.

mod common;

use common::{codes, compiled, with_condition, with_rules};
use selvedge_compiler::Code;
use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType};
use selvedge_core::id::{Sequence, WriterId};
use selvedge_core::rules::{Moment, Place, Program, explain, next_deadline, step};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::state::VisitorState;

/// 10:00 of some day.
const TEN: i64 = 1_780_000_000_000;
const MINUTE: i64 = 60_000;

struct Visit {
    program: Program,
    state: VisitorState,
}

impl Visit {
    fn new(condition: &str) -> Self {
        Self::of(&with_condition("", condition))
    }

    fn of(files: &common::Site) -> Self {
        let program = Program::load(&compiled(files).full_bytes).expect("loads");
        Self { program, state: VisitorState::new(TEN) }
    }

    fn moment(now_ms: i64, context: &Map) -> Moment<'_> {
        Moment {
            writer: WriterId::mint(TEN.unsigned_abs(), 7),
            context,
            now_ms,
            in_force: Purposes(0xf),
            place: Place::Edge,
            trust: Trust::Client,
            account: None,
            visitor: selvedge_core::id::VisitorId([7; 16]),
            orders: selvedge_core::rules::Orders::default(),
        }
    }

    fn event(&mut self, now_ms: i64, name: &str, properties: &[(&str, &str)]) {
        let properties =
            properties.iter().map(|(name, text)| ((*name).to_owned(), Value::Text((*text).to_owned())));
        let event = Event {
            sequence: Sequence::new(1).expect("small"),
            event_type: EventType::Track,
            name: name.to_owned(),
            time_ms: now_ms.unsigned_abs(),
            consent: 0,
            properties: properties.collect(),
            context: Map::new(),
        };
        let context = Map::new();
        let moment = Self::moment(now_ms, &context);
        step(&self.program, &mut self.state, &event, Purposes(0xf), &moment);
    }

    fn why(&self, now_ms: i64) -> Reason {
        explain(&self.program, &self.state, &Self::moment(now_ms, &Map::new()))[0].reason
    }

    /// Whether the condition is true, by the minute from 10:00 on.
    fn true_at(&self, minutes: &[i64]) -> Vec<bool> {
        let is_true =
            |minute: &i64| !matches!(self.why(TEN + minute * MINUTE), Reason::False | Reason::Unknown);
        minutes.iter().map(is_true).collect()
    }
}

#[test]
fn the_table_of_the_docs_is_so() {
    let condition = "sequence product_view then no purchase within 8m";
    let begun = || {
        let mut visit = Visit::new(condition);
        visit.event(TEN, "product_view", &[]);
        visit
    };
    assert_eq!(begun().true_at(&[0, 7, 8, 600]), [false, false, true, true]);
    let mut again = begun();
    again.event(TEN + 5 * MINUTE, "product_view", &[]);
    assert_eq!(again.true_at(&[8, 12, 13]), [false, false, true]);
    let mut bought = begun();
    bought.event(TEN + 8 * MINUTE - 1_000, "purchase", &[]);
    assert_eq!(bought.true_at(&[8, 60]), [false, false]);
    let mut later = begun();
    later.event(TEN + 30 * MINUTE, "purchase", &[]);
    assert_eq!(later.true_at(&[30, 60]), [false, false]);
    let mut renewed = begun();
    renewed.event(TEN + 30 * MINUTE, "product_view", &[]);
    assert_eq!(renewed.true_at(&[30, 37, 38]), [false, false, true]);
}

#[test]
fn a_filter_belongs_to_its_event() {
    let mut visit = Visit::new(
        r#"sequence product_view where category = "shoes" then product_view where category = "hats" within 8m"#,
    );
    visit.event(TEN, "product_view", &[("category", "hats")]);
    visit.event(TEN + MINUTE, "product_view", &[("category", "shoes")]);
    assert_eq!(visit.true_at(&[1]), [false]);
    visit.event(TEN + 2 * MINUTE, "product_view", &[("category", "hats")]);
    assert_eq!(visit.true_at(&[2, 9, 10]), [true, true, false]);
}

#[test]
fn an_absence_in_a_session_is_a_count_of_none() {
    let mut visit = Visit::new("no purchase in session and not no product_view in session");
    visit.event(TEN, "product_view", &[]);
    assert_eq!(visit.true_at(&[0]), [true]);
    visit.event(TEN + MINUTE, "purchase", &[]);
    assert_eq!(visit.true_at(&[1]), [false]);
}

#[test]
fn an_absence_may_be_named() {
    let mut visit =
        Visit::of(&with_condition("metrics:\n  idle: no product_view for 5m\n", "idle is not true"));
    visit.event(TEN, "product_view", &[]);
    assert_eq!(visit.true_at(&[4, 5]), [true, false]);
}

#[test]
fn the_same_sequence_is_one_however_it_is_written() {
    let one = Visit::new("sequence product_view then no purchase within 8m");
    let other = Visit::new("(sequence product_view then no purchase within 480s) is true");
    let meaning = |visit: &Visit| visit.program.parts().sequences[0].meaning;
    assert_eq!(meaning(&one), meaning(&other));
    let longer = Visit::new("sequence product_view then no purchase within 9m");
    assert_ne!(meaning(&one), meaning(&longer));
}

const WAITS: &str = "
rules:
  - id: offer-hero
    trigger: [purchase, session_end]
    after: 15m
    when: (count product_view in session) >= 1
    show:
      slot: hero
      content: offer
";

#[test]
fn a_rule_waits_for_its_trigger_and_its_delay() {
    let mut visit = Visit::of(&with_rules(WAITS));
    visit.event(TEN, "product_view", &[]);
    assert_eq!(visit.why(TEN), Reason::NotTriggered);
    visit.event(TEN + MINUTE, "purchase", &[]);
    let due_ms = next_deadline(&visit.program, &visit.state, TEN + MINUTE);
    assert_eq!(due_ms, Some(TEN + 16 * MINUTE));
    assert_eq!(visit.why(TEN + 16 * MINUTE), Reason::Won);
}

#[test]
fn triggers_are_events_of_the_plan_that_the_purpose_may_use() {
    assert_eq!(codes(&with_rules(&WAITS.replace("purchase,", "purhcase,"))), [Code::E0202]);
    assert_eq!(codes(&with_rules(&WAITS.replace("[purchase, session_end]", "[]"))), [Code::E0016]);
    assert_eq!(codes(&with_rules(&WAITS.replace("15m", "15 minutes"))), [Code::E0018]);
    let of_ads = WAITS.replace("    after", "    purpose: advertising\n    after");
    assert!(codes(&with_rules(&of_ads)).contains(&Code::E0210));
}
