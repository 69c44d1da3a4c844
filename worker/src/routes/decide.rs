//! `POST /v1/decide`: decisions for a page that a server renders. It fails open: where the step fails, every slot shows
//! its fallback.

use super::{collect, metrics, shards};
use crate::body;
use crate::clock::now_ms;
use crate::reply::{self, Passed};
use crate::shard::{Asked, pack};
use selvedge_core::tracking_plan::Trust;
use selvedge_edge::decide::{self, Question};
use selvedge_edge::fault::Fault;
use worker::{Env, Request};

/// Bytes of a question.
const QUESTION_BYTES_MAX: usize = 64 * 1024;

/// Answers a question.
pub async fn answer(request: &mut Request, env: &Env) -> Passed {
    let began_ms = now_ms();
    let answered = ask(request, env).await;
    metrics::observe_decide(now_ms().saturating_sub(began_ms));
    answered
}

async fn ask(request: &mut Request, env: &Env) -> Passed {
    let body = body::read(request, QUESTION_BYTES_MAX).await?;
    let question = Question::read(&body)?;
    let (site, sender) = collect::enter(request, env, &question.write_key).await?;
    if sender.trust != Trust::Server {
        return Err(Fault::unknown_key("decide needs a server key").into());
    }
    let asked = Asked { site: site.name().to_owned(), publish: site.publish };
    let place = shards::of_visitor(env, question.whose.visitor(site.name()))?;
    match shards::post(env, site.name(), place, "/decide", &pack(&asked, &body)?).await {
        Ok(response) if response.status() == 200 => Ok(response),
        _ => Ok(reply::json(decide::fallback(&site, &question, now_ms()))?.into()),
    }
}
