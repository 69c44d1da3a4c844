//! How each language writes days and times: which parts stand in which order, with which words and signs between them.

use super::style::Style;
use selvedge_core::wire::program::{Format, LocalPart};

/// What is written of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// `as date`: `24.12.2026`.
    Date,
    /// `as day`: `Donnerstag, 24. Dezember`.
    Day,
    /// `as time`: `18:30`.
    Time,
}

impl Moment {
    /// The words that may stand behind `as`.
    pub const WORDS: [(&'static str, Self); 3] =
        [("date", Self::Date), ("day", Self::Day), ("time", Self::Time)];
}

/// The words of a language: Monday to Sunday, January to December.
struct Words {
    days: [&'static str; 7],
    months: [&'static str; 12],
}

/// How a day of the year is written in a sentence.
#[derive(Clone, Copy)]
enum Order {
    /// `Thursday, December 24`.
    MonthFirst,
    /// What stands between the day of the week and the day, and behind the day: `Donnerstag, 24. Dezember`.
    DayFirst(&'static str, &'static str),
    /// `12月24日木曜日`.
    Japanese,
}

/// Languages, the more special first: how a date is written, whether the clock has twelve hours, the order of a day, its words.
/// A date is made of `d`, `m`, `M` (the month's short name) and `y`, and the signs between them.
struct Calendar {
    language: &'static str,
    date: &'static str,
    is_twelve: bool,
    order: Order,
    words: Words,
}

impl Calendar {
    fn of(language: &str) -> &'static Self {
        let is_of = |known: &&Self| Style::is_of(known.language, language);
        CALENDARS.iter().find(is_of).unwrap_or(&CALENDARS[ENGLISH])
    }
}

/// The pieces of a time in this language (lower case): a part of it, and how that is written. What stands between the parts
/// belongs to them.
pub(super) fn pieces(moment: Moment, language: &str) -> Vec<(LocalPart, Format)> {
    let calendar = Calendar::of(language);
    match moment {
        Moment::Date => date(calendar, Style::of(language)),
        Moment::Day => day(calendar, Style::of(language)),
        Moment::Time => time(calendar, Style::of(language)),
    }
}

fn date(calendar: &Calendar, style: Style) -> Vec<(LocalPart, Format)> {
    let mut pieces: Vec<(LocalPart, Format)> = Vec::new();
    let mut before = String::new();
    for sign in calendar.date.chars() {
        let part = match sign {
            'd' => LocalPart::Day,
            'm' | 'M' => LocalPart::Month,
            'y' => LocalPart::Year,
            other => {
                before.push(other);
                continue;
            }
        };
        let prefix = std::mem::take(&mut before);
        let format = if sign == 'M' {
            words(&calendar.words.months.map(short), &prefix, "")
        } else {
            style.whole(&prefix, "")
        };
        pieces.push((part, format));
    }
    // What stands at the very end belongs to the last part.
    if let Some((_, Format::Number(last))) = pieces.last_mut() {
        last.suffix = before;
    }
    pieces
}

/// A month's short name: its first three letters.
fn short(month: &'static str) -> &'static str {
    month.char_indices().nth(3).map_or(month, |(at, _)| &month[..at])
}

fn day(calendar: &Calendar, style: Style) -> Vec<(LocalPart, Format)> {
    let Words { days, months } = &calendar.words;
    match calendar.order {
        Order::MonthFirst => vec![
            (LocalPart::Weekday, words(days, "", ", ")),
            (LocalPart::Month, words(months, "", " ")),
            (LocalPart::Day, style.whole("", "")),
        ],
        Order::DayFirst(between, behind) => vec![
            (LocalPart::Weekday, words(days, "", between)),
            (LocalPart::Day, style.whole("", behind)),
            (LocalPart::Month, words(months, "", "")),
        ],
        Order::Japanese => vec![
            (LocalPart::Month, style.whole("", "月")),
            (LocalPart::Day, style.whole("", "日")),
            (LocalPart::Weekday, words(days, "", "")),
        ],
    }
}

fn time(calendar: &Calendar, style: Style) -> Vec<(LocalPart, Format)> {
    if calendar.is_twelve {
        let halves = Format::Words(vec!["\u{a0}AM".to_owned(), "\u{a0}PM".to_owned()]);
        vec![(LocalPart::TwelveHourClock, style.clock(":")), (LocalPart::HalfOfDay, halves)]
    } else {
        let point = if calendar.language == "fi" { "." } else { ":" };
        vec![(LocalPart::Clock, style.clock(point))]
    }
}

fn words(words: &[&str], before: &str, behind: &str) -> Format {
    Format::Words(words.iter().map(|word| format!("{before}{word}{behind}")).collect())
}

const COMMA: &str = ", ";

macro_rules! calendar {
    ($language:literal, $date:literal, $is_twelve:literal, $order:expr, $days:expr, $months:expr) => {
        Calendar {
            language: $language,
            date: $date,
            is_twelve: $is_twelve,
            order: $order,
            words: Words { days: $days, months: $months },
        }
    };
}

const EN_DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const EN_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DE_DAYS: [&str; 7] = ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"];
const ES_DAYS: [&str; 7] = ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"];
const ES_MONTHS: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const NB_DAYS: [&str; 7] = ["mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag"];
const NB_MONTHS: [&str; 12] = [
    "januar",
    "februar",
    "mars",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "desember",
];

/// The place of English, which other languages are written in.
const ENGLISH: usize = 2;

/// Dates and words as the Unicode CLDR has them, in the forms that stand in a sentence.
const CALENDARS: [Calendar; 19] = [
    calendar!("en-gb", "d M y", false, Order::DayFirst(COMMA, " "), EN_DAYS, EN_MONTHS),
    calendar!("en-ie", "d M y", false, Order::DayFirst(COMMA, " "), EN_DAYS, EN_MONTHS),
    calendar!("en", "M d, y", true, Order::MonthFirst, EN_DAYS, EN_MONTHS),
    calendar!(
        "de-at",
        "d.m.y",
        false,
        Order::DayFirst(COMMA, ". "),
        DE_DAYS,
        [
            "Jänner",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ]
    ),
    calendar!(
        "de",
        "d.m.y",
        false,
        Order::DayFirst(COMMA, ". "),
        DE_DAYS,
        [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ]
    ),
    calendar!(
        "cs",
        "d. m. y",
        false,
        Order::DayFirst(" ", ". "),
        ["pondělí", "úterý", "středa", "čtvrtek", "pátek", "sobota", "neděle"],
        [
            "ledna",
            "února",
            "března",
            "dubna",
            "května",
            "června",
            "července",
            "srpna",
            "září",
            "října",
            "listopadu",
            "prosince",
        ]
    ),
    calendar!(
        "da",
        "d.m.y",
        false,
        Order::DayFirst(" ", ". "),
        NB_DAYS,
        [
            "januar",
            "februar",
            "marts",
            "april",
            "maj",
            "juni",
            "juli",
            "august",
            "september",
            "oktober",
            "november",
            "december",
        ]
    ),
    calendar!("es-mx", "d/m/y", true, Order::DayFirst(COMMA, " de "), ES_DAYS, ES_MONTHS),
    calendar!("es", "d/m/y", false, Order::DayFirst(COMMA, " de "), ES_DAYS, ES_MONTHS),
    calendar!(
        "fi",
        "d.m.y",
        false,
        Order::DayFirst(" ", ". "),
        ["maanantai", "tiistai", "keskiviikko", "torstai", "perjantai", "lauantai", "sunnuntai"],
        [
            "tammikuuta",
            "helmikuuta",
            "maaliskuuta",
            "huhtikuuta",
            "toukokuuta",
            "kesäkuuta",
            "heinäkuuta",
            "elokuuta",
            "syyskuuta",
            "lokakuuta",
            "marraskuuta",
            "joulukuuta",
        ]
    ),
    calendar!(
        "fr",
        "d/m/y",
        false,
        Order::DayFirst(" ", " "),
        ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
        [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ]
    ),
    calendar!(
        "it",
        "d/m/y",
        false,
        Order::DayFirst(" ", " "),
        ["lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"],
        [
            "gennaio",
            "febbraio",
            "marzo",
            "aprile",
            "maggio",
            "giugno",
            "luglio",
            "agosto",
            "settembre",
            "ottobre",
            "novembre",
            "dicembre",
        ]
    ),
    calendar!(
        "ja",
        "y年m月d日",
        false,
        Order::Japanese,
        ["月曜日", "火曜日", "水曜日", "木曜日", "金曜日", "土曜日", "日曜日"],
        ["1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"]
    ),
    calendar!("nb", "d.m.y", false, Order::DayFirst(" ", ". "), NB_DAYS, NB_MONTHS),
    calendar!("no", "d.m.y", false, Order::DayFirst(" ", ". "), NB_DAYS, NB_MONTHS),
    calendar!(
        "nl",
        "d-m-y",
        false,
        Order::DayFirst(" ", " "),
        ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"],
        [
            "januari",
            "februari",
            "maart",
            "april",
            "mei",
            "juni",
            "juli",
            "augustus",
            "september",
            "oktober",
            "november",
            "december",
        ]
    ),
    calendar!(
        "pl",
        "d.m.y",
        false,
        Order::DayFirst(COMMA, " "),
        ["poniedziałek", "wtorek", "środa", "czwartek", "piątek", "sobota", "niedziela"],
        [
            "stycznia",
            "lutego",
            "marca",
            "kwietnia",
            "maja",
            "czerwca",
            "lipca",
            "sierpnia",
            "września",
            "października",
            "listopada",
            "grudnia",
        ]
    ),
    calendar!(
        "pt",
        "d/m/y",
        false,
        Order::DayFirst(COMMA, " de "),
        ["segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo",],
        [
            "janeiro",
            "fevereiro",
            "março",
            "abril",
            "maio",
            "junho",
            "julho",
            "agosto",
            "setembro",
            "outubro",
            "novembro",
            "dezembro",
        ]
    ),
    calendar!(
        "sv",
        "d M y",
        false,
        Order::DayFirst(" ", " "),
        ["måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"],
        [
            "januari",
            "februari",
            "mars",
            "april",
            "maj",
            "juni",
            "juli",
            "augusti",
            "september",
            "oktober",
            "november",
            "december",
        ]
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_date_stands_in_it_once() {
        for calendar in &CALENDARS {
            let pieces = pieces(Moment::Date, calendar.language);
            let mut parts: Vec<LocalPart> = pieces.iter().map(|(part, _)| *part).collect();
            parts.sort_unstable();
            assert_eq!(parts, [LocalPart::Year, LocalPart::Month, LocalPart::Day], "{}", calendar.language);
        }
    }

    #[test]
    fn a_language_that_nobody_knows_is_written_as_english() {
        assert_eq!(pieces(Moment::Day, "xx"), pieces(Moment::Day, "en-us"));
        assert_ne!(pieces(Moment::Time, "en"), pieces(Moment::Time, "en-gb"));
    }
}
