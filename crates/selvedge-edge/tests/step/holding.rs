//! Leases belong to one device: a visitor who is known on two of them never has more of a cap than it gives, whatever either uses
//! offline, and whenever it tells.

use crate::granting::{a_day, capped_site};
use crate::world::*;
use proptest::prelude::*;
use selvedge_core::event::{Event, EventType, LeaseReport};
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::{Sequence, WriterId};
use selvedge_core::rules::program::group_hash;
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::Value;
use selvedge_core::wire::program::{Cap, Group, Parts, Window};
use selvedge_core::wire::state::{CellBody, Lease, VisitorState};
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::ingest::{Arrival, Outcome, Trouble, step};
use selvedge_edge::site::Site;
use std::collections::BTreeMap;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// How long behind a lease's end a device says what it used of it.
const SETTLED_MS: i64 = 60_000;

/// A device as far as grants go: what it was answered, what it used, and what it has to tell. It uses whatever it may.
struct Device {
    tag: u32,
    writer: WriterId,
    has_engine: bool,
    state: Option<VisitorState>,
    used: BTreeMap<u64, (u32, u32)>,
    queue: Vec<Event>,
    next: u32,
}

impl Device {
    fn new(tag: u32, has_engine: bool) -> Self {
        let writer = WriterId::mint(NOW_MS - 60_000, tag);
        Self { tag, writer, has_engine, state: None, used: BTreeMap::new(), queue: Vec::new(), next: 0 }
    }

    fn leases(&self) -> Vec<(u64, Lease)> {
        let cells = self.state.iter().flat_map(|state| &state.cells);
        let of_cap = |body: &CellBody| if let CellBody::Cap(cap) = body { Some(cap.lease) } else { None };
        cells.filter_map(|cell| Some((cell.hash, of_cap(&cell.body)?))).filter(|(_, of)| of.id > 0).collect()
    }

    fn used(&self, cap: u64, lease: &Lease) -> u32 {
        let said = self.used.get(&cap).filter(|(id, _)| *id == lease.id).map_or(0, |(_, used)| *used);
        said.max(u32::from(lease.granted - lease.left))
    }

    /// The lease of a cap that has a grant left now.
    fn grant(&self, cap: u64, now_ms: u64) -> Option<Lease> {
        let (_, lease) = self.leases().into_iter().find(|(of, _)| *of == cap)?;
        let is_live = lease.expires_ms > i64::try_from(now_ms).unwrap();
        (is_live && self.used(cap, &lease) < u32::from(lease.granted)).then_some(lease)
    }

    fn report(&self, now_ms: u64) -> Vec<LeaseReport> {
        let now_ms = i64::try_from(now_ms).unwrap();
        let over = self.leases().into_iter().filter(|(_, lease)| lease.expires_ms + SETTLED_MS <= now_ms);
        over.map(|(rule, lease)| LeaseReport { rule, lease: lease.id, used: self.used(rule, &lease) })
            .collect()
    }

    fn push(&mut self, name: &str, rule: &str, now_ms: u64) {
        self.next += 1;
        let known = if name == "exposure" { EventType::Exposure } else { EventType::Track };
        let of = |text: &str| Value::Text(text.into());
        self.queue.push(Event {
            sequence: Sequence::new(self.next).unwrap(),
            event_type: known,
            time_ms: now_ms,
            properties: [("rule".into(), of(rule)), ("slot".into(), of("hero"))].into_iter().collect(),
            ..event(1, name)
        });
    }
}

/// A visitor at a site with rules of one group, known on several devices.
struct Home {
    site: Site,
    stored: Option<VisitorRecord>,
    now_ms: u64,
    devices: Vec<Device>,
    seen: Vec<(u64, &'static str)>,
}

const RULES: [&str; 2] = ["first", "second"];

fn home(tags: &[u32], change: impl FnOnce(&mut Parts)) -> Home {
    let site = capped_site(change);
    let devices = tags.iter().map(|tag| Device::new(*tag, true)).collect();
    Home { site, stored: None, now_ms: NOW_MS, devices, seen: Vec::new() }
}

fn daily(of_rule: u16, of_group: u16) -> impl FnOnce(&mut Parts) {
    move |parts| capped(parts, &a_day(of_rule), &a_day(of_group))
}

fn capped(parts: &mut Parts, of_rule: &[Cap], of_group: &[Cap]) {
    parts.groups = vec![Group { name: "g".into(), caps: of_group.to_vec(), max_per_page: None }];
    for rule in &mut parts.rules {
        (rule.caps, rule.group) = (of_rule.to_vec(), Some(0));
    }
}

impl Home {
    /// The device shows a rule, if it has the grants.
    fn see(&mut self, at: usize, rule: &'static str) -> bool {
        let group = group_hash(&self.site.program.parts().groups[0]);
        let (caps, now_ms) = ([fnv1a_64(rule.as_bytes()), group], self.now_ms);
        let device = &mut self.devices[at];
        let grants: Vec<_> =
            caps.iter().filter_map(|cap| Some((*cap, device.grant(*cap, now_ms)?))).collect();
        if grants.len() < caps.len() || !device.has_engine {
            return false;
        }
        for (cap, lease) in grants {
            let used = device.used(cap, &lease);
            device.used.insert(cap, (lease.id, used + 1));
        }
        device.push("exposure", rule, now_ms);
        self.seen.push((now_ms, rule));
        true
    }

    fn send(&mut self, at: usize) -> Outcome {
        let now_ms = self.now_ms;
        self.devices[at].push("report", "", now_ms);
        self.send_first(at, usize::MAX)
    }

    /// The device sends the oldest of what waits there: the rest would be too much for one batch.
    fn send_first(&mut self, at: usize, count: usize) -> Outcome {
        let (now_ms, hash) = (self.now_ms, self.site.hash);
        let device = &mut self.devices[at];
        if device.queue.is_empty() {
            device.push("report", "", now_ms);
        }
        let count = count.min(device.queue.len());
        let mut sent = batch(granted(), device.queue.drain(..count).map(Ok).collect());
        let header = &mut sent.header;
        (header.writer, header.sent_at_ms, header.holder) = (device.writer, now_ms, device.tag);
        if device.has_engine {
            (header.program, header.leases) = (Some(hash), device.report(now_ms));
        }
        let arrival = Arrival { received_ms: now_ms, trust: Trust::Client, ..arrival() };
        let stored = self.stored.clone();
        let outcome =
            step(&self.site, stored, sent, &arrival, &Trouble::default(), &mut Heard::default()).unwrap();
        self.stored = kept(self.stored.take(), &outcome);
        self.devices[at].state = Some(VisitorState::decode(&outcome.answer.state).unwrap());
        outcome
    }

    /// Exposures within a day's length up to any of them, at most: of any rule, and of one.
    fn most(&self) -> (usize, usize) {
        let of = |only: Option<&str>| {
            let meant = |rule: &str| only.is_none_or(|only| only == rule);
            let until = |now_ms: u64| {
                let in_day =
                    |(at_ms, rule): &&(u64, &str)| meant(rule) && *at_ms <= now_ms && *at_ms + DAY > now_ms;
                self.seen.iter().filter(in_day).count()
            };
            self.seen.iter().map(|(now_ms, _)| until(*now_ms)).max().unwrap_or(0)
        };
        (of(None), RULES.iter().map(|rule| of(Some(rule))).max().unwrap_or(0))
    }
}

#[test]
fn a_second_device_gets_no_grant_while_the_first_may_use_one_and_decides_as_the_edge() {
    let mut home = home(&[1, 2], daily(2, 9));
    home.send(0);
    let answer = home.send(1).answer;
    assert!(answer.grants.is_empty(), "{:?}", answer.grants);
    assert!(answer.decisions.iter().all(|decision| decision.rule.as_deref() != Some("first")), "{answer:?}");
    assert!(home.devices[1].leases().is_empty(), "what the page has of the state says nothing of them");
    assert!(!home.see(1, "first") && home.see(0, "first"));
    assert_eq!(home.stored.as_ref().unwrap().holder, 1);
}

#[test]
fn once_all_is_used_or_over_the_one_that_asks_holds_what_comes() {
    let mut home = home(&[1, 2], |parts| {
        capped(parts, &a_day(1), &a_day(1));
        parts.rules[1..].iter_mut().for_each(|rule| (rule.caps, rule.group) = (Vec::new(), None));
    });
    home.send(0);
    assert!(home.see(0, "first"));
    home.send(0);
    home.send(1);
    assert_eq!((home.stored.as_ref().unwrap().holder, home.see(1, "first")), (2, false), "all is used");
    home.now_ms += DAY + MINUTE;
    home.send(1);
    assert!(home.see(1, "first"), "the day is over");
    home.send(0);
    assert!(!home.see(0, "first"), "and the first gets nothing that the second has");
}

#[test]
fn what_one_device_says_of_leases_is_never_said_of_anothers() {
    let mut home = home(&[1, 2], daily(1, 9));
    home.send(0);
    assert!(home.see(0, "first"), "offline, and not told yet");
    let held = home.devices[0].leases();
    home.now_ms += DAY + 2 * MINUTE;
    home.devices[1].state = home.devices[0].state.clone();
    assert!(!home.devices[1].report(home.now_ms).is_empty(), "it says that nothing was used");
    home.send(1);
    assert!(!home.see(1, "first"), "the grant counts as used at its end: {held:?}");
    home.devices[0].queue.clear();
    assert!(home.most().1 <= 1);
}

#[test]
fn a_device_without_an_engine_does_not_give_back_what_another_holds() {
    let mut home = home(&[1, 2], daily(1, 9));
    home.devices[1].has_engine = false;
    home.send(0);
    assert!(home.see(0, "first"));
    home.now_ms += DAY - MINUTE;
    home.send(1);
    home.now_ms += 2 * MINUTE;
    home.send(1);
    home.devices[1].has_engine = true;
    home.send(1);
    assert!(!home.see(1, "first"), "it may have been used a minute before the end");
}

#[test]
fn an_exposure_of_another_device_uses_nothing_of_the_holders_lease() {
    let mut home = home(&[1, 2], daily(2, 9));
    home.send(0);
    let now_ms = home.now_ms;
    home.devices[1].push("exposure", "first", now_ms);
    home.send(1);
    home.send(0);
    let left = home.devices[0].leases().iter().find(|(of, _)| *of == fnv1a_64(b"first")).unwrap().1.left;
    assert_eq!(left, 2, "what the device holds it holds still");
}

#[test]
fn who_takes_the_consent_back_leaves_no_holder() {
    let mut home = home(&[1], daily(1, 9));
    home.send(0);
    let mut sent = batch(said(selvedge_core::consent::Purposes::NONE, ALL, 9), Vec::new());
    sent.header.holder = 1;
    let outcome = stepped(home.stored.take(), sent);
    assert_eq!(outcome.record.unwrap().holder, 0);
}

#[test]
fn a_late_exposure_uses_nothing_that_another_device_was_leased_since() {
    let mut home = home(&[1, 2], daily(1, 1));
    home.send(0);
    home.now_ms += 11 * HOUR;
    assert!(home.see(0, "second"), "offline, and told at the very end");
    home.now_ms += 37 * HOUR;
    home.send(1);
    home.now_ms += 9 * HOUR;
    assert!(home.see(1, "first"), "offline, and never told");
    home.now_ms += 15 * HOUR;
    home.send(0);
    assert!(!home.see(0, "second"), "{:?}", home.seen);
}

#[test]
fn a_late_exposure_uses_nothing_that_its_device_was_leased_since() {
    let mut home = home(&[1], daily(1, 1));
    home.send(0);
    let now_ms = home.now_ms;
    home.devices[0].push("report", "", now_ms);
    home.now_ms += 11 * HOUR;
    assert!(home.see(0, "second"), "offline");
    home.now_ms += 40 * HOUR;
    home.send_first(0, 1);
    home.now_ms += 9 * HOUR;
    assert!(home.see(0, "first"), "offline again, before the rest was sent");
    home.now_ms += 15 * HOUR + MINUTE;
    home.send_first(0, 1);
    assert!(!home.see(0, "second"), "{:?}", home.seen);
}

/// What happens next.
#[derive(Debug, Clone)]
enum Act {
    See(usize, usize),
    Send(usize),
    /// Of what waits only the oldest event.
    SendOldest(usize),
    /// What waits on the device is lost.
    Lose(usize),
    Pass(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0usize..2, 0usize..2).prop_map(|(at, rule)| Act::See(at, rule)),
        3 => (0usize..3).prop_map(Act::Send),
        2 => (0usize..3).prop_map(Act::SendOldest),
        1 => (0usize..2).prop_map(Act::Lose),
        2 => (1u64..14).prop_map(Act::Pass),
    ];
    prop::collection::vec(act, 1..60)
}

fn play(home: &mut Home, act: &Act, unit_ms: u64) {
    match *act {
        Act::See(at, rule) => drop(home.see(at, RULES[rule])),
        Act::Send(at) => drop(home.send(at)),
        Act::SendOldest(at) => drop(home.send_first(at, 1)),
        Act::Lose(at) => home.devices[at].queue.clear(),
        Act::Pass(units) => home.now_ms += units * unit_ms,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 400 } else { 4_000 }))]

    /// Two devices that show what they may, a third that shows nothing: no day has more than the caps of rule and group.
    #[test]
    fn devices_of_one_visitor_never_exceed_a_days_cap(acts in acts(), of_rule in 1u16..4, of_group in 1u16..5) {
        let mut home = home(&[1, 2, 3], daily(of_rule, of_group));
        home.devices[2].has_engine = false;
        for act in &acts {
            play(&mut home, act, HOUR);
            let (of_all, of_one) = home.most();
            prop_assert!(of_all <= usize::from(of_group) && of_one <= usize::from(of_rule), "{:?}", home.seen);
        }
    }

    /// The same within one session.
    #[test]
    fn devices_of_one_visitor_never_exceed_a_sessions_cap(acts in acts(), of_rule in 1u16..4, of_group in 1u16..5) {
        let session = |limit| [Cap { limit, window: Window::Session }];
        let mut home = home(&[1, 2, 3], |parts| capped(parts, &session(of_rule), &session(of_group)));
        home.devices[2].has_engine = false;
        for act in &acts {
            play(&mut home, act, 1_000);
            let (of_all, of_one) = home.most();
            prop_assert!(of_all <= usize::from(of_group) && of_one <= usize::from(of_rule), "{:?}", home.seen);
        }
    }

    /// To one device its tag makes no difference.
    #[test]
    fn one_device_is_answered_as_without_a_tag(acts in acts(), of_rule in 1u16..4, of_group in 1u16..5) {
        let mut tagged = home(&[7], daily(of_rule, of_group));
        let mut plain = home(&[7], daily(of_rule, of_group));
        plain.devices[0].tag = 0;
        for act in acts {
            let act = match act {
                Act::See(_, rule) => Act::See(0, rule),
                Act::Send(_) => {
                    prop_assert_eq!(tagged.send(0).answer, plain.send(0).answer);
                    continue;
                }
                Act::SendOldest(_) => Act::SendOldest(0),
                Act::Lose(_) => Act::Lose(0),
                Act::Pass(hours) => Act::Pass(hours),
            };
            play(&mut tagged, &act, HOUR);
            play(&mut plain, &act, HOUR);
        }
    }
}
