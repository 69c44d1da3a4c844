//! Amounts of other currencies, converted at the moment of their event by the rates that a table has then. In: the event.
//! Out: the event with all of its amounts in the site's currency. Only what rules read is converted: the log keeps what
//! was sent.

use crate::site::Site;
use alloc::borrow::Cow;
use alloc::vec::Vec;
use selvedge_core::event::Event;
use selvedge_core::tracking_plan::{PlanEvent, PropertyType};
use selvedge_core::value::{Map, Value};

/// An event as rules count it.
pub struct Counted<'a> {
    /// With its amounts in the site's currency, where they could be converted.
    pub event: Cow<'a, Event>,
    /// Whether they were.
    pub is_converted: bool,
}

/// The event at the rates of this moment; as it is, where its amounts are in the site's currency, or the rate is not known.
#[must_use]
pub fn counted<'a>(site: &Site, event: Cow<'a, Event>, now_ms: i64) -> Counted<'a> {
    match rate_of(site, &event, now_ms).and_then(|rate| changed(site, &event, Some(rate))) {
        Some(event) => Counted { event: Cow::Owned(event), is_converted: true },
        None => Counted { event, is_converted: false },
    }
}

/// Whether the amounts of an event are in another currency than the site's.
#[must_use]
pub fn is_foreign(site: &Site, event: &Event) -> bool {
    event.properties.text("currency").is_some_and(|currency| currency != site.program.parts().currency)
}

/// Whether the tracking plan calls this property of the event money.
#[must_use]
pub fn is_amount(site: &Site, event: &Event, path: &str) -> bool {
    let planned = site.program.parts().plan.find(event);
    planned.is_some_and(|planned| amounts(planned).any(|known| known == path))
}

fn rate_of(site: &Site, event: &Event, now_ms: i64) -> Option<i64> {
    let rates = site.config.rates.as_ref().filter(|_| is_foreign(site, event))?;
    let currency = event.properties.text("currency")?;
    site.program.rate((rates.table, rates.column), currency.as_bytes(), now_ms)
}

/// The properties of an event of another currency as a condition on its record reads them: with its amounts at the rates of
/// this moment, without them where those are not known. Nothing where its amounts are in the site's currency.
#[must_use]
pub fn readable(site: &Site, event: &Event, now_ms: i64) -> Option<Map> {
    if !is_foreign(site, event) {
        return None;
    }
    let rate = rate_of(site, event, now_ms);
    let found = rate.and_then(|rate| changed(site, event, Some(rate))).or_else(|| changed(site, event, None));
    found.map(|event| event.properties)
}

/// The amounts of items where no rates say which they are.
const ITEM_AMOUNTS: [&str; 2] = ["price", "value"];

/// The event with its amounts converted; `None` where one of them does not fit. Without a rate they are left out.
fn changed(site: &Site, event: &Event, rate: Option<i64>) -> Option<Event> {
    let mut items = Vec::from(ITEM_AMOUNTS);
    site.config.rates.iter().flat_map(|rates| &rates.items).for_each(|name| put(&mut items, name));
    let parts = site.program.parts();
    let mut event = event.clone();
    let planned = parts.plan.find(&event);
    let mut paths: Vec<&str> = planned.into_iter().flat_map(amounts).collect();
    if parts.cart.iter().any(|known| known.event == event.name) {
        ITEM_AMOUNTS.into_iter().for_each(|name| put(&mut paths, name));
    }
    for path in paths {
        change_at(&mut event.properties, path, rate)?;
    }
    for (_, value) in event.properties.iter_mut() {
        change_items(value, &items, rate)?;
    }
    Some(event)
}

/// Adds a name, once.
fn put<'a>(names: &mut Vec<&'a str>, name: &'a str) {
    if !names.contains(&name) {
        names.push(name);
    }
}

/// The properties that the tracking plan calls money.
fn amounts(planned: &PlanEvent) -> impl Iterator<Item = &str> {
    let money = planned.properties.iter().filter(|property| property.property_type == PropertyType::Money);
    money.map(|property| property.name.as_str())
}

fn change_items(value: &mut Value, names: &[&str], rate: Option<i64>) -> Option<()> {
    let Value::List(items) = value else { return Some(()) };
    for item in items {
        if let Value::Object(item) = item {
            names.iter().try_for_each(|name| change_at(item, name, rate))?;
        }
    }
    Some(())
}

/// Converts the amount at a path, if there is one, or leaves it out; dots reach into objects.
fn change_at(mut map: &mut Map, mut path: &str, rate: Option<i64>) -> Option<()> {
    while map.get(path).is_none() {
        let Some((name, rest)) = path.split_once('.') else { return Some(()) };
        let Some((_, Value::Object(inner))) = map.iter_mut().find(|(known, _)| *known == name) else {
            return Some(());
        };
        (map, path) = (inner, rest);
    }
    if let Some((_, value)) = map.iter_mut().find(|(known, _)| *known == path)
        && let Value::Number(number) = value
    {
        *value = match rate {
            Some(rate) => Value::Number(number.micro()?.at_rate(rate)?.number()),
            None => Value::Null,
        };
    }
    Some(())
}
