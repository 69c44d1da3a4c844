//! The page decides as the edge does: its state is the edge's public state with its own later events replayed on it.

use crate::build::{Build, Condition, at_least, exactly};
use crate::happenings::{Happening, happenings};
use crate::world::World;
use proptest::prelude::*;
use selvedge_core::rules::Place;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::{Builtin, Cap, Group, Hold, Test, Window};
use selvedge_core::wire::state::VisitorState;

/// What both know. The full program has a private metric and a rule of the edge besides, which stand in front.
fn program(is_full: bool) -> Build {
    let mut build = Build::new();
    if is_full {
        let secret = build.count("buy", Window::Sliding(3_600_000), 2);
        build.parts.metrics[0].private = true;
        build.rule("edge", "modal", Some(at_least(secret, 1))).in_page = false;
    }
    let views = build.count("view", Window::Sliding(600_000), 3);
    let adds = build.count("add", Window::Session, 2);
    let pages = build.count("page", Window::Page, 2);
    let medium = build.text(Builtin::UtmMedium, "cpc");
    let path = build.text(Builtin::PagePath, "/1");
    build.parts.groups.push(Group {
        name: "promotions".into(),
        max_per_page: Some(1),
        caps: vec![Cap { limit: 4, window: Window::Sliding(7_200_000) }],
    });
    let when = Condition::And(vec![at_least(views, 2), exactly(adds, 0)]);
    let rule = build.rule("r0", "hero", Some(when));
    rule.caps = vec![Cap { limit: 2, window: Window::Session }];
    rule.group = Some(0);
    rule.priority = 5;
    build.rule("r1", "hero", Some(Condition::Leaf(medium, Test::Mask(1 << 2)))).hold = Hold::Session;
    build.rule("r2", "banner", Some(Condition::Leaf(path, Test::Mask(1 << 2)))).group = Some(0);
    let rule = build.rule("r3", "inbox", Some(at_least(adds, 1)));
    rule.hold = Hold::Time(120_000);
    rule.caps = vec![Cap { limit: 1, window: Window::Page }];
    build.rule("r4", "banner", Some(exactly(pages, 1))).priority = -1;
    build
}

const SLOTS: [&str; 3] = ["banner", "hero", "inbox"];

fn run(world: &mut World, at_ms: i64, happening: &Happening) -> Vec<(Option<String>, Reason)> {
    world.in_force = happening.in_force;
    world.step(at_ms, &happening.event(at_ms));
    SLOTS.map(|slot| world.decide(at_ms, slot)).into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn replaying_later_events_on_the_public_state_decides_as_the_edge(before in happenings(20), mut after in happenings(15)) {
        let mut edge = World::new(program(true).program());
        let mut at_ms = 0;
        for happening in &before {
            at_ms += happening.after_ms;
            edge.writer = happening.writer();
            run(&mut edge, at_ms, happening);
        }
        let public = edge.state.public(&edge.program, edge.writer).encode();
        let mut page = World::new(program(false).program());
        page.state = VisitorState::decode(&public).unwrap();
        page.writer = edge.writer;
        page.place = Place::Page;
        (page.leases, edge.leases) = (false, false);
        for happening in &mut after {
            at_ms += happening.after_ms;
            happening.writer = before.last().unwrap().writer;
            let of_edge = run(&mut edge, at_ms, happening);
            let of_page = run(&mut page, at_ms, happening);
            prop_assert_eq!(of_page, of_edge);
        }
    }

    #[test]
    fn the_same_events_give_the_same_bytes(happenings in happenings(30)) {
        let mut once = World::new(program(true).program());
        let mut stored = World::new(program(true).program());
        let mut at_ms = 0;
        for happening in &happenings {
            at_ms += happening.after_ms;
            (once.writer, stored.writer) = (happening.writer(), happening.writer());
            // What was stored and read again goes on as what was kept.
            stored.state = VisitorState::decode(&stored.state.encode()).unwrap();
            let decided = run(&mut once, at_ms, happening);
            prop_assert_eq!(run(&mut stored, at_ms, happening), decided);
        }
        prop_assert_eq!(once.state.encode(), stored.state.encode());
    }
}
