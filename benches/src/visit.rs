//! A visitor under a program, and the moments and events that it goes through: one set-up for the benchmarks, their peers
//! and the fuzz targets.

use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType};
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::rules::{Decision, Moment, Orders, Place, Program, ProgramFault, Recall, decide_in, step};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::Map;
use selvedge_core::wire::state::VisitorState;

/// When every visitor is born.
pub const START_MS: i64 = 1_800_000_000_000;

/// A visitor under a program, an event a second.
pub struct Visit {
    /// The program.
    pub program: Program,
    /// What is kept of the visitor.
    pub state: VisitorState,
    /// When the newest event was.
    pub now_ms: i64,
    context: Map,
    recall: Recall,
    /// Of [`Self::decide`], which would else make [`Self::event`] believe that it knows what changed.
    anew: Recall,
}

impl Visit {
    /// A new visitor under the program of these bytes.
    ///
    /// # Errors
    /// [`ProgramFault`] where they are none.
    pub fn new(program: &[u8]) -> Result<Self, ProgramFault> {
        Ok(Self {
            program: Program::load(program)?,
            state: VisitorState::new(START_MS),
            now_ms: START_MS,
            context: Map::new(),
            recall: Recall::default(),
            anew: Recall::default(),
        })
    }

    /// This moment.
    #[must_use]
    pub fn moment(&self) -> Moment<'_> {
        moment(&self.context, self.now_ms)
    }

    /// A second later, an event.
    pub fn step(&mut self, event: &Event) {
        self.now_ms += 1_000;
        let moment = moment(&self.context, self.now_ms);
        step(&self.program, &mut self.state, event, moment.in_force, &moment);
    }

    /// Decides every slot: every fact found and every rule asked anew, in memory that is there already.
    pub fn decide(&mut self) -> &[Decision] {
        self.anew.forget();
        let moment = moment(&self.context, self.now_ms);
        decide_in(&self.program, &mut self.state, &moment, &mut self.anew)
    }

    /// Steps and decides as a page or a batch does: what did not change is not asked again.
    pub fn event(&mut self, event: &Event) -> &[Decision] {
        self.step(event);
        let moment = moment(&self.context, self.now_ms);
        decide_in(&self.program, &mut self.state, &moment, &mut self.recall)
    }

    /// Bytes of the visitor's state as it is stored.
    #[must_use]
    pub fn state_bytes(&self) -> usize {
        self.state.encode().len()
    }
}

/// A moment at the edge, all purposes in force.
#[must_use]
pub const fn moment(context: &Map, now_ms: i64) -> Moment<'_> {
    Moment {
        writer: WriterId::from_bits(1),
        context,
        now_ms,
        in_force: Purposes(0xf),
        place: Place::Edge,
        trust: Trust::Client,
        account: None,
        visitor: VisitorId([7; 16]),
        orders: Orders { paused: &[], forced: &[], is_converted: false },
    }
}

/// An event with these properties.
#[must_use]
pub fn event(event_type: EventType, name: &str, time_ms: i64, properties: Map) -> Event {
    Event {
        sequence: Sequence::new(1).unwrap_or_else(|| unreachable!("1 is a sequence")),
        event_type,
        name: name.into(),
        time_ms: time_ms.unsigned_abs(),
        consent: 0,
        properties,
        context: Map::new(),
    }
}
