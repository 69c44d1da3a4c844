//! What a shard has in memory while its alarm rings.

use selvedge_edge::delivery::machine::Machine;
use selvedge_edge::site::Site;
use std::rc::Rc;

/// The time of an alarm that rings though nobody set it: one that rang already.
pub const ONCE_MORE: u64 = 0;

/// One ring.
#[derive(Debug)]
pub struct Ring {
    /// Its number: no other ring of the world has it.
    pub number: u64,
    /// It begins nothing new behind this time of the shard's clock.
    pub until_ms: u64,
    /// Its destinations.
    pub lanes: Vec<Lane>,
}

/// One destination in one ring.
#[derive(Debug)]
pub struct Lane {
    /// Its place in the site's.
    pub place: usize,
    /// Its name.
    pub name: String,
    /// The site, as the ring began with it.
    pub site: Rc<Site>,
    /// Its machine.
    pub machine: Machine,
    /// Erasures that it has heard of.
    pub erasures: u64,
    /// Something is on its way.
    pub is_away: bool,
    /// Its step failed: it does nothing more in this ring.
    pub is_over: bool,
}
