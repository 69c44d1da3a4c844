//! `POST /v1/collect`: key and origin, then the visitor's shard.

use super::{metrics, shards};
use crate::clock::now_ms;
use crate::host::Shown;
use crate::packed::pack;
use crate::reply::{self, Passed, Problem};
use crate::shard::Envelope;
use crate::{body, host, programs, settings};
use selvedge_core::consent::{Mode, Snapshot};
use selvedge_core::id::VisitorId;
use selvedge_core::limits::BATCH_BYTES_MAX;
use selvedge_core::tracking_plan::Trust;
use selvedge_edge::access::{self, Credentials, Sender, Witness};
use selvedge_edge::cookie;
use selvedge_edge::fault::Fault;
use selvedge_edge::ingest::{self, Form};
use selvedge_edge::site::Site;
use std::rc::Rc;
use worker::Env;

/// Takes a batch.
pub async fn answer(request: &web_sys::Request, shown: &Shown, env: &Env) -> Passed {
    let received_ms = now_ms();
    let answered = take(request, shown, env, received_ms).await;
    metrics::observe_ingest(now_ms().saturating_sub(received_ms));
    match answered {
        Ok(response) => Ok(response),
        Err(problem) => fail(shown, env, problem).await,
    }
}

async fn fail(shown: &Shown, env: &Env, problem: Problem) -> Passed {
    if let Problem::Fault(fault) = &problem {
        metrics::count_failure(fault.code);
    }
    told(shown, env, problem).await
}

/// Tells a problem, readable by a page of a listed origin: else it would look like a broken network.
pub async fn told(shown: &Shown, env: &Env, problem: Problem) -> Passed {
    let response = reply::of_problem(problem)?.into();
    let Some(origin) = shown.origin() else {
        return Ok(response);
    };
    let is_listed = |site: &Rc<Site>| access::is_listed(&site.config, origin);
    match programs::sites(env).await {
        Ok(sites) if sites.iter().any(is_listed) => Ok(host::share_with(&response, origin)?),
        _ => Ok(response),
    }
}

async fn take(request: &web_sys::Request, shown: &Shown, env: &Env, received_ms: u64) -> Passed {
    let body = body::of(request, shown, BATCH_BYTES_MAX).await?;
    let opened = ingest::open(&body)?;
    let address = ingest::address(&opened)?;
    let (site, sender) = enter(shown, env, &address.write_key).await?;
    access::clock(&sender, address.clock)?;
    let seen = Witness { gpc: shown.gpc(), country: shown.country() };
    let (visitor, consent) = (address.whose.visitor(site.name()), address.consent.unwrap_or_default());
    let witness = Witness::of(&sender, seen, address.said);
    let envelope = Envelope {
        site: site.name().to_owned(),
        publish: site.publish,
        received_ms,
        is_server: sender.trust == Trust::Server,
        source: sender.source,
        is_json: opened.form == Form::Json,
        gpc: witness.gpc,
        mode: site.mode_in(witness.country.as_deref()) as u8,
        country: witness.country,
    };
    let place = shards::of_visitor(env, visitor)?;
    let response =
        shards::post(env, site.name(), place, "/collect", &pack(&envelope, &opened.bytes)?).await?;
    let response = match sender.cors_origin {
        Some(origin) => host::share_with(&response, &origin)?,
        None => response,
    };
    let parameters = access::query(shown.address());
    match parameters.into_iter().find(|(name, _)| name == cookie::PARAMETER) {
        Some((_, asked)) => keep_id(shown, &site, &asked, visitor, consent, envelope.mode(), response),
        None => Ok(response),
    }
}

/// The answer to a page that asks for its visitor's id as a cookie.
fn keep_id(
    shown: &Shown,
    site: &Site,
    asked: &str,
    visitor: VisitorId,
    consent: Snapshot,
    mode: Mode,
    response: web_sys::Response,
) -> Passed {
    let origin = shown.origin().unwrap_or_default();
    let own_origin = access::origin_of(shown.address());
    let Some(home) = cookie::home(&site.config, origin, own_origin) else { return Ok(response) };
    let kept = cookie::is_allowed(&consent, mode)
        .then(|| cookie::set(site.name(), home, asked, visitor, now_ms()))
        .flatten();
    Ok(host::with_cookie(&response, kept.as_deref())?)
}

/// The site that lets the sender in.
pub async fn enter(shown: &Shown, env: &Env, write_key: &str) -> Result<(Rc<Site>, Sender), Problem> {
    let sites = programs::sites(env).await?;
    if sites.is_empty() {
        return Err(Fault::not_published("no site is published").into());
    }
    let admin_token = shown.bearer().and_then(|_| settings::admin_token(env));
    let shown = Credentials {
        write_key,
        bearer: shown.bearer(),
        origin: shown.origin(),
        own_origin: access::origin_of(shown.address()),
    };
    let secret = |name: &str| settings::secret(env, name);
    let configs: Vec<_> = sites.iter().map(|site| &site.config).collect();
    let (at, sender) = access::enter(&configs, admin_token.as_deref(), &secret, &shown)?;
    let site = sites.get(at).ok_or_else(|| Fault::internal("a site that let a sender in is gone"))?;
    Ok((Rc::clone(site), sender))
}
