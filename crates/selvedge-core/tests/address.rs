//! Addresses: in every spelling that leads somewhere private, refused; and never another host than an independent reader
//! sees.

use proptest::prelude::*;
use selvedge_core::address::{AddressFault, Place, broker, is_allowed, place_of_url};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

#[test]
fn public_hosts_are_allowed() {
    for url in [
        "https://hooks.shop.example/selvedge?x=1#y",
        "https://hooks.shop.example:8443",
        "https://xn--bcher-kva.example/",
        "https://93.184.216.34/in",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/in",
    ] {
        assert_eq!(place_of_url(url), Ok(Place::Public), "{url}");
        assert!(is_allowed(url, false));
    }
}

/// Which names can be registered is more than a table of ours says; who connects refuses what cannot.
#[test]
fn a_name_that_cannot_be_is_no_host_to_another_reader() {
    for url in ["https://ffff.xn--a/", "https://xn--.example/"] {
        assert_eq!(place_of_url(url).is_ok(), url.contains("ffff"), "{url}");
        assert!(Url::parse(url).is_err(), "{url}");
    }
}

#[test]
fn this_machine_is_for_development_only() {
    for url in ["http://127.0.0.1:8080/x", "https://localhost/", "http://[::1]:9/", "http://127.9.9.9/"] {
        assert_eq!(place_of_url(url), Ok(Place::Loopback), "{url}");
        assert!(is_allowed(url, true) && !is_allowed(url, false));
    }
}

#[test]
fn private_hosts_are_refused_in_every_spelling() {
    for url in [
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://172.31.255.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://168.63.129.16/",
        "https://100.100.100.200/",
        "https://0.0.0.0/",
        "https://0/",
        "https://255.255.255.255/",
        "https://2130706433/",
        "https://017700000001/",
        "https://0177.0.0.1/",
        "https://0x7f.0.0.1/",
        "https://0x7f000001/",
        "https://0X7F.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://127.0.0.1./",
        "https://localhost./",
        "https://LOCALHOST/",
        "https://api.localhost/",
        "https://metadata.google.internal/",
        "https://printer.local/",
        "https://intranet/",
        "https://10.0.0.1.nip.io/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fd00:ec2::254]/",
        "https://[::]/",
        "https://[ff02::1]/",
        "https://１２７.0.0.1/",
        "https://127。0。0。1/",
        "https://①②⑦.0.0.1/",
        "https://ⓛocalhost/",
        "https://shop.example@10.0.0.1/",
        "https://10.0.0.1#@shop.example/",
        "https://shop.example\\@10.0.0.1/",
        "https:\\\\10.0.0.1/",
        "https:10.0.0.1/",
        "https:/10.0.0.1/",
        "https:///10.0.0.1/",
        "https://%31%30.0.0.1/",
        "https://10.0.0.1\t/",
        "https://1\n0.0.0.1/",
        " https://shop.example/",
        "https://shop.example./",
        "https://shop..example/",
        "https://-shop.example/",
        "https://shop.example:0/",
        "https://shop.example:/",
        "https://shop.example:65536/",
        "https://shop.example:+80/",
        "https://[::1/",
        "https://[::1]x/",
        "https://",
        "",
        "http://shop.example/",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ] {
        assert!(place_of_url(url).is_err(), "{url}: {:?}", place_of_url(url));
        assert!(!is_allowed(url, true), "{url}");
    }
}

#[test]
fn a_broker_needs_a_port() {
    assert_eq!(broker("b1.kafka.example:9092"), Ok(("b1.kafka.example", 9_092, Place::Public)));
    assert_eq!(broker("127.0.0.1:9092"), Ok(("127.0.0.1", 9_092, Place::Loopback)));
    assert_eq!(broker("b1.kafka.example"), Err(AddressFault::Port));
    assert_eq!(broker("10.0.0.7:9092"), Err(AddressFault::Private));
    assert_eq!(broker("user@b1.kafka.example:9092"), Err(AddressFault::Userinfo));
    assert_eq!(broker("b1.kafka.example:9092/x"), Err(AddressFault::Port));
}

/// Whether an address is one that everybody may reach, by the standard library's own judgement of networks.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b)))
        }
        IpAddr::V6(v6) => {
            let embedded = v6.to_ipv4().is_some();
            let [first, ..] = v6.segments();
            !embedded && (0x2000..0x4000).contains(&first)
        }
    }
}

/// An IPv4 address in one of the spellings that browsers take: one to four parts, each in decimal, octal or hex.
fn spelled(address: u32, parts: usize, bases: [u8; 4], dot: bool) -> String {
    let bytes = address.to_be_bytes();
    let mut numbers: Vec<u32> = bytes[..parts - 1].iter().map(|byte| u32::from(*byte)).collect();
    let rest = if parts == 1 { address } else { address & (u32::MAX >> (8 * (parts - 1))) };
    numbers.push(rest);
    let written = numbers.iter().zip(bases).map(|(number, base)| match base {
        0 => format!("{number}"),
        1 => format!("0{number:o}"),
        2 => format!("0x{number:x}"),
        _ => format!("0X{number:X}"),
    });
    let host = written.collect::<Vec<_>>().join(".");
    if dot { format!("{host}.") } else { host }
}

fn any_url() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &[
            "127",
            "10",
            "0x7f",
            "1",
            "0",
            ".",
            ".",
            "@",
            ":",
            "[",
            "]",
            "::",
            "ffff",
            "localhost",
            "a.example",
            "%31",
            "/",
            "?",
            "#",
            "\\",
            "。",
            "１",
            "xn--a",
            "-",
            "internal",
            "443",
            "fe80",
            "2001",
        ][..],
    );
    (
        prop::sample::select(&["https://", "http://", "https:", "HTTPS://"][..]),
        prop::collection::vec(piece, 0..9),
    )
        .prop_map(|(scheme, pieces)| format!("{scheme}{}", pieces.concat()))
}

proptest! {
    #[test]
    fn no_spelling_of_a_private_address_is_allowed(
        address: u32, parts in 1usize..=4, bases in prop::array::uniform4(0u8..4), dot: bool, private: bool,
    ) {
        let private_part = [10 << 24, 127 << 24, 0xa9fe_0000, 0xc0a8_0000][(address % 4) as usize];
        let address = if private { private_part | (address & 0xffff) } else { address };
        let url = format!("https://{}/", spelled(address, parts, bases, dot));
        if is_allowed(&url, false) {
            prop_assert!(is_public(IpAddr::V4(Ipv4Addr::from(address))), "{}", url);
        }
    }

    #[test]
    fn no_private_address_of_six_is_allowed(segments: [u16; 8], zeros in 0usize..8) {
        let mut segments = segments;
        segments[..zeros].fill(0);
        let address = Ipv6Addr::from(segments);
        if is_allowed(&format!("https://[{address}]/"), false) {
            prop_assert!(is_public(IpAddr::V6(address)), "{}", address);
        }
    }

    /// What is allowed, a reader of the WHATWG standard takes for the same harmless host, or, where a label says `xn--` and
    /// is not Punycode of a name, for none: then nothing is sent.
    #[test]
    fn another_reader_sees_the_same_public_host_or_none(url in any_url()) {
        let read = Url::parse(&url);
        prop_assert!(read.is_ok() || place_of_url(&url) != Ok(Place::Public) || url.contains("xn--"), "{}", url);
        if let (Ok(Place::Public), Ok(read)) = (place_of_url(&url), read) {
            prop_assert_eq!(read.scheme(), "https");
            prop_assert!(read.username().is_empty() && read.password().is_none());
            match read.host().unwrap() {
                Host::Domain(name) => {
                    prop_assert!(name.contains('.') && !name.ends_with('.'), "{}", name);
                    prop_assert!(url["https://".len()..].starts_with(name), "{} {}", url, name);
                }
                Host::Ipv4(address) => prop_assert!(is_public(IpAddr::V4(address))),
                Host::Ipv6(address) => prop_assert!(is_public(IpAddr::V6(address))),
            }
        }
    }
}
