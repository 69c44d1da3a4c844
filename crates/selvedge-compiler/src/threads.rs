//! Two pieces of work at once. Each gives back a value and neither changes what the other reads, so what comes out is the
//! same whichever is done first.

use std::panic::resume_unwind;
use std::thread::{Builder, scope};

/// Bytes of a site's files from which a second thread saves more than its start costs.
const BYTES_MIN: usize = 64 * 1024;

/// How many threads compile a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    One,
    Two,
}

impl Threads {
    /// As many as a site of so many bytes is worth.
    pub const fn for_bytes(bytes: usize) -> Self {
        if bytes < BYTES_MIN { Self::One } else { Self::Two }
    }

    /// What both pieces of work give back. The second is done on a thread of its own where one can be had (a page's wasm has
    /// none), and else after the first.
    pub fn both<A, B: Send>(self, first: impl FnOnce() -> A, mut second: impl FnMut() -> B + Send) -> (A, B) {
        let (first, done) = match self {
            Self::One => (first(), None),
            Self::Two => at_once(first, &mut second),
        };
        (first, done.unwrap_or_else(second))
    }
}

/// What the first gives back, and the second where there is a thread for it.
fn at_once<A, B: Send>(first: impl FnOnce() -> A, second: &mut (impl FnMut() -> B + Send)) -> (A, Option<B>) {
    scope(|scope| {
        let beside = Builder::new().spawn_scoped(scope, second).ok();
        let first = first();
        (first, beside.map(|beside| beside.join().unwrap_or_else(|panic| resume_unwind(panic))))
    })
}
