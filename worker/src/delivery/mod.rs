//! The transports: how records get to a destination. Each is a function from what is to be sent to what became of it; when
//! to send, what again, and what counts says the machine of `selvedge-edge`.
//!
//! A transport with a preparation (`prepare`) may talk before anything is sent; what it gives is stored with what is in
//! flight, so that the same bytes are sent again after a crash. No transport throws, panics, or goes on behind `give_up_ms`.

mod http;

mod kafka;

mod queue;

use selvedge_core::wire::program::{Destination, Way};
use selvedge_edge::delivery::record::Record;
use selvedge_edge::delivery::sent::{Prepared, SendResult, Sent};
use std::any::Any;
use std::cell::RefCell;
use worker::Env;

/// What a transport may keep in memory from one send to the next of one run, such as an open connection.
pub type Kept = RefCell<Option<Box<dyn Any>>>;

/// What is to be sent.
#[expect(dead_code, reason = "requests need less of it than other transports")]
pub struct Sending<'a> {
    /// The worker's bindings.
    pub env: &'a Env,
    /// The site.
    pub site: &'a str,
    /// The shard, by the id of its object.
    pub shard: &'a str,
    /// Where to.
    pub destination: &'a Destination,
    /// The name of this send: that of every send of the same records, and of no other.
    pub id: &'a str,
    /// The records, in order; one at least.
    pub records: &'a [&'a Record],
    /// For each record the place of its item: what is of one item is refused as one.
    pub items: &'a [u32],
    /// What the transport gave last to be stored; empty at first, and where the destination is reached in another way now.
    pub transport: &'a [u8],
    /// How often the same was sent before.
    pub attempt: u32,
    /// The destination may hold the records already.
    pub is_unsure: bool,
    /// The send has ended by then: Unix milliseconds.
    pub give_up_ms: u64,
    /// What the transport keeps in memory.
    pub kept: &'a Kept,
}

/// Whether a way needs a preparation before records are sent for the first time.
pub const fn needs_preparation(way: &Way) -> bool {
    matches!(way, Way::Kafka(_))
}

/// What must be known before the records are sent for the first time.
pub async fn prepare(sending: &Sending<'_>) -> Prepared {
    match &sending.destination.way {
        Way::Log | Way::Http(_) | Way::Queue { .. } => Prepared::Ready(Vec::new()),
        Way::Kafka(kafka) => kafka::prepare(sending, kafka).await,
    }
}

/// Sends the records.
pub async fn send(sending: &Sending<'_>) -> Sent {
    match &sending.destination.way {
        Way::Log => Sent::of(SendResult::Delivered),
        Way::Http(http) => http::send(sending, http).await,
        Way::Kafka(kafka) => kafka::send(sending, kafka).await,
        Way::Queue { binding, .. } => queue::send(sending, binding).await,
    }
}

/// The names of the secrets that a destination needs.
pub fn secrets_of(destination: &Destination) -> Vec<&str> {
    match &destination.way {
        Way::Log | Way::Queue { .. } => Vec::new(),
        Way::Http(http) => {
            let of_headers = http.headers.iter().filter_map(|header| header.secret.as_deref());
            http.secrets.iter().map(String::as_str).chain(of_headers).collect()
        }
        Way::Kafka(kafka) => kafka.sasl.iter().map(|sasl| sasl.password.as_str()).collect(),
    }
}
