//! An opened body as a batch, whichever form it came in.

use super::container::{Form, Opened, fault_of};
use super::json;
use crate::fault::Fault;
use alloc::string::String;
use selvedge_core::event::{Batch, Clock};
use selvedge_core::id::VisitorId;
use selvedge_core::wire::batch_decode::{decode_batch, decode_header};
use selvedge_core::wire::names::Names;

/// What routing needs of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The source's write key.
    pub write_key: String,
    /// Whose events these are: says which shard.
    pub visitor: VisitorId,
    /// The clock it asks for.
    pub clock: Clock,
}

/// Whose batch it is. Needs no site.
///
/// # Errors
/// [`Fault`] 400 for anything that is no batch.
pub fn address(opened: &Opened<'_>) -> Result<Address, Fault> {
    match opened.form {
        Form::Binary => {
            let (header, _) = decode_header(&opened.bytes).map_err(fault_of)?;
            Ok(Address { write_key: header.write_key, visitor: header.visitor, clock: header.clock })
        }
        Form::Json => {
            let read = json::address(&opened.bytes)?;
            Ok(Address {
                visitor: json::visitor(&read.visitor)?,
                clock: json::clock(&read.clock)?,
                write_key: read.write_key.into_owned(),
            })
        }
    }
}

/// The whole batch; `names` are those of the site's tracking plan.
///
/// # Errors
/// [`Fault`] 400 for anything that is no batch, 413 above a limit.
pub fn read(form: Form, bytes: &[u8], names: &Names) -> Result<Batch, Fault> {
    match form {
        Form::Binary => decode_batch(bytes, Some(names)).map_err(fault_of),
        Form::Json => json::read(bytes),
    }
}
