//! `POST /v1/erase`: a visitor is erased, everywhere.

use super::{log, require_admin, shards};
use crate::clock::now_ms;
use crate::packed::{pack, unpack};
use crate::reply::{self, Answered};
use crate::shard::Whom;
use crate::{body, programs};
use selvedge_edge::erasure::{self, Found, ORDER_BYTES_MAX, Order};
use worker::{Env, Request};

/// Erases the visitor that the body names.
pub async fn answer(request: &mut Request, env: &Env) -> Answered {
    require_admin(request, env)?;
    let whose = Order::read(&body::read(request, ORDER_BYTES_MAX).await?)?;
    let site = programs::site(env, &log::site_of(request, env).await?, 0).await?;
    let visitor = whose.visitor(site.name());
    let place = shards::of_visitor(env, visitor)?;
    let whom = Whom {
        site: site.name().to_owned(),
        publish: site.publish,
        visitor: visitor.0,
        anonymous_id: whose.into_original(),
    };
    let found = shards::order(env, site.name(), place, "/erase", &pack(&whom, &[])?).await?;
    let (found, _) = unpack::<Found>(&found)?;
    reply::json(erasure::render(&site, visitor, found, now_ms()))
}
