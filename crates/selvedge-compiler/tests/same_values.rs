//! Counts by value, where more events came than are kept: they are lower bounds then.

mod common;

use common::visit::{Visit, text};
use common::with_condition;

fn views(condition: &str) -> Visit {
    Visit::new(&with_condition("", condition))
}

fn view(visit: &mut Visit, category: &str) {
    visit.event("product_view", &[("category", text(category))]);
}

#[test]
fn in_a_page_view() {
    let mut visit = views("(count product_view by category in page top max 2) = 1");
    visit.event("page", &[]);
    for category in ["shoes", "shoes", "hats"] {
        view(&mut visit, category);
    }
    assert_eq!(visit.truth(), None);
    visit.event("page", &[]);
    view(&mut visit, "hats");
    assert_eq!(visit.truth(), Some(true), "another page view begins anew");
}

#[test]
fn where_the_first_of_all_was_before_the_birth() {
    let mut visit = views("(count product_view by category in ever top max 2) = 1");
    visit.wait(-1_000);
    for category in ["shoes", "hats", "shoes"] {
        view(&mut visit, category);
        visit.wait(1_000);
    }
    assert_eq!(visit.truth(), None);
}
