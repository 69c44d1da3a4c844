//! The programs in force, as this isolate knows them: polled from the registry at most every five seconds, and at once
//! after a publish that this isolate saw. Programs are immutable and loaded once.

use crate::blobs::{self, Form};
use crate::clock::now_ms;
use crate::registry_client::registry;
use crate::reply::Problem;
use selvedge_core::id::{ProgramHash, parse_hex_16};
use selvedge_edge::fault::Fault;
use selvedge_edge::order;
use selvedge_edge::site::Site;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use worker::Env;

/// How long a pointer is believed.
const POLL_MS: u64 = 5_000;
/// Public programs kept for pages.
const PUBLIC_MAX: usize = 8;

/// Where a site stands in its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The site's name.
    pub site: String,
    /// Its newest publish.
    pub publish: u64,
    /// That publish's program, 32 hexadecimal digits.
    pub program: String,
    /// Ids of rules that were stopped since; `*` stands for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<String>,
}

#[derive(Default)]
struct Known {
    checked_ms: Option<u64>,
    /// Every published site, whether its program could be loaded or not.
    names: Vec<String>,
    sites: BTreeMap<String, Rc<Site>>,
    public: Vec<(String, Rc<Vec<u8>>)>,
}

impl Known {
    /// Keeps a site, unless a later publish of it came meanwhile.
    fn keep(&mut self, site: Site) {
        let is_newer = self.sites.get(site.name()).is_none_or(|known| known.publish < site.publish);
        if is_newer {
            self.sites.insert(site.name().to_owned(), Rc::new(site));
        }
    }
}

impl Known {
    /// Stops what the registry says is stopped.
    fn pause(&mut self, pointer: &Pointer) {
        let paused = order::paused(&pointer.paused);
        let is_other = |site: &&mut Rc<Site>| site.publish == pointer.publish && site.paused != paused;
        if let Some(site) = self.sites.get_mut(&pointer.site).filter(is_other) {
            *site = Rc::new(site.with_paused(paused));
        }
    }
}

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// All published sites, by name.
pub async fn sites(env: &Env) -> Result<Vec<Rc<Site>>, Problem> {
    let checked_ms = KNOWN.with_borrow(|known| known.checked_ms);
    let is_fresh = checked_ms.is_some_and(|checked_ms| now_ms().saturating_sub(checked_ms) < POLL_MS);
    if !is_fresh {
        let polled = poll(env).await;
        // What was known before is better than nothing.
        if checked_ms.is_none() {
            polled?;
        }
    }
    Ok(KNOWN.with_borrow(|known| known.sites.values().cloned().collect()))
}

/// The names of all published sites, also of those whose program cannot be loaded: their logs can be read.
pub async fn names(env: &Env) -> Result<Vec<String>, Problem> {
    sites(env).await?;
    Ok(KNOWN.with_borrow(|known| known.names.clone()))
}

/// The site of this name, at least at this publish.
///
/// # Errors
/// [`Fault::not_published`] where the registry does not know it; [`Fault::stale_program`] where it does not know the
/// publish.
pub async fn site(env: &Env, name: &str, publish_min: u64) -> Result<Rc<Site>, Problem> {
    let find = |sites: Vec<Rc<Site>>| sites.into_iter().find(|site| site.name() == name);
    let known = find(sites(env).await?);
    if let Some(site) = known.filter(|site| site.publish >= publish_min) {
        return Ok(site);
    }
    poll(env).await?;
    let site = find(sites(env).await?)
        .ok_or_else(|| Fault::not_published(format!("nothing is published for the site {name}")))?;
    if site.publish < publish_min {
        return Err(Fault::stale_program("a newer program is on its way to this worker").into());
    }
    Ok(site)
}

/// Asks the registry now, and loads what is new. Until the first answer every call asks: there is nothing to go on with.
pub async fn poll(env: &Env) -> Result<(), Problem> {
    let asked_ms = now_ms();
    KNOWN.with_borrow_mut(|known| known.checked_ms = known.checked_ms.map(|_| asked_ms));
    ask(env).await?;
    KNOWN.with_borrow_mut(|known| known.checked_ms = Some(asked_ms));
    Ok(())
}

async fn ask(env: &Env) -> Result<(), Problem> {
    let pointers: Vec<Pointer> = registry(env, "/pointers").await?.json().await?;
    let names = pointers.iter().map(|pointer| pointer.site.clone()).collect();
    KNOWN.with_borrow_mut(|known| known.names = names);
    for pointer in pointers {
        let is_known = KNOWN.with_borrow(|known| {
            known.sites.get(&pointer.site).is_some_and(|site| site.publish >= pointer.publish)
        });
        if !is_known {
            match load(env, &pointer).await {
                Ok(site) => KNOWN.with_borrow_mut(|known| known.keep(site)),
                // One site that cannot be loaded leaves the others, and its own last program, in force.
                Err(problem) => {
                    worker::console_error!("the site {} cannot be loaded: {problem:?}", pointer.site)
                }
            }
        }
        KNOWN.with_borrow_mut(|known| known.pause(&pointer));
    }
    Ok(())
}

async fn load(env: &Env, pointer: &Pointer) -> Result<Site, Problem> {
    let hash = parse_hex_16(&pointer.program).map(ProgramHash).unwrap_or_default();
    let bytes = blobs::read(env, &pointer.program, Form::Full).await?;
    let bytes = bytes.ok_or_else(|| Fault::bad_program("the stored program is missing"))?;
    Site::load(&bytes, hash, pointer.publish)
        .map_err(|fault| Fault::bad_program(format!("the stored program: {fault}")).into())
}

/// The bytes of a page's program; `None` where there is none of this hash.
pub async fn public(env: &Env, program: &str) -> Result<Option<Rc<Vec<u8>>>, Problem> {
    let known = KNOWN.with_borrow(|known| {
        known.public.iter().find(|(hash, _)| hash == program).map(|(_, bytes)| Rc::clone(bytes))
    });
    if known.is_some() {
        return Ok(known);
    }
    let Some(bytes) = blobs::read(env, program, Form::Public).await? else {
        return Ok(None);
    };
    let bytes = Rc::new(bytes);
    KNOWN.with_borrow_mut(|known| {
        known.public.truncate(PUBLIC_MAX.saturating_sub(1));
        known.public.insert(0, (program.to_owned(), Rc::clone(&bytes)));
    });
    Ok(Some(bytes))
}
