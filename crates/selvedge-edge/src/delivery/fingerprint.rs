//! Whether a destination is configured as it was: hashes of what says so.

use core::hash::{Hash, Hasher};
use selvedge_core::wire::program::{Destination, Way};

/// FNV-1a of 64 bits: the same for the same values, on every target and for ever.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.write(&u64::try_from(number).unwrap_or(u64::MAX).to_le_bytes());
    }

    fn write_isize(&mut self, number: isize) {
        self.write(&i64::try_from(number).unwrap_or(i64::MAX).to_le_bytes());
    }
}

fn hashed(values: impl Hash) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    values.hash(&mut hasher);
    hasher.finish()
}

/// A hash of where the destination's way leads. What is under way to there goes again as it was, whichever brokers are asked
/// now, however it is packed, and whoever signs it: a broker that has it already must know it again.
#[must_use]
pub fn of_way(destination: &Destination) -> u64 {
    match &destination.way {
        Way::Log => hashed(0u8),
        Way::Http(http) => hashed((1u8, &http.url, http.format)),
        Way::Queue { binding, .. } => hashed((2u8, binding)),
        Way::Kafka(kafka) => hashed((3u8, &kafka.topic)),
    }
}

/// A hash of how it is reached and of its secrets as they are now.
#[must_use]
pub fn of_config(destination: &Destination, secrets: &[Option<&str>]) -> u64 {
    hashed((&destination.way, secrets))
}
