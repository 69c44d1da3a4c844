//! The shard: owns many visitors, their state and dedup windows, and the log of their events. One transaction per request
//! behind the barrier; what a request wrote is durable before its answer leaves.

mod envelope;

mod frames;

mod quarantined;

mod tables;

mod attempts;

mod deadlines;

mod collect;

mod replay;

pub use envelope::{Asked, Envelope, pack, unpack};
pub use frames::{Frame, Frames, Stats};
pub use quarantined::Meant;

use crate::barrier::{self, Failure};
use crate::clock::now_ms;
use crate::programs;
use crate::reply::{self, Answered, Problem};
use crate::settings;
use selvedge_edge::decide::{self, Question};
use selvedge_edge::fault::Fault;
use std::rc::Rc;
use worker::{DurableObject, Env, Method, Request, Response, State, durable_object};

/// One shard of one site.
#[durable_object]
pub struct Shard {
    state: State,
    env: Env,
    opened: worker::Result<()>,
}

impl DurableObject for Shard {
    fn new(state: State, env: Env) -> Self {
        let opened = tables::create(&state.storage().sql());
        Self { state, env, opened }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        match self.answer(&mut request).await {
            Ok(response) => Ok(response),
            Err(problem) => reply::of_problem(problem),
        }
    }

    async fn alarm(&self) -> worker::Result<Response> {
        if self.opened.is_ok() {
            deadlines::ring(self).await;
        }
        Response::empty()
    }
}

impl Shard {
    async fn answer(&self, request: &mut Request) -> Answered {
        if let Err(error) = &self.opened {
            worker::console_error!("the tables could not be made: {error}");
            return Err(Fault::storage("the shard's tables could not be made").into());
        }
        let path = request.path();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (request.method(), segments.as_slice()) {
            (Method::Post, ["collect"]) => self.collect(request).await,
            (Method::Post, ["decide"]) => self.decide(request).await,
            (Method::Get, ["log", after]) => self.log(after),
            (Method::Post, ["quarantine", order]) => self.quarantine(order, request).await,
            (Method::Get, ["visitor", id]) => self.visitor(id),
            (Method::Get, ["stats"]) => self.stats(),
            _ => Err(Fault::not_found("the shard has no such path").into()),
        }
    }

    async fn collect(&self, request: &mut Request) -> Answered {
        let body = request.bytes().await?;
        let (envelope, batch) = unpack::<Envelope>(&body)?;
        let (envelope, batch) = (Rc::new(envelope), Rc::<[u8]>::from(batch));
        let mut site = programs::site(&self.env, &envelope.site, envelope.publish).await?;
        let plants_faults = settings::plants_faults(&self.env);
        // No await from here to the answer, but for a program that this isolate has not heard of.
        let answer = match collect::collect(&self.state, &site, &envelope, &batch, plants_faults) {
            Err(collect::Stopped::Stale(stale)) => {
                site = programs::site(&self.env, &envelope.site, stale.known).await?;
                collect::collect(&self.state, &site, &envelope, &batch, plants_faults)
            }
            other => other,
        };
        let answer = answer.map_err(collect::Stopped::into_fault)?;
        let content_type = if envelope.is_json { reply::JSON } else { reply::BYTES };
        Ok(reply::typed(content_type)?.fixed(answer))
    }

    async fn decide(&self, request: &mut Request) -> Answered {
        let body = request.bytes().await?;
        let (asked, question) = unpack::<Asked>(&body)?;
        let site = programs::site(&self.env, &asked.site, asked.publish).await?;
        let question = Question::read(question)?;
        let (sql, now_ms) = (self.state.storage().sql(), now_ms());
        let plants_faults = settings::plants_faults(&self.env);
        let decided = barrier::transaction(&self.state.storage(), move || {
            let stored = tables::visitor(&sql, question.whose.visitor(site.name()))?;
            crate::fault_plan::FaultPlan { is_on: plants_faults }.at_decide(&question.context);
            Ok::<String, worker::Error>(decide::answer(&site, stored.as_ref(), &question, now_ms))
        });
        match decided {
            Ok(answer) => reply::json(answer),
            Err(Failure::Work(error)) => Err(Problem::Platform(error)),
            Err(Failure::Panicked) => Err(Fault::step_failed("the decision failed").into()),
            Err(Failure::Storage) => Err(Fault::storage("the visitor could not be read").into()),
        }
    }

    fn log(&self, after: &str) -> Answered {
        let frames = tables::log_after(&self.state.storage().sql(), row_of(after)?)?;
        reply::bytes(frames.encode())
    }

    async fn quarantine(&self, order: &str, request: &mut Request) -> Answered {
        let body = request.bytes().await?;
        let (meant, _) = unpack::<Meant>(&body)?;
        replay::sweep(self, meant.keep_ms)?;
        let sql = self.state.storage().sql();
        match order {
            "list" => reply::bytes(quarantined::list(&sql, &meant)?.encode()),
            "groups" => plain(&quarantined::groups(&sql, &meant)?),
            "replay" => plain(&replay::replay(self, &meant).await?),
            "drop" => plain(&replay::drop(self, &meant)?),
            _ => Err(Fault::not_found("the shard has no such order").into()),
        }
    }

    fn visitor(&self, id: &str) -> Answered {
        let visitor = selvedge_edge::ingest::json::visitor(id)?;
        match tables::record_bytes(&self.state.storage().sql(), visitor)? {
            Some(record) => reply::bytes(record),
            None => Err(Fault::not_found("nothing is kept of this visitor").into()),
        }
    }

    fn stats(&self) -> Answered {
        reply::bytes(tables::stats(&self.state.storage().sql())?.encode())
    }
}

fn row_of(text: &str) -> Result<u64, Fault> {
    text.parse().map_err(|_| Fault::bad_request("a row is a whole number"))
}

/// What the worker that asked reads again.
fn plain(value: &impl serde::Serialize) -> Answered {
    reply::json(serde_json::to_string(value).unwrap_or_default())
}
