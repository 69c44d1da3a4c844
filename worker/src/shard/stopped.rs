//! Why a step left nothing: the caller is told, or something must be fetched first.

use selvedge_core::id::ProgramHash;
use selvedge_edge::fault::Fault;
use selvedge_edge::ingest::Stale;

/// Why a step left nothing.
#[derive(Debug)]
pub enum Stopped {
    /// The caller is told.
    Fault(Fault),
    /// The program must be fetched first.
    Stale(Stale),
    /// The tracking plans of these programs must be fetched first.
    Unknown(Vec<ProgramHash>),
}

impl Stopped {
    /// What the caller is told.
    pub fn into_fault(self) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::Stale(stale) => Fault::stale_program(stale.to_string()),
            Self::Unknown(_) => Fault::internal("what a metric is warmed up by could not be fetched"),
        }
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<worker::Error> for Stopped {
    fn from(error: worker::Error) -> Self {
        worker::console_error!("a step was stopped by the storage: {error}");
        Self::Fault(Fault::storage("the storage failed; nothing was kept"))
    }
}
