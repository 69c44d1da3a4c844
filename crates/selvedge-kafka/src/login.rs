//! From a link that was just opened to one that takes batches: what the broker speaks, then who we are.

use crate::answer::{self, Authenticated, METADATA, PRODUCE, PRODUCER_ID, Versions};
use crate::ask;
use crate::cluster::Stop;
use crate::code;
use crate::reader::Malformed;
use crate::scram::{self, Failure, Proved, Scram, Stretched};
use crate::settings::{Mechanism, Sasl};

const UNSUPPORTED_VERSION: i16 = 35;

/// What the broker's next answer is to.
#[derive(Clone)]
pub enum Login {
    Versions,
    VersionsOldest,
    Handshake,
    Plain,
    First(Scram),
    Last(Proved),
}

/// What to do after an answer.
pub enum Then {
    Ask(Login, Vec<u8>),
    Ready,
}

/// What a link needs to log in.
pub struct Identity<'a> {
    pub sasl: Option<&'a Sasl>,
    pub nonce: [u8; 18],
    pub stretched: &'a mut Stretched,
}

impl Login {
    /// Takes the answer's body; `correlation` numbers the next request.
    pub fn answered(self, body: &[u8], correlation: i32, identity: &mut Identity<'_>) -> Result<Then, Stop> {
        match self {
            Login::Versions => {
                let versions = Versions::read(body)?;
                // A broker that is older than our question says so in the oldest form, and is asked in that.
                if versions.code == UNSUPPORTED_VERSION {
                    return Ok(Then::Ask(Login::VersionsOldest, ask::versions_oldest(correlation)?));
                }
                speaks(&versions)?;
            }
            Login::VersionsOldest => speaks(&Versions::read_oldest(body)?)?,
            _ => {}
        }
        let Some(sasl) = identity.sasl else { return Ok(Then::Ready) };
        match self {
            Login::Versions | Login::VersionsOldest => {
                Ok(Then::Ask(Login::Handshake, ask::handshake(correlation, sasl.mechanism.as_str())?))
            }
            Login::Handshake => {
                let code = answer::handshake_code(body)?;
                if code != 0 {
                    let what = format!("logging in by {}", sasl.mechanism.as_str());
                    return Err(Stop::by_code(&what, code, code::meaning(code)));
                }
                let (login, message) = first(sasl, &identity.nonce);
                Ok(Then::Ask(login, ask::authenticate(correlation, message)?))
            }
            Login::First(scram) => {
                let message = authenticated(body, sasl)?;
                let (proved, message) = scram.prove(message, &sasl.password, identity.stretched)?;
                Ok(Then::Ask(Login::Last(proved), ask::authenticate(correlation, message)?))
            }
            Login::Last(proved) => Ok(proved.check(authenticated(body, sasl)?).map(|()| Then::Ready)?),
            Login::Plain => authenticated(body, sasl).map(|_| Then::Ready),
        }
    }
}

fn first(sasl: &Sasl, nonce: &[u8]) -> (Login, Vec<u8>) {
    if sasl.mechanism == Mechanism::Plain {
        return (Login::Plain, scram::plain(sasl));
    }
    let (scram, message) = Scram::start(sasl, nonce);
    (Login::First(scram), message)
}

fn authenticated<'a>(body: &'a [u8], sasl: &Sasl) -> Result<&'a [u8], Stop> {
    let Authenticated { code, message } = Authenticated::read(body)?;
    if code == 0 {
        return Ok(message);
    }
    Err(Stop::by_code(&format!("logging in as `{}`", sasl.user), code, code::meaning(code)))
}

fn speaks(versions: &Versions) -> Result<(), Stop> {
    if versions.code != 0 {
        return Err(Stop::by_code(
            "asking what the broker speaks",
            versions.code,
            code::meaning(versions.code),
        ));
    }
    match [PRODUCE, METADATA, PRODUCER_ID].into_iter().find(|api| !versions.takes(*api)) {
        None => Ok(()),
        Some(api) => {
            Err(Stop::Pause(format!("the broker does not take {} in version {}", api.name(), api.version)))
        }
    }
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Stop {
        Stop::Again(malformed.to_string())
    }
}

impl From<ask::Unwritable> for Stop {
    fn from(unwritable: ask::Unwritable) -> Stop {
        Stop::Pause(unwritable.to_string())
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Pause(format!("logging in: {failure}"))
    }
}
