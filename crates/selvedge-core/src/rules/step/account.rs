//! One event of a member steps the account's state: what is kept of the account, and nothing of the member.

use super::{Step, Stepped};
use crate::consent::Purposes;
use crate::event::Event;
use crate::limits::CLOCK_OFF_MS;
use crate::rules::moment::Moment;
use crate::wire::program::Image;
use crate::wire::state::VisitorState;

/// Steps the state of an account by an event of one of its members, which may be used for `usable`. It is a state of its
/// own, begun with [`VisitorState::new`] when the account was first heard of, and holds attributes and metrics of the
/// account only: [`super::step`] leaves those alone. Late is what is late against the account's newest event.
pub fn step_account(
    image: &Image,
    account: &mut VisitorState,
    event: &Event,
    usable: Purposes,
    moment: &Moment,
) -> Stepped {
    let time_ms = moment.now_ms;
    let now_ms = account.now_ms(time_ms);
    let stepped = Stepped {
        late: now_ms.wrapping_sub(time_ms) > image.late_ms(),
        clock_off: event.time_ms.cast_signed().abs_diff(time_ms) > CLOCK_OFF_MS.unsigned_abs(),
        ..Stepped::default()
    };
    account.align_account(image, now_ms);
    if stepped.late {
        return stepped;
    }
    let mut step =
        Step { image, state: account, event, usable, moment, ends_session: false, is_account: true };
    step.metrics();
    step.attributes();
    if !usable.is_empty() {
        account.last_time_ms = Some(now_ms);
    }
    account.in_force = moment.in_force;
    stepped
}
