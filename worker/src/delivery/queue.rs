//! A queue of the platform: records packed into messages, each sent on its own. What a consumer could not take goes to the
//! queue for dead letters, which the queue's consumer names. A queue tells no message from its repetition: what may have
//! got there twice is counted.

use super::Sending;
use crate::clock::now_ms;
use crate::host;
use futures_util::future::{Either, select};
use selvedge_edge::delivery::packing::{MESSAGE_BYTES_MAX, pack};
use selvedge_edge::delivery::sent::{SendResult, Sent};
use std::pin::pin;
use std::time::Duration;
use worker::Delay;

/// Sends the records to the queue that is bound as `binding`.
pub async fn send(sending: &Sending<'_>, binding: &str) -> Sent {
    let Some(queue) = host::queue(sending.env, binding) else {
        let why = format!("no queue is bound as {binding}; only Cloudflare has queues, see docs/operate.md");
        return Sent::of(SendResult::Pause { why });
    };
    let messages = match pack(sending.records) {
        Ok(messages) => messages,
        Err(records) => {
            let why = format!("a message of a queue takes {MESSAGE_BYTES_MAX} bytes");
            return Sent::of(SendResult::Poison { records, why });
        }
    };
    let (mut done, mut possible_duplicates) = (0usize, 0u64);
    let part = |done, possible_duplicates, result| Sent { done, possible_duplicates, ..Sent::of(result) };
    for message in messages {
        let left_ms = sending.give_up_ms.saturating_sub(now_ms());
        if left_ms == 0 {
            return part(done, possible_duplicates, SendResult::Some);
        }
        let sent = pin!(host::enqueue(&queue, &message.body));
        let again = |why| SendResult::Again { after_ms: None, is_answered: false, why };
        match select(sent, pin!(Delay::from(Duration::from_millis(left_ms)))).await {
            Either::Left((Ok(()), _)) => {}
            Either::Left((Err(error), _)) => {
                return part(done, possible_duplicates, again(format!("the queue did not take it: {error}")));
            }
            Either::Right(_) => {
                return part(done, possible_duplicates, again("no answer of the queue in time".into()));
            }
        }
        done = done.saturating_add(message.records);
        if sending.is_unsure {
            let records = u64::try_from(message.records).unwrap_or(u64::MAX);
            possible_duplicates = possible_duplicates.saturating_add(records);
        }
    }
    part(done, possible_duplicates, SendResult::Delivered)
}
