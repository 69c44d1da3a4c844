//! The rule language a second time: sites that know their own meaning, histories, and a reading that goes over the whole
//! history each time it is asked. It follows docs/rules.md and shares nothing with the engine.

pub mod calendar;

pub mod generate;

pub mod history;

pub mod kleene;

pub mod random;

pub mod reading;

pub mod site;
