//! Items that a destination does not get, as entries of the quarantine.

use super::super::tables;
use crate::clock::now_ms;
use selvedge_edge::delivery::item::Refused;
use selvedge_edge::delivery::record::{Record, may_go_again};
use selvedge_edge::ingest::quarantine::{DeliveryCode, Undelivered, UndeliveredRecord, of_delivery};
use selvedge_edge::ledger::Counter;
use selvedge_edge::site::Site;
use serde_json::value::RawValue;
use worker::SqlStorage;

/// Keeps an item with the reason. Of a visitor who was erased nothing is kept, nor what its visitor took back while it was on
/// its way: it is counted as destroyed.
pub fn keep(sql: &SqlStorage, site: &Site, destination: &str, refused: &Refused) -> worker::Result<()> {
    let item = &refused.item;
    if tables::is_erased(sql, item.visitor)? || is_taken_back(sql, site, destination, refused)? {
        tables::count_change(sql, Counter::Quarantined, 1)?;
        return tables::count_change(sql, Counter::QuarantinePurged, 1);
    }
    let records: Vec<UndeliveredRecord<'_>> = item.records.iter().map(of_record).collect();
    let line = of_delivery(&Undelivered {
        site: site.name(),
        destination,
        visitor: item.visitor,
        refused_ms: now_ms(),
        code: code_of(refused.code),
        message: &refused.why,
        row: item.row,
        item: item.at,
        item_received_ms: item.received_ms,
        program: &item.program.to_string(),
        publish: item.publish,
        records: &records,
    });
    tables::keep_in_quarantine(sql, item.visitor, &line)
}

fn is_taken_back(
    sql: &SqlStorage,
    site: &Site,
    destination: &str,
    refused: &Refused,
) -> worker::Result<bool> {
    let Some(named) = site.destinations.iter().find(|named| named.name == destination) else {
        return Ok(false);
    };
    let now = tables::visitor(sql, refused.item.visitor)?.map(|record| record.consent).unwrap_or_default();
    Ok(!may_go_again(named, &refused.item.records, &now))
}

fn of_record(record: &Record) -> UndeliveredRecord<'_> {
    UndeliveredRecord {
        id: &record.id,
        kind: record.kind.as_str(),
        source: &record.source,
        time_ms: record.time_ms,
        usable: record.usable,
        data: serde_json::from_slice(&record.data).unwrap_or(RawValue::NULL),
    }
}

fn code_of(code: &str) -> DeliveryCode {
    match code {
        "too_large" => DeliveryCode::TooLarge,
        "transform" => DeliveryCode::Transform,
        _ => DeliveryCode::Rejected,
    }
}
