//! What leaves the shard: a cursor over the log for each destination, and what is in flight.

mod held;

mod store;

mod erased;

mod places;

mod refused;

mod sending;

mod kept;

mod named;

mod ring;

mod orders;

pub use erased::{erase, purge_again};
pub use held::answered;
pub use kept::next_ms;
pub use named::{Outbox, holds};
pub use orders::{order, reports, send_again};
pub use ring::ring;
pub use store::create;
