//! What comes of time alone: deadlines, ends of sessions, schedules.

use super::given::ACCOUNTS;
use super::{reported, site_with};

#[test]
fn what_comes_of_time_alone_stands_in_the_timeline_at_its_time() {
    let compiled = site_with(
        ACCOUNTS,
        "
- name: eight minutes after the cart
  events:
    - 0s session_start
    - \"1m add_to_cart {sku: a}\"
  expect:
    - at: 539s
      hero: none
    - at: 20m
      hero: none
      why: sequence add_to_cart then no product_view within 8m is true
",
    );
    insta::assert_snapshot!(reported(&compiled));
}

const LEAVING: &str = "
rules:
  - id: left
    trigger: [session_end]
    when: (count add_to_cart in session) >= 1
    show:
      slot: hero
      content: free-shipping
    hold: 10m
  - id: office
    schedule:
      days: mon-fri
      hours: \"09:00-17:00\"
      timezone: America/New_York
      except: [\"12-24..12-26\"]
    show:
      slot: hero
      content: free-shipping
    hold: 1m
    priority: -1
";

#[test]
fn a_session_ends_by_idle_time_and_by_another_campaign() {
    let compiled = site_with(
        LEAVING,
        "
- name: by a campaign, with what the session before held
  now: 2026-03-07T03:00
  events:
    - 0s session_start
    - \"1m add_to_cart {sku: a}\"
    - at: 2m
      event: page
      properties:
        path: /
      context:
        utm.medium: email
  expect:
    - at: 110s
      hero: none
    - at: 2m
      hero: free-shipping
      reasons:
        left: held
    - at: 13m
      hero: none
- name: by thirty minutes
  now: 2026-03-07T03:00
  events:
    - 0s session_start
    - \"1m add_to_cart {sku: a}\"
  expect:
    - at: 31m
      hero: none
    - at: 1861s
      hero: free-shipping
",
    );
    assert!(reported(&compiled).ends_with("2 passed, 0 failed\n"), "{}", reported(&compiled));
}

#[test]
fn a_schedule_of_another_zone_opens_and_closes_by_its_clock() {
    // My-site is in Berlin: six hours ahead of New York, but five for two weeks in March and one in autumn.
    let compiled = site_with(
        LEAVING,
        "
- name: in winter
  now: 2026-03-06T14:59
  events:
    - 0s session_start
  expect:
    - at: 30s
      hero: none
    - at: 1m
      hero: free-shipping
    - at: 481m
      hero: none
- name: when only New York has summer time
  now: 2026-03-09T13:59
  events:
    - 0s session_start
  expect:
    - at: 30s
      hero: none
    - at: 1m
      hero: free-shipping
- name: on Christmas eve it stays closed
  now: 2026-12-24T16:00
  events:
    - 0s session_start
  expect:
    hero: none
    reasons:
      office: outside_schedule
",
    );
    assert!(reported(&compiled).ends_with("3 passed, 0 failed\n"), "{}", reported(&compiled));
}
