//! The shop of examples/shop compiles, to the same bytes each time, and its page program holds nothing that is not for
//! pages.

mod common;

use common::{compiled, rendered, site_folder};
use selvedge_compiler::{Compiled, compile};
use selvedge_core::rules::Program;
use selvedge_core::wire::program::{Parts, Window};

fn shop() -> Compiled {
    compiled(&site_folder("examples/shop"))
}

#[test]
fn the_shop_compiles_without_a_word() {
    let files = site_folder("examples/shop");
    let compilation = compile(&files);
    assert_eq!(rendered(&files, &compilation), "");
    insta::assert_snapshot!(compilation.program.expect("a program").summary.to_string());
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let (first, second) = (shop(), shop());
    assert_eq!(first.full_bytes, second.full_bytes);
    assert_eq!(first.public_bytes, second.public_bytes);
    assert_eq!(first.hash, second.hash);
}

#[test]
fn parts_and_bytes_are_the_same_program() {
    let program = shop();
    assert_eq!(Parts::decode(&program.full_bytes), Ok(program.full));
    assert_eq!(Parts::decode(&program.public_bytes), Ok(program.public));
}

#[test]
fn the_page_program_holds_nothing_that_is_not_for_pages() {
    let program = shop();
    assert!(program.public.edge.is_none());
    assert!(program.public.rules.iter().all(|rule| rule.in_page));
    assert!(program.public.metrics.iter().all(|metric| !metric.private));
    assert!(program.public.attributes.iter().all(|attribute| !attribute.private));
    let bytes = String::from_utf8_lossy(&program.public_bytes).into_owned();
    let of_the_edge = [
        "SHOP_SERVER_KEY",
        "wk_shop_browser",
        "customer_value",
        "vip",
        "Ingrid",
        "alpine",
        "summer",
        "geo.country",
    ];
    for word in of_the_edge {
        assert!(!bytes.contains(word), "the page's program names {word}");
    }
    let full = String::from_utf8_lossy(&program.full_bytes).into_owned();
    assert!(full.contains("Ingrid") && full.contains("SHOP_SERVER_KEY"));
}

#[test]
fn both_programs_agree_on_what_they_share() {
    let program = shop();
    for metric in &program.public.metrics {
        let full = program.full.metrics.iter().find(|full| full.meaning == metric.meaning).expect("in both");
        assert_eq!(
            (full.threshold, full.purpose, full.private),
            (metric.threshold, metric.purpose, metric.private)
        );
    }
    let names = |parts: &Parts| parts.slots.iter().map(|slot| slot.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&program.public), names(&program.full));
    assert_eq!(program.public.plan, program.full.plan);
}

#[test]
fn the_hero_rule_of_the_language_is_in_the_shop() {
    let full = shop().full;
    let hero = full.rules.iter().find(|rule| rule.id == "free-shipping-hero").expect("the rule");
    assert!(hero.in_page);
    assert_eq!(hero.priority, 60);
    assert_eq!((hero.caps[0].limit, hero.caps[0].window), (2, Window::Session));
    let shoe_views = full.metrics.iter().find(|metric| metric.name == "shoe_views").expect("the count");
    assert_eq!((shoe_views.event.as_str(), shoe_views.window), ("product_view", Window::Sliding(600_000)));
    let urgent = |name: &str| full.plan.events.iter().find(|event| event.name == name).expect(name).urgent;
    assert!(urgent("product_view") && urgent("add_to_cart") && urgent("page"));
    assert!(!urgent("home") && !urgent("click"));
}

#[test]
fn every_event_of_the_recorded_log_is_in_the_plan() {
    let full = shop().full;
    for name in [
        "account_page",
        "add_to_cart",
        "cart",
        "catalog",
        "checkout_bug",
        "compare",
        "error_page",
        "filter_results",
        "home",
        "payment_details",
        "payment_error",
        "product_view",
        "promo_page",
        "purchase",
        "review_page",
        "search",
        "shipping_details",
        "support_chat",
        "wishlist_add",
    ] {
        assert!(full.plan.events.iter().any(|event| event.name == name), "{name}");
    }
}

#[test]
fn the_loader_proves_the_state_small_enough() {
    let program = shop();
    let loaded = Program::load(&program.full_bytes).expect("loads");
    assert_eq!(loaded.state_bytes_max(), program.summary.state_bytes_max);
}

#[test]
fn a_file_that_cannot_be_read_is_the_only_thing_said() {
    let mut files = site_folder("examples/shop");
    files.entry("content.yaml".to_owned()).or_default().push_str("\nbroken: [\n");
    let found = compile(&files);
    let codes: Vec<&str> = found.diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect();
    assert_eq!(codes, ["E0011"], "nothing is called unknown because of it");
}
