//! Consent by itself: what platforms say in the page, step by step. The strings were made with the IAB's own libraries.

mod world;

use proptest::prelude::*;
use selvedge_client::{Heard, Input, What};
use selvedge_core::consent::tcf::Asked;
use selvedge_core::consent::{Mode, Purposes, Signals, Snapshot, Statement, gpp, tcf};
use selvedge_core::hash::fnv1a_64;
use world::{World, shop};

const SITE: &str = "https://shop.test/shoes";
/// Every purpose, and analytics alone, of vendor 755; nothing.
const ALL: &str = "CQtAQoAQtAQoAAfACAENBQFgAP_gAAAAAAYgF5wAQF5gAAAA.IF6QAYF5gXoA";
const ANALYTICS: &str = "CQtAQoAQtAQoAAfACAENBQFgAIHAAAAAAAYgF5wAQF5gAAAA.IF6QAYF5gXoA";
const NOTHING: &str = "CQtAQoAQtAQoAAfACAENBQFgAAAAAAAAAAYgAAAAAAAA.IF6QAYF5gXoA";
/// The national section: opted out of sale, and not.
const OUT: &str = "DBABLA~CAAaAAAAAABA.QA";
const NOT_OUT: &str = "DBABLA~CAAqAAAAAABA.QA";

fn heard(source: Signals, what: What, text: &str) -> Heard {
    // As the hands have strings read by `selvedge-strings`.
    let asked = Asked::default();
    let said = match source {
        Signals::TCF => tcf::statement(text.as_bytes(), None, &asked),
        Signals::GPP => gpp::statement(text.as_bytes(), &[7], None, &asked),
        _ => Statement::default(),
    };
    Heard { source, what, granted: said.granted, denied: said.denied, text: text.into() }
}

fn hear(world: &mut World, source: Signals, what: What, text: &str) {
    world.boots += 1;
    let random = [world.boots; 19];
    world.input(Input::Heard { heard: heard(source, what, text), random });
}

fn says(world: &mut World, source: Signals, text: &str) {
    hear(world, source, What::Says, text);
}

/// A first visit whose page reads these sources.
fn visit(sources: Signals, mode: Mode) -> World {
    let mut world = World::new(Some(shop()));
    (world.sources, world.mode) = (sources, mode);
    world.settle();
    world.page(SITE);
    world
}

fn untouched(world: &World) -> bool {
    world.requests == 0 && world.beacons == 0 && world.device.is_empty()
}

fn newest(world: &World) -> Snapshot {
    world.edge.batches.last().unwrap().header.consent[0]
}

#[test]
fn nothing_happens_until_the_platform_says_that_the_visitor_accepted() {
    let mut world = visit(Signals::TCF, Mode::OptIn);
    hear(&mut world, Signals::TCF, What::Asks, "");
    world.view_shoes();
    world.pass(60_000);
    assert!(untouched(&world));
    says(&mut world, Signals::TCF, ALL);
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page", "product_view"]);
    let snapshot = newest(&world);
    assert_eq!((snapshot.signal, snapshot.text_hash), (Signals::TCF, fnv1a_64(ALL.as_bytes())));
    assert!(snapshot.granted.holds(Purposes(0b1110)) && snapshot.policy_version == 1);
}

#[test]
fn a_refusal_stores_nothing_and_destroys_what_was_held() {
    let mut world = visit(Signals::TCF, Mode::OptIn);
    says(&mut world, Signals::TCF, NOTHING);
    world.view_shoes();
    world.pass(60_000);
    assert!(untouched(&world));
    says(&mut world, Signals::TCF, ANALYTICS);
    world.pass(60_000);
    assert!(world.edge.names().is_empty(), "what was refused does not come back");
}

#[test]
fn a_withdrawal_in_the_platform_erases_the_device_and_tells_the_edge() {
    let mut world = visit(Signals::TCF, Mode::OptIn);
    says(&mut world, Signals::TCF, ALL);
    world.pass(60_000);
    world.is_online = false;
    world.view_shoes();
    says(&mut world, Signals::TCF, NOTHING);
    assert!(world.device.is_empty(), "{:?}", world.device.keys());
    world.is_online = true;
    world.pass(600_000);
    assert!(newest(&world).in_force().without(Purposes::NECESSARY).is_empty());
    assert_eq!(world.edge.names(), ["page"]);
}

#[test]
fn what_a_platform_takes_back_without_a_denial_is_denied_at_the_edge() {
    let mut world = visit(Signals::PLATFORM, Mode::OptIn);
    let says_all = Heard { granted: Purposes(0b1110), ..heard(Signals::PLATFORM, What::Says, "") };
    world.input(Input::Heard { heard: says_all, random: [1; 19] });
    world.pass(60_000);
    let granted = newest(&world);
    says(&mut world, Signals::PLATFORM, "");
    assert!(world.device.is_empty(), "{:?}", world.device.keys());
    world.pass(600_000);
    let last = newest(&world);
    assert!(last.in_force().without(Purposes::NECESSARY).is_empty());
    assert!(last.denied.holds(Purposes(0b1110)) && last.time_ms > granted.time_ms, "{last:?}");
}

#[test]
fn the_next_page_goes_on_under_the_last_answer_and_says_nothing_twice() {
    let mut world = visit(Signals::TCF, Mode::OptIn);
    says(&mut world, Signals::TCF, ALL);
    world.pass(60_000);
    world.reopen();
    world.view_shoes();
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page", "product_view"]);
    let requests = world.requests;
    says(&mut world, Signals::TCF, ALL);
    world.pass(60_000);
    assert_eq!(world.requests, requests, "the same answer again is no news");
    says(&mut world, Signals::TCF, ANALYTICS);
    world.pass(60_000);
    assert!(!newest(&world).in_force().holds(Purposes::PERSONALIZATION));
}

#[test]
fn a_question_that_is_asked_anew_lets_everything_rest_until_it_is_answered() {
    let mut world = visit(Signals::TCF, Mode::OptIn);
    says(&mut world, Signals::TCF, ALL);
    world.pass(60_000);
    let visitor = newest(&world);
    world.reopen();
    hear(&mut world, Signals::TCF, What::Asks, "");
    let requests = world.requests;
    world.view_shoes();
    world.settle();
    world.pass(60_000);
    assert_eq!((world.requests, world.device.contains_key("visitor")), (requests, true));
    says(&mut world, Signals::TCF, ALL);
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page", "product_view"]);
    assert!(newest(&world).time_ms > visitor.time_ms);
    let of = |at: usize| world.edge.batches[at].header.visitor;
    assert_eq!(of(0), of(world.edge.batches.len() - 1));
}

/// What is denied while another source asks is denied on the next page too, however little that one was told.
#[test]
fn a_denial_beside_an_open_question_outlives_the_page() {
    for mode in [Mode::OptIn, Mode::OptOut] {
        let mut world = visit(Signals::TCF, mode);
        world.consent(Purposes(0b1110), Purposes::NONE);
        says(&mut world, Signals::TCF, ALL);
        world.view_shoes();
        hear(&mut world, Signals::TCF, What::Asks, "");
        world.consent(Purposes::NONE, Purposes::PERSONALIZATION);
        world.reopen();
        world.view_shoes();
        world.pass(60_000);
        let snapshot = newest(&world);
        assert!(snapshot.in_force().holds(Purposes::ANALYTICS), "{mode:?}");
        assert!(!snapshot.in_force().holds(Purposes::PERSONALIZATION), "{mode:?}");
        hear(&mut world, Signals::TCF, What::Asks, "");
        world.consent(Purposes::NONE, Purposes(0b1110));
        assert!(world.device.keys().all(|key| key == "consent"), "{mode:?}: {:?}", world.device.keys());
        let sent = world.edge.batches.len();
        world.reopen();
        world.view_shoes();
        world.pass(60_000);
        assert!(world.device.keys().all(|key| key == "consent"), "{mode:?}: {:?}", world.device.keys());
        assert!(world.edge.batches[sent..].iter().all(|batch| batch.events.is_empty()), "{mode:?}");
    }
}

/// Who asked denies, and is not forgotten because another source was still awaited when the page was left.
#[test]
fn a_denial_of_who_asked_outlives_the_page_while_another_is_awaited() {
    let mut world = visit(Signals::TCF.or(Signals::GPP), Mode::OptOut);
    hear(&mut world, Signals::TCF, What::Absent, "");
    hear(&mut world, Signals::GPP, What::Absent, "");
    world.pass(60_000);
    assert!(newest(&world).in_force().holds(Purposes::ADVERTISING), "silence grants it here");
    world.reopen();
    hear(&mut world, Signals::GPP, What::Asks, "");
    says(&mut world, Signals::GPP, OUT);
    world.reopen();
    world.view_shoes();
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page", "product_view"]);
    assert!(!newest(&world).in_force().holds(Purposes::ADVERTISING));
}

/// What a second source denies is denied on its own account: the first may take back its word on the next page.
#[test]
fn a_denial_that_another_made_before_outlives_the_page_and_the_other() {
    let mut world = visit(Signals::TCF.or(Signals::GPP).or(Signals::PLATFORM), Mode::OptOut);
    hear(&mut world, Signals::TCF, What::Absent, "");
    says(&mut world, Signals::GPP, "no section");
    says(&mut world, Signals::PLATFORM, "an answer without a purpose");
    hear(&mut world, Signals::TCF, What::Asks, "");
    world.consent(Purposes::NONE, Purposes::ANALYTICS.or(Purposes::PERSONALIZATION));
    world.reopen();
    hear(&mut world, Signals::GPP, What::Nothing, "");
    world.view_shoes();
    world.pass(60_000);
    assert_eq!(world.edge.names(), [""; 0]);
}

/// The record of a page where the visitor alone had spoken says who denied beside the question.
#[test]
fn a_denial_beside_an_open_question_is_of_the_source_that_made_it() {
    let mut world = visit(Signals::TCF.or(Signals::GPP), Mode::OptOut);
    hear(&mut world, Signals::TCF, What::Absent, "");
    hear(&mut world, Signals::GPP, What::Absent, "");
    world.consent(Purposes::NONE, Purposes::ANALYTICS);
    hear(&mut world, Signals::TCF, What::Asks, "");
    says(&mut world, Signals::GPP, OUT);
    world.reopen();
    world.consent(Purposes::ANALYTICS.or(Purposes::ADVERTISING), Purposes::NONE);
    world.view_shoes();
    world.pass(60_000);
    let snapshot = newest(&world);
    assert!(!snapshot.in_force().holds(Purposes::ADVERTISING));
    assert_eq!(snapshot.signal, Signals::API.or(Signals::GPP));
}

/// Where nobody had answered, what is denied beside a question was denied under the policy of that page, and not under an older
/// one: an answer of the visitor takes back what the visitor said, and nothing that a platform did.
#[test]
fn a_denial_beside_the_first_question_is_to_the_policy_of_its_page() {
    let mut world = visit(Signals::TCF.or(Signals::GPP), Mode::OptOut);
    hear(&mut world, Signals::TCF, What::Absent, "");
    hear(&mut world, Signals::GPP, What::Absent, "");
    hear(&mut world, Signals::TCF, What::Asks, "");
    says(&mut world, Signals::GPP, OUT);
    world.reopen();
    world.consent(Purposes::ADVERTISING, Purposes::NONE);
    world.view_shoes();
    world.pass(60_000);
    assert!(!newest(&world).in_force().holds(Purposes::ADVERTISING));
}

/// Another tab, in which nothing was asked, took a refusal for what it is and erased the device: nothing rests there any more.
#[test]
fn what_rests_here_goes_with_what_another_tab_erased() {
    let mut world = visit(Signals::TCF, Mode::OptIn);
    says(&mut world, Signals::TCF, ALL);
    world.pass(60_000);
    let before = world.edge.batches[0].header.visitor;
    world.is_online = false;
    world.view_shoes();
    hear(&mut world, Signals::TCF, What::Asks, "");
    world.device.clear();
    for key in ["consent", "visitor"] {
        world.input(Input::Changed { key: key.into(), value: None, random: [77; 19] });
    }
    world.is_online = true;
    let from = world.edge.batches.len();
    says(&mut world, Signals::TCF, ALL);
    world.page(SITE);
    world.pass(600_000);
    let later = &world.edge.batches[from..];
    assert!(!later.is_empty() && later.iter().all(|batch| batch.header.visitor != before));
    assert_eq!(world.edge.names(), ["page", "page"], "what was captured before went with the visitor");
}

#[test]
fn where_a_platform_is_awaited_silence_is_no_grant_even_under_opt_out() {
    let mut world = visit(Signals::GPP, Mode::OptOut);
    world.view_shoes();
    world.pass(60_000);
    assert!(untouched(&world));
    says(&mut world, Signals::GPP, OUT);
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page", "product_view"]);
    let snapshot = newest(&world);
    assert!(snapshot.in_force().holds(Purposes::PERSONALIZATION));
    assert!(!snapshot.in_force().holds(Purposes::ADVERTISING));
}

#[test]
fn a_platform_that_never_comes_leaves_it_to_the_mode_of_the_region() {
    let mut open = visit(Signals::GPP, Mode::OptOut);
    hear(&mut open, Signals::GPP, What::Absent, "");
    open.pass(60_000);
    assert_eq!(open.edge.names(), ["page"]);
    says(&mut open, Signals::GPP, OUT);
    open.pass(60_000);
    assert!(!newest(&open).in_force().holds(Purposes::ADVERTISING), "late, and still heard");
    let mut closed = visit(Signals::TCF, Mode::OptIn);
    hear(&mut closed, Signals::TCF, What::Absent, "");
    closed.pass(60_000);
    assert!(untouched(&closed));
    says(&mut closed, Signals::TCF, ALL);
    closed.pass(60_000);
    assert_eq!(closed.edge.names(), ["page"]);
}

#[test]
fn a_platform_that_does_not_apply_leaves_it_to_the_others() {
    let mut world = visit(Signals::TCF.or(Signals::GPP), Mode::OptOut);
    hear(&mut world, Signals::TCF, What::Nothing, "");
    world.pass(1_000);
    assert!(untouched(&world), "the other is still to come");
    says(&mut world, Signals::GPP, NOT_OUT);
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page"]);
    assert!(newest(&world).in_force().holds(Purposes::ADVERTISING));
    assert_eq!(newest(&world).signal, Signals::GPP);
}

#[test]
fn the_strictest_of_platform_and_api_counts_whichever_comes_last() {
    for is_first in [true, false] {
        let mut world = visit(Signals::TCF, Mode::OptIn);
        if is_first {
            world.consent(Purposes::NONE, Purposes::PERSONALIZATION);
        }
        says(&mut world, Signals::TCF, ALL);
        world.consent(Purposes::ANALYTICS, Purposes::PERSONALIZATION);
        world.view_shoes();
        world.pass(60_000);
        let snapshot = newest(&world);
        assert!(snapshot.in_force().holds(Purposes::ANALYTICS));
        assert!(!snapshot.in_force().holds(Purposes::PERSONALIZATION));
        assert_eq!(snapshot.signal, Signals::TCF.or(Signals::API));
        world.reopen();
        says(&mut world, Signals::TCF, ALL);
        world.view_shoes();
        world.pass(60_000);
        assert!(!newest(&world).in_force().holds(Purposes::PERSONALIZATION), "the next page knows it too");
    }
}

#[test]
fn a_grant_by_the_api_waits_for_the_platform() {
    let mut world = visit(Signals::TCF, Mode::OptIn);
    world.grant();
    world.pass(60_000);
    assert!(untouched(&world));
    says(&mut world, Signals::TCF, NOTHING);
    world.pass(60_000);
    assert!(untouched(&world));
}

#[test]
fn under_the_exemption_audiences_are_measured_unasked_and_nothing_else_is_done() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::Exempt;
    world.settle();
    world.page(SITE);
    world.view_shoes();
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["page", "product_view"]);
    assert_eq!(newest(&world).in_force(), Purposes::NECESSARY.or(Purposes::ANALYTICS));
    assert!(world.shown.get("hero").is_none_or(|show| show.rule.is_none()), "nothing is adapted");
    world.consent(Purposes::NONE, Purposes::ANALYTICS);
    assert_eq!(world.device.keys().collect::<Vec<_>>(), ["consent"], "the objection alone is remembered");
}

#[test]
fn under_the_exemption_nobody_is_named() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::Exempt;
    world.settle();
    let identify = || {
        Input::Capture(selvedge_client::Capture {
            event_type: selvedge_core::event::EventType::Identify,
            name: "user-7".into(),
            time_ms: world::START_MS,
            properties: Default::default(),
            automatic: false,
            readings: Default::default(),
        })
    };
    world.input(identify());
    world.view_shoes();
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["product_view"]);
    world.consent(Purposes::PERSONALIZATION, Purposes::NONE);
    world.input(identify());
    world.pass(60_000);
    assert_eq!(world.edge.names(), ["product_view", "identify"]);
}

#[test]
fn under_the_exemption_an_identity_ends_after_thirteen_months_and_nothing_renews_it() {
    let mut world = World::new(Some(shop()));
    world.mode = Mode::Exempt;
    world.settle();
    world.page(SITE);
    world.pass(60_000);
    let mut visitors = vec![world.edge.batches.last().unwrap().header.visitor];
    for _ in 0..14 {
        world.now_ms += 30 * 24 * 3_600_000;
        world.reopen();
        world.page(SITE);
        world.pass(60_000);
        visitors.push(world.edge.batches.last().unwrap().header.visitor);
    }
    let kept = visitors.iter().filter(|visitor| **visitor == visitors[0]).count();
    assert_eq!(kept, 14, "390 days, and not 420");
    assert_ne!(visitors[0], visitors[14]);
}

#[derive(Debug, Clone)]
enum Step {
    Heard(u8, u8, u16, u16, String),
    Api(u16, u16),
    View,
    Pass,
    Settle,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let text = prop::sample::select(vec![ALL, ANALYTICS, NOTHING, OUT, NOT_OUT, "", "DBAA", "C"]);
    let step = prop_oneof![
        6 => (2u8..7, 0u8..4, 0u16..16, 0u16..16, text).prop_map(|(source, what, granted, denied, text)| {
            Step::Heard(1 << source, what, granted, denied, text.into())
        }),
        1 => (0u16..16, 0u16..16).prop_map(|(granted, denied)| Step::Api(granted, denied)),
        3 => Just(Step::View),
        1 => Just(Step::Pass),
        1 => Just(Step::Settle),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..24)
}

fn is_string(heard: &Heard) -> bool {
    heard.source == Signals::TCF || heard.source == Signals::GPP
}

/// What a source said last, if it denies.
fn denies(heard: &Heard) -> Option<Purposes> {
    match heard.what {
        What::Says if !is_string(heard) => Some(heard.denied),
        What::Says if heard.source == Signals::TCF => Some(match heard.text.as_str() {
            ALL => Purposes::NONE,
            ANALYTICS => Purposes(0b1100),
            _ => Purposes(0b1110),
        }),
        What::Says => Some(match heard.text.as_str() {
            NOT_OUT | "DBAA" => Purposes::NONE,
            OUT => Purposes::ADVERTISING,
            _ => Purposes(0b1110),
        }),
        What::Nothing => Some(Purposes::NONE),
        What::Asks | What::Absent => None,
    }
}

proptest! {
    /// Whatever the sources say in whatever order: nothing that one of them denies at that moment is captured, and nothing is
    /// stored or sent before all that are awaited were heard.
    #[test]
    fn no_order_of_signals_captures_what_a_source_denies(steps in steps(), is_opt_out: bool) {
        let sources = Signals(0b111_1100);
        let mut world = World::new(Some(shop()));
        world.sources = sources;
        world.mode = if is_opt_out { Mode::OptOut } else { Mode::OptIn };
        world.settle();
        let mut denied = [Purposes::NONE; 7];
        let (mut met, mut was_complete) = (0u8, false);
        let mut asking = 0u8;
        for step in steps {
            match step {
                Step::Heard(source, what, granted, denied_now, text) => {
                    let what = [What::Asks, What::Absent, What::Says, What::Nothing][usize::from(what)];
                    let mut one = heard(Signals(source), what, &text);
                    if !is_string(&one) {
                        (one.granted, one.denied) = (Purposes(granted), Purposes(denied_now));
                    }
                    if let Some(said) = denies(&one) {
                        denied[source.trailing_zeros() as usize] = said;
                    }
                    met |= source;
                    asking = if what == What::Asks { asking | source } else { asking & !source };
                    world.boots = world.boots.wrapping_add(1);
                    let random = [world.boots; 19];
                    world.input(Input::Heard { heard: one, random });
                }
                Step::Api(granted, refused) => {
                    denied[0] = denied[0].without(Purposes(granted)).or(Purposes(refused));
                    world.boots = world.boots.wrapping_add(1);
                    let random = [world.boots; 19];
                    world.input(Input::Consent { granted: Purposes(granted), denied: Purposes(refused), random });
                }
                Step::View => {
                    let before: Vec<_> = world.device.keys().filter(|key| key.starts_with("q.")).cloned().collect();
                    world.view_shoes();
                    let is_new = |key: &&String| key.starts_with("q.") && !before.contains(key);
                    if world.device.keys().any(|key| is_new(&key)) {
                        prop_assert_eq!(asking, 0, "a question is open");
                        // Of what the event may be used for, something is denied by nobody.
                        let closed = denied.iter().fold(Purposes::NONE, |sum, one| sum.or(*one));
                        let wanted = Purposes::ANALYTICS.or(Purposes::PERSONALIZATION);
                        prop_assert!(!wanted.without(closed).is_empty());
                    }
                }
                Step::Pass => world.pass(40_000),
                Step::Settle => world.settle(),
                Step::Reopen => {
                    let is_known = world.device.contains_key("consent");
                    world.reopen();
                    (met, asking) = (0, 0);
                    if !is_known {
                        denied = [Purposes::NONE; 7];
                    }
                }
            }
            was_complete |= met & sources.0 == sources.0;
            prop_assert!(was_complete || untouched(&world), "{:?}", world.device.keys());
        }
    }
}
