//! Random days of a visitor with several devices: no cap is exceeded, and nobody is silenced for good.

use crate::home::*;
use crate::world::ALL;
use proptest::prelude::*;
use selvedge_core::consent::Purposes;
use selvedge_core::limits::LEASE_MS;
use selvedge_core::wire::program::{Cap, Window};

/// What happens next, at a device and one of its tabs.
#[derive(Debug, Clone)]
enum Act {
    See(usize, usize, usize),
    Send(usize, usize),
    /// Of what waits only the oldest event.
    SendOldest(usize, usize),
    /// It comes, and its answer does not.
    SendUnanswered(usize, usize),
    /// It comes later, if ever, and its answer does not.
    Leave(usize, usize),
    Arrive,
    /// What waits there is lost.
    Lose(usize, usize),
    Pass(u64),
    Linger(u64),
    /// Its engine cannot be loaded any more, or can again.
    Turn(usize),
    Withdraw(usize),
    /// The state cannot be read any more, and begins anew.
    Reset,
}

const TAGS: [u32; 3] = [1, 2, 3];
/// How far two clocks are apart at most.
const APART_MS: u64 = 60_000;

fn act() -> impl Strategy<Value = Act> {
    let tab = || (0usize..3, 0usize..2);
    prop_oneof![
        8 => (tab(), 0usize..2).prop_map(|((at, tab), rule)| Act::See(at, tab, rule)),
        5 => tab().prop_map(|(at, tab)| Act::Send(at, tab)),
        3 => tab().prop_map(|(at, tab)| Act::SendOldest(at, tab)),
        2 => tab().prop_map(|(at, tab)| Act::SendUnanswered(at, tab)),
        1 => tab().prop_map(|(at, tab)| Act::Leave(at, tab)),
        1 => Just(Act::Arrive),
        2 => tab().prop_map(|(at, tab)| Act::Lose(at, tab)),
        4 => (1u64..14).prop_map(Act::Pass),
        1 => (1u64..100).prop_map(Act::Linger),
        1 => (0usize..3).prop_map(Act::Turn),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(act(), 1..60)
}

/// The same, where consent is taken back and given again.
fn acts_of_consent() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        20 => act(),
        1 => (0usize..3).prop_map(Act::Withdraw),
    ];
    prop::collection::vec(act, 1..60)
}

/// The same, where the state is lost besides.
fn acts_of_loss() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        20 => act(),
        1 => (0usize..3).prop_map(Act::Withdraw),
        1 => Just(Act::Reset),
    ];
    prop::collection::vec(act, 1..60)
}

/// Whole seconds: within a minute of each other.
fn clocks() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec((-30i64..=30).prop_map(|seconds| seconds * 1_000), 6)
}

fn home_of(clocks: &[i64], of_rule: u16, of_group: u16) -> Home {
    let mut home = home(&TAGS, daily(of_rule, of_group));
    let tabs = home.devices.iter_mut().flat_map(|device| &mut device.tabs);
    tabs.zip(clocks).for_each(|(tab, apart_ms)| tab.apart_ms = *apart_ms);
    home
}

fn play(home: &mut Home, act: &Act, unit_ms: u64) {
    match *act {
        Act::See(at, tab, rule) => drop(home.see_in((at, tab), RULES[rule])),
        Act::Send(at, tab) => {
            let now_ms = home.now_ms;
            home.devices[at].tabs[tab].push("report", "", now_ms);
            drop(home.send_first((at, tab), usize::MAX));
        }
        Act::SendOldest(at, tab) => drop(home.send_first((at, tab), 1)),
        Act::SendUnanswered(at, tab) => {
            let sent = home.load((at, tab), usize::MAX);
            drop(home.arrive(sent));
        }
        Act::Leave(at, tab) => {
            let sent = home.load((at, tab), usize::MAX);
            home.on_its_way.push(sent);
        }
        Act::Arrive => {
            if let Some(sent) = home.on_its_way.pop() {
                drop(home.arrive(sent));
            }
        }
        Act::Lose(at, tab) => home.devices[at].tabs[tab].queue.clear(),
        Act::Pass(units) => home.now_ms += units * unit_ms,
        Act::Linger(seconds) => home.now_ms += seconds * 1_000,
        Act::Turn(at) => home.devices[at].has_engine = !home.devices[at].has_engine,
        Act::Withdraw(at) => {
            home.say(at, Purposes::NONE);
            home.now_ms += 1_000;
            home.say(at, ALL);
        }
        Act::Reset => home.stored.iter_mut().for_each(|stored| stored.state = b"no state".to_vec()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 400 } else { 4_000 }))]

    /// Answers get lost, batches come late, tabs share leases, engines fail, clocks differ: no day has more than the caps of rule and group.
    #[test]
    fn devices_with_tabs_never_exceed_a_days_cap(acts in acts(), clocks in clocks(), of_rule in 1u16..4, of_group in 1u16..5) {
        let mut home = home_of(&clocks, of_rule, of_group);
        for act in &acts {
            play(&mut home, act, HOUR);
            let (of_all, of_one) = home.most_since(0, DAY - APART_MS);
            prop_assert!(of_all <= usize::from(of_group) && of_one <= usize::from(of_rule), "{:?}", home.seen);
        }
    }

    /// The same where a withdrawal comes between, from when on no device holds grants of before.
    #[test]
    fn what_comes_behind_a_withdrawal_keeps_a_days_cap(acts in acts_of_consent(), clocks in clocks(), of_rule in 1u16..4, of_group in 1u16..5) {
        let mut home = home_of(&clocks, of_rule, of_group);
        let mut since_ms = 0;
        for act in &acts {
            play(&mut home, act, HOUR);
            if matches!(act, Act::Withdraw(_)) {
                since_ms = home.now_ms.saturating_add_signed(LEASE_MS) + APART_MS;
            }
            let (of_all, of_one) = home.most_since(since_ms, DAY - APART_MS);
            prop_assert!(of_all <= usize::from(of_group) && of_one <= usize::from(of_rule), "{:?}", home.seen);
        }
    }

    /// Who is erased is granted nothing more: what devices hold is used up or over a lease's time later, whatever they say.
    #[test]
    fn an_erased_visitor_is_granted_nothing(before in acts(), behind in acts_of_consent(), clocks in clocks(), of_rule in 1u16..4, of_group in 1u16..5) {
        let mut home = home_of(&clocks, of_rule, of_group);
        before.iter().for_each(|act| play(&mut home, act, HOUR));
        home.erase();
        let since_ms = home.now_ms.saturating_add_signed(LEASE_MS) + APART_MS;
        behind.iter().for_each(|act| play(&mut home, act, HOUR));
        let kept = home.stored.is_some();
        prop_assert!(!kept && home.most_since(since_ms, DAY) == (0, 0), "{:?}", home.seen);
    }

    /// Within one session, by one clock.
    #[test]
    fn devices_with_tabs_never_exceed_a_sessions_cap(acts in acts(), of_rule in 1u16..4, of_group in 1u16..5) {
        let session = |limit| [Cap { limit, window: Window::Session }];
        let mut home = home(&TAGS, |parts| capped(parts, &session(of_rule), &session(of_group)));
        for act in &acts {
            play(&mut home, act, 1_000);
            let (of_all, of_one) = home.most();
            prop_assert!(of_all <= usize::from(of_group) && of_one <= usize::from(of_rule), "{:?}", home.seen);
        }
    }

    /// Whatever was lost, who goes on coming sees the rule again.
    #[test]
    fn nothing_that_is_lost_silences_a_visitor_for_good(acts in acts_of_loss(), clocks in clocks(), of_rule in 1u16..4, of_group in 1u16..5) {
        let mut home = home_of(&clocks, of_rule, of_group);
        acts.iter().for_each(|act| play(&mut home, act, HOUR));
        home.devices[0].has_engine = true;
        let mut is_seen = false;
        for _ in 0..12 * 4 {
            home.now_ms += 6 * HOUR;
            home.send(0);
            is_seen |= home.see(0, "first");
        }
        prop_assert!(is_seen);
    }
}
