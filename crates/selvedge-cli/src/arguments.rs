//! What can be said on the command line.

pub mod destinations;
pub mod erase;
pub mod log;
pub mod quarantine;

use self::destinations::DestinationsArguments;
use self::erase::EraseArguments;
use self::log::LogArguments;
use self::quarantine::QuarantineArguments;
use crate::exit;
use crate::recorded::source::RecordedArguments;
use crate::remote::RemoteArguments;
use crate::replay::pace::Speed;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Write rules, check them, publish them, watch what they do
#[derive(Debug, Parser)]
#[command(name = "selvedge", version, max_term_width = 100, after_long_help = exit::HELP)]
#[command(propagate_version = true, subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a small site that checks clean
    #[command(after_long_help = "Example:\n  selvedge new my-shop && selvedge check my-shop")]
    New(NewArguments),
    /// Find everything that is wrong with a site
    #[command(
        after_long_help = "Examples:\n  selvedge check examples/shop\n  selvedge check --json | jq .errors\n  \
        selvedge check --format github"
    )]
    Check(CheckArguments),
    /// Run the cases of a site's tests
    #[command(after_long_help = "Examples:\n  selvedge test examples/shop\n  \
        selvedge test --watch --filter hero")]
    Test(TestArguments),
    /// Play recorded visitors through a site's rules
    #[command(after_long_help = SIMULATE_HELP)]
    Simulate(SimulateArguments),
    /// Show which recorded decisions change between two versions of a site
    #[command(after_long_help = "Examples:\n  selvedge diff shop-live shop --dataset ecom\n  \
        selvedge diff live.full.svp . --events log.ndjson --json")]
    Diff(DiffArguments),
    /// Say what a code means, or why a visitor is shown what
    #[command(after_long_help = EXPLAIN_HELP)]
    Explain(ExplainArguments),
    /// Show what is inside a site's program, what it costs and what reaches the page
    #[command(after_long_help = "Examples:\n  selvedge inspect examples/shop\n  \
        selvedge inspect build/*.full.svp --json")]
    Inspect(InspectArguments),
    /// Print the JSON Schema of a site's files, for editors, or of the records that it sends
    #[command(after_long_help = "In a file: # yaml-language-server: $schema=schemas/rules.schema.json\n\n\
        Examples:\n  selvedge schema rules\n  selvedge schema --out schemas\n  \
        selvedge schema --records examples/shop")]
    Schema(SchemaArguments),
    /// Compile a site into program files named by their hash
    #[command(after_long_help = "Example:\n  selvedge build examples/shop --out build")]
    Build(BuildArguments),
    /// Check a site, compile it and make it the one in force
    #[command(after_long_help = "Examples:\n  selvedge publish examples/shop\n  \
        selvedge publish examples/shop --url https://edge.example --token $TOKEN")]
    Publish(PublishArguments),
    /// Stop a rule within seconds, without a publish
    #[command(after_long_help = "Examples:\n  selvedge pause free-shipping-hero\n  \
        selvedge pause free-shipping-hero --resume\n  selvedge pause --all")]
    Pause(PauseArguments),
    /// Put the program of an earlier publish in force again
    #[command(after_long_help = "Examples:\n  selvedge rollback\n  selvedge rollback 12")]
    Rollback(RollbackArguments),
    /// Make a token that shows a site as if variants were drawn and drafts were live
    #[command(
        after_long_help = "The worker knows the secret as PREVIEW_SECRET. The token goes into `preview` of POST /v1/decide.\n\n\
        Examples:\n  selvedge preview --variant cart-discount/free_shipping --expires 1h\n  \
        selvedge preview --rule summer-sale-modal\n  selvedge preview --all-rules --expires 7d"
    )]
    Preview(PreviewArguments),
    /// Push rows into a table that conditions look things up in
    #[command(after_long_help = "Examples:\n  selvedge lookups push catalog catalog.csv\n  \
        selvedge lookups push catalog sold-out.ndjson --rows\n  selvedge lookups remove catalog NG-1\n  \
        selvedge lookups list")]
    Lookups(LookupsArguments),
    /// Print the log of accepted events, or write it to files
    #[command(after_long_help = LOG_HELP)]
    Log(LogArguments),
    /// Show how the destinations stand; stop one, or let it go on
    #[command(after_long_help = "Examples:\n  selvedge destinations\n  \
        selvedge destinations pause crm\n  selvedge destinations resume crm")]
    Destinations(DestinationsArguments),
    /// Erase a visitor: what is kept of them goes, and destinations are told to forget them
    #[command(after_long_help = "Examples:\n  selvedge erase --visitor 0093a1b2c3d4e5f60718293a4b5c6d7e\n  \
        selvedge erase --anonymous-id 2f1c9c4e-0f7a-4a53-9d0e-2f1d8b7f3a11")]
    Erase(EraseArguments),
    /// Look through what was refused, and take it up again
    #[command(after_long_help = QUARANTINE_HELP)]
    Quarantine(QuarantineArguments),
    /// Send a recorded log through the worker as events
    #[command(after_long_help = REPLAY_HELP)]
    Replay(ReplayArguments),
}

const REPLAY_HELP: &str = "\
The log is CSV with a header line, or one JSON object per line, gzipped or not. The map says which column is what and
how what is missing is derived; examples/shop/replay/ecom.map.yaml explains all of it.

The events keep their recorded times, and the rules go by them. Event ids depend on the log alone: what was accepted
once is recognised when the log is replayed again.

Examples:
  selvedge replay --dataset ecom
  selvedge replay clicks.ndjson.gz --map clicks.map.yaml --limit 1000
  selvedge replay --dataset ecom --speed 3600 --json";

const LOG_HELP: &str = "\
Examples:
  selvedge log --live
  selvedge log --json --since 2h | jq -r .name | sort | uniq -c
  selvedge log --out log.ndjson --live
  selvedge log --parquet log --plan . && duckdb -c \"select name, count(*) from 'log/*.parquet' group by 1\"";

const QUARANTINE_HELP: &str = "\
Examples:
  selvedge quarantine groups
  selvedge quarantine list --reason unknown_event --since 2h
  selvedge quarantine replay --event wishlist_add
  selvedge quarantine export --out refused.ndjson && selvedge quarantine drop --reason too_old";

const SIMULATE_HELP: &str = "\
Every event goes through the edge's own code, by its own time. What a slot shows counts as seen, unless the recording
holds exposures. Nothing is sent and no worker is needed.

Examples:
  selvedge simulate examples/shop --dataset ecom
  selvedge simulate --events clicks.csv.gz --map clicks.map.yaml --pages home,product_view
  selvedge simulate --events http://127.0.0.1:8787 --token $TOKEN --json";

const EXPLAIN_HELP: &str = "\
For every slot: what it shows, one reason for every rule, the value of everything that their conditions test with its
place in the files, and which rule lacked least.

Examples:
  selvedge explain E0201
  selvedge explain examples/shop --dataset ecom --visitor 0ab1 --at 2024-03-13T10:21:14Z
  selvedge explain examples/shop --given utm.medium=cpc --given page.path=/cart";

/// `selvedge new`
#[derive(Debug, Args)]
pub struct NewArguments {
    /// Folder to write; must not exist, or be empty
    pub dir: PathBuf,
}

/// `selvedge check`
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Folder of the site
    #[arg(default_value = ".")]
    pub site: PathBuf,
    /// The program in force, as `selvedge build` wrote it: find what its visitors could never be known by
    #[arg(long, value_name = "PROGRAM")]
    pub against: Option<PathBuf>,
    /// Print the diagnostics as JSON: the same as `--format json`
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// How the diagnostics are printed
    #[arg(long, value_enum, default_value_t = CheckFormat::Text, value_name = "FORMAT")]
    pub format: CheckFormat,
}

/// How diagnostics are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people, with the lines they stand in
    Text,
    /// For programs
    Json,
    /// Annotations of GitHub Actions
    Github,
}

/// `selvedge test`
#[derive(Debug, Args)]
pub struct TestArguments {
    /// Folder of the site
    #[arg(default_value = ".")]
    pub site: PathBuf,
    /// Run only cases whose name or file holds this text
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Run again whenever a file changes
    #[arg(long)]
    pub watch: bool,
    /// Print what became of each case as JSON
    #[arg(long, conflicts_with = "watch")]
    pub json: bool,
}

/// `selvedge simulate`
#[derive(Debug, Args)]
pub struct SimulateArguments {
    /// Folder of the site, or a program that `selvedge build` wrote
    #[arg(default_value = ".")]
    pub site: PathBuf,
    /// The events.
    #[command(flatten)]
    pub recorded: RecordedArguments,
    /// Events that begin a page view, besides `page`; what was shown stays until the next
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub pages: Vec<String>,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// `selvedge diff`
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// Folder of the site as it is, or a program that `selvedge build` wrote
    pub old: PathBuf,
    /// Folder of the site as it shall be, or a program
    pub new: PathBuf,
    /// The events.
    #[command(flatten)]
    pub recorded: RecordedArguments,
    /// Events that begin a page view, besides `page`; what was shown stays until the next
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub pages: Vec<String>,
    /// Print the changes as JSON
    #[arg(long)]
    pub json: bool,
}

/// `selvedge explain`
#[derive(Debug, Default, Args)]
pub struct ExplainArguments {
    /// A diagnostic's code (`E0201`), the folder of a site, or a program
    #[arg(default_value = ".", value_name = "CODE|SITE")]
    pub what: String,
    /// The events.
    #[command(flatten)]
    pub recorded: RecordedArguments,
    /// The visitor: its id, the beginning of it, or its id in the log
    #[arg(long, value_name = "ID")]
    pub visitor: Option<String>,
    /// When: RFC 3339, a time on the site's clocks, or Unix milliseconds; behind the last event where it is left out
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// A fact that holds from the beginning; may be repeated
    #[arg(long, value_name = "FACT=VALUE")]
    pub given: Vec<String>,
    /// Events that begin a page view, besides `page`
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub pages: Vec<String>,
    /// Print the explanation as JSON
    #[arg(long)]
    pub json: bool,
}

/// `selvedge inspect`
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// Folder of the site, or a program that `selvedge build` wrote
    #[arg(default_value = ".", value_name = "SITE|FILE")]
    pub program: PathBuf,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// `selvedge schema`
#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// `site`, `tracking-plan`, `rules`, `content` or `tests`; without it, their names are printed
    pub file: Option<String>,
    /// Folder to write all of them into
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    pub out: Option<PathBuf>,
    /// Print the schema of the records that the site of this folder sends to destinations
    #[arg(long, value_name = "SITE", conflicts_with_all = ["file", "out"])]
    pub records: Option<PathBuf>,
}

/// `selvedge build`
#[derive(Debug, Args)]
pub struct BuildArguments {
    /// Folder of the site
    #[arg(default_value = ".")]
    pub site: PathBuf,
    /// Folder for the program files
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print what was written as JSON
    #[arg(long)]
    pub json: bool,
}

/// `selvedge publish`
#[derive(Debug, Args)]
pub struct PublishArguments {
    /// Folder of the site
    #[arg(default_value = ".")]
    pub site: PathBuf,
    /// Publish though visitors who are there already could never be known by a new metric (E0420)
    #[arg(long)]
    pub force: bool,
    /// The worker.
    #[command(flatten)]
    pub remote: RemoteArguments,
    /// Print the worker's answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// `selvedge pause`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["rule", "all"])))]
pub struct PauseArguments {
    /// The rule's id
    pub rule: Option<String>,
    /// Every rule of the site
    #[arg(long)]
    pub all: bool,
    /// Let it act again
    #[arg(long)]
    pub resume: bool,
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

/// `selvedge rollback`
#[derive(Debug, Args)]
pub struct RollbackArguments {
    /// Number of the publish; the newest of another program than that in force where it is left out
    pub publish: Option<u64>,
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

/// `selvedge preview`
#[derive(Debug, Args)]
pub struct PreviewArguments {
    /// Folder of the site
    #[arg(default_value = ".")]
    pub site: PathBuf,
    /// A variant that is drawn: `experiment/variant`; may be repeated
    #[arg(long, value_name = "EXPERIMENT/VARIANT")]
    pub variant: Vec<String>,
    /// A rule that acts though it is a draft or was stopped; may be repeated
    #[arg(long, value_name = "ID", conflicts_with = "all_rules")]
    pub rule: Vec<String>,
    /// Every draft and every stopped rule acts
    #[arg(long)]
    pub all_rules: bool,
    /// How long the token is worth something, at most 30d
    #[arg(long, default_value = "1h", value_name = "DURATION")]
    pub expires: String,
    /// The secret that the worker knows as PREVIEW_SECRET
    #[arg(long, env = "SELVEDGE_PREVIEW_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub secret: String,
}

/// `selvedge lookups`
#[derive(Debug, Args)]
pub struct LookupsArguments {
    /// What to do.
    #[command(subcommand)]
    pub what: LookupsCommand,
}

/// What to do with pushed tables.
#[derive(Debug, Subcommand)]
pub enum LookupsCommand {
    /// Push a table: CSV with a header line, or JSON lines
    Push {
        /// The lookup of site.yaml, with `from: push`
        name: String,
        /// The file; `-` reads standard input
        file: PathBuf,
        /// The file holds single rows: all others stay, and so do columns that it does not have
        #[arg(long)]
        rows: bool,
        /// The site and the worker.
        #[command(flatten)]
        at: SiteArguments,
    },
    /// Take one row away
    Remove {
        /// The lookup
        name: String,
        /// The row's key
        key: String,
        /// The site and the worker.
        #[command(flatten)]
        at: SiteArguments,
    },
    /// List the tables of the site, their versions and rows
    List {
        /// The site and the worker.
        #[command(flatten)]
        at: SiteArguments,
    },
}

/// A site of a worker.
#[derive(Debug, Args)]
pub struct SiteArguments {
    /// Folder of the site, for its name
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub dir: PathBuf,
    /// Name of the site, instead of the folder's
    #[arg(long, value_name = "NAME")]
    pub site: Option<String>,
    /// The worker.
    #[command(flatten)]
    pub remote: RemoteArguments,
    /// Print the worker's answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// `selvedge replay`
#[derive(Debug, Args)]
pub struct ReplayArguments {
    /// The recorded log
    #[arg(required_unless_present = "dataset", conflicts_with = "dataset", requires = "map")]
    pub file: Option<PathBuf>,
    /// A recorded log that is known by name: `ecom`. Fetched with pip, once
    #[arg(long, value_name = "NAME")]
    pub dataset: Option<String>,
    /// What the columns mean; a data set brings its own
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// `max`, or how many times as fast as it was recorded
    #[arg(long, default_value = "max", value_name = "SPEED")]
    pub speed: Speed,
    /// Rows after which to stop
    #[arg(long, value_name = "ROWS")]
    pub limit: Option<u64>,
    /// Write key of the source to enter by, instead of the map's
    #[arg(long, value_name = "KEY")]
    pub write_key: Option<String>,
    /// Requests under way at once
    #[arg(long, default_value_t = 8, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// Events of one batch, at most
    #[arg(long, default_value_t = 100, value_name = "EVENTS", value_parser = clap::value_parser!(u16).range(1..=500))]
    pub batch: u16,
    /// Seconds after which a batch without an answer ends the replay
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub patience: u64,
    /// Print the closing report as JSON
    #[arg(long)]
    pub json: bool,
    /// The worker.
    #[command(flatten)]
    pub remote: RemoteArguments,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_fits_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_pause_names_a_rule_or_all_and_is_told_of_both() {
        let parsed = |words: &[&str]| Arguments::try_parse_from(["selvedge", "pause"].iter().chain(words));
        let token = ["--token", "t"];
        assert!(parsed(&["hero", token[0], token[1]]).is_ok());
        assert!(parsed(&["--all", "--resume", token[0], token[1]]).is_ok());
        assert!(parsed(&["hero", "--all", token[0], token[1]]).is_err());
        let said = parsed(&token).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains("--all"), "{said}");
    }

    #[test]
    fn a_replay_needs_a_file_with_a_map_or_a_data_set() {
        let parses = |words: &[&str]| {
            let start = ["selvedge", "replay", "--token", "t"];
            Arguments::try_parse_from(start.iter().chain(words)).is_ok()
        };
        assert!(parses(&["log.csv", "--map", "map.yaml"]));
        assert!(parses(&["--dataset", "ecom"]));
        assert!(parses(&["--dataset", "ecom", "--map", "map.yaml", "--speed", "60"]));
        assert!(!parses(&["log.csv"]));
        assert!(!parses(&[]));
        assert!(!parses(&["log.csv", "--dataset", "ecom", "--map", "map.yaml"]));
        assert!(!parses(&["--dataset", "ecom", "--speed", "0"]));
        assert!(!parses(&["--dataset", "ecom", "--batch", "501"]));
    }
}
