//! The rules: each behaviour is a sentence, each law a property.

mod any_parts;
mod build;
mod happenings;
mod values;
mod world;

mod amounts;
mod attributes;
mod calendar;
mod caps;
mod cart;
mod comparing;
mod consent_law;
mod contents;
mod counts;
mod deadlines;
mod deciding;
mod destinations;
mod emitting;
mod explaining;
mod logic;
mod memory;
mod page_and_edge;
mod programs;
mod recalling;
mod reference;
mod scores;
mod sequence_reference;
mod sequences;
mod sessions;
mod states;
mod terms;
mod texts;
mod warm_up;
mod trials;
mod turning;
