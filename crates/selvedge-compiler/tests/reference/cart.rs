//! The cart: what was put in, taken out and bought, in the order of arrival.

use super::history::{Happened, Values, value};
use super::kleene::Seen;
use super::reading::Reading;
use super::site::Literal;
use selvedge_core::consent::Purposes;

const MICRO: i64 = 1_000_000;

/// So many of a thing, and what they cost: an amount for a number of them.
struct Thing<'a> {
    sku: Option<&'a Literal>,
    quantity: i64,
    price: Option<(i64, i64)>,
}

#[derive(Default)]
struct Cart<'a> {
    things: Vec<Thing<'a>>,
    /// Something may have gone unseen since it was emptied.
    is_unsure: bool,
    emptied_ms: Option<i64>,
    last_sku: Option<&'a Literal>,
    /// What was put in last may not be `last_sku`.
    is_last_unsure: bool,
}

impl<'a> Cart<'a> {
    fn empty(&mut self, time_ms: i64) {
        *self = Self { emptied_ms: self.emptied_ms.max(Some(time_ms)), ..Self::default() };
    }

    fn put(&mut self, item: &'a Values, is_foreign: bool) {
        let (sku, quantity) = (value(item, "sku"), quantity(item).unwrap_or(1));
        if quantity == 0 {
            return;
        }
        let amount = |name| value(item, name).and_then(Literal::number);
        let of_all = amount("value").map(|amount| (amount, quantity));
        let price = amount("price").map(|amount| (amount, 1)).or(of_all);
        let before = self.things.iter().position(|thing| thing.sku == sku);
        let before = before.map(|at| self.things.remove(at));
        let (had, had_price) = before.map_or((0, None), |thing| (thing.quantity, thing.price));
        // The newest price counts; of one in another currency nothing is known.
        let price = if price.is_some() && is_foreign { None } else { price.or(had_price) };
        self.things.push(Thing { sku, quantity: quantity + had, price });
        (self.last_sku, self.is_last_unsure) = (sku, false);
    }

    fn take_out(&mut self, item: &'a Values) {
        let sku = value(item, "sku");
        let Some(at) = self.things.iter().position(|thing| thing.sku == sku) else { return };
        let left = self.things[at].quantity - quantity(item).unwrap_or(i64::MAX);
        self.things[at].quantity = left;
        if left > 0 {
            return;
        }
        self.things.remove(at);
        if self.things.is_empty() {
            (self.last_sku, self.is_last_unsure) = (None, false);
        } else if self.last_sku == sku && sku.is_some() {
            self.is_last_unsure = true;
        }
    }

    fn step(&mut self, event: &'a Happened) {
        match event.name {
            "purchase" | "cart_emptied" => return self.empty(event.time_ms),
            "add_to_cart" | "remove_from_cart" => {}
            _ => return,
        }
        // What happened before it was emptied was emptied too.
        if self.emptied_ms.is_some_and(|emptied_ms| event.time_ms < emptied_ms) {
            return;
        }
        let own = std::slice::from_ref(&event.properties);
        let items = match value(&event.properties, "items") {
            Some(Literal::Things(things)) => things,
            _ => own,
        };
        for item in items {
            match event.name {
                "add_to_cart" => self.put(item, event.is_foreign()),
                _ => self.take_out(item),
            }
        }
    }
}

fn quantity(item: &Values) -> Option<i64> {
    value(item, "quantity").and_then(Literal::number).map(|micro| micro / MICRO)
}

impl Reading<'_> {
    fn cart(&self) -> Cart<'_> {
        let mut cart = Cart::default();
        let mut was_granted = true;
        for (_, event) in &self.applied {
            let is_granted = self.knows_all || event.in_force.holds(Purposes::PERSONALIZATION);
            if !is_granted || !was_granted {
                (cart.is_unsure, cart.is_last_unsure) = (true, true);
            }
            was_granted = is_granted;
            if self.usable(event).holds(Purposes::PERSONALIZATION) {
                cart.step(event);
            }
        }
        cart
    }

    pub(super) fn of_cart(&self, name: &str) -> Seen {
        let cart = self.cart();
        let is_sure = self.is_observed() && !cart.is_unsure;
        match name {
            "cart.last_sku" if self.is_observed() && !cart.is_last_unsure => match cart.last_sku {
                None if cart.is_unsure => Seen::Unobserved,
                sku => Seen::of(sku),
            },
            "cart.items" if is_sure => {
                let items = cart.things.iter().map(|thing| thing.quantity).sum::<i64>();
                Seen::exact(items * MICRO)
            }
            "cart.value" if is_sure => {
                let worth = |thing: &Thing| {
                    thing.price.map_or(0, |(amount, number)| amount * thing.quantity / number)
                };
                let low = cart.things.iter().map(worth).sum();
                let is_whole = cart.things.iter().all(|thing| thing.price.is_some());
                Seen::Number(low, if is_whole { low } else { i64::MAX })
            }
            _ => Seen::Unobserved,
        }
    }
}
