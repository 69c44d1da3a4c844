//! What only the edge knows of a program: its config, and where records of its site go.

use super::destination;
use crate::limits::CONSENT_SOURCES_BYTES_MAX;
use crate::wire::codec::{Reader, WireFault};
use crate::wire::program::image::{ACCEPT, REJECT};
use crate::wire::program::layout::tag;
use crate::wire::program::postcard::{self, Decoded};
use crate::wire::program::{Destination, EdgeConfig, Image, ProgramFault};
use alloc::string::String;
use alloc::vec::Vec;

/// What only the edge knows, of a full program's bytes; `None` in a public program.
///
/// # Errors
/// [`ProgramFault`] for anything malformed or above a limit.
pub fn edge_config(bytes: &[u8]) -> Result<Option<EdgeConfig>, ProgramFault> {
    edge_of(&Image::open(bytes.into())?)
}

/// Where records of a full program's site go; empty in a public program.
///
/// # Errors
/// [`ProgramFault`] for anything malformed or above a limit, or a filter that leads nowhere.
pub fn destinations(bytes: &[u8]) -> Result<Vec<Destination>, ProgramFault> {
    destinations_of(&Image::open(bytes.into())?)
}

pub(super) fn destinations_of(image: &Image) -> Decoded<Vec<Destination>> {
    let bytes = image.table(tag::DESTINATIONS);
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut from = Reader::new(bytes);
    let found = destination::destinations(&mut from)?;
    from.end()?;
    let is_there = |at: u16| usize::from(at) < image.code().len() || at == ACCEPT || at == REJECT;
    let leads_nowhere = |found: &Destination| found.filter.is_some_and(|at| !is_there(at));
    if found.iter().any(leads_nowhere) { Err(ProgramFault::Index) } else { Ok(found) }
}

pub(super) fn edge_of(image: &Image) -> Decoded<Option<EdgeConfig>> {
    let bytes = image.table(tag::EDGE);
    if bytes.is_empty() {
        return Ok(None);
    }
    let mut from = Reader::new(bytes);
    let mut config = postcard::edge_config(&mut from)?;
    from.end()?;
    let judged = image.table(tag::JUDGED);
    if !judged.is_empty() {
        (config.goals, config.studies) = postcard::judged(&mut Reader::new(judged))?;
    }
    let sources = image.table(tag::CONSENT_SOURCES);
    if sources.len() > CONSENT_SOURCES_BYTES_MAX {
        return Err(ProgramFault::TooLarge);
    }
    config.consent_sources = String::from_utf8(sources.into()).map_err(|_| WireFault::BadText)?;
    let rates = image.table(tag::RATES);
    if !rates.is_empty() {
        let rates = postcard::rates(&mut Reader::new(rates))?;
        let is_there = rates.table < image.lookups() && rates.column < image.lookup(rates.table).columns();
        if !is_there {
            return Err(ProgramFault::Index);
        }
        config.rates = Some(rates);
    }
    let pushed = image.table(tag::PUSHED);
    if !pushed.is_empty() {
        config.pushed = postcard::pushed(&mut Reader::new(pushed))?;
    }
    config.capture = pairs_of(image.table(tag::CAPTURE))?;
    config.identity = pairs_of(image.table(tag::IDENTITY))?;
    Ok(Some(config))
}

fn pairs_of(bytes: &[u8]) -> Decoded<Vec<(String, String)>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut from = Reader::new(bytes);
    let pairs = postcard::pairs(&mut from)?;
    from.end()?;
    Ok(pairs)
}
