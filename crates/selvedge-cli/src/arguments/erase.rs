//! `selvedge erase`: who.

use crate::remote::RemoteArguments;
use clap::Args;

/// `selvedge erase`
#[derive(Debug, Args)]
pub struct EraseArguments {
    /// The visitor: 32 hexadecimal digits, as in the log
    #[arg(
        long,
        value_name = "ID",
        required_unless_present = "anonymous_id",
        conflicts_with = "anonymous_id"
    )]
    pub visitor: Option<String>,
    /// The visitor by the id that another SDK gave
    #[arg(long, value_name = "ID")]
    pub anonymous_id: Option<String>,
    /// The site, where the worker has several
    #[arg(long, value_name = "NAME")]
    pub site: Option<String>,
    /// The worker.
    #[command(flatten)]
    pub remote: RemoteArguments,
    /// Print the worker's answer as JSON
    #[arg(long)]
    pub json: bool,
}
