//! Leases belong to one device: a visitor who is known on two of them never has more of a cap than it gives, whatever either uses
//! offline, and whenever it tells.

use crate::granting::a_day;
use crate::home::*;
use crate::world::*;
use proptest::prelude::*;
use selvedge_core::hash::fnv1a_64;
use selvedge_core::wire::program::{Cap, Window};

#[test]
fn a_second_device_gets_no_grant_while_the_first_may_use_one_and_decides_as_the_edge() {
    let mut home = home(&[1, 2], daily(2, 9));
    home.send(0);
    let answer = home.send(1).answer;
    assert!(answer.grants.is_empty(), "{:?}", answer.grants);
    assert!(answer.decisions.iter().all(|decision| decision.rule.as_deref() != Some("first")), "{answer:?}");
    assert!(
        home.devices[1].tabs[0].leases().is_empty(),
        "what the page has of the state says nothing of them"
    );
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
    let held = home.devices[0].tabs[0].leases();
    home.now_ms += DAY + 2 * MINUTE;
    home.devices[1].tabs[0].state = home.devices[0].tabs[0].state.clone();
    assert!(!home.devices[1].report(0, home.now_ms).is_empty(), "it says that nothing was used");
    home.send(1);
    assert!(!home.see(1, "first"), "the grant counts as used at its end: {held:?}");
    home.devices[0].tabs[0].queue.clear();
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
    home.devices[1].tabs[0].push("exposure", "first", now_ms);
    home.send(1);
    home.send(0);
    let left =
        home.devices[0].tabs[0].leases().iter().find(|(of, _)| *of == fnv1a_64(b"first")).unwrap().1.left;
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
    home.devices[0].tabs[0].push("report", "", now_ms);
    home.now_ms += 11 * HOUR;
    assert!(home.see(0, "second"), "offline");
    home.now_ms += 40 * HOUR;
    home.send_first((0, 0), 1);
    home.now_ms += 9 * HOUR;
    assert!(home.see(0, "first"), "offline again, before the rest was sent");
    home.now_ms += 15 * HOUR + MINUTE;
    home.send_first((0, 0), 1);
    assert!(!home.see(0, "second"), "{:?}", home.seen);
}

#[test]
fn an_exposure_that_is_lost_silences_nobody_for_good() {
    let mut home = home(&[1], daily(2, 2));
    home.send(0);
    assert!(home.see(0, "first") && home.see(0, "first"));
    home.devices[0].tabs[0].queue.clear();
    let comes_and_sees = |home: &mut Home| {
        home.now_ms += 6 * HOUR;
        home.send(0);
        home.see(0, "first")
    };
    let hours: Vec<_> = (1..40).filter(|_| comes_and_sees(&mut home)).map(|at| at * 6).collect();
    assert_eq!(
        hours,
        [8 * 24, 8 * 24 + 6, 9 * 24, 9 * 24 + 6],
        "a week until the lease ends, and a day until what was used is over"
    );
}

#[test]
fn what_is_burnt_within_a_minute_of_the_leases_end_is_given_back() {
    let of_week = |limit| [Cap { limit, window: Window::Sliding(7 * DAY) }];
    let mut home = home(&[1], |parts| capped(parts, &of_week(2), &of_week(2)));
    home.send(0);
    assert!(home.see(0, "first"));
    home.send(0);
    home.now_ms += DAY + MINUTE / 2;
    home.send(0);
    assert!(!home.see(0, "first"), "another tab may have used it still");
    home.now_ms += MINUTE;
    home.send(0);
    assert!(home.see(0, "first") && !home.see(0, "first"));
}

#[test]
fn a_tab_that_missed_that_a_lease_was_extended_does_not_speak_for_another() {
    let mut home = home(&[1], daily(1, 1));
    home.devices[0].tabs[0].apart_ms = -9_000;
    home.send_first((0, 1), 1);
    home.now_ms += HOUR;
    let sent = home.load((0, 1), 1);
    drop(home.arrive(sent));
    home.send(0);
    home.now_ms += DAY;
    home.send_first((0, 1), 1);
    assert!(home.see(0, "first"), "by its clock the lease lasts for nine seconds");
    home.send(0);
    assert!(!home.see_in((0, 1), "first") && !home.see(0, "first"));
}

#[test]
fn a_tab_without_an_engine_gives_nothing_back_that_another_may_use_still() {
    let mut home = home(&[1], daily(1, 1));
    home.devices[0].tabs[1].apart_ms = 1_000;
    home.send_first((0, 1), 1);
    home.devices[0].has_engine = false;
    home.send(0);
    home.now_ms += DAY;
    home.send_first((0, 1), 1);
    home.devices[0].has_engine = true;
    assert!(home.see(0, "second"), "by its clock the lease lasts for a second");
    assert!(!home.see_in((0, 1), "second"));
}

#[test]
fn a_tab_without_an_engine_gives_back_what_was_burnt_within_a_minute_of_the_leases_end() {
    let mut home = home(&[1], daily(1, 1));
    home.send(0);
    home.devices[0].has_engine = false;
    home.now_ms += DAY;
    home.send(0);
    home.now_ms += MINUTE;
    home.send(0);
    home.devices[0].has_engine = true;
    assert!(home.see(0, "first"));
}

#[test]
fn a_tab_with_an_older_lease_does_not_say_what_was_used_of_it() {
    let mut home = home(&[1, 2], daily(2, 2));
    home.send(0);
    assert!(home.see(0, "first"));
    home.send_first((0, 1), 1);
    home.now_ms += 19 * HOUR;
    assert!(home.see(0, "first"));
    home.now_ms += 6 * HOUR;
    home.send(1);
    home.send_first((0, 0), 1);
    assert!(home.see(0, "first"), "the first is a day ago");
    home.send_first((0, 1), 1);
    assert!(!home.see_in((0, 1), "first"), "{:?}", home.seen);
}

#[test]
fn what_was_used_and_is_not_told_yet_stays_used_however_often_it_is_reported() {
    let mut home = home(&[1], daily(2, 2));
    home.send(0);
    home.send_first((0, 1), 1);
    home.now_ms += 5 * HOUR;
    assert!(home.see_in((0, 1), "first"), "offline, in another tab");
    home.now_ms += 20 * HOUR;
    home.send(0);
    home.send_first((0, 1), 1);
    home.send_first((0, 1), 1);
    assert!(home.see(0, "first") && !home.see_in((0, 1), "first"), "{:?}", home.seen);
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
        Act::SendOldest(at) => drop(home.send_first((at, 0), 1)),
        Act::Lose(at) => home.devices[at].tabs[0].queue.clear(),
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
