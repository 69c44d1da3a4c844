//! The serde forms of what the edge reads and writes with postcard. The core's own types stay free of serde; these
//! borrow from them or from the bytes.

mod map;

mod event;

mod header;

mod decision;

pub(super) use decision::DecisionForm;
pub(super) use event::{EventForm, EventSeed, read_event};
pub(super) use header::{SnapshotForm, read_header};
pub(super) use map::{Bounds, MapForm, MapSeed, ROW_SIZES};

use super::codec::WireFault;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// A list that is refused where it promises more than `MAX` items, or more than there are bytes (postcard then gives no
/// hint of its size), before any of them is read.
pub(super) struct Bounded<T, const MAX: usize>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Bounded<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(BoundedVisitor(PhantomData))
    }
}

struct BoundedVisitor<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for BoundedVisitor<T, MAX> {
    type Value = Bounded<T, MAX>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a list of at most {MAX} items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        if items.size_hint().is_none_or(|count| count > MAX) {
            return Err(A::Error::custom("too many items"));
        }
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Bounded(list))
    }
}

/// The fault behind a postcard error: the one that a bound noted down, else what postcard says.
fn fault_of(error: &postcard::Error, noted: &Cell<Option<WireFault>>) -> WireFault {
    noted.take().unwrap_or(match error {
        postcard::Error::DeserializeUnexpectedEnd => WireFault::Truncated,
        postcard::Error::DeserializeBadUtf8 => WireFault::BadText,
        _ => WireFault::Malformed,
    })
}
