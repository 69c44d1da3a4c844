//! What to do about a code where the place says nothing more exact.

use crate::codes::Code;

/// A fix in a few words.
pub(crate) const fn fix(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::E0003 => {
            "look at the line above too: a quote left open, a `:` without a space, another indentation"
        }
        Code::E0006 => "write a value behind the key, or remove it",
        Code::E0007 => "write it as the examples of this key in docs/rules.md do",
        Code::E0014 => "use letters, digits and `_`",
        Code::E0016 => "use fewer or smaller ones",
        Code::E0101 => "remove it; texts stand in quotes",
        Code::E0301 => "compare it with its like: a text with a text, a number with a number",
        Code::E0103 => "compare a fact, as in `shoe_views >= 2`, and join tests with `and`, `or` and `not`",
        Code::E0105 | Code::E0106 => "name parts of it under `audiences`",
        Code::E0201 | Code::E0205 | Code::E0206 | Code::E0231 | Code::E0234 | Code::E0321 | Code::E0342 => {
            "declare it first, or remove it here"
        }
        Code::E0202 => "describe the event in tracking-plan.yaml",
        Code::E0203 => "describe the property in tracking-plan.yaml",
        Code::E0204 => "name it under `slots` in site.yaml",
        Code::E0207 => "rename one of the two",
        Code::E0208 => "write one of them without the others",
        Code::E0302 => {
            "texts have `=`, `in` and `contains`, numbers have `<` and `between`, yes or no stands alone"
        }
        Code::E0305 => "write a whole number: `>= 3`",
        Code::E0308 => "drop this part, or write what was meant",
        Code::E0309 => "round it",
        Code::E0312 => "set it to a property, or a constant, of the attribute's own type",
        Code::E0341 => "leave out a step in between",
        Code::E0402 => "use fewer rules, or name what several of them ask as a metric of its own",
        Code::E0430 => {
            "put the file beside site.yaml: a header line, then rows with as many cells and a key each"
        }
        Code::E0501 => "write what the site has: a fact, a rule, or a row with its key and cells",
        Code::E0802 => "write a public address: `https://host.example/path`",
        Code::E0805 => "leave this field as it is",
        Code::W0001 => "use it in a rule, or remove it",
        _ => return None,
    })
}
