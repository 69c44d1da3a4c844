//! What is known of the cart, where a shop's events say little, say it twice, or were not seen.

mod common;

use common::visit::{Visit, int, text};
use common::with_condition;
use selvedge_core::consent::Purposes;

/// The plan knows `purchase` too, before these.
const PLAN: &str = "  cart_emptied:
    purposes: [analytics, personalization]
  remove_from_cart:
    purposes: [analytics, personalization]
";

fn visit(condition: &str) -> Visit {
    let mut files = with_condition("", condition);
    let plan = format!("{}{PLAN}", files["tracking-plan.yaml"]);
    files.insert("tracking-plan.yaml".to_owned(), plan);
    Visit::new(&files)
}

#[test]
fn none_of_a_thing_is_not_what_was_put_in_last() {
    let mut visit = visit("cart.last_sku = \"tent\"");
    visit.event("add_to_cart", &[("sku", text("tent"))]);
    visit.event("add_to_cart", &[("sku", text("stove")), ("quantity", int(0))]);
    assert!(visit.shows());
}

#[test]
fn three_for_ten_euros_are_ten_euros() {
    let mut visit = visit("cart.value = 10 EUR");
    visit.event("add_to_cart", &[("sku", text("tent")), ("quantity", int(3)), ("value", int(10))]);
    assert!(visit.shows());
    visit.event("remove_from_cart", &[("sku", text("tent")), ("quantity", int(1))]);
    assert_eq!(visit.truth(), Some(false));
}

#[test]
fn what_is_put_in_again_at_a_price_in_another_currency_has_no_known_price() {
    let mut visit = visit("cart.value = 20 EUR");
    let ten = [("sku", text("tent")), ("price", int(10))];
    visit.event("add_to_cart", &ten);
    let mut abroad = ten.to_vec();
    abroad.push(("currency", text("USD")));
    visit.event("add_to_cart", &abroad);
    assert_eq!(visit.truth(), None);
    visit.event("add_to_cart", &ten);
    assert_eq!(visit.truth(), Some(false), "three of them at ten");
}

fn look_away(visit: &mut Visit) {
    let before = visit.in_force;
    visit.in_force = Purposes::NECESSARY.or(Purposes::ANALYTICS);
    visit.event("page", &[]);
    visit.in_force = before;
}

#[test]
fn a_purchase_right_after_a_gap_empties_the_cart() {
    for emptied_by in ["purchase", "cart_emptied"] {
        let mut visit = visit("cart.items = 0");
        look_away(&mut visit);
        visit.event(emptied_by, &[]);
        assert_eq!(visit.truth(), Some(true), "{emptied_by}");
    }
}

#[test]
fn what_was_put_in_last_is_not_known_after_a_gap() {
    let mut visit = visit("cart.last_sku = \"tent\"");
    visit.event("add_to_cart", &[("sku", text("tent"))]);
    look_away(&mut visit);
    visit.event("page", &[]);
    assert_eq!(visit.truth(), None);
    visit.event("add_to_cart", &[("sku", text("tent"))]);
    assert_eq!(visit.truth(), Some(true));
}
