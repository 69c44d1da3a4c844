//! `why: shoe_views = 2`: what a rule must have been told.

use super::CasePlace;

/// A fact, and what it must have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The fact: a name, or a parenthesised expression as the rule writes it.
    pub fact: String,
    /// How it must be to the value.
    pub relation: Relation,
    /// The value, without quotes.
    pub value: String,
    /// As written.
    pub text: String,
    /// Where it stands.
    pub place: CasePlace,
}

/// How a fact must be to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `is`: `unknown`, `missing`, `known`, `true`, `false`.
    Is,
}

const RELATIONS: [(&str, Relation); 6] = [
    ("!=", Relation::NotEqual),
    ("<=", Relation::LessOrEqual),
    (">=", Relation::GreaterOrEqual),
    ("=", Relation::Equal),
    ("<", Relation::Less),
    (">", Relation::Greater),
];
const STATES: [&str; 5] = ["unknown", "missing", "known", "true", "false"];

/// Reads `fact = value` or `fact is unknown`; `None` where it is neither.
pub(super) fn why(text: &str, place: CasePlace) -> Option<Why> {
    let whole = text.to_owned();
    if let Some((fact, state)) = text.rsplit_once(" is ")
        && STATES.contains(&state.trim())
    {
        let (fact, value) = (fact.trim().to_owned(), state.trim().to_owned());
        return Some(Why { fact, relation: Relation::Is, value, text: whole, place });
    }
    // The last comparison is the one that is meant: one before it stands in a parenthesised count.
    let outside = text.rfind(')').map_or(0, |at| at + 1);
    let found = RELATIONS.iter().filter_map(|(sign, relation)| {
        let at = text[outside..].find(sign)? + outside;
        Some((at, std::cmp::Reverse(sign.len()), *relation))
    });
    let (at, std::cmp::Reverse(length), relation) = found.min_by_key(|(at, length, _)| (*at, *length))?;
    let fact = text[..at].trim().to_owned();
    let value = text[at + length..].trim().trim_matches(['"', '\'']).to_owned();
    (!fact.is_empty() && !value.is_empty()).then_some(Why { fact, relation, value, text: whole, place })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_and_what_it_was_are_told_apart() {
        let place = CasePlace { file: String::new(), line: 1, column: 1 };
        let read = |text: &str| why(text, place.clone()).map(|why| (why.fact, why.relation, why.value));
        let some = |fact: &str, relation, value: &str| Some((fact.to_owned(), relation, value.to_owned()));
        assert_eq!(read("shoe_views = 2"), some("shoe_views", Relation::Equal, "2"));
        assert_eq!(read("x >= 2"), some("x", Relation::GreaterOrEqual, "2"));
        assert_eq!(read("utm.medium = \"cpc\""), some("utm.medium", Relation::Equal, "cpc"));
        let count = "(count e where p = 1 in 7d)";
        assert_eq!(read(&format!("{count} != 3")), some(count, Relation::NotEqual, "3"));
        assert_eq!(read("x is unknown"), some("x", Relation::Is, "unknown"));
        for bad in ["", "x", "= 2", "x =", "x is fine"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
