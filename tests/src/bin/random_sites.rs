//! Random sites for tests that are not written in Rust: one line of JSON a site, `{"seed", "full", "public", "visitors"}`,
//! its programs as lists of bytes. Of each visitor it has `batches`, and the lines that are said of them natively: `edge` and
//! `page`.

use selvedge_probe::{at_the_edge, in_the_page};
use selvedge_tests::random_sites;
use serde_json::{Value, json};

fn main() {
    for site in random_sites() {
        let (full, public) = (&site.compiled.full_bytes, &site.compiled.public_bytes);
        let visitor = |batches: &Vec<Value>| {
            let journey = json!(batches).to_string();
            let edge = at_the_edge(full, journey.as_bytes());
            let page = in_the_page(full, public, journey.as_bytes());
            json!({"batches": journey, "edge": edge, "page": page})
        };
        let visitors: Vec<Value> = site.visitors.iter().map(visitor).collect();
        println!("{}", json!({"seed": site.seed, "full": full, "public": public, "visitors": visitors}));
    }
}
