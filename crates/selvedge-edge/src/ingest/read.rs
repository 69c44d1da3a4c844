//! An opened body as a batch, whichever form it came in.

use super::container::{Form, Opened, fault_of};
use super::json;
use super::terms::Incoming;
use crate::access::Witness;
use crate::fault::Fault;
use crate::foreign::Whose;
use crate::site::Site;
use alloc::string::String;
use selvedge_core::consent::Snapshot;
use selvedge_core::event::Clock;
use selvedge_core::wire::batch_decode::{decode_batch, decode_header};

/// What routing needs of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The source's write key.
    pub write_key: String,
    /// Whose events these are: says which shard.
    pub whose: Whose,
    /// What a server says of the visitor's own request.
    pub said: Witness,
    /// The clock it asks for.
    pub clock: Clock,
    /// The consent in force, as a page says it; nothing of the JSON form, whose senders keep nothing on a device.
    pub consent: Option<Snapshot>,
}

/// Whose batch it is. Needs no site.
///
/// # Errors
/// [`Fault`] 400 for anything that is no batch.
pub fn address(opened: &Opened<'_>) -> Result<Address, Fault> {
    match opened.form {
        Form::Binary => {
            let (header, _) = decode_header(&opened.bytes).map_err(fault_of)?;
            let (write_key, clock) = (header.write_key, header.clock);
            let consent = header.consent.first().copied();
            let said = Witness::default();
            Ok(Address { write_key, whose: Whose::Ours(header.visitor), said, clock, consent })
        }
        Form::Json => {
            let read = json::address(&opened.bytes)?;
            Ok(Address {
                whose: Whose::read(read.visitor.as_deref(), read.anonymous_id.as_deref())?,
                said: Witness { gpc: read.gpc, country: read.country.map(json::country).transpose()? },
                clock: json::clock(&read.clock)?,
                write_key: read.write_key.into_owned(),
                consent: None,
            })
        }
    }
}

/// The whole batch, for this site.
///
/// # Errors
/// [`Fault`] 400 for anything that is no batch, 413 above a limit.
pub fn read(form: Form, bytes: &[u8], site: &Site) -> Result<Incoming, Fault> {
    match form {
        Form::Binary => Ok(decode_batch(bytes, Some(&site.names)).map_err(fault_of)?.into()),
        Form::Json => json::read(bytes, site.name()),
    }
}
