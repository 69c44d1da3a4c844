//! Whether the edge may connect where a destination is: asked when a site is published, and again before every connection.

use alloc::format;
use alloc::string::{String, ToString};
use selvedge_core::address::{AddressFault, Place, broker, place_of_url};
use selvedge_core::wire::program::{Destination, Way};

/// Nothing, where the edge may connect to the destination. `dev` says that this worker may connect to its own machine.
///
/// # Errors
/// What is wrong with which address, in words.
pub fn check(destination: &Destination, dev: bool) -> Result<(), String> {
    match &destination.way {
        Way::Http(http) => judge(&http.url, place_of_url(&http.url), dev),
        Way::Kafka(kafka) => kafka
            .brokers
            .iter()
            .try_for_each(|address| judge(address, broker(address).map(|(_, _, place)| place), dev)),
        Way::Log | Way::Queue { .. } => Ok(()),
    }
}

/// The same of all destinations of a site; what is wrong begins with the name of the destination.
///
/// # Errors
/// As [`check`], for the first that is not allowed.
pub fn check_all(destinations: &[Destination], dev: bool) -> Result<(), String> {
    let named = |found: &Destination, why: String| format!("destination {}: {why}", found.name);
    destinations.iter().try_for_each(|found| check(found, dev).map_err(|why| named(found, why)))
}

/// The same of one broker: also of those that brokers name.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_broker(host: &str, port: u16, dev: bool) -> Result<(), String> {
    let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    judge(&address, broker(&address).map(|(_, _, place)| place), dev)
}

fn judge(address: &str, place: Result<Place, AddressFault>, dev: bool) -> Result<(), String> {
    let why = match place {
        Ok(Place::Public) => return Ok(()),
        Ok(Place::Loopback) if dev => return Ok(()),
        Ok(Place::Loopback) => "only a worker with DEV_LOOPBACK=1 connects to its own machine".to_string(),
        Err(fault) => fault.to_string(),
    };
    Err(format!("{address}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_reached_in_development_only_and_a_private_one_never() {
        for (address, in_dev, outside) in [
            ("https://hooks.example/x", true, true),
            ("http://127.0.0.1:9000/x", true, false),
            ("https://10.0.0.1/x", false, false),
        ] {
            let judged = |dev| judge(address, place_of_url(address), dev).is_ok();
            assert_eq!((judged(true), judged(false)), (in_dev, outside), "{address}");
        }
        assert!(check_broker("kafka.example", 9092, false).is_ok());
        assert!(check_broker("::1", 9092, true).is_ok() && check_broker("::1", 9092, false).is_err());
        assert!(check_broker("10.1.2.3", 9092, true).is_err());
    }
}
