//! A real worker for the end-to-end tests.
//!
//! What goes in: the repository as it is now; everything that is out of date is built first. What comes out: a workerd
//! on a port of its own, with a data folder of its own and `examples/shop` published, that a test can question, kill
//! and start again; and visitors that write batches.

pub mod brokers;
pub mod happenings;
pub mod kafka_client;
mod http;
pub mod load;
mod visitor;
mod receiver;
mod world;

mod random_sites;

pub mod streams;

pub mod hook;

pub use http::{Answer, Client};
pub use random_sites::{RandomSite, random_sites};
pub use receiver::{Received, Receiver, Reply};
pub use visitor::{Visitor, WRITE_KEY, granted, now_ms};
pub use world::{Setup, World, compiled_shop, compiled_shop_as, compiled_shop_with, full_counts};
