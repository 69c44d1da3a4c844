//! Brokers that ask for a password, whichever way: the shipped machine shakes hands with a broker that reckons for itself. A wrong
//! password stops the destination, and the right one lets it go on, with nothing lost and nobody told.

use selvedge_client::{Capture, Input};
use selvedge_core::consent::Purposes;
use selvedge_core::event::EventType;
use selvedge_core::value::{Map, Value};
use selvedge_kafka::Mechanism;
use selvedge_sim::isolate::Registry;
use selvedge_sim::outbox;
use selvedge_sim::sites;
use selvedge_sim::world::World;

const MINUTE: u64 = 60 * 1_000;
const NAME: &str = "kafka";

/// A page with consent that looks at a product, and a while after.
fn look(world: &mut World<'_>, tab: usize) {
    let properties = [("sku".to_owned(), Value::Text("s".into()))].into_iter().collect();
    let (name, readings, time_ms) = ("product_view".to_owned(), Map::new(), world.now_ms);
    let event_type = EventType::Track;
    let capture = Capture { event_type, name, time_ms, properties, automatic: false, readings };
    world.tell(tab, Input::Capture(capture));
    world.run(world.now_ms + 10 * MINUTE);
    assert_eq!(world.violation, None);
}

fn got(world: &World<'_>) -> usize {
    world.got.get(&(0, NAME.to_owned())).map_or(0, |known| known.len())
}

fn is_paused(world: &World<'_>) -> bool {
    let states = world.shards.iter().filter_map(|shard| outbox::state(&shard.tables, NAME));
    states.into_iter().any(|state| state.paused.is_some())
}

#[test]
fn whichever_way_brokers_ask_a_wrong_password_stops_and_the_right_one_lets_go_on() {
    let files = sites::all().expect("the sites compile");
    for mechanism in [Mechanism::Plain, Mechanism::Scram256, Mechanism::Scram512] {
        let mut world = World::still(&files, "FR");
        world.dials.streams.named = ["k".to_owned(), "k".to_owned()];
        world.dials.streams.sasl = Some(mechanism);
        (world.dials.poison, world.dials.streams.gzip) = (0, false);
        world.registry = Registry::new(1, &world.dials);
        let tab = world.open_tab(0);
        let granted = Purposes::ANALYTICS.or(Purposes::PERSONALIZATION);
        world.tell(tab, Input::Consent { granted, denied: Purposes::NONE, random: [9; 19] });
        look(&mut world, tab);
        let before = got(&world);
        assert!(before > 0 && !is_paused(&world), "{mechanism:?}: {before}");
        let outside = world.outsides.get_mut(&(0, NAME.to_owned())).expect("it was sent to");
        outside.secret = 4_711;
        look(&mut world, tab);
        assert!(is_paused(&world), "{mechanism:?}: the broker takes another password now");
        assert_eq!(got(&world), before, "{mechanism:?}");
        world.secrets.insert((0, NAME.to_owned()), 4_711);
        look(&mut world, tab);
        assert!(!is_paused(&world) && got(&world) >= before + 2, "{mechanism:?}: {}", got(&world));
    }
}
