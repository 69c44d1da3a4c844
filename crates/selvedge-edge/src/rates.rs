//! Amounts of other currencies, converted at the moment of their event by the rates that a table has then. In: the event.
//! Out: the event with all of its amounts in the site's currency. Only what rules read is converted: the log keeps what
//! was sent.

use crate::site::Site;
use alloc::borrow::Cow;
use alloc::string::String;
use selvedge_core::event::Event;
use selvedge_core::number::Micro;
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
    match rate_of(site, &event, now_ms).and_then(|rate| converted(site, &event, rate)) {
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

/// The event with its amounts converted; `None` where one of them does not fit.
fn converted(site: &Site, event: &Event, rate: i64) -> Option<Event> {
    let items = site.config.rates.as_ref().map(|rates| rates.items.as_slice()).unwrap_or_default();
    let parts = site.program.parts();
    let mut event = event.clone();
    if let Some(planned) = parts.plan.find(&event) {
        for path in amounts(planned) {
            convert_at(&mut event.properties, path, rate)?;
        }
    }
    if parts.cart.iter().any(|known| known.event == event.name) {
        let planned = parts.plan.find(&event);
        let is_left = |name: &&str| planned.is_none_or(|planned| amounts(planned).all(|path| path != *name));
        for name in ["price", "value"].iter().copied().filter(|name| is_left(name)) {
            convert_at(&mut event.properties, name, rate)?;
        }
    }
    for (_, value) in event.properties.iter_mut() {
        convert_items(value, items, rate)?;
    }
    Some(event)
}

/// The properties that the tracking plan calls money.
fn amounts(planned: &PlanEvent) -> impl Iterator<Item = &str> {
    let money = planned.properties.iter().filter(|property| property.property_type == PropertyType::Money);
    money.map(|property| property.name.as_str())
}

fn convert_items(value: &mut Value, names: &[String], rate: i64) -> Option<()> {
    let Value::List(items) = value else { return Some(()) };
    for item in items {
        if let Value::Object(item) = item {
            names.iter().try_for_each(|name| convert_at(item, name, rate))?;
        }
    }
    Some(())
}

/// Converts the amount at a path, if there is one; dots reach into objects.
fn convert_at(mut map: &mut Map, mut path: &str, rate: i64) -> Option<()> {
    while map.get(path).is_none() {
        let Some((name, rest)) = path.split_once('.') else { return Some(()) };
        let Some((_, Value::Object(inner))) = map.iter_mut().find(|(known, _)| *known == name) else {
            return Some(());
        };
        (map, path) = (inner, rest);
    }
    if let Some((_, Value::Number(number))) = map.iter_mut().find(|(known, _)| *known == path) {
        let Micro(micro) = number.micro()?.at_rate(rate)?;
        *number = Micro(micro).number();
    }
    Some(())
}
