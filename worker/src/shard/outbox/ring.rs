//! What the alarm does: all destinations side by side, each step by step, until there is nothing left or the time is over.
//! One that is slow keeps nobody waiting: the others, and the rules' deadlines, go on meanwhile.

use super::super::{Shard, deadlines};
use super::named::name_all;
use super::sending::{Lane, Next};
use super::{kept, store};
use crate::barrier;
use crate::clock::now_ms;
use crate::programs;
use futures_util::future::{join, join_all};
use selvedge_core::wire::program::Way;
use selvedge_edge::delivery::keeping::newest_publish;
use selvedge_edge::site::Site;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use worker::Delay;

/// How long one ring begins new work.
const RING_MS: u64 = 10_000;
/// How often those that have nothing to do look again, while others are busy.
const LOOK_MS: u64 = 100;
/// How long a destination waits whose step failed.
const FAILED_MS: u64 = 30_000;

/// One ring.
struct Ring {
    until_ms: u64,
    /// How many are at work.
    busy: Cell<u32>,
}

impl Ring {
    fn begin(&self) {
        self.busy.set(self.busy.get().saturating_add(1));
    }

    fn end(&self) {
        self.busy.set(self.busy.get().saturating_sub(1));
    }

    /// Waits a while for those that are at work; whether the ring goes on.
    async fn rests(&self) -> bool {
        self.end();
        let goes_on = self.busy.get() > 0 && now_ms() < self.until_ms;
        if goes_on {
            Delay::from(Duration::from_millis(LOOK_MS)).await;
        }
        self.begin();
        goes_on
    }
}

/// Does what is due. It never fails: what could not be done is tried later.
pub async fn ring(shard: &Shard) {
    shard.alarm.rings();
    let ring = Ring { until_ms: now_ms().saturating_add(RING_MS), busy: Cell::new(0) };
    join(decide(shard, &ring), deliver(shard, &ring)).await;
    shard.outbox.forget();
}

async fn decide(shard: &Shard, ring: &Ring) {
    ring.begin();
    loop {
        deadlines::ring(shard).await;
        if !ring.rests().await {
            break;
        }
    }
    ring.end();
}

async fn deliver(shard: &Shard, ring: &Ring) {
    ring.begin();
    match site_of(shard).await {
        Ok(Some(site)) => {
            let places = (0..site.destinations.len())
                .filter(|place| site.destinations.get(*place).is_some_and(|found| found.way != Way::Log));
            join_all(places.map(|place| lane(shard, &site, place, ring))).await;
            if let Err(error) = kept::sweep(shard, site.config.keep.log_ms) {
                worker::console_error!("old rows cannot be removed: {error}");
            }
        }
        Ok(None) => {}
        Err(problem) => {
            worker::console_error!("a delivery is put off: {problem}");
            shard.alarm.put_off(now_ms().saturating_add(FAILED_MS));
        }
    }
    ring.end();
}

/// The site of the shard, with its destinations in the tables; `None` where nothing was logged yet.
async fn site_of(shard: &Shard) -> Result<Option<Rc<Site>>, String> {
    let sql = shard.state.storage().sql();
    let Some(name) = shard.outbox.site(&sql).map_err(|error| error.to_string())? else { return Ok(None) };
    let states = store::states(&sql).map_err(|error| error.to_string())?;
    let publish = newest_publish(states.iter().map(|(_, state)| state));
    let site = programs::site(&shard.env, &name, publish).await.map_err(|problem| format!("{problem:?}"))?;
    let named = Rc::clone(&site);
    barrier::transaction(&shard.state.storage(), move || name_all(&sql, &named))
        .map_err(|failure| format!("{failure:?}"))?;
    shard.outbox.named(site.publish);
    shard.alarm.keeps(site.config.keep);
    Ok(Some(site))
}

async fn lane(shard: &Shard, site: &Rc<Site>, place: usize, ring: &Ring) {
    ring.begin();
    if let Err(error) = run(shard, site, place, ring).await {
        worker::console_error!("a delivery is put off: {error}");
        shard.alarm.put_off(now_ms().saturating_add(FAILED_MS));
    }
    ring.end();
}

async fn run(shard: &Shard, site: &Rc<Site>, place: usize, ring: &Ring) -> worker::Result<()> {
    let Some(mut lane) = Lane::open(shard, site, place)? else { return Ok(()) };
    while now_ms() < ring.until_ms {
        if lane.step().await? == Next::Rest && !ring.rests().await {
            break;
        }
    }
    Ok(())
}
