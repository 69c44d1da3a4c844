//! A published site: its program, loaded once, with what only the edge knows.

use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::Mode;
use selvedge_core::id::ProgramHash;
use selvedge_core::rules::{Orders, Program, ProgramFault};
use selvedge_core::wire::names::Names;
use selvedge_core::wire::program::{
    Destination, EdgeConfig, LookupRow, destinations, edge_config, with_rows,
};
use serde_json::value::RawValue;

/// A site as one publish made it.
#[derive(Debug, Clone)]
pub struct Site {
    /// The full program.
    pub program: Program,
    /// Sources, origins, consent policy, leaves.
    pub config: EdgeConfig,
    /// Where records go.
    pub destinations: Vec<Destination>,
    /// The names that batches abbreviate.
    pub names: Names,
    /// The program's hash.
    pub hash: ProgramHash,
    /// Its place in the site's history, from 1.
    pub publish: u64,
    /// Rules that were stopped since, as in [`Orders::paused`].
    pub paused: Vec<u64>,
    /// Variants that are forced, as in [`Orders::forced`]: of a preview.
    pub forced: Vec<u64>,
    /// The versions of the pushed tables whose rows are in [`Self::program`], by name.
    pub lookups: Vec<(String, u64)>,
}

/// A pushed table that a site gets: its name, its version, and its rows as [`crate::lookups::Table::rows_of`] gives them.
pub type Pushed = (String, u64, Vec<LookupRow>);

impl Site {
    /// The site of a full program's bytes.
    ///
    /// # Errors
    /// [`ProgramFault`] for bytes that are no program; a public program (one without what only the edge knows) is
    /// [`ProgramFault::Index`].
    pub fn load(full: &[u8], hash: ProgramHash, publish: u64) -> Result<Self, ProgramFault> {
        let program = Program::load(full)?;
        let config = edge_config(full)?.ok_or(ProgramFault::Index)?;
        let destinations = destinations(full)?;
        let names = program.parts().plan.names();
        let (paused, forced, lookups) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { program, config, destinations, names, hash, publish, paused, forced, lookups })
    }

    /// The same site with other rules stopped.
    #[must_use]
    pub fn with_paused(&self, paused: Vec<u64>) -> Self {
        Self { paused, ..self.clone() }
    }

    /// The same site with these pushed tables and no others; `full` is its program as it was published.
    ///
    /// # Errors
    /// [`ProgramFault`] where program and rows together are above a limit.
    pub fn with_tables(&self, full: &[u8], tables: Vec<Pushed>) -> Result<Self, ProgramFault> {
        let place = |name: &String| {
            self.config.pushed.iter().find(|table| table.name == *name).and_then(|table| table.table)
        };
        let mut lookups = Vec::new();
        let mut placed = Vec::new();
        for (name, version, rows) in tables {
            placed.extend(place(&name).map(|at| (at, rows)));
            lookups.push((name, version));
        }
        let program = Program::load(&with_rows(full, &placed)?)?;
        Ok(Self { program, lookups, ..self.clone() })
    }

    /// The versions of pushed tables that decide, for the log.
    #[must_use]
    pub fn versions(&self) -> Vec<(String, u64)> {
        self.lookups.clone()
    }

    /// What holds besides the program.
    #[must_use]
    pub fn orders(&self) -> Orders<'_> {
        Orders { paused: &self.paused, forced: &self.forced, is_converted: false }
    }

    /// The site's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.program.parts().site
    }

    /// What unknown consent means for a visitor in `country` (two letters), where the edge knows one.
    #[must_use]
    pub fn mode_in(&self, country: Option<&str>) -> Mode {
        let region = self.config.consent_regions.iter().find(|(region, _)| Some(region.as_str()) == country);
        region.map_or(self.config.consent_mode, |(_, mode)| *mode)
    }

    /// The answer of `GET /s/{site}/config` at `now_ms` to a page, whose visitor is minted under `topology` entry. A page that is
    /// open asks again every `refresh_ms`; 0 leaves it to the answers to tell it of a new program. A page that reads no programs
    /// of this form is named none: it shows what the edge decides.
    #[must_use]
    pub fn page_config(
        &self,
        Asking { country, subdivision, reads }: Asking<'_>,
        topology: u8,
        refresh_ms: u32,
        now_ms: u64,
    ) -> String {
        let sources = match self.config.consent_sources.as_str() {
            "" => None,
            sources => serde_json::from_str(sources).ok(),
        };
        let region = country.map(|country| match subdivision {
            Some(subdivision) => alloc::format!("{country}-{subdivision}"),
            None => country.into(),
        });
        let config = PageConfig {
            site: self.name(),
            program: (reads >= self.program.form()).then(|| alloc::format!("{}", self.hash)),
            publish: self.publish,
            topology,
            refresh_ms,
            clock: now_ms,
            consent: crate::json::mode(self.mode_in(country)),
            policy_version: self.config.policy_version,
            region: region.filter(|_| sources.is_some()),
            sources,
            paused: self.paused.iter().map(|rule| alloc::format!("{rule:016x}")).collect(),
            selectors: &self.config.selectors,
            capture: &self.config.capture,
            identity: &self.config.identity,
        };
        serde_json::to_string(&config).unwrap_or_default()
    }
}

/// What a page says when it asks for its config.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The visitor's country, where the platform knows it.
    pub country: Option<&'a str>,
    /// The part of the country: `CA` of `US`.
    pub subdivision: Option<&'a str>,
    /// The newest form of a program that it reads.
    pub reads: u8,
}

/// What a page learns before anything else, without a cookie.
#[derive(serde::Serialize)]
struct PageConfig<'a> {
    site: &'a str,
    program: Option<String>,
    publish: u64,
    topology: u8,
    refresh_ms: u32,
    clock: u64,
    consent: &'static str,
    policy_version: u16,
    /// Which sources of consent the page reads; left out where it reads none.
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Option<&'a RawValue>,
    /// Where the visitor is (`US`, `US-CA`), for defaults that name regions; only with sources.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    /// Rules that were stopped, by the hash of their ids; left out where none is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    paused: Vec<String>,
    /// Slots that are found by a CSS selector: name and selector; left out where there are none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    selectors: &'a [(String, String)],
    /// What the page captures by itself: kind and option; left out where it is nothing.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    capture: &'a [(String, String)],
    /// Where the visitor's id stands besides the page's own storage: kind and domain; left out where nowhere.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    identity: &'a [(String, String)],
}
