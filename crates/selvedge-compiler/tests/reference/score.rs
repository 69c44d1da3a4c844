//! Scores: points that events add and that fade. They are worked out in floating point, so that a faded one is known but for
//! its rounding.

use super::history::Happened;
use super::kleene::Seen;
use super::reading::{Reading, passes};
use super::site::{Condition, Literal, Source, Test};

const MICRO: f64 = 1_000_000.0;

/// Points that one event adds, where it passes its filter.
#[derive(Debug, PartialEq)]
struct Points {
    event: &'static str,
    filter: Option<Filter>,
    points: i32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Filter {
    OnSale,
    FromTwenty,
}

impl Filter {
    const fn text(self) -> &'static str {
        match self {
            Self::OnSale => "on_sale",
            Self::FromTwenty => "value >= 20 EUR",
        }
    }

    fn condition(self) -> Condition {
        let (name, test) = match self {
            Self::OnSale => ("on_sale", Test::Bare),
            Self::FromTwenty => ("value", Test::Compare(">=", Literal::Money(20_000_000))),
        };
        Condition::Ask { source: Source::Property(name), otherwise: None, test }
    }
}

/// How a faded score is read: as it is, a little lower or higher, or as the whole number that it nearly is. Conditions
/// compare it with whole numbers.
#[derive(Debug, Clone, Copy)]
pub enum Rounding {
    No,
    Down,
    Up,
    Whole,
}

impl Rounding {
    fn of(self, total: f64) -> f64 {
        let slack = 0.000_3 * total.abs() + 0.000_03;
        match self {
            Self::No => total,
            Self::Down => total - slack,
            Self::Up => total + slack,
            Self::Whole if (total.round() - total).abs() <= slack => total.round(),
            Self::Whole => total,
        }
    }
}

#[derive(Debug, PartialEq)]
pub struct Score {
    pub name: &'static str,
    half_life_minutes: i32,
    add: &'static [Points],
    min: i32,
    max: i32,
    of_session: bool,
}

const fn points(event: &'static str, points: i32) -> Points {
    Points { event, filter: None, points }
}

pub static SCORES: [Score; 3] = [
    Score {
        name: "interest",
        half_life_minutes: 30,
        add: &[
            points("product_view", 1),
            Points { event: "product_view", filter: Some(Filter::OnSale), points: 2 },
            points("add_to_cart", 6),
        ],
        min: 0,
        max: 10,
        of_session: false,
    },
    Score {
        name: "mood",
        half_life_minutes: 2 * 24 * 60,
        add: &[points("purchase", 10), points("support_chat", -4), points("search", 1)],
        min: -6,
        max: 12,
        of_session: false,
    },
    Score {
        name: "haste",
        half_life_minutes: 10,
        add: &[
            points("page", 1),
            Points { event: "add_to_cart", filter: Some(Filter::FromTwenty), points: 3 },
        ],
        min: 0,
        max: 5,
        of_session: true,
    },
];

/// The scores as they stand in `rules.yaml`.
pub fn yaml() -> String {
    let mut text = "scores:\n".to_owned();
    for score in &SCORES {
        let Score { name, half_life_minutes, add, min, max, of_session } = score;
        text += &format!("  {name}:\n    half_life: {half_life_minutes}m\n    min: {min}\n    max: {max}\n");
        text += if *of_session { "    of: session\n    add:\n" } else { "    add:\n" };
        for Points { event, filter, points } in *add {
            let filter = filter.map_or(String::new(), |filter| format!(" where {}", filter.text()));
            text += &format!("      {event}{filter}: {points}\n");
        }
    }
    text
}

impl Score {
    fn added_by(&self, event: &Happened) -> Option<f64> {
        let mut properties = event.properties.clone();
        // Of an amount in another currency nothing is known.
        properties.retain(|(name, _)| *name != "value" || !event.is_foreign());
        let is_added = |points: &&Points| {
            let filter = points.filter.map(Filter::condition);
            points.event == event.name && passes(filter.as_ref(), &properties)
        };
        let added: Vec<i32> = self.add.iter().filter(is_added).map(|points| points.points).collect();
        (!added.is_empty()).then(|| f64::from(added.iter().sum::<i32>()))
    }

    fn left(&self, after_ms: i64) -> f64 {
        (-(after_ms as f64) / f64::from(self.half_life_minutes * 60_000)).exp2()
    }
}

impl Reading<'_> {
    /// Each event adds what is left of its points by then, in the order of arrival.
    pub(super) fn score(&self, score: &Score) -> Seen {
        if !self.watches_from(score.of_session) {
            return Seen::Unobserved;
        }
        let (mut total, mut at_ms, mut has_faded) = (0.0, i64::MIN, false);
        let mut fade = |total: f64, from_ms: i64, to_ms: i64| {
            has_faded |= total != 0.0 && from_ms != to_ms;
            if total == 0.0 { 0.0 } else { total * score.left(to_ms - from_ms) }
        };
        for event in self.personal(score.of_session) {
            if let Some(added) = score.added_by(event) {
                let newest_ms = at_ms.max(event.time_ms);
                let faded = fade(total, at_ms, newest_ms) + fade(added, event.time_ms, newest_ms);
                total = faded.clamp(f64::from(score.min), f64::from(score.max));
                at_ms = newest_ms;
            }
        }
        let total = fade(total, at_ms, self.now_ms);
        let total = if has_faded { self.rounding.of(total) } else { total };
        Seen::exact((total * MICRO).round() as i64)
    }
}
