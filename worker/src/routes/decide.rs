//! `POST /v1/decide`: decisions for a page that a server renders, or that shows its holder of a preview token what others do
//! not see. It fails open: where the step fails, every slot shows its fallback.

use super::{collect, metrics, shards};
use crate::clock::now_ms;
use crate::host::Shown;
use crate::packed::pack;
use crate::reply::{self, Passed};
use crate::shard::{Asked, PREVIEW_SECRET};
use crate::{body, host, settings};
use selvedge_core::tracking_plan::Trust;
use selvedge_edge::decide::{self, Question};
use selvedge_edge::fault::Fault;
use selvedge_edge::preview::Preview;
use selvedge_edge::site::Site;
use worker::Env;

/// Bytes of a question.
const QUESTION_BYTES_MAX: usize = 64 * 1024;

/// Answers a question.
pub async fn answer(request: &web_sys::Request, shown: &Shown, env: &Env) -> Passed {
    let began_ms = now_ms();
    let answered = ask(request, shown, env).await;
    metrics::observe_decide(now_ms().saturating_sub(began_ms));
    match answered {
        Ok(response) => Ok(response),
        Err(problem) => collect::told(shown, env, problem).await,
    }
}

async fn ask(request: &web_sys::Request, shown: &Shown, env: &Env) -> Passed {
    let body = body::of(request, shown, QUESTION_BYTES_MAX).await?;
    let question = Question::read(&body)?;
    let (site, sender) = collect::enter(shown, env, &question.write_key).await?;
    if sender.trust != Trust::Server {
        let_in(&site, &question, env)?;
    }
    let asked = Asked { site: site.name().to_owned(), publish: site.publish };
    let place = shards::of_visitor(env, question.whose.visitor(site.name()))?;
    let response = match shards::post(env, site.name(), place, "/decide", &pack(&asked, &body)?).await {
        Ok(response) if response.status() == 200 => response,
        _ => reply::json(decide::fallback(&site, &question, now_ms()))?.into(),
    };
    match sender.cors_origin {
        Some(origin) => Ok(host::share_with(&response, &origin)?),
        None => Ok(response),
    }
}

/// A page may ask where its visitor holds a preview token that is worth something.
fn let_in(site: &Site, question: &Question, env: &Env) -> Result<(), Fault> {
    let Some(token) = &question.preview else {
        return Err(Fault::unknown_key("decide needs a server key, or a preview token"));
    };
    let secret = settings::secret(env, PREVIEW_SECRET);
    match Preview::verify(token, secret.as_deref(), site.name(), now_ms()) {
        Ok(_) => Ok(()),
        Err(refused) => {
            Err(Fault::unknown_key(format!("the preview token is refused: {}", refused.as_str())))
        }
    }
}
