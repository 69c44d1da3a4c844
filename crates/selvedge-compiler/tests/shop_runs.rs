//! The shop's rules, run: what a marketer reads in rules.yaml is what a visitor sees.

mod common;

use common::{compiled, site_folder};
use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType};
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::number::Number;
use selvedge_core::rules::{Moment, Orders, Place, Program, decide, lease, step};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::state::VisitorState;
use std::collections::BTreeMap;

const START_MS: u64 = 1_780_000_000_000;

/// A visitor at the edge of the shop.
struct Visit {
    program: Program,
    state: VisitorState,
    context: Map,
    now_ms: u64,
    sequence: u32,
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn map(entries: &[(&str, Value)]) -> Map {
    entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

impl Visit {
    fn new(context: &[(&str, Value)]) -> Self {
        let program = Program::load(&compiled(&site_folder("examples/shop")).full_bytes).expect("loads");
        let state = VisitorState::new(i64::try_from(START_MS).unwrap());
        Self { program, state, context: map(context), now_ms: START_MS, sequence: 0 }
    }

    /// One event, ten seconds after the one before; gives what each slot shows, by content.
    fn event(&mut self, name: &str, properties: &[(&str, Value)]) -> BTreeMap<String, String> {
        self.now_ms += 10_000;
        self.sequence += 1;
        let known = EventType::ALL.into_iter().find(|known| known.as_str() == name);
        let event = Event {
            sequence: Sequence::new(self.sequence).expect("small"),
            event_type: known.unwrap_or(EventType::Track),
            name: name.to_owned(),
            time_ms: self.now_ms,
            consent: 0,
            properties: map(properties),
            context: Map::new(),
        };
        let granted = Purposes::NECESSARY.or(Purposes::ANALYTICS).or(Purposes::PERSONALIZATION);
        let now_ms = i64::try_from(self.now_ms).unwrap();
        let moment = Moment {
            writer: WriterId::mint(START_MS, 7),
            context: &self.context,
            now_ms,
            in_force: granted,
            place: Place::Edge,
            trust: Trust::Client,
            account: None,
            visitor: VisitorId([7; 16]),
            orders: Orders::default(),
        };
        let usable = self.program.parts().plan.event(name).expect("in the plan").purposes.and(granted);
        let stepped = step(&self.program, &mut self.state, &event, usable, &moment);
        assert!(!stepped.late);
        lease(&self.program, &mut self.state, now_ms, &[]);
        let decisions = decide(&self.program, &mut self.state, &moment);
        let parts = self.program.parts();
        let shown = decisions.iter().filter_map(|decision| {
            let slot = parts.slots[usize::from(decision.slot)].name.clone();
            Some((slot, parts.contents[usize::from(decision.content?)].id.clone()))
        });
        shown.collect()
    }

    fn look_at(&mut self, category: &str) -> BTreeMap<String, String> {
        self.event("product_view", &[("sku", text("NG-1")), ("category", text(category))])
    }
}

#[test]
fn two_shoes_from_a_paid_campaign_ship_free() {
    let mut visit = Visit::new(&[("utm.medium", text("cpc"))]);
    assert_eq!(visit.event("page", &[("path", text("/"))])["hero"], "hero_collection");
    assert_eq!(visit.look_at("shoes")["hero"], "hero_collection");
    assert_eq!(visit.look_at("jackets")["hero"], "hero_collection");
    assert_eq!(visit.look_at("shoes")["hero"], "free_shipping_banner");
}

#[test]
fn without_the_campaign_or_with_something_in_the_cart_they_do_not() {
    let mut visit = Visit::new(&[("utm.medium", text("email"))]);
    visit.event("page", &[("path", text("/"))]);
    visit.look_at("shoes");
    assert_eq!(visit.look_at("shoes")["hero"], "hero_collection");
    let mut visit = Visit::new(&[("utm.medium", text("cpc"))]);
    visit.event("page", &[("path", text("/"))]);
    visit.event("add_to_cart", &[("sku", text("NG-1"))]);
    visit.look_at("shoes");
    assert_eq!(visit.look_at("shoes")["hero"], "hero_collection");
}

#[test]
fn only_dear_jackets_count_for_the_shell_hero_and_never_while_help_is_open() {
    let look = |visit: &mut Visit, value: i64| {
        let value = Value::Number(Number::Int(value));
        visit.event("product_view", &[("sku", text("NG-2")), ("category", text("jackets")), ("value", value)])
    };
    let mut visit = Visit::new(&[]);
    visit.event("page", &[("path", text("/"))]);
    look(&mut visit, 149);
    look(&mut visit, 150);
    assert_eq!(look(&mut visit, 149)["hero"], "hero_collection");
    visit.event("support_chat", &[]);
    assert_eq!(look(&mut visit, 200)["hero"], "hero_collection");
    visit.event("purchase", &[]);
    assert_eq!(look(&mut visit, 90)["hero"], "shell_jackets_hero");
}

#[test]
fn the_country_decides_at_the_edge() {
    let mut visit = Visit::new(&[("geo.country", text("CH"))]);
    assert_eq!(visit.event("page", &[("path", text("/"))])["banner"], "alpine_delivery_banner");
    let mut visit = Visit::new(&[("geo.country", text("SE"))]);
    assert_eq!(visit.event("page", &[("path", text("/"))])["banner"], "banner_sixty_days");
}

#[test]
fn a_cart_waits_everywhere_but_in_the_checkout() {
    let mut visit = Visit::new(&[]);
    visit.event("page", &[("path", text("/c/shoes"))]);
    assert_eq!(visit.event("add_to_cart", &[])["banner"], "cart_is_waiting_banner");
    assert_eq!(visit.event("page", &[("path", text("/checkout/payment"))])["banner"], "banner_sixty_days");
    assert_eq!(visit.event("payment_error", &[])["banner"], "payment_help_banner");
}

#[test]
fn a_search_that_finds_nothing_twice_gets_help() {
    let mut visit = Visit::new(&[]);
    visit.event("page", &[("path", text("/search"))]);
    let search = [("query", text("kayak")), ("results", Value::Number(Number::Int(0)))];
    assert_eq!(visit.event("search", &search)["inbox"], "inbox_empty");
    assert_eq!(visit.event("search", &search)["inbox"], "no_results_inbox");
}

#[test]
fn who_is_golden_sees_gold() {
    let mut visit = Visit::new(&[]);
    visit.event("page", &[("path", text("/"))]);
    assert_eq!(visit.event("account_page", &[])["hero"], "hero_collection");
    let traits = [("loyalty_tier", text("gold"))];
    assert_eq!(visit.event("identify", &traits)["hero"], "gold_hero");
}
