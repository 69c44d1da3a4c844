//! `/v1/quarantine`: listed, one shown, grouped; replayed under the plan in force, and dropped.

use super::log_stream::Source;
use super::{log, query, require_admin, shards};
use crate::packed::{pack, unpack};
use crate::reply::{self, Answered, Problem};
use crate::shard::{Frames, Meant};
use crate::{body, programs, settings};
use selvedge_core::limits::QUARANTINE_KEEP_MS;
use selvedge_edge::cursor::Position;
use selvedge_edge::fault::Fault;
use selvedge_edge::quarantine::selection::ORDER_BYTES_MAX;
use selvedge_edge::quarantine::{Groups, Name, Order, Replayed, Selection, replayed, shown};
use selvedge_edge::topology::Place;
use worker::{Env, Request};

/// The entries that the query selects, as JSON lines from a cursor.
pub async fn list(request: &Request, env: &Env) -> Answered {
    let meant = meant(request, env).await?;
    let site = meant.site.clone();
    log::lines(request, env, site, Source::Quarantine(Box::new(meant)))
}

/// One entry, with what to do about it.
pub async fn show(request: &Request, env: &Env, entry: &str) -> Answered {
    require_admin(request, env)?;
    let name = Name::parse(entry)?;
    let meant = Meant { rows: Some(vec![name.row]), limit: 1, ..meant(request, env).await? };
    let place = usize::try_from(name.shard).ok().and_then(|at| places(env).ok()?.into_iter().nth(at));
    let gone = || Fault::not_found("there is no such entry, or no more");
    let place = place.ok_or_else(gone)?;
    let bytes = shards::order(env, &meant.site, place, "/quarantine/list", &pack(&meant, &[])?).await?;
    let frames = Frames::decode(&bytes).map_err(|fault| worker::Error::RustError(fault.to_string()))?;
    let line = frames.frames.first().ok_or_else(gone)?;
    let shown = shown(name, &String::from_utf8_lossy(&line.body));
    reply::json(shown.ok_or_else(|| Fault::internal("the entry cannot be read"))?)
}

/// The entries that the query selects, by reason.
pub async fn groups(request: &Request, env: &Env) -> Answered {
    let meant = meant(request, env).await?;
    let mut groups = Groups::default();
    for (shard, place) in (0u32..).zip(places(env)?) {
        groups.add(shard, ask(env, place, "/quarantine/groups", &meant).await?);
    }
    reply::json(groups.render())
}

/// Replays or drops what the body says, a bounded number at once.
pub async fn order(request: &mut Request, env: &Env, order: &str) -> Answered {
    require_admin(request, env)?;
    let said = Order::read(&body::read(request, ORDER_BYTES_MAX).await?)?;
    let (names, mut cursor) = (said.names()?, said.cursor()?);
    let path = format!("/quarantine/{order}");
    let base = Meant { selection: said.selection.clone(), ..meant(request, env).await? };
    let (mut all, mut left) = (Vec::new(), said.limit());
    for (shard, place) in (0u32..).zip(places(env)?) {
        let of_shard = || names.iter().filter(|name| name.shard == shard).map(|name| name.row).collect();
        let rows: Option<Vec<u64>> = (!names.is_empty()).then(of_shard);
        if left == 0 || rows.as_ref().is_some_and(Vec::is_empty) {
            continue;
        }
        let meant = Meant { after: cursor.position(shard).row, limit: left, rows, ..base.clone() };
        let told: Vec<Replayed> = ask(env, place, &path, &meant).await?;
        left = left.saturating_sub(u64::try_from(told.len()).unwrap_or(u64::MAX));
        if let Some(newest) = told.last() {
            cursor.set(shard, Position { row: newest.row, events: 0 });
        }
        all.extend(told.into_iter().map(|told| (shard, told)));
    }
    reply::json(replayed::render(&all, (left == 0).then(|| cursor.to_string())))
}

/// What the query means, of every shard.
async fn meant(request: &Request, env: &Env) -> Result<Meant, Problem> {
    require_admin(request, env)?;
    let name = log::site_of(request, env).await?;
    let pairs = query(request);
    let selection = Selection::of_query(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    // A site whose program cannot be loaded has a quarantine all the same.
    let (publish, keep_ms) = match programs::site(env, &name, 0).await {
        Ok(site) => (site.publish, site.config.keep.quarantine_ms),
        Err(_) => (0, QUARANTINE_KEEP_MS),
    };
    Ok(Meant { site: name, publish, keep_ms, selection, ..Meant::default() })
}

fn places(env: &Env) -> Result<Vec<Place>, Problem> {
    Ok(settings::topology(env)?.places().collect())
}

async fn ask<T: serde::de::DeserializeOwned>(
    env: &Env,
    place: Place,
    path: &str,
    meant: &Meant,
) -> Result<T, Problem> {
    let bytes = shards::order(env, &meant.site, place, path, &pack(meant, &[])?).await?;
    Ok(unpack(&bytes)?.0)
}
