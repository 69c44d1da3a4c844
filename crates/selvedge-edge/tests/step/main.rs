//! One visitor's step, from a batch to rows and an answer.

mod again;
mod consent;
mod deadlines;
mod deciding;
mod foreign;
mod granting;
mod holding;
mod holding_laws;
mod home;
mod judged;
mod laws;
mod lookups;
mod masking;
mod refusals;
mod shared;
mod taking;
mod warming;
mod world;
