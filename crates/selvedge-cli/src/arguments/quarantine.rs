//! `selvedge quarantine`: which entries, and what is to be done with them.

use crate::moment::Moment;
use crate::remote::RemoteArguments;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `selvedge quarantine`
#[derive(Debug, Args)]
pub struct QuarantineArguments {
    /// What to do.
    #[command(subcommand)]
    pub order: QuarantineOrder,
}

/// What to do with the quarantine.
#[derive(Debug, Subcommand)]
pub enum QuarantineOrder {
    /// List the entries, the oldest first
    List(ListArguments),
    /// Show one entry whole, with what to do about it
    Show(ShowArguments),
    /// Count the entries by reason, each with what to do about it
    Groups(GroupsArguments),
    /// Take entries up again, under the plan and the consent of now
    #[command(
        after_long_help = "What is accepted stands in the log with the id it was refused with, once; the rest \
        stays with its new reason."
    )]
    Replay(OrderArguments),
    /// Write the entries to a file, one JSON object a line
    Export(ExportArguments),
    /// Drop entries for good
    Drop(OrderArguments),
}

/// What the entries have in common.
#[derive(Debug, Clone, Default, Args)]
pub struct SelectionArguments {
    /// The code they were refused with (`unknown_event`)
    #[arg(long, value_name = "CODE")]
    pub reason: Option<String>,
    /// `ingest` or `delivery`
    #[arg(long, value_name = "STAGE", value_parser = ["ingest", "delivery"])]
    pub stage: Option<String>,
    /// The destination that refused them
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
    /// The event's name
    #[arg(long, value_name = "NAME")]
    pub event: Option<String>,
    /// The source's name
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// The visitor
    #[arg(long, value_name = "ID")]
    pub visitor: Option<String>,
    /// The event's id
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Received then or later: RFC 3339, a date, Unix milliseconds, or how long ago (`2h`)
    #[arg(long, value_name = "TIME")]
    pub since: Option<Moment>,
    /// Received before then
    #[arg(long, value_name = "TIME")]
    pub until: Option<Moment>,
}

/// The worker and its site.
#[derive(Debug, Clone, Args)]
pub struct SiteArguments {
    /// The site, where the worker has several
    #[arg(long, value_name = "NAME")]
    pub site: Option<String>,
    /// The worker.
    #[command(flatten)]
    pub remote: RemoteArguments,
}

/// `selvedge quarantine list`
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Which entries.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Where to begin: the cursor printed with an earlier entry
    #[arg(long, value_name = "CURSOR")]
    pub from: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_name = "ENTRIES")]
    pub limit: u64,
    /// Print the lines as the worker sends them
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub at: SiteArguments,
}

/// `selvedge quarantine show`
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// The entry, as it is listed (`2.17`)
    pub entry: String,
    /// Print it as the worker sends it
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub at: SiteArguments,
}

/// `selvedge quarantine groups`
#[derive(Debug, Args)]
pub struct GroupsArguments {
    /// Which entries.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Print them as the worker sends them
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub at: SiteArguments,
}

/// `selvedge quarantine replay` and `selvedge quarantine drop`
#[derive(Debug, Args)]
pub struct OrderArguments {
    /// These entries, as they are listed (`2.17`)
    pub entries: Vec<String>,
    /// Which entries.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Every entry there is
    #[arg(long)]
    pub all: bool,
    /// Print what became of each entry as JSON, one object a line
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub at: SiteArguments,
}

/// `selvedge quarantine export`
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Which entries.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// The file; must not exist. Standard output where it is left out
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Where to begin: the cursor of an earlier entry
    #[arg(long, value_name = "CURSOR")]
    pub from: Option<String>,
    /// Where.
    #[command(flatten)]
    pub at: SiteArguments,
}
