//! Rust source without what is not code: comments, texts and test modules become blanks, lines stay where they are.

/// The source with comments, string and character literals, and `#[cfg(test)]` items blanked out.
pub fn code(text: &str) -> String {
    without_tests(&without_literals(text))
}

/// Identifiers and single punctuation characters, each with its line (from 1).
pub fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut tokens = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(start) = rest.find(|character: char| !character.is_whitespace()) {
            let (_, from) = rest.split_at(start);
            let end = match from.find(|character: char| !is_word(character)) {
                Some(0) => from.chars().next().map_or(1, char::len_utf8),
                Some(end) => end,
                None => from.len(),
            };
            let (token, after) = from.split_at(end);
            tokens.push((index + 1, token));
            rest = after;
        }
    }
    tokens
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Where the scanner stands.
enum Inside {
    Code,
    LineComment,
    /// Nested that deep.
    BlockComment(usize),
    /// Ended by a quote and that many hashes; escapes count where there are none.
    Text(usize),
}

fn without_literals(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let at = |index: usize| characters.get(index).copied().unwrap_or('\0');
    let mut blanked = String::with_capacity(text.len());
    let mut inside = Inside::Code;
    let mut index = 0;
    while index < characters.len() {
        let (character, next) = (at(index), at(index + 1));
        let mut width = 1;
        let mut keep = false;
        match inside {
            Inside::Code => match (character, next) {
                ('/', '/') => inside = Inside::LineComment,
                ('/', '*') => (inside, width) = (Inside::BlockComment(1), 2),
                ('"', _) => inside = Inside::Text(hashes_before(&characters, index)),
                ('\'', _) => width = character_literal(&characters, index).unwrap_or(1),
                _ => keep = true,
            },
            Inside::LineComment if character == '\n' => inside = Inside::Code,
            Inside::BlockComment(depth) => match (character, next) {
                ('/', '*') => (inside, width) = (Inside::BlockComment(depth + 1), 2),
                ('*', '/') if depth == 1 => (inside, width) = (Inside::Code, 2),
                ('*', '/') => (inside, width) = (Inside::BlockComment(depth - 1), 2),
                _ => {}
            },
            Inside::Text(0) if character == '\\' => width = 2,
            Inside::Text(hashes)
                if character == '"' && (1..=hashes).all(|offset| at(index + offset) == '#') =>
            {
                (inside, width) = (Inside::Code, 1 + hashes);
            }
            Inside::LineComment | Inside::Text(_) => {}
        }
        for offset in 0..width {
            let character = at(index + offset);
            blanked.push(if keep || character == '\n' { character } else { ' ' });
        }
        index += width;
    }
    blanked
}

/// The hashes of a raw text (`r##"`) that opens with the quote at `index`.
fn hashes_before(characters: &[char], index: usize) -> usize {
    let before = characters.get(..index).unwrap_or_default();
    let hashes = before.iter().rev().take_while(|character| **character == '#').count();
    let raw = before.get(index - hashes - usize::from(index > hashes)) == Some(&'r');
    if raw { hashes } else { 0 }
}

/// The length of the character literal that opens at `index`; none where it is a lifetime.
fn character_literal(characters: &[char], index: usize) -> Option<usize> {
    let rest = characters.get(index + 1..)?;
    match rest {
        ['\\', ..] => Some(2 + rest.iter().skip(2).position(|character| *character == '\'')? + 2),
        [_, '\'', ..] => Some(3),
        _ => None,
    }
}

/// Blanks each item that follows `#[cfg(test)]`: to the end of its block, or to its semicolon.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(start) = rest.find(MARK) {
        let (before, from) = rest.split_at(start);
        kept.push_str(before);
        let (item, after) = from.split_at(item_end(from));
        kept.extend(item.chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
        rest = after;
    }
    kept.push_str(rest);
    kept
}

fn item_end(item: &str) -> usize {
    let mut depth = 0_usize;
    for (index, character) in item.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth <= 1 => return index + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return index + 1,
            _ => {}
        }
    }
    item.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left_and_lines_stay_where_they_are() {
        let cases = [
            ("a // f64\nb", "a b"),
            ("a /* f64 /* x */ f64 */ b", "a b"),
            ("let a = \"f64 \\\" f64\";", "let a = ;"),
            ("r#\"f64 \" f64\"# b", "r# b"),
            ("'f' '\\n' '\\u{1F}' b", "b"),
            ("fn a<'f>(b: &'f str)", "fn a< f>(b: & f str)"),
        ];
        for (text, expected) in cases {
            let blanked = without_literals(text);
            assert_eq!(blanked.split_whitespace().collect::<Vec<_>>().join(" "), expected, "{text}");
            let newlines = |text: &str| text.chars().map(|character| character == '\n').collect::<Vec<_>>();
            assert_eq!(newlines(&blanked), newlines(text), "{text}");
        }
    }

    #[test]
    fn test_modules_are_no_code() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn f() { f64 } }\nfn b() {}\n#[cfg(test)]\nmod more;\nfn c() {}";
        let code = code(text);
        let left: Vec<&str> = tokens(&code).into_iter().map(|(_, token)| token).collect();
        assert!(left.contains(&"b") && left.contains(&"c"), "{left:?}");
        assert!(!left.contains(&"f64") && !left.contains(&"more"), "{left:?}");
    }

    #[test]
    fn tokens_know_their_lines() {
        assert_eq!(
            tokens("use a::b;\n c"),
            vec![(1, "use"), (1, "a"), (1, ":"), (1, ":"), (1, "b"), (1, ";"), (2, "c")]
        );
    }
}
