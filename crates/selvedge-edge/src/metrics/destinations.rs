//! The figures of destinations: what became of the items of the log, what waits, and that nothing is missing.

use super::{SiteMetrics, family, histogram, sample};
use crate::delivery::report::{Standing, Summary};
use crate::delivery::state::DELAYS_MS;
use crate::ledger::Counter;
use alloc::format;
use alloc::string::String;

/// Name, help, and where the value stands.
type Family = (&'static str, &'static str, fn(&Summary) -> u64);

const COUNTED: [Family; 8] = [
    ("selvedge_destination_accepted", "Items of the log since the destination began.", |of| of.accepted),
    ("selvedge_events_filtered", "Items that do not go to the destination.", |of| of.counts.filtered),
    ("selvedge_events_dropped", "Items that were given up, because too many waited.", |of| of.counts.dropped),
    ("selvedge_events_purged", "Items whose visitors took the consent back.", |of| of.counts.purged),
    ("selvedge_possible_duplicates", "Records that it may hold twice.", |of| of.counts.possible_duplicates),
    ("selvedge_destination_sends", "Sends that were begun.", |of| of.counts.sends),
    ("selvedge_destination_failures", "Sends that did not deliver.", |of| of.counts.failures),
    ("selvedge_destination_settled", "Items that do not wait any more.", |of| of.counts.settled()),
];

/// All families of destinations. The log is the embedded one: what is accepted stands in it at once, nothing is pending.
pub(super) fn all(out: &mut String, sites: &[SiteMetrics]) {
    family(out, "selvedge_events_delivered", "counter", "Items that a destination holds.");
    for site in sites {
        let label = ",destination=\"log\"";
        sample(out, "selvedge_events_delivered_total", &site.site, label, site.ledger.get(Counter::Accepted));
        each(out, site, "selvedge_events_delivered_total", |of| of.counts.delivered);
    }
    for (name, help, value) in COUNTED {
        family(out, name, "counter", help);
        sites.iter().for_each(|site| each(out, site, &format!("{name}_total"), value));
    }
    waiting(out, sites);
    delays(out, sites);
    standing(out, sites);
    let name = "selvedge_ledger_difference";
    let help = "accepted - (delivered + filtered + quarantined + dropped + purged + pending): always 0.";
    family(out, name, "gauge", help);
    sites.iter().for_each(|site| each(out, site, name, |of| of.difference));
}

/// Items that a destination refused, in the family of all that is quarantined.
pub(super) fn quarantined(out: &mut String, site: &SiteMetrics) {
    each(out, site, "selvedge_events_quarantined_total", |of| of.counts.quarantined);
}

fn waiting(out: &mut String, sites: &[SiteMetrics]) {
    let families: [Family; 4] = [
        ("selvedge_outbox_pending", "Items that a destination does not hold yet.", |of| of.pending),
        ("selvedge_outbox_held", "Pending items that wait for their visitors' answers.", |of| of.held),
        ("selvedge_outbox_bytes", "Bytes of the pending items.", |of| of.bytes),
        ("selvedge_outbox_full_percent", "What waits, of what may, in the fullest shard.", |of| of.percent),
    ];
    for (name, help, value) in families {
        family(out, name, "gauge", help);
        for site in sites {
            sample(out, name, &site.site, ",destination=\"log\"", 0);
            each(out, site, name, value);
        }
    }
    let name = "selvedge_outbox_oldest_seconds";
    family(out, name, "gauge", "Age of the oldest pending item.");
    for site in sites {
        sample(out, name, &site.site, ",destination=\"log\"", 0);
        let now_ms = site.now_ms;
        each(out, site, name, |of| {
            of.oldest_ms.map_or(0, |oldest_ms| now_ms.saturating_sub(oldest_ms) / 1_000)
        });
    }
}

/// How long it takes until a destination holds what was received.
fn delays(out: &mut String, sites: &[SiteMetrics]) {
    let name = "selvedge_end_to_end_seconds";
    family(out, name, "histogram", "Seconds from when an item was received until the destination holds it.");
    for site in sites {
        for of in &site.destinations {
            let labels = format!("site=\"{}\",destination=\"{}\",", site.site, of.name);
            histogram(out, name, &labels, (&DELAYS_MS, &of.delays));
        }
    }
}

/// One of the states has 1.
fn standing(out: &mut String, sites: &[SiteMetrics]) {
    let name = "selvedge_destination_state";
    family(out, name, "stateset", "How a destination stands where it stands worst.");
    for site in sites {
        for of in &site.destinations {
            for state in Standing::ALL {
                let labels = format!(",destination=\"{}\",{name}=\"{}\"", of.name, state.as_str());
                sample(out, name, &site.site, &labels, u64::from(of.standing == state));
            }
        }
    }
}

fn each(out: &mut String, site: &SiteMetrics, name: &str, value: impl Fn(&Summary) -> u64) {
    for of in &site.destinations {
        sample(out, name, &site.site, &format!(",destination=\"{}\"", of.name), value(of));
    }
}
