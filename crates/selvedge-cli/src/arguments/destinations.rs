//! `selvedge destinations`: what is to be done with which.

use crate::remote::RemoteArguments;
use clap::{Args, Subcommand};

/// `selvedge destinations`
#[derive(Debug, Args)]
pub struct DestinationsArguments {
    /// What to do; nothing said, they are listed.
    #[command(subcommand)]
    pub order: Option<DestinationOrder>,
    /// The site, where the worker has several
    #[arg(long, value_name = "NAME", global = true)]
    pub site: Option<String>,
    /// The worker.
    #[command(flatten)]
    pub remote: RemoteArguments,
    /// Print the worker's answer as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do with a destination.
#[derive(Debug, Subcommand)]
pub enum DestinationOrder {
    /// Stop sending to it: what is accepted waits, within its bounds
    Pause {
        /// Its name
        name: String,
    },
    /// Let it go on at once, whatever stopped it
    Resume {
        /// Its name
        name: String,
    },
}
