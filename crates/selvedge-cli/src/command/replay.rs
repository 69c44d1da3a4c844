//! `selvedge replay`: a recorded log through a running worker, and what became of it.

use crate::arguments::ReplayArguments;
use crate::exit::Ending;
use crate::remote::Remote;
use crate::replay::dataset::{DATASETS, Dataset, cache_dir};
use crate::replay::map::Map;
use crate::replay::{Settings, replay};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Runs the command.
///
/// # Errors
/// Where the log or its map cannot be read, or the worker gives no answer or refuses.
pub fn run(arguments: &ReplayArguments) -> Result<Ending> {
    let dataset = arguments.dataset.as_deref().map(named).transpose()?;
    let map = map(arguments.map.as_deref(), dataset)?;
    let file = file(arguments.file.as_deref(), dataset)?;
    let remote = Remote::new(&arguments.remote);
    let report = replay(&file, &map, &remote, &settings(arguments))?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report.json())?);
    } else {
        print!("{}", report.text());
    }
    Ok(if report.is_complete() { Ending::Done } else { Ending::Wrong })
}

fn named(name: &str) -> Result<Dataset> {
    let known = DATASETS.map(|dataset| dataset.name).join(", ");
    Dataset::named(name).with_context(|| format!("there is no data set `{name}`; known are {known}"))
}

fn map(path: Option<&Path>, dataset: Option<Dataset>) -> Result<Map> {
    let (name, yaml) = match (path, dataset) {
        (Some(path), _) => {
            let yaml = fs::read_to_string(path);
            (path.display().to_string(), yaml.with_context(|| format!("{} cannot be read", path.display()))?)
        }
        (None, Some(dataset)) => (format!("the map of {}", dataset.name), dataset.map.to_owned()),
        (None, None) => bail!("a log needs a map; name it with --map"),
    };
    Map::parse(&yaml).context(name)
}

fn file(path: Option<&Path>, dataset: Option<Dataset>) -> Result<PathBuf> {
    match (path, dataset) {
        (Some(path), _) => Ok(path.to_owned()),
        (None, Some(dataset)) => dataset.fetch(&cache_dir()),
        (None, None) => bail!("name a log, or a data set with --dataset"),
    }
}

fn settings(arguments: &ReplayArguments) -> Settings {
    Settings {
        speed: arguments.speed,
        limit: arguments.limit,
        lanes: usize::from(arguments.concurrency),
        batch_events_max: usize::from(arguments.batch),
        patience: Duration::from_secs(arguments.patience),
        write_key: arguments.write_key.clone(),
    }
}
