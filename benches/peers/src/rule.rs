//! Ten rules, each with a number in it that changes, written in the language of every engine.

use serde_json::{Value, json};

/// A condition over the facts of [`crate::facts`].
#[derive(Clone)]
pub enum Rule {
    All(Vec<Rule>),
    Any(Vec<Rule>),
    Number(&'static str, Sign, i64),
    Is(&'static str, &'static str),
    IsNot(&'static str, &'static str),
    In(&'static str, &'static [&'static str]),
    NotIn(&'static str, &'static [&'static str]),
    Starts(&'static str, &'static str),
    NotNew,
}

#[derive(Clone, Copy)]
pub enum Sign {
    Equal,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Sign {
    fn text(self, equal: &'static str) -> &'static str {
        match self {
            Self::Equal => equal,
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }
}

const PAID: &[&str] = &["cpc", "ppc", "paid_social"];
const ALPS: &[&str] = &["AT", "CH", "DE"];

/// So many rules: the ten, again and again, each time with another number.
pub fn rules(count: usize) -> Vec<Rule> {
    (0..count).map(|at| rule(at % 10, (at / 10 % 50) as i64)).collect()
}

fn rule(which: usize, k: i64) -> Rule {
    use Rule::{All, Any, In, Is, IsNot, NotIn, NotNew, Number, Starts};
    use Sign::{AtLeast, AtMost, Equal, Less, More};
    match which {
        0 => {
            All(vec![Number("shoe_views", AtLeast, 2 + k), Number("cart_adds", Equal, 0), In("medium", PAID)])
        }
        1 => All(vec![Number("spend", AtLeast, 200 + k), Is("tier", "gold")]),
        2 => All(vec![Starts("path", "/c/"), NotNew, Number("views", AtLeast, 3 + k)]),
        3 => All(vec![In("country", ALPS), Number("views", AtLeast, 2), Number("views", AtMost, 8 + k)]),
        4 => Any(vec![Is("medium", "email"), All(vec![IsNot("tier", "gold"), Number("cart_adds", More, k)])]),
        5 => All(vec![Number("days", More, 30 + k), NotNew]),
        6 => {
            All(vec![Number("cart_adds", AtLeast, 1), Number("spend", Less, 50 + k), IsNot("country", "US")])
        }
        7 => All(vec![Number("shoe_views", More, k), Starts("path", "/p/")]),
        8 => All(vec![
            In("tier", &["gold", "silver"]),
            NotIn("medium", &["email", "social"]),
            Number("days", Less, 7 + k),
        ]),
        _ => All(vec![
            Number("views", AtLeast, k),
            Number("shoe_views", AtLeast, 1),
            Any(vec![Is("country", "FR"), Is("country", "ES")]),
        ]),
    }
}

/// The words of a language with infix operators.
pub struct Words {
    pub and: &'static str,
    pub or: &'static str,
    pub equal: &'static str,
    /// Around and between the texts of a list.
    pub list: [&'static str; 3],
    pub starts: fn(&str, &str) -> String,
    pub not_in: fn(&str, &str) -> String,
    pub not_new: &'static str,
}

impl Rule {
    pub fn text(&self, words: &Words) -> String {
        let all = |parts: &[Self], word: &str| {
            parts.iter().map(|part| format!("({})", part.text(words))).collect::<Vec<_>>().join(word)
        };
        let list = |texts: &[&str]| {
            let [open, between, close] = words.list;
            let texts: Vec<String> = texts.iter().map(|text| format!("\"{text}\"")).collect();
            format!("{open}{}{close}", texts.join(between))
        };
        match self {
            Self::All(parts) => all(parts, words.and),
            Self::Any(parts) => all(parts, words.or),
            Self::Number(name, sign, number) => format!("{name} {} {number}", sign.text(words.equal)),
            Self::Is(name, text) => format!("{name} {} \"{text}\"", words.equal),
            Self::IsNot(name, text) => format!("{name} != \"{text}\""),
            Self::In(name, texts) => format!("{name} in {}", list(texts)),
            Self::NotIn(name, texts) => (words.not_in)(name, &list(texts)),
            Self::Starts(name, text) => (words.starts)(name, text),
            Self::NotNew => words.not_new.to_owned(),
        }
    }

    pub fn json_logic(&self) -> Value {
        let all = |parts: &[Self]| parts.iter().map(Self::json_logic).collect::<Vec<_>>();
        let var = |name: &str| json!({ "var": name });
        match self {
            Self::All(parts) => json!({ "and": all(parts) }),
            Self::Any(parts) => json!({ "or": all(parts) }),
            Self::Number(name, sign, number) => json!({ sign.text("=="): [var(name), number] }),
            Self::Is(name, text) => json!({ "==": [var(name), text] }),
            Self::IsNot(name, text) => json!({ "!=": [var(name), text] }),
            Self::In(name, texts) => json!({ "in": [var(name), texts] }),
            Self::NotIn(name, texts) => json!({ "!": [{ "in": [var(name), texts] }] }),
            Self::Starts(name, text) => json!({ "starts_with": [var(name), text] }),
            Self::NotNew => json!({ "!": [var("is_new")] }),
        }
    }
}
