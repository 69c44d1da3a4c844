//! What became of a send, as a transport tells it.

use alloc::string::String;
use alloc::vec::Vec;

/// What became of the records of one send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendResult {
    /// The destination holds all of them.
    Delivered,
    /// It holds a part; the same send goes on at once. The transport knows with what.
    Some,
    /// It could not take them now: the same send again, later.
    Again {
        /// It asked to wait so long, in milliseconds.
        after_ms: Option<u64>,
        /// It answered; without an answer it may hold them already.
        is_answered: bool,
        /// What happened.
        why: String,
    },
    /// What the transport knew is of no use any more: prepare anew, and send.
    Prepare {
        /// What happened.
        why: String,
    },
    /// They are too large together.
    Split {
        /// What happened.
        why: String,
    },
    /// It refuses some of them for what they are.
    Poison {
        /// Their places in the send; none where it did not say which: then they are found by halves.
        records: Vec<usize>,
        /// What happened.
        why: String,
    },
    /// Nothing can be sent until somebody acts: a wrong secret, an address that is gone.
    Pause {
        /// What happened.
        why: String,
    },
}

/// What a transport gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// What became of the records that `done` leaves.
    pub result: SendResult,
    /// So many of the first records are delivered, whatever the result says of the rest.
    pub done: usize,
    /// What the transport keeps from now on; `None` leaves it as it is.
    pub transport: Option<Vec<u8>>,
    /// Records that the destination may have got twice by this send.
    pub possible_duplicates: u64,
    /// The destination has some of the records that `done` leaves, or may have, whatever the result says: unless all are
    /// delivered they go again as they were.
    pub may_be_kept: bool,
}

impl Sent {
    /// A result, and nothing else to tell.
    #[must_use]
    pub const fn of(result: SendResult) -> Self {
        Self { result, done: 0, transport: None, possible_duplicates: 0, may_be_kept: false }
    }
}

/// What a transport gives before a first send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prepared {
    /// It may begin; this is kept with what is sent.
    Ready(Vec<u8>),
    /// It may not. Nothing was sent.
    Failed(SendResult),
}
