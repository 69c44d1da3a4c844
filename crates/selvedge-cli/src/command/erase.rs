//! `selvedge erase`: what is kept of a visitor goes, and destinations are told to forget them.

use super::query::query;
use crate::arguments::erase::EraseArguments;
use crate::exit::Ending;
use crate::remote::{Remote, expect_ok};
use anyhow::{Context, Result};
use selvedge_edge::erasure::Order;
use serde_json::Value;

/// Runs the command.
///
/// # Errors
/// Where the worker gives no answer, or refuses the order: then nothing is erased.
pub fn run(arguments: &EraseArguments) -> Result<Ending> {
    let (visitor, anonymous_id) = (arguments.visitor.clone(), arguments.anonymous_id.clone());
    let site: Vec<_> = arguments.site.iter().map(|site| ("site", site.clone())).collect();
    let (path, body) = (query("/v1/erase", &site), serde_json::to_vec(&Order { visitor, anonymous_id })?);
    let answer = expect_ok(Remote::new(&arguments.remote).post(&path, &body)?, &path)?;
    if arguments.json {
        println!("{}", String::from_utf8_lossy(&answer));
        return Ok(Ending::Done);
    }
    let answer: Value = serde_json::from_slice(&answer).context("the worker's answer is no JSON")?;
    println!("{}", told(&answer));
    Ok(Ending::Done)
}

fn told(answer: &Value) -> String {
    let text = |name: &str| answer[name].as_str().unwrap_or_default();
    let number = |name: &str| answer[name].as_u64().unwrap_or_default();
    let mut lines = vec![format!("{} was erased at {}", text("visitor"), text("erased_at"))];
    if answer["was_erased"] == true {
        lines.push("  had been erased before".to_owned());
    } else if answer["was_known"] == false {
        lines.push("  nothing was kept of them".to_owned());
    }
    for (name, what) in [
        ("log_items", "events and notes of the log"),
        ("quarantined", "entries of the quarantine"),
        ("unsent", "items that were about to be sent"),
        ("unsettled", "items that a destination may hold: they are settled first"),
    ] {
        if number(name) > 0 {
            lines.push(format!("  {} {what}", number(name)));
        }
    }
    let destinations: Vec<&str> =
        answer["told"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !destinations.is_empty() {
        lines.push(format!("  {} will be told", destinations.join(", ")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::told;
    use serde_json::json;

    #[test]
    fn an_erasure_says_what_went_and_who_is_told() {
        let answer = json!({
            "visitor": "00ff", "erased_at": "2026-11-22T18:00:00.000Z", "was_known": true, "was_erased": false,
            "log_items": 12, "quarantined": 0, "unsent": 3, "unsettled": 1, "told": ["crm", "lake"],
        });
        assert_eq!(
            told(&answer),
            "00ff was erased at 2026-11-22T18:00:00.000Z\n  12 events and notes of the log\n  \
             3 items that were about to be sent\n  1 items that a destination may hold: they are settled first\n  \
             crm, lake will be told"
        );
        let nobody = json!({"visitor": "00ff", "was_known": false, "was_erased": false});
        assert!(told(&nobody).ends_with("nothing was kept of them"));
        let again = json!({"visitor": "00ff", "was_known": false, "was_erased": true});
        assert!(told(&again).ends_with("had been erased before"));
    }
}
