//! Random experiments and a holdout: who is in which variant, by the buckets that docs/rules.md publishes.

use super::super::random::Random;
use std::fmt::{Display, Formatter, Result};

pub const EXPERIMENTS: [&str; 2] = ["price", "tune"];
/// The first is the control; in the last each slot has its own content.
pub const VARIANTS: [&str; 3] = ["plain", "gift", "both"];
/// The only one who is held out.
pub const HELD_OUT: usize = 0;
const SHARES: [[usize; 3]; 4] = [[50, 50, 0], [10, 45, 45], [1, 1, 2], [20, 20, 60]];

/// An experiment as it stands in `rules.yaml`.
#[derive(Debug, Clone)]
pub struct Experiment {
    name: &'static str,
    pub is_by_user: bool,
    pub salt: &'static str,
    layer: Option<&'static str>,
    /// In percent, from and to.
    traffic: (usize, usize),
    shares: [usize; 3],
}

/// What is tried, at one publish.
#[derive(Debug, Clone)]
pub struct Trials {
    pub experiments: [Experiment; 2],
    pub holdout_salt: &'static str,
    holdout_percent: usize,
}

impl Experiment {
    /// The variant that a unit draws; none, where it takes no part.
    pub fn draw(&self, unit: &str) -> Option<usize> {
        let salt = self.layer.map_or(format!("{}/traffic", self.salt), |layer| format!("layer/{layer}"));
        let (start, end) = self.traffic;
        if !(start * 100..end * 100).contains(&bucket(&salt, unit)) {
            return None;
        }
        let sum: usize = self.shares.iter().sum();
        let place = bucket(self.salt, unit);
        (0..3).find(|at| place * sum < self.shares[..=*at].iter().sum::<usize>() * 10_000)
    }

    /// What a rule shows in a variant, in a slot; nothing is a control.
    pub fn content(variant: usize, slot: usize) -> Option<&'static str> {
        match variant {
            0 => None,
            1 => Some("gift"),
            _ => Some(["gift", "hint"][slot]),
        }
    }
}

impl Trials {
    pub fn is_held_out(&self, unit: &str) -> bool {
        bucket(self.holdout_salt, unit) < self.holdout_percent * 100
    }
}

impl Display for Trials {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        writeln!(to, "experiments:")?;
        for experiment in &self.experiments {
            let Experiment { name, salt, traffic: (start, end), shares, .. } = experiment;
            let unit = if experiment.is_by_user { "user_or_visitor" } else { "visitor" };
            writeln!(to, "  {name}:\n    unit: {unit}\n    salt: {salt}\n    traffic: {start}%-{end}%")?;
            if let Some(layer) = experiment.layer {
                writeln!(to, "    layer: {layer}")?;
            }
            writeln!(to, "    variants:\n      plain:\n        share: {}", shares[0])?;
            writeln!(to, "      gift:\n        share: {}\n        content: gift", shares[1])?;
            writeln!(to, "      both:\n        share: {}\n        content:", shares[2])?;
            writeln!(to, "          hero: gift\n          inbox: hint")?;
        }
        Ok(())
    }
}

impl Trials {
    /// The holdout, which is for these rules.
    pub fn holdout(&self, ids: &[&str]) -> String {
        let Self { holdout_salt, holdout_percent, .. } = self;
        let ids = ids.join(", ");
        format!(
            "holdout:\n  share: {holdout_percent}%\n  salt: {holdout_salt}\n  applies_to:\n    rules: [{ids}]\n"
        )
    }
}

impl Random {
    pub fn trials(&mut self) -> Trials {
        let layer = self.percent(30).then_some("all");
        let stretches = match layer {
            Some(_) => [(0, 40), (40, 100)],
            None => [self.one_of(&[(0, 100), (0, 60)]), self.one_of(&[(0, 100), (20, 70)])],
        };
        let experiment = |random: &mut Self, at: usize| Experiment {
            name: EXPERIMENTS[at],
            is_by_user: random.percent(50),
            salt: EXPERIMENTS[at],
            layer,
            traffic: stretches[at],
            shares: random.one_of(&SHARES),
        };
        let experiments = [experiment(self, 0), experiment(self, 1)];
        Trials { experiments, holdout_salt: "global", holdout_percent: self.one_of(&[5, 30]) }
    }

    /// The next publish: other shares, other traffic, sometimes drawn anew.
    pub fn republished(&mut self, trials: &Trials) -> Trials {
        let mut next = self.trials();
        for (next, experiment) in next.experiments.iter_mut().zip(&trials.experiments) {
            next.is_by_user = experiment.is_by_user;
            if self.percent(30) {
                next.salt = "anew";
            }
        }
        if self.percent(30) {
            next.holdout_salt = "again";
        }
        next
    }
}

/// MurmurHash3, x86, 32 bit, seed 0, of `salt:unit`, modulo 10,000.
pub fn bucket(salt: &str, unit: &str) -> usize {
    let text = format!("{salt}:{unit}").into_bytes();
    let scramble = |word: u32| word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let mut hash = 0u32;
    for chunk in text.chunks(4) {
        let word = chunk.iter().rev().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        hash ^= scramble(word);
        if chunk.len() == 4 {
            hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
        }
    }
    hash ^= u32::try_from(text.len()).unwrap();
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    usize::try_from(hash ^ (hash >> 16)).unwrap() % 10_000
}
