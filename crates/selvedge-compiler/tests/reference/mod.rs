//! The rule language a second time: sites that know their own meaning, histories, and a reading that goes over the whole
//! history each time it is asked. It follows docs/rules.md and shares nothing with the engine.

pub mod calendar;

pub mod cart;

#[allow(dead_code, reason = "not every test decides")]
pub mod deciding;

pub mod files;

pub mod generate;

pub mod generate_shop;

pub mod history;

pub mod kleene;

pub mod metric;

pub mod random;

pub mod reading;

pub mod score;

pub mod site;

pub mod told;

pub mod values;
