//! Where the edge may connect to: public hosts, in one plain spelling. Asked where a site is checked, where it is published
//! and before every connection. What is written in any other way (numbers in octal, escapes, userinfo, a dot at the end)
//! is refused and not made sense of: two readers of an address never disagree on what is not allowed.

use core::net::{Ipv4Addr, Ipv6Addr};

/// Bytes of an address.
const ADDRESS_BYTES_MAX: usize = 2_048;
/// Bytes of a host's name, and of one label of it (RFC 1035, section 2.3.4).
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// Where an address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A host that anybody may reach.
    Public,
    /// This machine: only a worker in development connects to it.
    Loopback,
}

/// Why an address is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Longer than 2,048 bytes, or empty.
    #[error("an address has 1 to 2048 bytes")]
    Length,
    /// Not `https://`.
    #[error("an address begins with `https://`")]
    Scheme,
    /// A blank, a backslash, or anything that is not ASCII.
    #[error("an address is plain ASCII; a name in another script is written as it is registered, `xn--...`")]
    Characters,
    /// Something before `@`.
    #[error("an address names no user: a login is a header with a secret")]
    Userinfo,
    /// The host is no name and no address in its usual spelling.
    #[error("the host is neither a name with a dot in it nor an IP address in its usual spelling")]
    Host,
    /// The port is none.
    #[error("the port is no number from 1 to 65535")]
    Port,
    /// The host is private, link-local, reserved, or only known in one network.
    #[error("the host is private or reserved: the edge connects to public hosts only")]
    Private,
}

/// Where the address of a request leads. `http:` is a fault, except to this machine.
///
/// # Errors
/// [`AddressFault`]: `https://user@shop.example`, `https://2130706433/`, `https://intranet/`.
pub fn place_of_url(url: &str) -> Result<Place, AddressFault> {
    check_text(url)?;
    let (scheme, rest) = url.split_once("://").ok_or(AddressFault::Scheme)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, port) = split_port(rest.get(..end).unwrap_or_default())?;
    if port == Some(0) {
        return Err(AddressFault::Port);
    }
    match (scheme, place_of_host(host)?) {
        ("https", place) => Ok(place),
        ("http", Place::Loopback) => Ok(Place::Loopback),
        _ => Err(AddressFault::Scheme),
    }
}

/// Host and port of a broker (`broker.example:9092`), and where they lead.
///
/// # Errors
/// [`AddressFault`]: as [`place_of_url`], and [`AddressFault::Port`] where there is none.
pub fn broker(broker: &str) -> Result<(&str, u16, Place), AddressFault> {
    check_text(broker)?;
    let (host, port) = split_port(broker)?;
    let port = port.filter(|port| *port > 0).ok_or(AddressFault::Port)?;
    Ok((host, port, place_of_host(host)?))
}

/// Whether a request may go to the address. `dev` says that this worker may connect to its own machine.
#[must_use]
pub fn is_allowed(url: &str, dev: bool) -> bool {
    match place_of_url(url) {
        Ok(Place::Public) => true,
        Ok(Place::Loopback) => dev,
        Err(_) => false,
    }
}

fn check_text(address: &str) -> Result<(), AddressFault> {
    if address.is_empty() || address.len() > ADDRESS_BYTES_MAX {
        return Err(AddressFault::Length);
    }
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    if address.bytes().all(is_plain) { Ok(()) } else { Err(AddressFault::Characters) }
}

/// Host and port of `host:port`, `host`, `[::1]:port`.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), AddressFault> {
    if authority.contains('@') {
        return Err(AddressFault::Userinfo);
    }
    let after_host = match authority.find(']') {
        Some(end) => end.saturating_add(1),
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(after_host).ok_or(AddressFault::Host)?;
    let Some(digits) = port.strip_prefix(':') else {
        return if port.is_empty() { Ok((host, None)) } else { Err(AddressFault::Host) };
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let port = digits.parse().ok().filter(|_| is_number).ok_or(AddressFault::Port)?;
    Ok((host, Some(port)))
}

fn place_of_host(host: &str) -> Result<Place, AddressFault> {
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner.strip_suffix(']').and_then(|inner| inner.parse().ok());
        return place_of_v6(address.ok_or(AddressFault::Host)?);
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    // What ends in a number is an address of four parts, whatever else it may look like.
    if last.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) {
        return place_of_v4(host.parse().map_err(|_| AddressFault::Host)?);
    }
    place_of_name(host)
}

fn place_of_name(host: &str) -> Result<Place, AddressFault> {
    let is_inner =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.len() > NAME_BYTES_MAX || !host.split('.').all(is_label) {
        return Err(AddressFault::Host);
    }
    if host == "localhost" {
        return Ok(Place::Loopback);
    }
    let is_private = |zone: &str| host.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
    if !host.contains('.') || PRIVATE_ZONES.iter().any(|zone| is_private(zone)) {
        return Err(AddressFault::Private);
    }
    Ok(Place::Public)
}

/// Names that mean something in one network only (RFC 6761, 6762, 8375; `internal` is reserved by ICANN), and services
/// that answer with whatever address stands in the name.
const PRIVATE_ZONES: &[&str] = &[
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "onion",
    "nip.io",
    "sslip.io",
    "xip.io",
    "localtest.me",
    "lvh.me",
];

fn place_of_v4(address: Ipv4Addr) -> Result<Place, AddressFault> {
    if address.is_loopback() {
        return Ok(Place::Loopback);
    }
    let is_in = |(network, bits): &(Ipv4Addr, u32)| {
        let mask = u32::MAX.checked_shl(32u32.saturating_sub(*bits)).unwrap_or(0);
        address.to_bits() & mask == network.to_bits()
    };
    if RESERVED_V4.iter().any(is_in) { Err(AddressFault::Private) } else { Ok(Place::Public) }
}

/// The IANA special-purpose registry (RFC 6890), multicast, and the address at which one cloud tells its machines secrets.
const RESERVED_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// Only what is handed out to networks (`2000::/3`), without what holds an IPv4 address (Teredo, 6to4) or is for examples.
fn place_of_v6(address: Ipv6Addr) -> Result<Place, AddressFault> {
    match address.segments() {
        _ if address.is_loopback() => Ok(Place::Loopback),
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002 | 0x3fff, ..] => Err(AddressFault::Private),
        [0x2000..=0x3fff, ..] => Ok(Place::Public),
        _ => Err(AddressFault::Private),
    }
}
