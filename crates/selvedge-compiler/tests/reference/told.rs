//! A history as the engine is told it.

use super::history::{Happened, Values};
use super::site::Literal;
use selvedge_core::event::{Event, EventType};
use selvedge_core::id::Sequence;
use selvedge_core::number::Number;
use selvedge_core::value::{Map, Value};

fn value(literal: &Literal) -> Value {
    match literal {
        Literal::Text(text) => Value::Text((*text).to_owned()),
        Literal::Bool(flag) => Value::Bool(*flag),
        Literal::Duration(_) => panic!("no property is a duration"),
        Literal::Things(things) => {
            Value::List(things.iter().map(|thing| Value::Object(map(thing))).collect())
        }
        Literal::Number(micro) | Literal::Money(micro) => {
            let text = format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000);
            let double: f64 = text.parse().expect("a number");
            Value::Number(Number::Double(double.to_bits()))
        }
    }
}

pub fn map(values: &Values) -> Map {
    values.iter().map(|(name, literal)| ((*name).to_owned(), value(literal))).collect()
}

/// The event at a place of the history.
pub fn event(happened: &Happened, at: usize) -> Event {
    let known = EventType::ALL.into_iter().find(|known| known.as_str() == happened.name);
    Event {
        sequence: Sequence::new(u32::try_from(at + 1).unwrap()).expect("small"),
        event_type: known.unwrap_or(EventType::Track),
        name: happened.name.to_owned(),
        time_ms: happened.time_ms.unsigned_abs(),
        consent: 0,
        properties: map(&happened.properties),
        context: map(&happened.context),
    }
}
