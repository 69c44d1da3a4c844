//! One link to one broker: at most one request is under way on it.

use crate::answer::{AUTHENTICATE, Api, HANDSHAKE, VERSIONS, VERSIONS_OLDEST};
use crate::ask::{self, Asked};
use crate::cluster::Stop;
use crate::frame::FrameReader;
use crate::login::{Identity, Login, Then};
use crate::reader::Malformed;
use crate::settings::Address;

/// A link, from the wish for it to its end.
pub struct Link {
    pub address: Address,
    state: State,
    frames: FrameReader,
    outbox: Option<Vec<u8>>,
    awaited: Option<(Api, i32)>,
    correlation: i32,
}

enum State {
    Closed,
    LoggingIn(Login),
    Ready,
    Broken,
}

/// What a link waits for.
pub enum Want {
    Open,
    Write(Vec<u8>),
    Read,
}

impl Link {
    pub fn new(address: Address) -> Link {
        let frames = FrameReader::default();
        Link { address, state: State::Closed, frames, outbox: None, awaited: None, correlation: 0 }
    }

    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready) && self.awaited.is_none()
    }

    pub fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken)
    }

    /// What the link waits for, and how urgent that is: what can be sent goes first, so that brokers work side by side.
    pub fn urgency(&self) -> Option<u8> {
        match self.state {
            State::Broken => None,
            State::Closed => Some(1),
            _ if self.outbox.is_some() => Some(0),
            _ if self.awaited.is_some() => Some(2),
            _ => None,
        }
    }

    pub fn want(&mut self) -> Option<Want> {
        match self.urgency()? {
            0 => self.outbox.take().map(Want::Write),
            1 => Some(Want::Open),
            _ => Some(Want::Read),
        }
    }

    pub fn opened(&mut self) -> Result<(), Stop> {
        self.state = State::LoggingIn(Login::Versions);
        self.ask(VERSIONS, ask::versions)
    }

    pub fn break_off(&mut self) {
        self.state = State::Broken;
        self.outbox = None;
        self.awaited = None;
    }

    /// Puts a request on its way. `write` is given its number.
    pub fn ask(&mut self, api: Api, write: impl FnOnce(i32) -> Asked) -> Result<(), Stop> {
        self.correlation = self.correlation.wrapping_add(1);
        let bytes = write(self.correlation)?;
        self.outbox = Some(bytes);
        self.awaited = Some((api, self.correlation));
        Ok(())
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.frames.push(bytes);
    }

    /// The next whole answer to a request that is not about logging in.
    pub fn take(&mut self, identity: &mut Identity<'_>) -> Result<Option<(Api, Vec<u8>)>, Stop> {
        // Logging in takes at most five answers.
        for _ in 0..6 {
            let Some(frame) = self.frames.take()? else { return Ok(None) };
            let (api, correlation) = self.awaited.take().ok_or(Malformed)?;
            let body = api.body(&frame, correlation)?;
            let State::LoggingIn(login) = std::mem::replace(&mut self.state, State::Ready) else {
                return Ok(Some((api, body.to_vec())));
            };
            match login.answered(body, self.correlation.wrapping_add(1), identity)? {
                Then::Ready => {}
                Then::Ask(login, bytes) => {
                    let api = match login {
                        Login::VersionsOldest => VERSIONS_OLDEST,
                        Login::Handshake => HANDSHAKE,
                        _ => AUTHENTICATE,
                    };
                    self.state = State::LoggingIn(login);
                    self.ask(api, |_| Ok(bytes))?;
                }
            }
        }
        Err(Malformed.into())
    }
}
