//! `POST /v1/publish` and `GET /v1/programs`.

use super::{log, require_admin};
use crate::registry_client::{registry, tell_registry};
use crate::reply::{self, Answered, Problem};
use crate::{blobs, body, programs, settings};
use selvedge_core::wire::program::{EdgeConfig, SourceKind, destinations, edge_config};
use selvedge_edge::delivery::reach;
use selvedge_edge::fault::Fault;
use selvedge_edge::publish::{PUBLISH_BYTES_MAX, Published};
use worker::{Env, Request};

/// Takes a program, stores it (first in KV, where that is bound) and moves the site's pointer.
pub async fn answer(request: &mut Request, env: &Env) -> Answered {
    require_admin(request, env)?;
    let body = body::read(request, PUBLISH_BYTES_MAX).await?;
    let published = Published::read(&body)?;
    let config = edge_config(published.full).ok().flatten().unwrap_or_default();
    let destinations = destinations(published.full).unwrap_or_default();
    reach::check_all(&destinations, settings::may_reach_loopback(env)).map_err(Fault::bad_program)?;
    keys_are_free(env, &published.site, &config).await?;
    blobs::copy_to_kv(env, &published).await;
    let response = tell_registry(env, "/publish", &body).await?;
    programs::poll(env).await?;
    Ok(response)
}

/// The publishes of a site, newest first.
pub async fn history(request: &Request, env: &Env) -> Answered {
    require_admin(request, env)?;
    let site = log::site_of(request, env).await?;
    registry(env, &format!("/history/{site}")).await
}

/// The full program of a publish, as it was taken.
pub async fn program(request: &Request, env: &Env, hash: &str) -> Answered {
    require_admin(request, env)?;
    if selvedge_core::id::parse_hex_16(hash).is_none() {
        return Err(Fault::bad_request("a program's hash has 32 hexadecimal digits").into());
    }
    match blobs::read(env, hash, blobs::Form::Full).await? {
        Some(bytes) => reply::bytes(bytes),
        None => Err(Fault::not_found("there is no program of this hash").into()),
    }
}

/// A browser key names one site, and so does the secret of a server.
async fn keys_are_free(env: &Env, site: &str, config: &EdgeConfig) -> Result<(), Problem> {
    let keys = |config: &EdgeConfig| -> Vec<(SourceKind, String)> {
        config.sources.iter().map(|source| (source.kind, source.key.clone())).collect()
    };
    let wanted = keys(config);
    programs::poll(env).await?;
    for other in programs::sites(env).await?.iter().filter(|other| other.name() != site) {
        if let Some((kind, key)) = keys(&other.config).iter().find(|key| wanted.contains(key)) {
            let key_word = if *kind == SourceKind::Browser { "write key" } else { "secret" };
            let message = format!("the site {} has the {key_word} {key} already", other.name());
            return Err(Fault::bad_program(message).into());
        }
    }
    Ok(())
}
