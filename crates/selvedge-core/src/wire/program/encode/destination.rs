//! Destinations, to bytes.

use super::postcard::list;
use crate::wire::codec::Writer;
use crate::wire::program::{Destination, Http, Kafka, Way};

/// All destinations of a site.
pub(super) fn destinations(out: &mut Writer, destinations: &[Destination]) {
    list(out, destinations, destination);
}

fn destination(out: &mut Writer, destination: &Destination) {
    out.text(&destination.name);
    way(out, &destination.way);
    out.varint(destination.purposes.0.into());
    // One byte for both: bit 0 and bit 1.
    out.u8(destination.requires as u8 | (destination.on_unknown as u8) << 1);
    out.u8(destination.records.0);
    out.flag(destination.filter.is_some());
    destination.filter.iter().for_each(|at| out.varint((*at).into()));
    out.varint(destination.sample.into());
    list(out, &destination.remove, |out, path| out.text(path));
    list(out, &destination.rename, |out, (path, name)| {
        out.text(path);
        out.text(name);
    });
    out.u8(destination.when_full as u8);
    out.varint(destination.age_ms_max);
    out.varint(destination.bytes_max);
}

fn way(out: &mut Writer, way: &Way) {
    match way {
        Way::Log => out.u8(0),
        Way::Http(way) => {
            out.u8(1);
            http(out, way);
        }
        Way::Kafka(way) => {
            out.u8(2);
            kafka(out, way);
        }
        Way::Queue { binding, dead_letter } => {
            out.u8(3);
            out.text(binding);
            out.text(dead_letter);
        }
    }
}

fn http(out: &mut Writer, http: &Http) {
    out.text(&http.url);
    out.u8(http.format as u8);
    list(out, &http.secrets, |out, name| out.text(name));
    list(out, &http.headers, |out, header| {
        out.text(&header.name);
        out.text(&header.value);
        out.flag(header.secret.is_some());
        header.secret.iter().for_each(|name| out.text(name));
    });
}

fn kafka(out: &mut Writer, kafka: &Kafka) {
    list(out, &kafka.brokers, |out, broker| out.text(broker));
    out.text(&kafka.topic);
    out.flag(kafka.tls);
    out.flag(kafka.sasl.is_some());
    if let Some(sasl) = &kafka.sasl {
        out.u8(sasl.mechanism as u8);
        out.text(&sasl.user);
        out.text(&sasl.password);
    }
    out.flag(kafka.gzip);
}
