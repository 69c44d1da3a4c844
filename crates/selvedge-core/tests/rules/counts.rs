//! Counts in page, session and sliding windows.

use crate::build::{Build, Condition, DAY, HOUR, MINUTE, SECOND, at_least, exactly};
use crate::world::{START, World, int, map, text};
use selvedge_core::consent::Purposes;
use selvedge_core::rules::Program;
use selvedge_core::wire::program::{FactSource, Shape, Test, Window};

const TEN_MINUTES: Window = Window::Sliding(600_000);

fn counting(window: Window, threshold: u16, test: fn(u16) -> Condition) -> Program {
    let mut build = Build::new();
    let fact = build.count("product_view", window, threshold);
    build.rule("r", "hero", Some(test(fact)));
    build.program()
}

#[test]
fn a_rule_acts_once_its_count_is_reached() {
    let mut world = World::new(counting(TEN_MINUTES, 2, |fact| at_least(fact, 2)));
    world.track(0, "product_view");
    assert!(!world.shows(0, "hero"));
    world.track(SECOND, "other");
    assert!(!world.shows(SECOND, "hero"));
    world.track(2 * SECOND, "product_view");
    assert!(world.shows(2 * SECOND, "hero"));
}

#[test]
fn a_sliding_window_forgets_an_event_exactly_when_it_is_over() {
    let mut world = World::new(counting(TEN_MINUTES, 1, |fact| at_least(fact, 1)));
    world.track(0, "product_view");
    assert!(world.shows(10 * MINUTE - 1, "hero"));
    assert!(!world.shows(10 * MINUTE, "hero"));
}

#[test]
fn a_new_visitor_is_known_to_have_done_nothing() {
    let mut world = World::new(counting(Window::Sliding(86_400_000), 1, |fact| exactly(fact, 0)));
    world.track(0, "page_view");
    assert!(world.shows(0, "hero"));
}

#[test]
fn a_metric_that_is_new_to_a_known_visitor_is_a_lower_bound_until_its_window_was_watched() {
    let mut world = World::new(Build::new().program());
    world.track(0, "product_view");
    let none = counting(TEN_MINUTES, 1, |fact| exactly(fact, 0));
    let mut absent = World { program: none, ..World::new(Build::new().program()) };
    absent.state = world.state.clone();
    absent.track(MINUTE, "other");
    assert!(!absent.shows(MINUTE, "hero"), "what happened before the metric is not known");
    assert!(!absent.shows(11 * MINUTE - 2, "hero"));
    assert!(absent.shows(11 * MINUTE - 1, "hero"), "now the window was watched whole");
    let mut reached = World::new(counting(TEN_MINUTES, 1, |fact| at_least(fact, 1)));
    reached.state = world.state;
    reached.track(MINUTE, "product_view");
    assert!(reached.shows(MINUTE, "hero"), "a lower bound is enough for `at least`");
}

#[test]
fn a_late_event_counts_inside_a_live_window_and_one_later_still_does_not() {
    let mut world = World::new(counting(TEN_MINUTES, 2, |fact| at_least(fact, 2)));
    world.track(MINUTE, "product_view");
    assert!(world.track(29 * SECOND, "product_view").late);
    assert!(!world.shows(MINUTE, "hero"));
    assert!(!world.track(30 * SECOND, "product_view").late);
    assert!(world.shows(MINUTE, "hero"));
    // The one that came late leaves the window first.
    assert!(world.shows(10 * MINUTE + 30 * SECOND - 1, "hero"));
    assert!(!world.shows(10 * MINUTE + 30 * SECOND, "hero"));
}

#[test]
fn more_events_than_are_kept_leave_the_count_at_its_threshold_and_exact_later() {
    let mut world = World::new(counting(TEN_MINUTES, 3, |fact| Condition::Leaf(fact, Test::Range(1, 2))));
    for at in 0..10 {
        world.track(at * MINUTE / 2, "product_view");
    }
    assert!(!world.shows(5 * MINUTE, "hero"), "ten are in the window");
    // Views at 0, 30 s, ... 270 s: after 13:30 only those at 4:00 and 4:30 are left.
    assert!(!world.shows(13 * MINUTE + 30 * SECOND - 1, "hero"));
    assert!(world.shows(13 * MINUTE + 30 * SECOND, "hero"));
}

#[test]
fn a_session_count_begins_anew_with_the_session() {
    let mut world = World::new(counting(Window::Session, 2, |fact| at_least(fact, 1)));
    world.track(0, "product_view");
    world.track(29 * MINUTE, "other");
    assert!(world.shows(29 * MINUTE, "hero"));
    world.track(29 * MINUTE + 31 * MINUTE, "other");
    assert!(!world.shows(HOUR, "hero"));
}

#[test]
fn a_page_count_belongs_to_the_page_view_of_its_writer() {
    let mut world = World::new(counting(Window::Page, 2, |fact| at_least(fact, 1)));
    world.page(0, "/a");
    world.track(SECOND, "product_view");
    assert!(world.shows(SECOND, "hero"));
    let first = world.writer;
    world.writer = selvedge_core::id::WriterId::mint(1_800_000_060_000, 8);
    world.page(2 * SECOND, "/b");
    assert!(!world.shows(2 * SECOND, "hero"));
    world.writer = first;
    assert!(world.shows(3 * SECOND, "hero"), "the other tab is still on its page");
    world.page(4 * SECOND, "/c");
    assert!(!world.shows(4 * SECOND, "hero"));
}

#[test]
fn a_page_count_is_unknown_before_the_page_event() {
    let mut world = World::new(counting(Window::Page, 1, |fact| exactly(fact, 0)));
    world.track(0, "other");
    assert!(!world.shows(0, "hero"));
    world.page(SECOND, "/");
    assert!(world.shows(SECOND, "hero"));
}

#[test]
fn only_events_that_pass_the_filter_count() {
    let mut build = Build::new();
    let category = build.fact(FactSource::Property("category".into()), Shape::OneOf(vec!["shoes".into()]));
    let price = build.fact(FactSource::Property("item.price".into()), Shape::Number);
    let filter = Condition::And(vec![
        Condition::Leaf(category, Test::Mask(1 << 2)),
        Condition::Leaf(price, Test::Range(20_000_001, i64::MAX)),
    ]);
    let fact = build.count_where("product_view", &filter, TEN_MINUTES, 1);
    build.rule("r", "hero", Some(at_least(fact, 1)));
    let mut world = World::new(build.program());
    let item = |price| selvedge_core::value::Value::Object(map([("price", int(price))]));
    for (properties, counts) in [
        (map([("category", text("hats")), ("item", item(30))]), false),
        (map([("category", text("shoes")), ("item", item(20))]), false),
        (map([("category", text("shoes"))]), false),
        (map([("category", text("shoes")), ("item.price", int(21))]), true),
        (map([("category", text("shoes")), ("item", item(21))]), true),
    ] {
        let mut world = World { program: world.program.clone(), ..World::new(Build::new().program()) };
        world.track_with(0, "product_view", properties.clone());
        assert_eq!(world.shows(0, "hero"), counts, "{properties:?}");
    }
    world.track_with(0, "add_to_cart", map([("category", text("shoes")), ("item", item(21))]));
    assert!(!world.shows(0, "hero"));
}

#[test]
fn a_stretch_without_the_purpose_leaves_the_window_unobserved() {
    let mut world = World::new(counting(TEN_MINUTES, 1, |fact| exactly(fact, 0)));
    world.track(0, "other");
    assert!(world.shows(0, "hero"));
    world.in_force = Purposes::NECESSARY.or(Purposes::ANALYTICS);
    world.track(MINUTE, "other");
    world.in_force = crate::world::all();
    assert!(!world.shows(MINUTE, "hero"), "nothing is known since consent was taken back");
    world.track(2 * MINUTE, "other");
    assert!(!world.shows(12 * MINUTE - 2, "hero"));
    assert!(world.shows(12 * MINUTE - 1, "hero"), "watched whole since two minutes");
}

#[test]
fn an_event_that_may_not_be_used_for_the_metric_does_not_count() {
    let mut world = World::new(counting(TEN_MINUTES, 1, |fact| at_least(fact, 1)));
    world.in_force = Purposes::NECESSARY.or(Purposes::ANALYTICS);
    world.track(0, "product_view");
    world.in_force = crate::world::all();
    assert!(!world.shows(0, "hero"));
    world.track(SECOND, "product_view");
    assert!(world.shows(SECOND, "hero"));
}

#[test]
fn a_threshold_that_grows_makes_a_full_count_a_lower_bound() {
    let mut world = World::new(counting(Window::Sliding(604_800_000), 2, |fact| at_least(fact, 2)));
    (0..5).for_each(|at| {
        world.track(at * MINUTE, "product_view");
    });
    world.program =
        counting(Window::Sliding(604_800_000), 4, |fact| Condition::Leaf(fact, Test::Range(2, 3)));
    world.track(5 * MINUTE, "other");
    assert!(!world.shows(5 * MINUTE, "hero"), "two are kept, but there were more");
    let shows: Vec<bool> =
        [3 * MINUTE - 1, 3 * MINUTE].map(|late| world.shows(7 * DAY + late, "hero")).into();
    assert_eq!(shows, [true, false], "after the last that was dropped is out, the two that are left are all");
}

#[test]
fn the_newest_event_is_now_even_where_the_question_is_older() {
    let mut world = World::new(counting(TEN_MINUTES, 1, |fact| at_least(fact, 1)));
    world.track(MINUTE, "product_view");
    assert!(world.shows(0, "hero"));
    assert_eq!(world.state.last_time_ms, Some(START + MINUTE));
}
