//! Random scores, values and carts.

use super::generate::{CATEGORIES, DAY_MS, HOUR_MS, Kind, MICRO};
use super::history::Values;
use super::metric::{Class, EVENTS_MAX, Metric, Window};
use super::random::Random;
use super::score::SCORES;
use super::site::{Literal, Source};

const SKUS: [&str; 3] = ["tent", "stove", "rope"];

impl Random {
    pub(super) fn source_of_a_shop(&mut self) -> (Source, Kind) {
        match self.below(10) {
            0..=2 => (Source::Score(&SCORES[self.below(SCORES.len())]), Kind::Points),
            3 | 4 => (Source::Builtin("cart.value"), Kind::Money),
            5 => (Source::Builtin("cart.items"), Kind::Count),
            6 => (Source::Builtin("cart.last_sku"), Kind::Text(&SKUS)),
            _ => self.values_told_apart(),
        }
    }

    fn values_told_apart(&mut self) -> (Source, Kind) {
        let class = self.one_of(&[Class::First, Class::First, Class::MostFrequent, Class::Top, Class::Same]);
        let windows = [
            Window::Session,
            Window::Page,
            Window::Today,
            Window::Month,
            Window::Ever,
            Window::Sliding(HOUR_MS),
            Window::Sliding(DAY_MS),
        ];
        let window = self.one_of(if class == Class::First { &windows[..5] } else { &windows });
        let is_amount = class == Class::First && self.percent(40);
        let (property, kind) = match class {
            Class::First if is_amount => ("value", Kind::Money),
            Class::First => ("category", Kind::Text(&CATEGORIES)),
            Class::MostFrequent => ("category", Kind::Whole(&CATEGORIES)),
            _ => ("category", Kind::Count),
        };
        let is_filtered = class != Class::Same && self.percent(30);
        let filter = is_filtered.then(|| self.filter_of_amount());
        let events_max = if class == Class::Same { EVENTS_MAX } else { self.one_of(&[2, 4, EVENTS_MAX]) };
        let (property, event, of_session) = (Some(property), "product_view", false);
        let metric = Metric { class, property, event, filter, window, of_session, events_max };
        (Source::Metric(Box::new(metric)), kind)
    }

    /// What an event of the cart says: of one thing, or of several.
    pub(super) fn of_cart(&mut self) -> Values {
        if self.percent(80) {
            return self.thing();
        }
        let things = (0..self.below(4)).map(|_| self.thing()).collect();
        vec![("items", Literal::Things(things))]
    }

    fn thing(&mut self) -> Values {
        let mut thing = Values::new();
        self.maybe(&mut thing, 90, "sku", Kind::Text(&SKUS));
        self.maybe(&mut thing, 40, "price", Kind::Money);
        self.maybe(&mut thing, 60, "value", Kind::Money);
        if self.percent(40) {
            thing.push(("quantity", Literal::Number(self.one_of(&[0, 1, 1, 2, 2, 3, 3, 7]) * MICRO)));
        }
        thing
    }
}
