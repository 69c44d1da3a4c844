//! The terms that rules act under: suppressions, experiments and holdouts, caps that count something else.

use super::measured::Window;
use alloc::string::String;
use alloc::vec::Vec;

/// How often something may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// So many exposures, 1 to [`crate::limits::COUNT_THRESHOLD_MAX`].
    pub limit: u16,
    /// In such a stretch. Per page is local; the others need grants.
    pub window: Window,
}

/// What rules share of their terms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deciding {
    /// Conditions that keep rules from acting, at most [`crate::limits::SUPPRESSIONS_MAX`].
    pub suppressions: Vec<Suppression>,
    /// Experiments and holdouts.
    pub experiments: Vec<Experiment>,
    /// How often any rule may be seen, all together.
    pub caps: Vec<Cap>,
}

/// The terms of one rule besides its condition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// A notice: exempt from holdouts, and from the caps of group, slot and site.
    pub service: bool,
    /// Suppressions that it yields to, by their places, ascending.
    pub suppressed_by: Vec<u16>,
    /// The holdout it belongs to, by its place among the experiments: its first variant is held out.
    pub holdout: Option<u16>,
    /// The experiment it belongs to.
    pub trial: Option<Trial>,
    /// It acts only while this condition is true: its first instruction in [`super::Parts::code`].
    pub schedule: Option<u16>,
    /// It ends, and does not begin, while this condition is true: its first instruction in [`super::Parts::code`].
    pub until: Option<u16>,
    /// Caps that count dismissals instead of exposures.
    pub dismissals: Vec<Cap>,
    /// A cap for each value of a fact.
    pub per_value: Option<ValueCap>,
}

/// What a rule shows in each variant of its experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The experiment, by its place.
    pub experiment: u16,
    /// A content for each variant; `None` is a control: it holds the slot, which shows its fallback.
    pub contents: Vec<Option<u16>>,
}

/// So many exposures for each value of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueCap {
    /// So many exposures, 1 to [`crate::limits::COUNT_THRESHOLD_MAX`].
    pub limit: u16,
    /// The fact, by its place in [`super::Parts::facts`].
    pub fact: u16,
    /// How many values are remembered, the newest; 1 to [`crate::limits::COUNT_THRESHOLD_MAX`].
    pub values_max: u16,
}

/// A condition that keeps rules from acting while it is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Its name.
    pub name: String,
    /// The condition's first instruction in [`super::Parts::code`]: what unknown means is compiled into it.
    pub when: u16,
}

/// Whose bucket decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// The visitor: its id, 32 hexadecimal digits.
    Visitor,
    /// The user's id, where one was identified; else the visitor.
    UserOrVisitor,
}

/// Units fall into variants by their bucket: MurmurHash3 of `salt:unit`, modulo [`crate::limits::BUCKETS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Experiment {
    /// Its name.
    pub name: String,
    /// What its buckets are salted with.
    pub salt: String,
    /// Whose bucket decides.
    pub unit: Unit,
    /// What the buckets of its traffic are salted with: its own, or its layer's.
    pub traffic_salt: String,
    /// The first bucket that takes part, and the one behind the last.
    pub traffic: (u16, u16),
    /// Its variants, by the stretches of buckets they take.
    pub variants: Vec<Variant>,
}

/// One arm of an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// The bucket behind its last.
    pub end: u16,
}
