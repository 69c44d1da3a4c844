//! `identity` of site.yaml: a cookie's domain and the domains of links, in the full program alone.

mod common;

use common::{Site, rendered, small_site};
use selvedge_compiler::{Code, compile};
use selvedge_core::wire::program::edge_config;

fn site(identity: &str) -> Site {
    let mut files = small_site();
    let text = files.get_mut("site.yaml").expect("a site.yaml");
    text.push_str(identity);
    text.push('\n');
    files
}

fn pairs(identity: &str) -> Vec<(String, String)> {
    let files = site(identity);
    let compilation = compile(&files);
    let said = rendered(&files, &compilation);
    let compiled = compilation.program.unwrap_or_else(|| panic!("{said}"));
    assert!(edge_config(&compiled.public.encode()).unwrap().is_none());
    edge_config(&compiled.full.encode()).unwrap().unwrap().identity
}

#[test]
fn a_cookie_is_for_the_host_or_a_domain_and_links_name_theirs() {
    let pair = |kind: &str, domain: &str| (kind.to_owned(), domain.to_owned());
    assert_eq!(pairs(""), []);
    assert_eq!(pairs("identity: {cookie: false}"), []);
    assert_eq!(pairs("identity: {cookie: true}"), [pair("cookie", "")]);
    let both = "identity:\n  cookie: shop.example\n  links: [shop.example, other.test]";
    let links = [pair("link", "shop.example"), pair("link", "other.test")];
    assert_eq!(pairs(both)[1..], links);
    assert_eq!(pairs(both)[0], pair("cookie", "shop.example"));
}

#[test]
fn what_is_no_domain_is_refused() {
    for wrong in [
        "com",
        "https://shop.example",
        "Shop.example",
        "shop.example:8443",
        "10.0.0.1",
        "a..b",
        "-a.b",
        "shop.example; Path=/x",
    ] {
        let identity = format!("identity: {{cookie: \"{wrong}\"}}");
        let codes: Vec<Code> = compile(&site(&identity)).diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(codes, [Code::E0015], "{wrong}");
    }
}
