//! `selvedge destinations`: how they stand, and orders to one of them.

use super::query::query;
use super::table::table;
use crate::arguments::destinations::{DestinationOrder, DestinationsArguments};
use crate::exit::Ending;
use crate::remote::{Remote, expect_ok};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Runs the command.
///
/// # Errors
/// Where the worker gives no answer, or refuses the order.
pub fn run(arguments: &DestinationsArguments) -> Result<Ending> {
    let site: Vec<_> = arguments.site.iter().map(|site| ("site", site.clone())).collect();
    let remote = Remote::new(&arguments.remote);
    let body = match &arguments.order {
        None => {
            let path = query("/v1/destinations", &site);
            expect_ok(remote.get(&path)?, &path)?
        }
        Some(DestinationOrder::Pause { name }) => order(&remote, name, "pause", &site)?,
        Some(DestinationOrder::Resume { name }) => order(&remote, name, "resume", &site)?,
    };
    if arguments.json {
        println!("{}", String::from_utf8_lossy(&body));
        return Ok(Ending::Done);
    }
    let answer: Value = serde_json::from_slice(&body).context("the worker's answer is no JSON")?;
    println!("{}", told(&answer));
    Ok(Ending::Done)
}

fn order(remote: &Remote, name: &str, order: &str, site: &[(&str, String)]) -> Result<Vec<u8>> {
    let path = query(&format!("/v1/destinations/{name}/{order}"), site);
    let answer = remote.post(&path, b"")?;
    ensure!(answer.status != 404, "the site has no destination {name} that is sent to");
    expect_ok(answer, &path)
}

/// What was accepted is the sum of the six counts behind it.
const HEAD: [&str; 11] = [
    "NAME",
    "STATE",
    "ACCEPTED",
    "DELIVERED",
    "FILTERED",
    "PURGED",
    "DROPPED",
    "REFUSED",
    "PENDING",
    "FULL",
    "OLDEST",
];

/// A line for each destination, and one for each of its shards where something is wrong.
fn told(answer: &Value) -> String {
    let destinations = answer["destinations"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<Vec<String>> = destinations.iter().map(row_of).collect();
    let mut lines = vec![table(&HEAD, &rows)];
    for destination in destinations {
        for shard in destination["shards"].as_array().into_iter().flatten() {
            lines.extend(trouble(destination, shard));
        }
    }
    lines.join("\n")
}

fn row_of(destination: &Value) -> Vec<String> {
    let number = |name: &str| destination[name].as_u64().unwrap_or_default().to_string();
    let text = |name: &str| destination[name].as_str().unwrap_or("-").to_owned();
    vec![
        text("name"),
        text("state"),
        number("accepted"),
        number("delivered"),
        number("filtered"),
        number("purged"),
        number("dropped"),
        number("quarantined"),
        number("pending"),
        format!("{} %", number("percent")),
        text("oldest"),
    ]
}

fn trouble(destination: &Value, shard: &Value) -> Option<String> {
    let why = shard["last_error"].as_str().filter(|why| !why.is_empty())?;
    let (name, place) = (destination["name"].as_str()?, shard["shard"].as_str()?);
    let next = shard["next_attempt"].as_str().map(|next| format!("; tried again at {next}"));
    Some(format!("{name} ({place}): {why}{}", next.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::told;
    use serde_json::json;

    #[test]
    fn a_destination_that_waits_says_why() {
        let shard = json!({"shard": "shop/0/1", "last_error": "it answered 503", "next_attempt": "2026-11-22T18:00:00.000Z"});
        let destination = json!({
            "name": "crm", "state": "waiting", "accepted": 12, "delivered": 4, "filtered": 3, "pending": 5,
            "percent": 1, "quarantined": 0, "oldest": "2026-11-22T17:59:00.000Z", "shards": [shard, {"shard": "shop/0/0"}],
        });
        let text = told(&json!({"destinations": [destination]}));
        assert!(
            text.contains(
                "crm   waiting  12        4          3         0       0        0        5        1 %   2026"
            ),
            "{text}"
        );
        assert!(
            text.ends_with("crm (shop/0/1): it answered 503; tried again at 2026-11-22T18:00:00.000Z"),
            "{text}"
        );
        assert_eq!(told(&json!({"destinations": []})), "nothing there");
    }
}
