//! "Did you mean": the known name nearest to one that is not known; and names in a row.

use selvedge_core::consent::Purposes;

/// The nearest of `known` to `name`, where one is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

/// What to do where a thing is named and none of its kind is declared.
pub(crate) fn declare(what: &str) -> String {
    let place = match what {
        "slot" => "under `slots` in site.yaml",
        "goal" => "under `goals` in site.yaml",
        "content" => "in content.yaml",
        "group" => "under `groups` in rules.yaml",
        "experiment" => "under `experiments` in rules.yaml",
        _ => "in rules.yaml",
    };
    format!("no {what} is declared yet: write it {place}")
}

/// "did you mean `x`?", or the list of what there is.
#[must_use]
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    if let Some(near) = nearest(name, known.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    const LISTED_MAX: usize = 12;
    match known.len() {
        0 => None,
        1..=LISTED_MAX => Some(format!("known here: {}", known.join(", "))),
        more => {
            Some(format!("known here: {}, and {} more", known[..LISTED_MAX].join(", "), more - LISTED_MAX))
        }
    }
}

/// The names of purposes: `analytics, personalization`.
pub(crate) fn names(purposes: Purposes) -> String {
    let held =
        Purposes::NAMES.iter().filter(|name| Purposes::named(name).is_some_and(|one| purposes.holds(one)));
    held.copied().collect::<Vec<_>>().join(", ")
}
