//! The shard: owns many visitors, their state and dedup windows, and the log of their events. One transaction per request
//! behind the barrier; what a request wrote is durable before its answer leaves.

mod envelope;

mod frames;

mod quarantined;

mod tables;

mod stopped;

mod warming;

mod attempts;

mod alarm;

mod deadlines;

mod outbox;

mod collect;

mod replay;

mod erased;

pub use envelope::{Asked, Envelope};
pub use erased::Whom;
pub use frames::{Frame, Frames, Stats};
pub use quarantined::Meant;

use crate::barrier::{self, Failure};
use crate::clock::now_ms;
use crate::host;
use crate::packed::{pack, unpack};
use crate::programs;
use crate::reply::{self, Answered, Passed};
use crate::settings;
use alarm::Alarm;
use outbox::Outbox;
use selvedge_edge::decide::{self, Known, Question};
use selvedge_edge::fault::Fault;
use selvedge_edge::ingest::Stale;
use selvedge_edge::site::Site;
use std::rc::Rc;
use stopped::Stopped;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{DurableObject, Env, Method, Request, Response, SqlStorage, State, durable_object};

/// How often it is looked for entries of the quarantine whose time is over, at most.
const SWEEP_MS: u64 = 60_000;

/// How often one request fetches programs that its step turns out to need: the newest, and those of the visitor's past.
const FETCHES_MAX: u32 = 3;

/// The binding that preview tokens are signed with; without it there are none.
pub const PREVIEW_SECRET: &str = "PREVIEW_SECRET";

/// One shard of one site.
#[durable_object]
pub struct Shard {
    state: State,
    env: Env,
    opened: worker::Result<()>,
    outbox: Rc<Outbox>,
    alarm: Rc<Alarm>,
}

impl DurableObject for Shard {
    fn new(state: State, env: Env) -> Self {
        let sql = state.storage().sql();
        let opened = tables::create(&sql).and_then(|()| outbox::create(&sql));
        Self { state, env, opened, outbox: Rc::default(), alarm: Rc::new(Alarm::new(earliest_ms)) }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        match self.answer(&mut request).await {
            Ok(response) => Ok(response),
            Err(problem) => reply::of_problem(problem),
        }
    }

    async fn alarm(&self) -> worker::Result<Response> {
        if self.opened.is_ok() {
            self.ring().await;
        }
        Response::empty()
    }
}

#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
impl Shard {
    /// A batch, packed with its envelope.
    pub async fn collect(&self, packed: Vec<u8>) -> worker::Result<web_sys::Response> {
        match self.take(&packed).await {
            Ok(response) => Ok(response),
            Err(problem) => Ok(reply::of_problem(problem)?.into()),
        }
    }
}

impl Shard {
    /// Does what is due and sets the alarm again; what fails is tried later.
    async fn ring(&self) {
        outbox::ring(self).await;
        if let Err(error) = replay::sweep(self, self.alarm.keep().quarantine_ms) {
            worker::console_error!("old entries of the quarantine cannot be removed: {error}");
        }
        if let Err(error) = self.alarm.arm(&self.state.storage(), None) {
            worker::console_error!("the alarm cannot be set: {error}");
            self.alarm.forget();
        }
    }

    /// Before anything is done.
    fn begin(&self) -> Result<(), Fault> {
        if let Err(error) = &self.opened {
            worker::console_error!("the tables could not be made: {error}");
            return Err(Fault::storage("the shard's tables could not be made"));
        }
        // Whoever asks for whatever finds an alarm that was lost.
        if let Err(error) = self.alarm.by(&self.state.storage(), None) {
            worker::console_error!("the alarm cannot be set: {error}");
            self.alarm.forget();
        }
        Ok(())
    }

    async fn answer(&self, request: &mut Request) -> Answered {
        self.begin()?;
        let path = request.path();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (request.method(), segments.as_slice()) {
            (Method::Post, ["decide"]) => self.decide(request).await,
            (Method::Get, ["log", after]) => self.log(after),
            (Method::Post, ["erase"]) => self.erase(request).await,
            (Method::Post, ["quarantine", order]) => self.quarantine(order, request).await,
            (Method::Get, ["visitor", id]) => self.visitor(id),
            (Method::Get, ["stats"]) => self.stats(),
            (Method::Post, ["destination", name, order @ ("pause" | "resume")]) => {
                outbox::order(self, name, *order == "pause")?;
                reply::json("{}".into())
            }
            _ => Err(Fault::not_found("the shard has no such path").into()),
        }
    }

    async fn take(&self, packed: &[u8]) -> Passed {
        self.begin()?;
        let (envelope, batch) = unpack::<Envelope>(packed)?;
        let (envelope, batch) = (Rc::new(envelope), Rc::<[u8]>::from(batch));
        let mut site = programs::site(&self.env, &envelope.site, envelope.publish).await?;
        let plants_faults = settings::plants_faults(&self.env);
        // No await from here to the answer, but for programs that this isolate has not heard of.
        let mut answer = collect::collect(self, &site, &envelope, &batch, plants_faults);
        for _ in 0..FETCHES_MAX {
            match answer {
                Err(Stopped::Stale(stale)) => {
                    site = programs::site(&self.env, &envelope.site, stale.known).await?;
                }
                Err(Stopped::Unknown(unknown)) => programs::learn(&self.env, &unknown).await,
                other => {
                    answer = other;
                    break;
                }
            }
            answer = collect::collect(self, &site, &envelope, &batch, plants_faults);
        }
        let answer = answer.map_err(Stopped::into_fault)?;
        Ok(host::answer(&answer, envelope.is_json)?)
    }

    async fn decide(&self, request: &mut Request) -> Answered {
        let body = request.bytes().await?;
        let (asked, question) = unpack::<Asked>(&body)?;
        let mut site = programs::site(&self.env, &asked.site, asked.publish).await?;
        let question = Rc::new(Question::read(question)?);
        let mut decided = self.decide_once(&site, &question);
        for _ in 0..FETCHES_MAX {
            match &decided {
                Err(Failure::Work(Stopped::Stale(stale))) => {
                    site = programs::site(&self.env, &asked.site, stale.known).await?;
                }
                Err(Failure::Work(Stopped::Unknown(unknown))) => programs::learn(&self.env, unknown).await,
                _ => break,
            }
            decided = self.decide_once(&site, &question);
        }
        match decided {
            Ok(answer) => reply::json(answer),
            Err(Failure::Work(stopped)) => Err(stopped.into_fault().into()),
            Err(Failure::Panicked) => Err(Fault::step_failed("the decision failed").into()),
            Err(Failure::Storage) => Err(Fault::storage("the visitor could not be read").into()),
        }
    }

    fn decide_once(&self, site: &Rc<Site>, question: &Rc<Question>) -> Result<String, Failure<Stopped>> {
        let (sql, now_ms) = (self.state.storage().sql(), now_ms());
        let plants_faults = settings::plants_faults(&self.env);
        let preview_secret = settings::secret(&self.env, PREVIEW_SECRET);
        let (site, question) = (Rc::clone(site), Rc::clone(question));
        barrier::transaction(&self.state.storage(), move || {
            let visitor = question.whose.visitor(site.name());
            let mut stored = tables::visitor(&sql, visitor)?;
            warming::warm_up(&sql, &site, visitor, stored.as_mut())?;
            crate::fault_plan::FaultPlan { is_on: plants_faults }.at_decide(&question.context);
            let publish = stored.as_ref().map_or(0, |record| record.publish);
            if publish > site.publish {
                return Err(Stopped::Stale(Stale { known: publish, given: site.publish }));
            }
            let ask = |is_erased| {
                let known = Known { stored: stored.as_ref(), is_erased };
                decide::answer_preview(&site, known, &question, preview_secret.as_deref(), now_ms)
            };
            let mut answered = ask(false);
            if let Some(record) = &answered.record {
                if stored.is_none() && tables::is_erased(&sql, visitor)? {
                    answered = ask(true);
                } else {
                    tables::write_record(&sql, visitor, record)?;
                }
            }
            Ok(answered.text)
        })
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

    async fn erase(&self, request: &mut Request) -> Answered {
        let body = request.bytes().await?;
        let (whom, _) = unpack::<Whom>(&body)?;
        let site = programs::site(&self.env, &whom.site, whom.publish).await?;
        plain(&erased::erase(self, &site, &whom)?)
    }

    fn visitor(&self, id: &str) -> Answered {
        let visitor = selvedge_edge::ingest::json::visitor(id)?;
        match tables::record_bytes(&self.state.storage().sql(), visitor)? {
            Some(record) => reply::bytes(record),
            None => Err(Fault::not_found("nothing is kept of this visitor").into()),
        }
    }

    fn stats(&self) -> Answered {
        let sql = self.state.storage().sql();
        let stats = Stats { destinations: outbox::reports(&sql)?, ..tables::stats(&sql)? };
        reply::bytes(stats.encode())
    }
}

/// The earliest of what the shard waits for.
fn earliest_ms(sql: &SqlStorage, alarm: &Alarm) -> worker::Result<Option<u64>> {
    let keep = alarm.keep();
    let of_outbox = outbox::next_ms(sql, now_ms(), keep.log_ms)?;
    let of_outbox = of_outbox.map(|next_ms| next_ms.max(alarm.put_off_ms()));
    let of_quarantine = quarantined::oldest_ms(sql)?;
    let of_quarantine = of_quarantine
        .map(|oldest_ms| oldest_ms.saturating_add(keep.quarantine_ms).max(now_ms().saturating_add(SWEEP_MS)));
    Ok([deadlines::next_ms(sql)?, of_outbox, of_quarantine].into_iter().flatten().min())
}

fn row_of(text: &str) -> Result<u64, Fault> {
    text.parse().map_err(|_| Fault::bad_request("a row is a whole number"))
}

/// What the worker that asked reads again.
fn plain(value: &impl serde::Serialize) -> Answered {
    reply::bytes(pack(value, &[])?)
}
