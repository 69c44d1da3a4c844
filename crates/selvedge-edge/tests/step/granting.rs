//! Grants that answers hold: for hands without a rule engine the edge takes them, and no cap is exceeded however many ask.

use crate::world::*;
use proptest::prelude::*;
use selvedge_core::limits::{LEASE_MS, PROMISE_SEEN_MS, PROMISES_MAX};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::wire::program::*;
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::decide::{self, Answered, Known, Question};
use selvedge_edge::ingest::{Arrival, Incoming, Outcome, Trouble, json, step};
use selvedge_edge::publish::hash_of;
use selvedge_edge::site::Site;
use serde_json::{Value, json};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// A site whose rules have no condition: `first` before `second` in the hero, `third` in the banner, as `change` has them.
pub fn capped_site(change: impl FnOnce(&mut Parts)) -> Site {
    let mut parts = parts();
    let rule = Rule { when: None, hold: Hold::Page, caps: Vec::new(), ..parts.rules[0].clone() };
    parts.slots.insert(0, Slot { name: "banner".into(), fallback: None, caps: Vec::new() });
    parts.rules = [("first", 30, 1), ("second", 20, 1), ("third", 10, 0)]
        .map(|(id, priority, slot)| Rule { id: id.into(), priority, slot, ..rule.clone() })
        .into();
    change(&mut parts);
    let bytes = parts.encode();
    Site::load(&bytes, hash_of(&bytes), 1).unwrap()
}

/// At most `limit` a day.
pub fn a_day(limit: u16) -> Vec<Cap> {
    vec![Cap { limit, window: Window::Sliding(DAY) }]
}

fn once() -> Site {
    capped_site(|parts| parts.rules[0].caps = a_day(1))
}

/// A visitor at a site, and what is stored of it.
struct Shard {
    site: Site,
    stored: Option<VisitorRecord>,
    now_ms: u64,
    writers: Vec<u32>,
}

/// The rules that an answer shows, and whether it says that it holds a grant for them.
type Shown = Vec<(String, bool)>;

fn shown(answer: &Value) -> Shown {
    let granted = answer["granted"].as_array().cloned().unwrap_or_default();
    let holds = |rule: &str| granted.iter().any(|granted| granted["rule"] == rule);
    let decisions = answer["decisions"].as_array().unwrap();
    let rules = decisions.iter().filter_map(|decision| decision["rule"].as_str());
    rules.map(|rule| (rule.to_owned(), holds(rule))).collect()
}

fn is_shown(shown: &Shown, rule: &str) -> bool {
    shown.iter().any(|(known, _)| known == rule)
}

impl Shard {
    fn of(site: Site) -> Self {
        Self { site, stored: None, now_ms: NOW_MS, writers: vec![0; 8] }
    }

    fn promised(&self) -> usize {
        self.stored.as_ref().map_or(0, |record| record.promised.len())
    }

    /// Asks as a server does, of a visitor who granted what rules need.
    fn asks(&mut self, more: Value) -> Answered {
        let mut question = json!({
            "visitor": "07070707070707070707070707070707",
            "consent": {"granted": ["analytics", "personalization"], "time": 1},
        });
        for (name, value) in more.as_object().unwrap() {
            question[name] = value.clone();
        }
        let question = Question::read(question.to_string().as_bytes()).unwrap();
        let known = Known { stored: self.stored.as_ref(), is_erased: false };
        let answered = decide::answer(&self.site, known, &question, self.now_ms);
        if answered.record.is_some() {
            self.stored.clone_from(&answered.record);
        }
        answered
    }

    fn ask(&mut self, more: Value) -> Shown {
        shown(&serde_json::from_str(&self.asks(more).text).unwrap())
    }

    /// What a batch of JSON from one of the pages brings.
    fn read(&mut self, page: usize, events: &[(&str, &str)]) -> Incoming {
        let events: Vec<Value> = events.iter().map(|(name, rule)| self.event(page, name, rule)).collect();
        let batch = json!({
            "visitor": "07070707070707070707070707070707", "writer": 1_000 + page, "sent_at": self.now_ms,
            "consent": {"granted": ["analytics", "personalization"], "time": 1}, "events": events,
        });
        json::read(batch.to_string().as_bytes(), "shop").unwrap()
    }

    fn event(&mut self, page: usize, name: &str, rule: &str) -> Value {
        self.writers[page] += 1;
        let known = ["page", "exposure"].contains(&name);
        let properties = if rule.is_empty() { json!({}) } else { json!({"rule": rule, "slot": "hero"}) };
        json!({
            "sequence": self.writers[page], "type": if known { name } else { "track" }, "name": name,
            "time": self.now_ms, "properties": properties,
        })
    }

    fn takes(&mut self, incoming: Incoming, trust: Trust) -> Outcome {
        let arrival = Arrival { received_ms: self.now_ms, trust, ..arrival() };
        let stored = self.stored.clone();
        let trouble = Trouble::default();
        let outcome = step(&self.site, stored, incoming, &arrival, &trouble, &mut Heard::default()).unwrap();
        self.stored = kept(self.stored.take(), &outcome);
        outcome
    }

    /// A page without an engine sends these events; what it is answered.
    fn collect(&mut self, page: usize, events: &[(&str, &str)]) -> Shown {
        let incoming = self.read(page, events);
        let outcome = self.takes(incoming, Trust::Client);
        shown(&serde_json::from_str(&selvedge_edge::ingest::answer_json::render(&outcome)).unwrap())
    }

    /// A page with an engine sends a batch; how many grants of the first rule's cap it holds.
    fn leased(&mut self, at: u32) -> u16 {
        let mut sent = batch(granted(), vec![Ok(event(at, "report"))]);
        sent.header.program = Some(self.site.hash);
        sent.header.sent_at_ms = self.now_ms;
        let outcome = self.takes(sent.into(), Trust::Client);
        let rule = selvedge_core::hash::fnv1a_64(b"first");
        outcome.answer.grants.iter().find(|grant| grant.rule == rule).map_or(0, |grant| grant.count)
    }
}

#[test]
fn of_many_answers_as_many_show_what_is_capped_as_the_cap_has() {
    let mut shard = Shard::of(capped_site(|parts| parts.rules[0].caps = a_day(3)));
    let answers: Vec<Shown> = (0..10).map(|_| shard.ask(json!({}))).collect();
    let first: Vec<bool> = answers.iter().map(|answer| answer[1] == ("first".to_owned(), true)).collect();
    assert_eq!(first, [true, true, true, false, false, false, false, false, false, false]);
    assert_eq!(answers[3][1], ("second".to_owned(), false), "the next candidate wins, and needs no grant");
}

#[test]
fn the_caps_of_group_slot_and_site_are_divided_among_all_that_count_for_them() {
    let of_group = capped_site(|parts| {
        parts.groups = vec![Group { name: "all".into(), max_per_page: None, caps: a_day(2) }];
        parts.rules.iter_mut().for_each(|rule| rule.group = Some(0));
    });
    let of_slot = capped_site(|parts| parts.slots.iter_mut().for_each(|slot| slot.caps = a_day(2)));
    let of_site = capped_site(|parts| parts.deciding.caps = a_day(2));
    for (site, expected) in [(of_group, 2), (of_slot, 4), (of_site, 2)] {
        let mut shard = Shard::of(site);
        let all: usize = (0..6).map(|_| shard.ask(json!({})).len()).sum();
        assert_eq!(all, expected);
    }
}

#[test]
fn of_two_that_win_and_share_the_last_grant_the_one_that_is_decided_first_is_shown() {
    let mut shard = Shard::of(capped_site(|parts| parts.deciding.caps = a_day(1)));
    assert_eq!(shard.ask(json!({})), [("first".to_owned(), true)]);
    assert_eq!(shard.ask(json!({})), []);
}

#[test]
fn only_what_is_asked_for_takes_a_grant() {
    let mut shard = Shard::of(once());
    assert_eq!(shard.ask(json!({"slots": ["banner"]})), [("third".to_owned(), false)]);
    assert_eq!(shard.promised(), 0);
    assert!(is_shown(&shard.ask(json!({"slots": ["hero"]})), "first"));
}

#[test]
fn an_exposure_takes_the_place_of_its_grant() {
    let mut shard = Shard::of(capped_site(|parts| parts.rules[0].caps = a_day(2)));
    assert!(is_shown(&shard.ask(json!({})), "first"));
    shard.collect(0, &[("exposure", "first")]);
    assert_eq!(shard.stored.as_ref().unwrap().promised.iter().filter(|promise| !promise.is_spent).count(), 1);
    // One was seen; the page that told of it holds the other.
    assert!(!is_shown(&shard.ask(json!({})), "first"));
}

#[test]
fn what_is_rendered_again_under_its_name_takes_no_second_grant() {
    let mut shard = Shard::of(once());
    for _ in 0..3 {
        assert!(is_shown(&shard.ask(json!({"render": "page-1"})), "first"));
    }
    assert_eq!(shard.promised(), 1);
    assert!(!is_shown(&shard.ask(json!({"render": "page-2"})), "first"));
}

#[test]
fn a_page_view_takes_one_grant_however_often_it_is_answered() {
    let mut shard = Shard::of(once());
    assert!(is_shown(&shard.collect(0, &[("page", "")]), "first"));
    assert!(is_shown(&shard.collect(0, &[("report", "")]), "first"));
    assert!(
        is_shown(&shard.collect(0, &[("exposure", "first")]), "first"),
        "it stands until the page view ends"
    );
    assert!(is_shown(&shard.collect(0, &[("report", "")]), "first"));
    assert!(!is_shown(&shard.collect(1, &[("page", "")]), "first"), "in another page");
    assert!(!is_shown(&shard.collect(0, &[("page", "")]), "first"), "in the next page view");
}

#[test]
fn a_batch_that_is_sent_again_is_answered_alike() {
    let mut shard = Shard::of(once());
    let sent = shard.read(0, &[("page", "")]);
    for _ in 0..3 {
        let outcome = shard.takes(sent.clone(), Trust::Client);
        assert_eq!(outcome.answer.decisions[1].rule.as_deref(), Some("first"));
        assert_eq!(shard.promised(), 1);
    }
}

#[test]
fn events_that_name_themselves_tell_no_pages_apart_but_a_retry_from_something_new() {
    let mut shard = Shard::of(once());
    let named = |id: &str| {
        let batch = json!({
            "anonymous_id": "anon", "sent_at": NOW_MS, "consent": {"granted": ["analytics", "personalization"], "time": 1},
            "events": [{"message_id": id, "name": "report", "time": NOW_MS}],
        });
        json::read(batch.to_string().as_bytes(), "shop").unwrap()
    };
    let hero = |outcome: Outcome| outcome.answer.decisions[1].rule.clone();
    assert_eq!(hero(shard.takes(named("a"), Trust::Server)).as_deref(), Some("first"));
    assert_eq!(hero(shard.takes(named("a"), Trust::Server)).as_deref(), Some("first"), "the same again");
    assert_eq!(hero(shard.takes(named("b"), Trust::Server)).as_deref(), Some("second"));
}

#[test]
fn a_page_view_that_ends_unseen_gives_back_what_it_held() {
    let mut shard = Shard::of(once());
    assert!(is_shown(&shard.collect(0, &[("page", "")]), "first"));
    assert!(is_shown(&shard.collect(0, &[("page", "")]), "first"));
    assert_eq!(shard.promised(), 1);
    // Where something is still on its way, it may be the exposure.
    shard.writers[0] += 1;
    assert!(!is_shown(&shard.collect(0, &[("page", "")]), "first"));
}

#[test]
fn what_is_never_seen_is_given_back_in_time() {
    let mut shard = Shard::of(once());
    let answer: Value = serde_json::from_str(&shard.asks(json!({})).text).unwrap();
    assert_eq!(answer["granted"][0]["until_ms"], i64::try_from(NOW_MS).unwrap() + PROMISE_SEEN_MS);
    shard.now_ms += LEASE_MS.unsigned_abs() - 1;
    assert!(!is_shown(&shard.ask(json!({})), "first"));
    shard.now_ms += 1;
    assert!(is_shown(&shard.ask(json!({})), "first"));
    assert_eq!(shard.promised(), 1);
}

#[test]
fn devices_and_answers_share_what_a_cap_has() {
    let mut shard = Shard::of(capped_site(|parts| parts.rules[0].caps = a_day(2)));
    assert!(is_shown(&shard.ask(json!({})), "first"));
    assert_eq!(shard.leased(1), 1, "the other one is the answer's");
    assert!(!is_shown(&shard.ask(json!({})), "first"), "the page holds what is left");
    assert!(is_shown(&shard.ask(json!({"claims": true})), "first"), "and may show it where it is rendered");
    assert_eq!(shard.leased(2), 1);
    assert_eq!(shard.promised(), 1);
}

#[test]
fn a_deadline_leases_nothing_that_an_answer_holds() {
    let mut shard = Shard::of(capped_site(|parts| parts.rules[0].caps = a_day(1)));
    assert!(is_shown(&shard.ask(json!({})), "first"));
    let stored = shard.stored.clone().unwrap();
    let woken = selvedge_edge::deadlines::wake(&shard.site, VISITOR, &stored, NOW_MS + 60_000).unwrap();
    assert_eq!(woken.record.promised, stored.promised);
    shard.stored = Some(woken.record);
    assert_eq!(shard.leased(1), 0);
}

#[test]
fn what_is_held_beyond_a_page_view_takes_one_grant_for_all_of_them() {
    let mut shard = Shard::of(capped_site(|parts| {
        parts.rules[0].caps = a_day(1);
        parts.rules[0].hold = Hold::Time(HOUR);
    }));
    for _ in 0..2 {
        assert!(is_shown(&shard.ask(json!({})), "first"));
        assert_eq!(shard.promised(), 1);
    }
    shard.collect(0, &[("exposure", "first")]);
    assert!(is_shown(&shard.ask(json!({})), "first"), "it stands for an hour");
    shard.now_ms += HOUR;
    assert!(!is_shown(&shard.ask(json!({})), "first"));
}

#[test]
fn a_cap_for_each_value_is_divided_too() {
    let mut shard = Shard::of(capped_site(|parts| {
        let fact = u16::try_from(parts.facts.len()).unwrap();
        parts.facts.push(Fact {
            source: FactSource::Builtin(Builtin::PageSku),
            shape: Shape::Number,
            default: None,
        });
        parts.rules[0].terms.per_value = Some(ValueCap { limit: 1, fact, values_max: 4 });
    }));
    let ask =
        |shard: &mut Shard, sku: &str| is_shown(&shard.ask(json!({"context": {"page.sku": sku}})), "first");
    let all = ["a", "a", "b", "b"].map(|sku| ask(&mut shard, sku));
    assert_eq!(all, [true, false, true, false]);
}

#[test]
fn without_the_purpose_or_for_who_was_erased_nothing_is_granted_and_nothing_kept() {
    let mut shard = Shard::of(once());
    let shown = shard.ask(json!({"consent": {"granted": ["analytics"], "time": 1}}));
    assert_eq!((shown, shard.stored.is_none()), (vec![], true));
    let question = br#"{"visitor":"07070707070707070707070707070707",
        "consent":{"granted":["analytics","personalization"],"time":1}}"#;
    let question = Question::read(question).unwrap();
    let known = Known { stored: None, is_erased: true };
    let answered = decide::answer(&shard.site, known, &question, NOW_MS);
    let told: Value = serde_json::from_str(&answered.text).unwrap();
    assert_eq!((is_shown(&self::shown(&told), "first"), answered.record), (false, None));
}

#[test]
fn who_takes_the_purpose_back_leaves_no_grants() {
    let mut shard = Shard::of(once());
    shard.collect(0, &[("page", "")]);
    assert_eq!(shard.promised(), 1);
    let batch = json!({
        "visitor": "07070707070707070707070707070707", "writer": 1_000, "sent_at": NOW_MS,
        "consent": {"granted": ["analytics"], "denied": ["personalization"], "time": 2}, "events": [],
    });
    let withdrawal = json::read(batch.to_string().as_bytes(), "shop").unwrap();
    shard.takes(withdrawal, Trust::Client);
    assert_eq!(shard.promised(), 0);
}

#[test]
fn what_happens_in_a_preview_is_not_collected() {
    let read = |preview: Value| {
        let batch = json!({"visitor": "07070707070707070707070707070707", "writer": 1, "events": [], "preview": preview});
        json::read(batch.to_string().as_bytes(), "shop").map(drop).map_err(|fault| fault.status)
    };
    assert_eq!([read(json!("token")), read(json!(null))], [Err(400), Ok(())]);
}

#[test]
fn what_answers_hold_of_a_visitor_is_bounded() {
    let mut shard = Shard::of(capped_site(|parts| parts.rules[0].caps = a_day(60)));
    let shown = (0..60).filter(|_| is_shown(&shard.ask(json!({})), "first")).count();
    assert_eq!((shown, shard.promised()), (PROMISES_MAX, PROMISES_MAX));
}

/// What happens next in a random world.
#[derive(Debug, Clone)]
enum Act {
    Ask(bool),
    Page(usize),
    Send(usize),
    See(usize),
    Pass(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        any::<bool>().prop_map(Act::Ask),
        (0usize..4).prop_map(Act::Page),
        (0usize..4).prop_map(Act::Send),
        (0usize..4).prop_map(Act::See),
        (1u64..12).prop_map(|hours| Act::Pass(hours * HOUR)),
    ];
    prop::collection::vec(act, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 200 } else { 2_000 }))]

    /// Whatever pages and servers ask, and whenever what they show is seen (as long as it may be), and told at once: no day
    /// has more exposures than the caps of rule and site.
    #[test]
    fn what_answers_show_never_exceeds_a_cap(acts in acts(), of_rule in 1u16..4, of_site in 1u16..5) {
        let mut shard = Shard::of(capped_site(|parts| {
            parts.rules.iter_mut().for_each(|rule| rule.caps = a_day(of_rule));
            parts.deciding.caps = a_day(of_site);
        }));
        // What stands in each page, until when it may be seen, and what was; and what stands in pages that a server rendered.
        let mut pages: Vec<Vec<(String, u64)>> = vec![Vec::new(); 4];
        let mut known: Vec<Vec<String>> = vec![Vec::new(); 4];
        let mut rendered: Vec<(String, u64)> = Vec::new();
        let mut seen: Vec<(u64, String)> = Vec::new();
        for act in acts {
            let until_ms = shard.now_ms + PROMISE_SEEN_MS.unsigned_abs();
            match act {
                Act::Ask(sees) => {
                    let told = shard.ask(json!({}));
                    rendered.extend(told.into_iter().map(|(rule, _)| (rule, until_ms)));
                    let one = if sees { rendered.pop() } else { None };
                    if let Some((rule, _)) = one.filter(|(_, until_ms)| *until_ms > shard.now_ms) {
                        seen.push((shard.now_ms, rule.clone()));
                        shard.collect(5, &[("exposure", &rule)]);
                    }
                }
                Act::Page(at) | Act::Send(at) => {
                    let is_page = matches!(act, Act::Page(_));
                    let told = shard.collect(at, &[(if is_page { "page" } else { "report" }, "")]);
                    if is_page {
                        pages[at].clear();
                        known[at].clear();
                    }
                    let until = |rule: &String| {
                        let stood = pages[at].iter().find(|(known, _)| known == rule);
                        stood.map_or(until_ms, |(_, until_ms)| *until_ms)
                    };
                    pages[at] = told.into_iter().map(|(rule, _)| (rule.clone(), until(&rule))).collect();
                }
                Act::See(at) => {
                    for (rule, until_ms) in pages[at].clone() {
                        if until_ms > shard.now_ms && !known[at].contains(&rule) {
                            known[at].push(rule.clone());
                            seen.push((shard.now_ms, rule.clone()));
                            shard.collect(at, &[("exposure", &rule)]);
                        }
                    }
                }
                Act::Pass(ms) => shard.now_ms += ms,
            }
            for (now_ms, _) in &seen {
                let day = seen.iter().filter(|(at_ms, _)| *at_ms <= *now_ms && *at_ms + DAY > *now_ms);
                let day: Vec<&String> = day.map(|(_, rule)| rule).collect();
                prop_assert!(day.len() <= usize::from(of_site), "{seen:?}");
                for rule in ["first", "second", "third"] {
                    let of = day.iter().filter(|known| **known == rule).count();
                    prop_assert!(of <= usize::from(of_rule), "{rule}: {seen:?}");
                }
            }
        }
    }
}
