//! The programs in force, as this isolate knows them: polled from the registry at most every five seconds, and at once
//! after a publish that this isolate saw. Programs are immutable and loaded once.

use crate::blobs::{self, Form};
use crate::clock::now_ms;
use crate::packed::unpack;
use crate::registry_client::registry;
use crate::reply::Problem;
use crate::tables::Version;
use selvedge_core::id::{ProgramHash, parse_hex_16};
use selvedge_core::pairs::Pairs;
use selvedge_core::rules::Program;
use selvedge_core::tracking_plan::Plan;
use selvedge_edge::fault::Fault;
use selvedge_edge::lookups::Table;
use selvedge_edge::order;
use selvedge_edge::site::{Pushed, Site};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::rc::Rc;
use worker::Env;

/// How long a pointer is believed.
const POLL_MS: u64 = 5_000;
/// Tracking plans of the past that are kept.
const PLANS_MAX: usize = 32;
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
    pub paused: Vec<String>,
    /// The newest versions of its pushed tables.
    pub lookups: Vec<Version>,
}

/// A pointer as an admin is told it.
#[derive(Serialize)]
struct PointerJson<'a> {
    site: &'a str,
    publish: u64,
    program: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    paused: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    lookups: &'a [Version],
}

impl Pointer {
    /// The pointer as JSON, for an admin.
    pub fn render(&self) -> String {
        let Self { site, publish, program, paused, lookups } = self;
        serde_json::to_string(&PointerJson { site, publish: *publish, program, paused, lookups })
            .unwrap_or_default()
    }
}

#[derive(Default)]
struct Known {
    checked_ms: Option<u64>,
    /// Every published site, whether its program could be loaded or not.
    names: Vec<String>,
    sites: Pairs<String, Rc<Site>>,
    public: Vec<(String, Rc<Vec<u8>>)>,
    /// Of sites with pushed tables: the program as it was published, by its hash, and the tables.
    published: Pairs<String, (ProgramHash, Rc<Vec<u8>>)>,
    tables: Pairs<(String, String), (u64, Rc<Table>)>,
    /// The tracking plans of programs of the past; `None` for those that cannot be had.
    plans: Pairs<ProgramHash, Option<Rc<Plan>>>,
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
    Ok(KNOWN.with_borrow(|known| known.sites.iter().map(|(_, site)| Rc::clone(site)).collect()))
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

async fn pointers(env: &Env) -> Result<Vec<Pointer>, Problem> {
    let mut response = registry(env, "/pointers").await?;
    if response.status_code() != 200 {
        return Err(Fault::storage("the registry does not say which programs are in force").into());
    }
    Ok(unpack(&response.bytes().await?)?.0)
}

async fn ask(env: &Env) -> Result<(), Problem> {
    let pointers: Vec<Pointer> = pointers(env).await?;
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
        if let Err(problem) = push(env, &pointer).await {
            worker::console_error!("the pushed tables of {} stay as they were: {problem:?}", pointer.site);
        }
    }
    Ok(())
}

/// Gives the site the newest versions of its pushed tables, where it has others.
async fn push(env: &Env, pointer: &Pointer) -> Result<(), Problem> {
    let known = KNOWN.with_borrow(|known| known.sites.get(&pointer.site).cloned());
    let Some(site) = known.filter(|site| site.publish == pointer.publish) else { return Ok(()) };
    let is_declared = |version: &&Version| site.config.pushed.iter().any(|table| table.name == version.name);
    let wanted: Vec<&Version> = pointer.lookups.iter().filter(is_declared).collect();
    let is_current = |version: &&&Version| site.lookups.contains(&(version.name.clone(), version.version));
    if wanted.len() == site.lookups.len() && wanted.iter().filter(is_current).count() == wanted.len() {
        return Ok(());
    }
    let mut pushed: Vec<Pushed> = Vec::new();
    for version in wanted {
        let table = table(env, &pointer.site, version).await?;
        let declared = site.config.pushed.iter().find(|known| known.name == version.name);
        let rows = declared.map(|declared| table.rows_of(declared)).unwrap_or_default();
        pushed.push((version.name.clone(), version.version, rows));
    }
    let full = published(env, &site, &pointer.program).await?;
    let with_tables = site
        .with_tables(&full, pushed)
        .map_err(|fault| Fault::lookup_too_large(format!("the program with its rows: {fault}")))?;
    KNOWN.with_borrow_mut(|known| {
        // What came meanwhile is newer.
        let is_same = known.sites.get(&pointer.site).is_some_and(|known| Rc::ptr_eq(known, &site));
        if is_same {
            known.sites.insert(pointer.site.clone(), Rc::new(with_tables));
        }
    });
    Ok(())
}

/// A version of a pushed table, fetched once.
async fn table(env: &Env, site: &str, version: &Version) -> Result<Rc<Table>, Problem> {
    let key = (site.to_owned(), version.name.clone());
    let known = KNOWN.with_borrow(|known| known.tables.get(&key).cloned());
    if let Some((_, table)) = known.filter(|(known, _)| *known == version.version) {
        return Ok(table);
    }
    let table = Rc::new(stored_table(env, site, &version.name, version.version).await?);
    KNOWN.with_borrow_mut(|known| known.tables.insert(key, (version.version, Rc::clone(&table))));
    Ok(table)
}

/// A version of a pushed table, as the registry keeps it.
pub async fn stored_table(env: &Env, site: &str, name: &str, version: u64) -> Result<Table, Problem> {
    let mut response = registry(env, &format!("/lookup/{site}/{name}/{version}")).await?;
    if response.status_code() != 200 {
        return Err(Fault::not_found("there is no such version of the table").into());
    }
    let bytes = response.bytes().await?;
    Table::decode(&bytes).map_err(|fault| Fault::internal(format!("the stored table: {fault}")).into())
}

/// The bytes of a site's program as it was published, fetched once.
async fn published(env: &Env, site: &Site, program: &str) -> Result<Rc<Vec<u8>>, Problem> {
    let known = KNOWN.with_borrow(|known| known.published.get(site.name()).cloned());
    if let Some((_, bytes)) = known.filter(|(hash, _)| *hash == site.hash) {
        return Ok(bytes);
    }
    let bytes = blobs::read(env, program, Form::Full).await?;
    let bytes = Rc::new(bytes.ok_or_else(|| Fault::bad_program("the stored program is missing"))?);
    let entry = (site.hash, Rc::clone(&bytes));
    KNOWN.with_borrow_mut(|known| known.published.insert(site.name().to_owned(), entry));
    Ok(bytes)
}

/// Where a site stands, with the versions of its pushed tables.
pub async fn pointer(env: &Env, site: &str) -> Result<Option<Pointer>, Problem> {
    let pointers: Vec<Pointer> = pointers(env).await?;
    Ok(pointers.into_iter().find(|pointer| pointer.site == site))
}

/// The tracking plan of a program of the past, where that was learnt; inside, `None` where it cannot be had.
pub fn plan(program: ProgramHash) -> Option<Option<Rc<Plan>>> {
    KNOWN.with_borrow(|known| known.plans.get(&program).cloned())
}

/// Fetches the tracking plans of programs of the past, each once.
pub async fn learn(env: &Env, programs: &[ProgramHash]) {
    for program in programs {
        let plan = match blobs::read(env, &program.to_string(), Form::Full).await {
            Ok(bytes) => bytes.and_then(|bytes| Program::load(&bytes).ok()),
            Err(problem) => {
                worker::console_error!("the program {program} cannot be fetched: {problem:?}");
                None
            }
        };
        let plan = plan.map(|program| Rc::new(program.parts().plan.clone()));
        KNOWN.with_borrow_mut(|known| {
            if known.plans.len() >= PLANS_MAX {
                known.plans.clear();
            }
            known.plans.insert(*program, plan);
        });
    }
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
