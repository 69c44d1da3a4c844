//! The cart, kept from the events of a shop: what is put in, taken out, and bought.

use super::facts::{NOTHING, Seen, UNOBSERVED, is_foreign, property, see_stored};
use super::kept::cut;
use super::known::Known;
use super::moment::Moment;
use crate::event::Event;
use crate::hash::fnv1a_64;
use crate::limits::CART_LINES_MAX;
use crate::number::{MICRO, Micro};
use crate::value::{Map, Value};
use crate::wire::program::{Builtin, CartRow, Image, kind};
use crate::wire::state::{CartCell, CartLine, Stored};

/// The names that a property may have, the first that is there counts.
const SKU: [&str; 3] = ["sku", "item_id", "product_id"];
const LISTS: [&str; 2] = ["items", "products"];
/// Of an amount.
const HUNDREDTH: i64 = MICRO / 100;

/// A cart in which nothing ever was; of a visitor from before the cart was kept, unknown.
pub(super) const fn blank(is_known: bool) -> CartCell {
    CartCell { is_known, emptied_ms: None, lines: alloc::vec::Vec::new(), last_sku: Stored::Missing }
}

/// For a while nothing of the cart was seen.
pub(super) fn miss(cart: &mut CartCell) {
    cart.is_known = false;
    cart.last_sku = Stored::Unobserved;
}

/// Steps the cart by an event of a shop: by each item of its list, or by its own properties where it has none.
pub(super) fn take(image: &Image, row: CartRow, cart: &mut CartCell, event: &Event, moment: &Moment) {
    let time_ms = moment.now_ms;
    if row.does() == kind::CART_EMPTIES {
        *cart = CartCell { emptied_ms: cart.emptied_ms.max(Some(time_ms)), ..blank(true) };
        return;
    }
    // What happened before it was emptied was emptied too.
    if cart.emptied_ms.is_some_and(|emptied_ms| time_ms < emptied_ms) {
        return;
    }
    let is_own = !is_foreign(image.text(row.currency()), &event.properties, moment.orders);
    match LISTS.iter().find_map(|name| event.properties.get(name)) {
        Some(Value::List(items)) => {
            for item in items {
                if let Value::Object(item) = item {
                    step(row, cart, item, is_own);
                }
            }
        }
        _ => step(row, cart, &event.properties, is_own),
    }
}

fn step(row: CartRow, cart: &mut CartCell, item: &Map, is_own: bool) {
    let sku = SKU.iter().find_map(|name| item.text(name)).unwrap_or_default();
    let hash = fnv1a_64(sku.as_bytes());
    let quantity = micro_of(item, "quantity").map(|micro| u32::try_from(micro / MICRO).unwrap_or(0));
    let at = cart.lines.iter().position(|line| line.sku == hash);
    if row.does() == kind::CART_ADDS {
        let quantity = quantity.unwrap_or(1);
        if quantity == 0 {
            return;
        }
        let price = unit_price(item, quantity).filter(|price| *price >= 0);
        add(cart, at, CartLine { sku: hash, quantity, price }, is_own);
        cart.last_sku = if sku.is_empty() { Stored::Missing } else { Stored::Text(cut(sku)) };
    } else if let Some(at) = at {
        remove(cart, at, quantity);
        if cart.lines.is_empty() {
            cart.last_sku = Stored::Missing;
        } else if !cart.lines.iter().any(|line| line.sku == hash) && is_last(cart, sku) {
            cart.last_sku = Stored::Unobserved;
        }
    }
}

fn micro_of(item: &Map, name: &str) -> Option<i64> {
    match property(item, name)? {
        Value::Number(number) => number.micro().map(|Micro(micro)| micro),
        _ => None,
    }
}

/// `price` is that of one, `value` that of all.
fn unit_price(item: &Map, quantity: u32) -> Option<i64> {
    let of_all = || micro_of(item, "value")?.checked_div(quantity.into());
    micro_of(item, "price").or_else(of_all)
}

/// What was put in again stands behind all others, at its newest price. That is not known where it is in another currency.
fn add(cart: &mut CartCell, at: Option<usize>, mut added: CartLine, is_own: bool) {
    let is_said = added.price.is_some();
    added.price = added.price.filter(|_| is_own);
    if let Some(at) = at {
        let before = cart.lines.remove(at);
        added.quantity = added.quantity.saturating_add(before.quantity);
        added.price = if is_said { added.price } else { before.price };
    }
    if cart.lines.len() >= CART_LINES_MAX {
        cart.lines.remove(0);
        cart.is_known = false;
    }
    cart.lines.push(added);
}

/// Takes so many out; all of them where it is not said.
fn remove(cart: &mut CartCell, at: usize, quantity: Option<u32>) {
    let Some(line) = cart.lines.get_mut(at) else { return };
    line.quantity = line.quantity.saturating_sub(quantity.unwrap_or(u32::MAX));
    if line.quantity == 0 {
        cart.lines.remove(at);
    }
}

fn is_last(cart: &CartCell, sku: &str) -> bool {
    matches!(&cart.last_sku, Stored::Text(last) if *last == cut(sku))
}

/// What all of a thing cost. A price that was divided among them comes back whole: three for 10 EUR are 10 EUR.
fn worth(line: &CartLine) -> i64 {
    let quantity = i64::from(line.quantity);
    let worth = line.price.unwrap_or(0).saturating_mul(quantity);
    let lacks = worth.wrapping_neg().rem_euclid(HUNDREDTH);
    if lacks < quantity { worth.saturating_add(lacks) } else { worth }
}

/// What is known of a fact of the cart. Its value is at least what is known to be in it where a price is not known.
pub(super) fn seen(cart: &CartCell, builtin: Builtin) -> Seen<'_> {
    match builtin {
        Builtin::CartLastSku => match &cart.last_sku {
            Stored::Missing if !cart.is_known => UNOBSERVED,
            Stored::Missing => NOTHING,
            sku => see_stored(sku),
        },
        _ if !cart.is_known => UNOBSERVED,
        Builtin::CartItems => {
            let items =
                cart.lines.iter().fold(0i64, |items, line| items.saturating_add(line.quantity.into()));
            Seen::Known(Known::exact(items.saturating_mul(MICRO)))
        }
        _ => {
            let low = cart.lines.iter().fold(0i64, |value, line| value.saturating_add(worth(line)));
            let is_whole = cart.lines.iter().all(|line| line.price.is_some());
            Seen::Known(Known { low, high: if is_whole { low } else { i64::MAX } })
        }
    }
}
