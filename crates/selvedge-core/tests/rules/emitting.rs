//! Messages to destinations: who enters, who leaves, how often.

use crate::build::{Build, HOUR, MINUTE, at_least, exactly};
use crate::world::World;
use selvedge_core::consent::Purposes;
use selvedge_core::id::VisitorId;
use selvedge_core::rules::{
    Emitted, Moment, Orders, Program, Recall, bucket, decide, decide_again, emit, wake,
};
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::SequenceKind::ThenNo;
use selvedge_core::wire::program::{
    Emit, Experiment, Hold, OncePer, Parts, Timing, Trial, Trigger, Unit, Variant, Window,
};

const BLANK: Emit =
    Emit { to: String::new(), enter: String::new(), exit_when: None, fields: Vec::new(), once_per: None };

/// A rule without a slot that sends a message while two or more were counted in the session.
fn adds(change: impl FnOnce(&mut Build) -> Emit) -> World {
    let mut build = Build::new();
    let fact = build.count("add", Window::Session, 2);
    let emit = change(&mut build);
    let rule = build.rule("tell", "hero", Some(at_least(fact, 2)));
    (rule.slot, rule.content) = (u16::MAX, u16::MAX);
    rule.in_page = false;
    rule.emit = Some(emit);
    World::new(build.program())
}

impl World {
    /// What is told at that moment; whether each is an exit.
    fn told(&mut self, at_ms: i64) -> Vec<bool> {
        let context = self.context.clone();
        let moment =
            Moment { context: &context, account: None, orders: Orders::default(), ..self.moment(at_ms) };
        let mut told: Vec<Emitted> = Vec::new();
        while let Some(due_ms) = wake(&self.program, &mut self.state, &moment) {
            let moment = Moment { now_ms: due_ms, ..moment };
            told.extend(self.emits(&moment));
        }
        told.extend(self.emits(&moment));
        told.into_iter().map(|told| told.is_exit).collect()
    }

    /// What is told, and what is decided behind it, with what both remember: of the facts nothing else is found than anew.
    fn emits(&mut self, moment: &Moment) -> Vec<Emitted> {
        if self.recalled != self.program.bytes() {
            self.recalled = self.program.bytes().to_vec();
            self.recall = Recall::default();
        }
        let (mut state, mut anew) = (self.state.clone(), Recall::default());
        let expected = emit(&self.program, &mut state, moment, &mut anew);
        let decided = decide(&self.program, &mut state, moment);
        let told = emit(&self.program, &mut self.state, moment, &mut self.recall);
        assert_eq!(told, expected);
        assert_eq!(decide_again(&self.program, &mut self.state, moment, &mut self.recall), decided);
        told
    }

    fn tells(&mut self, at_ms: i64, name: &str) -> Vec<bool> {
        let mut told = self.told(at_ms - 1);
        self.track(at_ms, name);
        told.extend(self.told(at_ms));
        told
    }
}

#[test]
fn a_member_enters_once_as_long_as_it_lasts() {
    let mut world = adds(|_| BLANK);
    assert_eq!(world.tells(0, "add"), []);
    assert_eq!(world.tells(1_000, "add"), [false]);
    assert_eq!(world.tells(2_000, "add"), []);
    assert_eq!(world.tells(2 * HOUR, "view"), [], "the session ended, and nothing says when a member leaves");
    assert_eq!(world.tells(2 * HOUR + 1_000, "add"), []);
    assert_eq!(world.tells(2 * HOUR + 2_000, "add"), [false], "a new time");
}

#[test]
fn a_member_leaves_when_its_exit_is_true_and_not_before() {
    let mut world = adds(|build| {
        let bought = build.count("buy", Window::Sliding(3_600_000), 1);
        let exit = build.code(&at_least(bought, 1));
        Emit { exit_when: Some(exit), ..BLANK }
    });
    world.tells(0, "add");
    assert_eq!(world.tells(1_000, "add"), [false]);
    assert_eq!(world.tells(2 * HOUR, "view"), [], "the condition is false, and the member stays");
    assert_eq!(world.tells(2 * HOUR + 1_000, "buy"), [true]);
    assert_eq!(world.tells(2 * HOUR + 2_000, "add"), []);
    assert_eq!(world.tells(2 * HOUR + 3_000, "add"), [], "who would leave at once does not enter");
}

#[test]
fn a_message_is_sent_once_per_stretch() {
    for (once_per, later_ms, expected) in [
        (None, 2 * HOUR, vec![false]),
        (Some(OncePer::Time(10_800_000)), 2 * HOUR, vec![]),
        (Some(OncePer::Time(3_600_000)), 2 * HOUR, vec![false]),
        (Some(OncePer::Session), 2 * HOUR, vec![false]),
        (Some(OncePer::Visitor), 2 * HOUR, vec![]),
    ] {
        let mut world = adds(|_| Emit { once_per, ..BLANK });
        world.tells(0, "add");
        assert_eq!(world.tells(1_000, "add"), [false]);
        world.tells(later_ms, "add");
        assert_eq!(world.tells(later_ms + 2_000, "add"), expected, "{once_per:?}");
    }
}

#[test]
fn a_triggered_message_is_sent_at_each_trigger() {
    let mut parts = Parts::decode(adds(|_| BLANK).program.bytes()).unwrap();
    let trigger = Trigger { events: vec!["view".into()], session_end: false };
    parts.rules[0].timing = Timing { trigger: Some(trigger), after_ms: 0 };
    let mut world = World::new(Program::load(&parts.encode()).unwrap());
    world.tells(0, "add");
    assert_eq!(world.tells(1_000, "add"), [], "this is no trigger");
    assert_eq!(world.tells(2_000, "view"), [false]);
    assert_eq!(world.tells(3_000, "add"), []);
    assert_eq!(world.tells(4_000, "view"), [false]);
}

#[test]
fn a_trigger_at_a_visitors_birth_is_told() {
    let mut build = Build::new();
    let rule = build.rule("remind", "hero", None);
    let trigger = Trigger { events: vec!["view".into()], session_end: false };
    rule.timing = Timing { trigger: Some(trigger), after_ms: 0 };
    rule.emit = Some(BLANK);
    assert_eq!(World::new(build.program()).tells(0, "view"), [false]);
}

#[test]
fn a_message_is_sent_once_where_its_rule_waits_for_its_slot() {
    let mut build = Build::new();
    let rule = build.rule("stands", "hero", None);
    (rule.priority, rule.hold) = (1, Hold::Session);
    let rule = build.rule("remind", "hero", None);
    let trigger = Trigger { events: vec!["view".into()], session_end: false };
    rule.timing = Timing { trigger: Some(trigger), after_ms: 60_000 };
    rule.emit = Some(BLANK);
    let mut world = World::new(build.program());
    assert_eq!(world.tells(0, "view"), []);
    assert_eq!(world.tells(60_000, "add"), [false]);
    assert_eq!(world.why(60_000, "remind"), Reason::LowerPriority);
    assert_eq!(world.tells(70_000, "add"), []);
    assert_eq!(world.tells(80_000, "view"), []);
    assert_eq!(world.tells(140_000, "add"), [false], "it was triggered again");
}

#[test]
fn without_its_purpose_nothing_is_told() {
    let mut world = adds(|_| BLANK);
    world.tells(0, "add");
    world.track(1_000, "add");
    world.in_force = Purposes::ANALYTICS;
    assert_eq!(world.told(1_000), []);
}

#[test]
fn an_abandoned_cart_is_told_when_its_time_is_over() {
    let mut build = Build::new();
    let fact = build.sequence(ThenNo, &["add"], [Some("buy"), None], 8 * MINUTE);
    let rule = build.rule("remind", "hero", Some(exactly(fact, 1)));
    rule.emit = Some(Emit { fields: vec![("abandoned".into(), fact)], ..BLANK });
    let mut world = World::new(build.program());
    assert_eq!(world.tells(0, "add"), []);
    assert_eq!(world.told(8 * MINUTE - 1), []);
    assert_eq!(world.told(HOUR), [false]);
    assert_eq!(world.told(2 * HOUR), []);
    assert_eq!(world.tells(3 * HOUR, "add"), [], "not true any more, a new time begins");
    assert_eq!(world.told(4 * HOUR), [false]);
}

#[test]
fn a_control_is_not_told_of_and_stays_one() {
    let variant = |name: &str, end| Variant { name: name.into(), end };
    let mut build = Build::new();
    build.parts.deciding.experiments.push(Experiment {
        name: "mail".into(),
        salt: "mail".into(),
        unit: Unit::Visitor,
        traffic_salt: "mail/traffic".into(),
        traffic: (0, 10_000),
        variants: vec![variant("control", 5_000), variant("mailed", 10_000)],
    });
    let fact = build.count("add", Window::Session, 2);
    let rule = build.rule("tell", "hero", Some(at_least(fact, 2)));
    (rule.slot, rule.content) = (u16::MAX, u16::MAX);
    rule.in_page = false;
    rule.emit = Some(BLANK);
    rule.terms.trial = Some(Trial { experiment: 0, contents: vec![None, Some(0)] });
    let mut told = [0, 0];
    for number in 1..40u8 {
        let mut world = World::new(build.program());
        world.visitor = VisitorId([number; 16]);
        let is_control = bucket("mail", &world.visitor.to_string()) < 5_000;
        assert_eq!(world.tells(0, "add"), []);
        let expected: &[bool] = if is_control { &[] } else { &[false] };
        assert_eq!(world.tells(1_000, "add"), expected, "{number}");
        told[usize::from(is_control)] += 1;
        // Who was once in the control stays there, whatever the shares are.
        let mut other = build.clone();
        other.parts.deciding.experiments[0].variants[0].end = if is_control { 0 } else { 10_000 };
        world.program = other.program();
        let again = world.tells(2 * HOUR, "add");
        assert_eq!([again, world.tells(2 * HOUR + 1, "add")].concat(), expected, "{number}");
    }
    assert!(told.iter().all(|count| *count > 5), "{told:?}");
}
