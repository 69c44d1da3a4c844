//! `selvedge preview`: a token that lets its holder see what other visitors do not.

use super::check::compiled;
use crate::arguments::PreviewArguments;
use crate::exit::Ending;
use anyhow::{Context, Result, ensure};
use selvedge_core::wire::program::Parts;
use selvedge_edge::preview::{ALL, LIFE_MS_MAX, Preview};
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds of the units of a duration.
const UNITS: [(char, u64); 4] = [('s', 1_000), ('m', 60_000), ('h', 3_600_000), ('d', 86_400_000)];

/// Runs the command.
///
/// # Errors
/// Where the site cannot be read, or has no such variant or rule.
pub fn run(arguments: &PreviewArguments) -> Result<Ending> {
    let Some(compiled) = compiled(&arguments.site)? else { return Ok(Ending::Wrong) };
    let now_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    println!("{}", token(arguments, &compiled.full, now_ms)?);
    Ok(Ending::Done)
}

/// The token at this time.
///
/// # Errors
/// Where the site has no such variant or rule, or the duration is none.
pub fn token(arguments: &PreviewArguments, site: &Parts, now_ms: u64) -> Result<String> {
    let life_ms =
        duration_ms(&arguments.expires).context("write --expires as 30m, 12h or 7d, at most 30d")?;
    for name in &arguments.variant {
        let is_it = |experiment: &str, variant: &str| name.split_once('/') == Some((experiment, variant));
        let mut experiments = site.deciding.experiments.iter();
        let is_known =
            experiments.any(|known| known.variants.iter().any(|variant| is_it(&known.name, &variant.name)));
        ensure!(is_known, "the site has no variant {name}; write it as EXPERIMENT/VARIANT");
    }
    for id in &arguments.rule {
        ensure!(site.rules.iter().any(|rule| rule.id == *id), "the site has no rule {id}");
    }
    let rules = if arguments.all_rules { vec![ALL.to_owned()] } else { arguments.rule.clone() };
    let variants = arguments.variant.clone();
    let expires_ms = now_ms.saturating_add(life_ms);
    Ok(Preview { site: site.site.clone(), expires_ms, variants, rules }.sign(&arguments.secret))
}

fn duration_ms(text: &str) -> Option<u64> {
    let (unit, unit_ms) = UNITS.iter().find(|(unit, _)| text.ends_with(*unit))?;
    let ms = text.strip_suffix(*unit)?.parse::<u64>().ok()?.checked_mul(*unit_ms)?;
    (1..=LIFE_MS_MAX).contains(&ms).then_some(ms)
}

#[cfg(test)]
mod tests {
    use super::duration_ms;

    #[test]
    fn a_token_lives_at_most_thirty_days() {
        assert_eq!(duration_ms("30m"), Some(1_800_000));
        assert_eq!(duration_ms("30d"), Some(2_592_000_000));
        for text in ["31d", "0h", "1", "h", "-1h", "1w"] {
            assert_eq!(duration_ms(text), None, "{text}");
        }
    }
}
