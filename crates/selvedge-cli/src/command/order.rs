//! `selvedge pause` and `selvedge rollback`: what acts within seconds, without a publish.

use super::publish::Published;
use crate::arguments::{PauseArguments, RollbackArguments};
use crate::exit::Ending;
use crate::remote::{Remote, RemoteArguments, expect_ok};
use anyhow::{Context, Result};
use selvedge_edge::order::{ALL, Pause, Rollback};
use serde::{Deserialize, Serialize};

/// Where a site stands, and what is stopped in it.
#[derive(Debug, Serialize, Deserialize)]
struct Standing {
    #[serde(flatten)]
    published: Published,
    #[serde(default)]
    paused: Vec<String>,
}

/// Runs `selvedge pause`.
///
/// # Errors
/// Where the worker gives no answer or refuses.
pub fn pause(arguments: &PauseArguments) -> Result<Ending> {
    let PauseArguments { rule, all, resume, .. } = arguments;
    let order = Pause { rule: rule.clone(), all: *all, resume: *resume };
    let body = serde_json::to_vec(&order)?;
    let standing = tell("/v1/pause", arguments.site.as_deref(), &body, &arguments.remote)?;
    if arguments.json {
        println!("{}", serde_json::to_string(&standing)?);
    } else {
        println!("{}: {}", standing.published.site, paused_text(&standing.paused));
    }
    Ok(Ending::Done)
}

/// Runs `selvedge rollback`.
///
/// # Errors
/// Where the worker gives no answer or refuses.
pub fn rollback(arguments: &RollbackArguments) -> Result<Ending> {
    let body = serde_json::to_vec(&Rollback { publish: arguments.publish })?;
    let standing = tell("/v1/rollback", arguments.site.as_deref(), &body, &arguments.remote)?;
    if arguments.json {
        println!("{}", serde_json::to_string(&standing)?);
    } else {
        let Published { site, publish, program } = &standing.published;
        println!("{site}: publish {publish}, program {program}");
    }
    Ok(Ending::Done)
}

fn tell(path: &str, site: Option<&str>, body: &[u8], remote: &RemoteArguments) -> Result<Standing> {
    let address = site.map_or_else(|| path.to_owned(), |site| format!("{path}?site={site}"));
    let answer = expect_ok(Remote::new(remote).post(&address, body)?, path)?;
    serde_json::from_slice(&answer).context("the worker's answer cannot be read")
}

fn paused_text(paused: &[String]) -> String {
    match paused {
        [] => "no rule is paused".to_owned(),
        rules if rules.iter().any(|rule| rule == ALL) => "every rule is paused".to_owned(),
        rules => format!("paused: {}", rules.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::paused_text;

    #[test]
    fn what_is_paused_reads_well() {
        for (paused, text) in [
            (&[][..], "no rule is paused"),
            (&["hero", "inbox"], "paused: hero, inbox"),
            (&["*", "hero"], "every rule is paused"),
        ] {
            let paused: Vec<String> = paused.iter().map(|rule| (*rule).to_owned()).collect();
            assert_eq!(paused_text(&paused), text);
        }
    }
}
