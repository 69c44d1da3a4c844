//! The threads that send: each owns a share of the visitors and has one request under way.

use super::batches::Outgoing;
use super::progress::Progress;
use super::report::Report;
use super::sender::Sender;
use anyhow::{Result, anyhow};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

/// Batches that wait in front of each lane.
const QUEUE: usize = 64;

/// All lanes of a replay.
pub struct Lanes<'scope>(Vec<Lane<'scope>>);

struct Lane<'scope> {
    queue: SyncSender<Outgoing>,
    thread: ScopedJoinHandle<'scope, Result<Report>>,
}

/// A lane ended before its time; [`Lanes::finish`] says why.
#[derive(Debug, thiserror::Error)]
#[error("sending ended early")]
pub struct LaneEnded;

impl<'scope> Lanes<'scope> {
    /// So many lanes, at least one, each with a copy of the sender.
    pub fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        lanes: usize,
        progress: &'env Progress,
        sender: impl Fn() -> Sender,
    ) -> Self {
        let start = |_| {
            let (queue, batches) = sync_channel(QUEUE);
            let sender = sender();
            Lane { queue, thread: scope.spawn(move || send_all(sender, &batches, progress)) }
        };
        Self((0..lanes.max(1)).map(start).collect())
    }

    /// Puts a batch before the lane of its visitor; waits while that lane has enough to do.
    ///
    /// # Errors
    /// [`LaneEnded`], where a request of that lane failed for good.
    pub fn put(&self, batch: Outgoing) -> Result<(), LaneEnded> {
        let lanes = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let lane = usize::try_from(batch.visitor.shard(lanes)).ok().and_then(|lane| self.0.get(lane));
        lane.ok_or(LaneEnded)?.queue.send(batch).map_err(|_| LaneEnded)
    }

    /// What all lanes did, once they have sent what was put before them.
    ///
    /// # Errors
    /// The first failure for good of a lane.
    pub fn finish(self) -> Result<Report> {
        let threads: Vec<_> = self.0.into_iter().map(|lane| lane.thread).collect();
        let join = |thread: ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("a sending thread panicked")))
        };
        let reports: Vec<_> = threads.into_iter().map(join).collect();
        reports.into_iter().try_fold(Report::default(), |mut sum, report| {
            sum.add(report?);
            Ok(sum)
        })
    }
}

fn send_all(mut sender: Sender, batches: &Receiver<Outgoing>, progress: &Progress) -> Result<Report> {
    for batch in batches {
        sender.send(&batch)?;
        progress.answered(batch.events.len());
    }
    Ok(sender.report)
}
