//! `selvedge log`: which events, and where to.

use crate::moment::Moment;
use crate::remote::RemoteArguments;
use clap::Args;
use std::path::PathBuf;

/// `selvedge log`
#[derive(Debug, Args)]
pub struct LogArguments {
    /// Where to begin: a cursor, as printed with an earlier event
    #[arg(long, value_name = "CURSOR")]
    pub from: Option<String>,
    /// Only what was received then or later: RFC 3339, a date, Unix milliseconds, or how long ago (`2h`)
    #[arg(long, value_name = "TIME")]
    pub since: Option<Moment>,
    /// Only what was received before then
    #[arg(long, value_name = "TIME", conflicts_with = "live")]
    pub until: Option<Moment>,
    /// Only of this visitor: 32 hexadecimal digits
    #[arg(long, value_name = "ID")]
    pub visitor: Option<String>,
    /// At most so many events
    #[arg(long, value_name = "EVENTS")]
    pub limit: Option<u64>,
    /// Go on with new events as they are accepted
    #[arg(long, visible_alias = "follow", conflicts_with = "parquet")]
    pub live: bool,
    /// Print the lines as the worker sends them
    #[arg(long)]
    pub json: bool,
    /// Write the lines as the worker sends them to a file; one that is there goes on behind its last line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "from"])]
    pub out: Option<PathBuf>,
    /// Write Parquet files by day of receipt into a folder; the next run goes on behind the last
    #[arg(long, value_name = "DIR", conflicts_with_all = ["json", "out"])]
    pub parquet: Option<PathBuf>,
    /// Folder of a site, whose tracking plan's properties become typed columns of the Parquet files
    #[arg(long, value_name = "SITE", requires = "parquet")]
    pub plan: Option<PathBuf>,
    /// The site, where the worker has several
    #[arg(long, value_name = "NAME")]
    pub site: Option<String>,
    /// The worker.
    #[command(flatten)]
    pub remote: RemoteArguments,
}
