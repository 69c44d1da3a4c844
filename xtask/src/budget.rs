//! `benches/budgets.toml`: what is weighed and measured, how, and how much is allowed.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::repo::Repo;

/// The file, relative to the repository.
pub const FILE: &str = "benches/budgets.toml";

/// Everything that has a budget.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budgets {
    /// Bytes by name.
    #[serde(default)]
    pub bytes: BTreeMap<String, Weight>,
    /// Benchmark figures by name.
    #[serde(default)]
    pub figures: BTreeMap<String, Figure>,
}

/// Something that is loaded, with its limit in bytes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weight {
    /// The built file, relative to the repository; `{target}` stands for cargo's target directory.
    pub file: Option<String>,
    /// Other weights whose sum this one is.
    #[serde(default)]
    pub sum: Vec<String>,
    /// How it is weighed.
    #[serde(default)]
    pub encoding: Encoding,
    /// More than this fails: what it was when it was last looked at, and a little.
    pub max: u64,
    /// What it shall come to, where that is less.
    pub target: Option<u64>,
}

/// How a file travels.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// brotli, quality 11.
    #[default]
    Brotli,
    /// gzip, level 9.
    Gzip,
    /// As it is.
    None,
}

/// A figure that a benchmark reports, with its target.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What it is counted in.
    pub unit: String,
    /// At most this is wanted.
    pub max: Option<f64>,
    /// At least this is wanted.
    pub min: Option<f64>,
    /// The best elsewhere, for the reader.
    pub peer: Option<String>,
}

impl Figure {
    /// What is wanted of it, with its unit: `<= 20 µs`. Empty where nothing is.
    pub fn wanted(&self) -> String {
        match (self.max, self.min) {
            (Some(max), _) => format!("<= {}", self.with_unit(max)),
            (None, Some(min)) => format!(">= {}", self.with_unit(min)),
            (None, None) => String::new(),
        }
    }

    /// Whether `value` is as wanted; empty where nothing is.
    pub fn verdict(&self, value: f64) -> &'static str {
        let holds = self.max.is_none_or(|max| value <= max) && self.min.is_none_or(|min| value >= min);
        match (self.max.or(self.min), holds) {
            (None, _) => "",
            (Some(_), true) => "ok",
            (Some(_), false) => "MISSED",
        }
    }

    /// The number as people read it.
    pub fn with_unit(&self, number: f64) -> String {
        format!("{} {}", short(number), self.unit).trim_end().to_string()
    }
}

/// A number in as many digits as a reader wants.
pub fn short(number: f64) -> String {
    if number.abs() >= 100.0 || number.fract() == 0.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.2}")
    }
}

/// Reads the budgets.
///
/// # Errors
/// When the file is missing or says something that is not known.
pub fn read(repo: &Repo) -> Result<Budgets> {
    let text = fs::read_to_string(repo.path(FILE)).with_context(|| format!("cannot read {FILE}"))?;
    toml::from_str(&text).with_context(|| format!("{FILE} is not understood"))
}
