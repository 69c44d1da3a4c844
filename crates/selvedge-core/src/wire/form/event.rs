//! One event.

use super::fault_of;
use super::map::{Bounds, MapForm, MapSeed, NameForm, NameSeed, WIRE_SIZES};
use crate::event::{Event, EventType};
use crate::id::Sequence;
use crate::wire::codec::WireFault;
use crate::wire::names::Names;
use core::fmt;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// An event as it is written in a batch or row that left at `sent_at_ms`.
pub(in crate::wire) struct EventForm<'a> {
    pub(in crate::wire) event: &'a Event,
    pub(in crate::wire) sent_at_ms: u64,
    pub(in crate::wire) names: Option<&'a Names>,
}

impl Serialize for EventForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { event, names, .. } = *self;
        let form = (
            event.sequence.get(),
            event.event_type.number(),
            NameForm { name: &event.name, names },
            event.time_ms.wrapping_sub(self.sent_at_ms).cast_signed(),
            event.consent,
            MapForm { map: &event.properties, names },
            MapForm { map: &event.context, names },
        );
        form.serialize(serializer)
    }
}

/// Reads an event.
pub(in crate::wire) struct EventSeed<'b, 'n> {
    pub(in crate::wire) bounds: &'b Bounds<'n>,
    pub(in crate::wire) sent_at_ms: u64,
}

impl<'de> DeserializeSeed<'de> for EventSeed<'_, '_> {
    type Value = Event;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Event, D::Error> {
        deserializer.deserialize_tuple(7, self)
    }
}

impl<'de> Visitor<'de> for EventSeed<'_, '_> {
    type Value = Event;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an event")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut fields: A) -> Result<Event, A::Error> {
        let Self { bounds, sent_at_ms } = self;
        let short = || A::Error::custom("the event is cut off");
        let sequence = fields.next_element()?.and_then(Sequence::new).ok_or_else(short)?;
        let event_type = fields.next_element()?.and_then(EventType::from_number).ok_or_else(short)?;
        let name = NameSeed { bounds, bytes_max: bounds.sizes.event_name_bytes };
        let name = fields.next_element_seed(name)?.ok_or_else(short)?;
        let delta_ms: i64 = fields.next_element()?.ok_or_else(short)?;
        let consent = fields.next_element()?.ok_or_else(short)?;
        let properties = MapSeed::new(bounds, bounds.sizes.properties);
        let properties = fields.next_element_seed(properties)?.ok_or_else(short)?;
        let context = fields.next_element_seed(MapSeed::context(bounds))?.ok_or_else(short)?;
        let time_ms = sent_at_ms.wrapping_add(delta_ms.cast_unsigned());
        Ok(Event { sequence, event_type, name, time_ms, consent, properties, context })
    }
}

/// The event in `bytes`, all of them.
pub(in crate::wire) fn read_event(
    bytes: &[u8],
    sent_at_ms: u64,
    names: Option<&Names>,
) -> Result<Event, WireFault> {
    let bounds = Bounds::new(names, WIRE_SIZES);
    let mut deserializer = postcard::Deserializer::from_bytes(bytes);
    let event = EventSeed { bounds: &bounds, sent_at_ms }
        .deserialize(&mut deserializer)
        .map_err(|error| fault_of(&error, &bounds.noted))?;
    match deserializer.finalize() {
        Ok([]) => Ok(event),
        _ => Err(WireFault::Malformed),
    }
}
