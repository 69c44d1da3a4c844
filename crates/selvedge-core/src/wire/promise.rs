//! Grants that the edge itself holds: an answer said what a capped rule shows to hands that have no rule engine, and so cannot
//! take a grant where it is seen. Kept in the visitor's record, beside the state, which pages get.

use super::codec::{Reader, WireFault, Writer};
use crate::limits::PROMISES_MAX;
use alloc::vec::Vec;

/// A grant that an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// [`crate::hash::fnv1a_64`] of the rule's id.
    pub rule: u64,
    /// [`crate::hash::fnv1a_64`] of the slot's name.
    pub slot: u64,
    /// Whose page view shows it: what is answered to the same holder again takes no second grant.
    pub holder: u64,
    /// Of a rule that is capped for each value of a fact: that value; else 0.
    pub value: u64,
    /// From here on it is given back, by the edge's clock.
    pub expires_ms: i64,
    /// Its exposure came: it counts no longer, and tells that its holder has had its grant.
    pub is_spent: bool,
}

/// Bytes of a promise, at most: four names, a time, a flag.
const PROMISE_BYTES: usize = 4 * 8 + 10 + 1;
/// Bytes of all promises of a visitor, at most.
pub const PROMISED_BYTES_MAX: usize = 1 + PROMISES_MAX * PROMISE_BYTES;
/// Bytes of the tag of the device that holds leases, at most.
pub const HOLDER_BYTES_MAX: usize = 5;

/// What stands at the end of a record: nothing is written where there is none. Behind it the tag of the device that holds leases.
pub(super) fn write_promised(out: &mut Writer, promised: &[Promise], holder: u32) {
    if promised.is_empty() && holder == 0 {
        return;
    }
    out.count(promised.len());
    for promise in promised {
        for name in [promise.rule, promise.slot, promise.holder, promise.value] {
            out.fixed_u64(name);
        }
        out.zigzag(promise.expires_ms);
        out.flag(promise.is_spent);
    }
    if holder != 0 {
        out.varint(u64::from(holder));
    }
}

/// What [`write_promised`] wrote at the end of a record.
pub(super) fn read_promised(reader: &mut Reader<'_>) -> Result<Vec<Promise>, WireFault> {
    if reader.rest().is_empty() {
        return Ok(Vec::new());
    }
    let count = reader.count()?;
    if count > PROMISES_MAX {
        return Err(WireFault::TooLarge);
    }
    (0..count).map(|_| promise(reader)).collect()
}

fn promise(reader: &mut Reader<'_>) -> Result<Promise, WireFault> {
    Ok(Promise {
        rule: reader.fixed_u64()?,
        slot: reader.fixed_u64()?,
        holder: reader.fixed_u64()?,
        value: reader.fixed_u64()?,
        expires_ms: reader.zigzag_i64()?,
        is_spent: reader.flag()?,
    })
}
