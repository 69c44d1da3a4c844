//! Isolates and the registry: which program of a site is in force, and who has heard of it, as `worker/src/programs.rs` and
//! `worker/src/registry.rs` do it.

use crate::dials::{Dials, Streams};
use crate::random::Random;
use crate::sites::SiteFiles;
use anyhow::{Result, anyhow};
use selvedge_edge::fault::Fault;
use selvedge_edge::order;
use selvedge_edge::site::Site;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How long a pointer is believed.
const POLL_MS: u64 = 5_000;
/// How long an isolate hears nothing of the registry, at most.
const CUT_S_MAX: u64 = 180;

/// Where a site stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer {
    /// Its newest publish, from 1.
    pub publish: u64,
    /// That publish's program, by its place among the site's.
    pub program: usize,
    /// Rules that were stopped.
    pub paused: Vec<String>,
}

/// The registry: every publish there was.
#[derive(Debug)]
pub struct Registry {
    /// Where each site stands.
    pub pointers: Vec<Pointer>,
    /// Polls, in a thousand, from which on an isolate hears nothing of it for a while.
    pub silent: u64,
    random: Random,
    dials: Streams,
    loaded: BTreeMap<(usize, Pointer), Rc<Site>>,
}

impl Registry {
    /// A registry in which the first program of so many sites is published.
    #[must_use]
    pub fn new(sites: usize, dials: &Dials) -> Self {
        let first = Pointer { publish: 1, ..Pointer::default() };
        Self {
            pointers: vec![first; sites],
            silent: dials.silent,
            random: Random::new(dials.lasts_ms),
            dials: dials.streams.clone(),
            loaded: BTreeMap::new(),
        }
    }

    /// Whether an isolate's poll is not answered, now or since a while.
    fn cuts(&mut self, until_ms: &mut u64, now_ms: u64) -> bool {
        if self.silent > 0 && now_ms >= *until_ms && self.random.chance(self.silent) {
            *until_ms = now_ms + 1_000 * self.random.between(5, CUT_S_MAX);
        }
        self.silent > 0 && now_ms < *until_ms
    }

    /// Puts a program in force. The one in force already changes nothing.
    pub fn publish(&mut self, site: usize, program: usize) {
        let pointer = &mut self.pointers[site];
        if pointer.program != program {
            pointer.program = program;
            pointer.publish += 1;
        }
    }

    /// A site as it stands, loaded.
    ///
    /// # Errors
    /// Where its program cannot be loaded.
    pub fn load(&mut self, files: &[SiteFiles], site: usize) -> Result<Rc<Site>> {
        let pointer = self.pointers[site].clone();
        if let Some(known) = self.loaded.get(&(site, pointer.clone())) {
            return Ok(Rc::clone(known));
        }
        let program = &files[site].programs[pointer.program];
        let loaded = Site::load(&program.full, program.hash, pointer.publish);
        let mut loaded = loaded.map_err(|fault| anyhow!("{fault}"))?;
        self.dials.shape(&mut loaded, pointer.program);
        let loaded = Rc::new(loaded.with_paused(order::paused(&pointer.paused)));
        self.loaded.insert((site, pointer), Rc::clone(&loaded));
        Ok(loaded)
    }
}

/// What one isolate knows.
#[derive(Debug, Clone, Default)]
pub struct Isolate {
    checked_ms: Option<u64>,
    /// The registry does not answer it before: it goes on with what it knows, however old that is.
    cut_until_ms: u64,
    sites: BTreeMap<usize, Rc<Site>>,
}

impl Isolate {
    /// All sites, as this isolate knows them.
    ///
    /// # Errors
    /// Where a program cannot be loaded, or nothing is known yet and the registry does not answer.
    pub fn sites(
        &mut self,
        registry: &mut Registry,
        files: &[SiteFiles],
        now_ms: u64,
    ) -> Result<Vec<Rc<Site>>, Fault> {
        let is_fresh = self.checked_ms.is_some_and(|checked_ms| now_ms.saturating_sub(checked_ms) < POLL_MS);
        if !is_fresh {
            let polled = self.poll(registry, files, now_ms);
            // What was known before is better than nothing.
            if self.checked_ms.is_none() {
                polled?;
            }
        }
        Ok(self.sites.values().cloned().collect())
    }

    /// A site, at least at this publish.
    ///
    /// # Errors
    /// Where a program cannot be loaded, or the publish cannot be had.
    pub fn site(
        &mut self,
        registry: &mut Registry,
        files: &[SiteFiles],
        (site, publish_min): (usize, u64),
        now_ms: u64,
    ) -> Result<Rc<Site>, Fault> {
        self.sites(registry, files, now_ms)?;
        if self.sites.get(&site).is_none_or(|known| known.publish < publish_min) {
            self.poll(registry, files, now_ms)?;
        }
        let known = self.sites.get(&site).cloned();
        let known = known.ok_or_else(|| Fault::not_published("no such site"))?;
        if known.publish < publish_min {
            return Err(Fault::stale_program("a newer program is on its way"));
        }
        Ok(known)
    }

    /// As `programs::poll`: where it fails, everything known stays.
    fn poll(&mut self, registry: &mut Registry, files: &[SiteFiles], now_ms: u64) -> Result<(), Fault> {
        self.checked_ms = self.checked_ms.map(|_| now_ms);
        if registry.cuts(&mut self.cut_until_ms, now_ms) {
            return Err(Fault::storage("the registry does not answer"));
        }
        for site in 0..registry.pointers.len() {
            let loaded = registry.load(files, site);
            let loaded = loaded.map_err(|_| Fault::bad_program("a program cannot be loaded"))?;
            self.sites.insert(site, loaded);
        }
        self.checked_ms = Some(now_ms);
        Ok(())
    }
}
