//! Personal data in text that nobody meant to send: what has the shape of an e-mail address, a phone number or a payment
//! card is replaced by a word for it. In: a text, or an event and what the tracking plan says of it. Out: the same without.
//! One implementation for the page and the edge, without regular expressions: each letter is looked at a few times at most.
//!
//! A shape is not a proof: some numbers of other kinds have it, and a number that is written without any mark of a phone
//! (`1711234567`) has none, unless a word for a telephone stands before it. docs/capture.md lists the shapes.

use crate::event::{Event, EventType};
use crate::limits::VALUE_DEPTH_MAX;
use crate::tracking_plan::Plan;
use crate::value::Value;
use alloc::string::String;
use alloc::vec::Vec;

/// What stands in place of an e-mail address.
pub const EMAIL: &str = "[email]";
/// What stands in place of a phone number.
pub const PHONE: &str = "[phone]";
/// What stands in place of the number of a payment card.
pub const CARD: &str = "[card]";

/// Properties of page views that are read off the page.
const OF_PAGES: [&str; 4] = ["path", "url", "title", "referrer"];
/// Bytes of what stands before the `@` (RFC 5321, section 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// Bytes of a UUID in text.
const UUID_BYTES: usize = 36;
/// Groups of digits that are read as one number.
const GROUPS_MAX: usize = 8;
/// Words for a telephone, by [`key`]: those of five letters stand for all that begin so (`Telefonnummer`, `mobile`, `téléphone`).
const TELEPHONES: [u32; 16] = [
    key(b"tel"),
    key("tél".as_bytes()),
    key(b"telep"),
    key(b"telef"),
    key("télé".as_bytes()),
    key("telé".as_bytes()),
    key(b"phone"),
    key(b"mobil"),
    key(b"mobie"),
    key("móvi".as_bytes()),
    key(b"handy"),
    key(b"rufnu"),
    key(b"call"),
    key(b"cell"),
    key(b"fax"),
    key("numé".as_bytes()),
];
/// Keys of at most two letters are below it (`no`, `is`, `me`).
const SHORT: u32 = 1 << 10;
/// From here on a key has five letters, and takes no more.
const FULL: u32 = 1 << 20;
/// What words of five letters and more that begin with `n` have above those bits (`number`, `Nummer`).
const NUMBER: u32 = 14;
/// What ends the names of pictures (`logo@2x.png`) and is no domain, by [`key`].
const PICTURES: [u32; 6] = [key(b"png"), key(b"jpg"), key(b"jpeg"), key(b"webp"), key(b"gif"), key(b"svg")];

/// Masks what was not sent on purpose: all that was captured by itself, what page views say of the page, the facts that came
/// with the event, and the properties that the plan wants `masked`. What the plan calls `pii` was meant, and stays.
pub fn mask_event(plan: Option<&Plan>, event: &mut Event, is_automatic: bool) {
    let is_page = event.event_type == EventType::Page;
    let known = plan.and_then(|plan| plan.find(event)).map_or(&[][..], |known| &known.properties);
    for (name, value) in event.properties.iter_mut() {
        let is_found = is_automatic || (is_page && OF_PAGES.contains(&name));
        let planned = known.iter().find(|planned| planned.name == name);
        if planned.map_or(is_found, |planned| planned.masked || (is_found && !planned.pii)) {
            mask_value(value, VALUE_DEPTH_MAX);
        }
    }
    event.context.iter_mut().for_each(|(_, value)| mask_value(value, VALUE_DEPTH_MAX));
}

/// Deeper than `depth`, values are refused anyway.
fn mask_value(value: &mut Value, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::Text(text) => {
            if let Some(masked) = masked(text) {
                *text = masked;
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| mask_value(item, depth)),
        Value::Object(map) => map.iter_mut().for_each(|(_, item)| mask_value(item, depth)),
        _ => {}
    }
}

/// The text without addresses, phone numbers and cards; `None` where it has none. Masking twice is masking once.
///
/// ```
/// use selvedge_core::masking::masked;
/// assert_eq!(masked("write to jane@shop.test").as_deref(), Some("write to [email]"));
/// assert_eq!(masked("call 0171 1234567").as_deref(), Some("call [phone]"));
/// assert_eq!(masked("Tel. 1711234567").as_deref(), Some("Tel. [phone]"));
/// assert_eq!(masked("4111 1111 1111 1111").as_deref(), Some("[card]"));
/// assert_eq!(masked("order 2024-000123 of 06.05.2024, 1.299,00 EUR"), None);
/// ```
#[must_use]
pub fn masked(text: &str) -> Option<String> {
    let mut found = masked_once(text)?;
    // What was masked may leave its neighbours another shape. Each reading takes a digit or an `@`.
    while let Some(again) = masked_once(&found) {
        found = again;
    }
    Some(found)
}

fn masked_once(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut kept, mut at, mut last) = (0_usize, 0, 0);
    let mut before = [b' '; 2];
    let mut words = Words::default();
    while at < bytes.len() {
        let (letter, mut next) = letter(bytes, at);
        let mut found = None;
        if is_uuid(bytes.get(at..).unwrap_or_default()) {
            next = at.saturating_add(UUID_BYTES);
        } else if letter == b'@' {
            found = email(bytes, kept, at, next).map(|(start, end)| (start, end, EMAIL));
        } else if letter.is_ascii_digit() {
            let run = Run::read(bytes, at);
            next = run.groups.first().map_or(next, |first| first.end);
            let start = if matches!(before, [_, b'+' | b'(']) { last } else { at };
            found = run.card().map(|end| (at, end, CARD));
            found =
                found.or_else(|| run.phone(bytes, words.is_telephone, before).map(|end| (start, end, PHONE)));
            // What was masked stands there like a word for it.
            words = Words { key: 0, is_telephone: found.is_some() };
        }
        words.hear(letter);
        last = at;
        at = next;
        before = [before[1], letter];
        if let Some((start, end, word)) = found {
            out.push_str(text.get(kept..start).unwrap_or_default());
            out.push_str(word);
            (kept, at, before) = (end, end, [b']'; 2]);
        }
    }
    (kept > 0).then(|| {
        out.push_str(text.get(kept..).unwrap_or_default());
        out
    })
}

/// The letter at a place, and where the next one begins. `%40` is an `@`; blanks and dashes beyond ASCII are blanks.
fn letter(bytes: &[u8], at: usize) -> (u8, usize) {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0x100);
    match bytes.get(at..).unwrap_or_default() {
        [b'%', high, low, ..] if digit(*high) < 8 && digit(*low) < 16 => {
            (u8::try_from(digit(*high) << 4 | digit(*low)).unwrap_or(b'%'), at.saturating_add(3))
        }
        [0xC2, 0xA0, ..] => (b' ', at.saturating_add(2)),
        [0xE2, 0x80, 0x80..=0x95 | 0xAF, ..] => (b' ', at.saturating_add(3)),
        [letter, ..] => (*letter, at.saturating_add(1)),
        [] => (0, at),
    }
}

/// Whether a UUID begins here (RFC 9562, section 4): its digits are no number.
fn is_uuid(bytes: &[u8]) -> bool {
    let is_of_it = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    bytes.get(..UUID_BYTES).is_some_and(|bytes| bytes.iter().enumerate().all(is_of_it))
}

/// What an address may be made of, besides the `@`.
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'.' | b'_' | b'-' | b'+' | b'%' | b'\'')
}

/// Where the address around an `@` begins and ends. Nothing before `from` belongs to it.
fn email(bytes: &[u8], from: usize, at: usize, behind: usize) -> Option<(usize, usize)> {
    let local = bytes.get(from..at)?;
    let mut rest = local.get(local.len().saturating_sub(LOCAL_BYTES_MAX)..)?;
    let mut start = at;
    while let [fewer @ .., last] = rest
        && is_atom(*last)
    {
        start = start.saturating_sub(1);
        rest = fewer;
    }
    // A text is never cut within a letter.
    let start = start
        .saturating_add(bytes.get(start..at)?.iter().take_while(|byte| (0x80..0xC0).contains(*byte)).count());
    let is_of_name = |byte: &&u8| is_atom(**byte) && !matches!(**byte, b'%' | b'+' | b'\'' | b'_');
    let mut domain = bytes.get(behind..)?;
    domain = domain.get(..domain.iter().take_while(is_of_name).count())?;
    while let Some(dot) = domain.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0) {
        let label = domain.get(dot.saturating_add(1)..)?;
        let is_letter = |byte: &&u8| byte.is_ascii_alphabetic() || **byte >= 0x80;
        let name = label.get(..label.iter().take_while(is_letter).count())?;
        if name.len() > 1 && start < at {
            let end = behind.saturating_add(dot).saturating_add(1).saturating_add(name.len());
            return (!is_one_of(&PICTURES, key(name))).then_some((start, end));
        }
        domain = domain.get(..dot)?;
    }
    None
}

/// The first five letters of a word in 25 bits, small and capital ones alike; letters with accents count for two.
const fn key(mut word: &[u8]) -> u32 {
    let mut key = 0;
    while let [letter, rest @ ..] = word {
        key = with(key, *letter);
        word = rest;
    }
    key
}

/// A [`key`] with one letter more.
const fn with(key: u32, letter: u8) -> u32 {
    if key < FULL { key << 5 | (letter & 31) as u32 } else { key }
}

/// In a function of its own, so that it is there once.
#[inline(never)]
fn is_one_of(keys: &[u32], key: u32) -> bool {
    keys.contains(&key)
}

/// The words before a number.
#[derive(Default)]
struct Words {
    /// What the word so far is by [`key`].
    key: u32,
    /// The last word was one for a telephone, and nothing behind it but short words (`call me at`) and `number`.
    is_telephone: bool,
}

impl Words {
    /// The next letter. Brackets and `_` count as letters, which costs least: a word with one is another word.
    fn hear(&mut self, letter: u8) {
        if letter >= b'A' {
            self.key = with(self.key, letter);
        } else if self.key > 0 {
            let is_between = self.key < SHORT || self.key >> 20 == NUMBER;
            self.is_telephone = is_one_of(&TELEPHONES, self.key) || (self.is_telephone && is_between);
            self.key = 0;
        }
    }
}

/// Digits in one group or several, with blanks, dots, dashes, slashes or parentheses between them.
#[derive(Default)]
struct Run {
    digits: Vec<u8>,
    groups: Vec<Group>,
}

struct Group {
    size: usize,
    /// How many digits there are to its end.
    count: usize,
    /// Where it ends in the text.
    end: usize,
}

impl Run {
    /// The digits from a place on, where one stands.
    fn read(bytes: &[u8], mut at: usize) -> Self {
        let mut run = Self::default();
        while run.groups.len() < GROUPS_MAX {
            let begun = run.digits.len();
            let mut behind = letter(bytes, at);
            while behind.0.is_ascii_digit() {
                run.digits.push(behind.0.wrapping_sub(b'0'));
                at = behind.1;
                behind = letter(bytes, at);
            }
            // The hours of a time belong to no number.
            let is_time = behind.0 == b':' && letter(bytes, behind.1).0.is_ascii_digit();
            let count = run.digits.len();
            if count == begun || (is_time && begun > 0) {
                break;
            }
            run.groups.push(Group { size: count.saturating_sub(begun), count, end: at });
            for _ in 0..2 {
                let (letter, next) = letter(bytes, at);
                if matches!(letter, b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+') {
                    at = next;
                }
            }
            if run.groups.last().is_some_and(|last| last.end == at) {
                break;
            }
        }
        run
    }

    /// Where the card ends that begins here.
    fn card(&self) -> Option<usize> {
        let mut found = None;
        for group in &self.groups {
            if is_card(self.digits.get(..group.count).unwrap_or_default()) {
                found = Some(group.end);
            }
            if !(4..=6).contains(&group.size) {
                break;
            }
        }
        found
    }

    /// Where the phone number ends that begins here, behind two letters; and behind a word for a telephone, where `is_named`.
    fn phone(&self, bytes: &[u8], is_named: bool, before: [u8; 2]) -> Option<usize> {
        let is_plus = before[1] == b'+' && !before[0].is_ascii_alphanumeric();
        let fits = |groups: &[Group], last: &Group| {
            if is_plus && self.digits.first() != Some(&0) {
                return (8..=15).contains(&last.count);
            }
            is_clean(before)
                && !letter(bytes, last.end).0.is_ascii_alphanumeric()
                && (is_national(&self.digits, groups, last.count)
                    || (is_named && (7..=15).contains(&last.count)))
        };
        let mut groups = self.groups.as_slice();
        while let [fewer @ .., last] = groups {
            if fits(groups, last) {
                return Some(last.end);
            }
            groups = fewer;
        }
        None
    }
}

/// Whether what stands before digits leaves them a number of their own, not the rest of an article's, an amount or a time.
fn is_clean([first, second]: [u8; 2]) -> bool {
    let is_inside = matches!(second, b'.' | b',' | b':') && first.is_ascii_digit();
    !(second.is_ascii_alphanumeric() || matches!(second, b'-' | b'_' | b'#') || is_inside)
}

/// Whether digits are a phone number as it is written at home, or one that begins with `00`.
fn is_national(digits: &[u8], groups: &[Group], count: usize) -> bool {
    let is_of = |sizes: &[usize]| sizes.iter().eq(groups.iter().map(|group| &group.size));
    let is_date = || is_of_start(groups, [2, 2, 4]);
    match digits {
        [0, 0, 1..=9, ..] => (11..=15).contains(&count),
        [0, 1..=9, ..] if groups.len() == 1 => count == 11,
        [0, 1..=9, ..] => {
            (9..=13).contains(&count) && groups.first().is_some_and(|first| first.size > 1) && !is_date()
        }
        // North America: 555-123-4567, with a 1 before it or not. Neither area nor exchange begins with 0 or 1.
        [1, 2..=9, _, _, 2..=9, ..] => is_of(&[1, 3, 3, 4]),
        [2..=9, _, _, 2..=9, ..] => is_of(&[3, 3, 4]),
        _ => false,
    }
}

fn is_of_start(groups: &[Group], sizes: [usize; 3]) -> bool {
    groups.len() >= sizes.len() && groups.iter().zip(sizes).all(|(group, size)| group.size == size)
}

/// Whether digits are a card's: a prefix and a length that networks give out, and the check digit (ISO/IEC 7812-1).
fn is_card(digits: &[u8]) -> bool {
    let [first, second, ..] = digits else { return false };
    let lengths = match first.wrapping_mul(10).wrapping_add(*second) {
        34 | 37 => 15..=15,
        30 | 36 | 38 | 39 => 14..=19,
        22..=27 => 16..=16,
        35 | 40..=69 => 16..=19,
        _ => return false,
    };
    let weighed = (0_usize..).zip(digits.iter().rev()).fold(0_u32, |sum, (place, digit)| {
        let digit = u32::from(*digit);
        let doubled = digit.saturating_mul(2);
        let counted = match (place & 1, doubled) {
            (0, _) => digit,
            (_, 10..) => doubled.saturating_sub(9),
            _ => doubled,
        };
        sum.saturating_add(counted)
    });
    lengths.contains(&digits.len()) && weighed % 10 == 0
}
