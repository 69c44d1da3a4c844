//! The simulator: pages, devices, networks, isolates, shards and an admin around the real heads, all from one seed. Whatever
//! happens, what must hold is looked at after each commit and at rest; a seed that breaks it can be run again, line by line.
//!
//! What stands in for a shell (`device`, `tab`, `requests`, `looks`, `isolate`, `shard`, `outbox`, `rounds`, `edge`) does what that shell does, and nothing more.
//!
//! A module imports only modules that stand above it here; the methods of [`world::World`] are spread over the last ones.

pub mod random;

pub mod trace;

pub mod sites;

pub mod dials;

pub mod platforms;

pub mod device;

pub mod shard;

pub mod held;

pub mod outbox;

pub mod outside;

pub mod isolate;

pub mod truth;

pub mod page;

pub mod hand;

pub mod ring;

pub mod sessions;

pub mod world;

mod admin;

mod streams;

mod counting;

mod rounds;

mod voices;

mod requests;

mod looks;

mod tab;

mod hands;

mod acts;

mod checks;

mod edge;

mod asked;

pub mod run;
