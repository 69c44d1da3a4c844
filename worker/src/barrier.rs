//! x
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
#[wasm_bindgen]
extern "C" {
    type Barrier;
    #[wasm_bindgen(thread_local_v2, js_name = __selvedge_barrier)]
    static BARRIER: Barrier;
    #[wasm_bindgen(method, js_name = run)]
    fn run(this: &Barrier, storage: &JsValue, exports: &JsValue, name: &str) -> u32;
}
thread_local! { static SLOT: RefCell<Option<(worker::SqlStorage, String)>> = const { RefCell::new(None) }; }
pub fn put(sql: worker::SqlStorage, path: String) { SLOT.with(|s| s.replace(Some((sql, path)))); }
pub fn run(state: &worker::State) -> u32 {
    BARRIER.with(|b| b.run(state.storage().as_raw().as_ref(), &wasm_bindgen::exports(), "selvedge_step"))
}
pub fn step() -> u32 {
    let Some((sql, path)) = SLOT.with(|s| s.take()) else { return 1 };
    if sql.exec("INSERT INTO log(body) VALUES (?)", vec![path.as_str().into()]).is_err() { return 1 }
    match path.as_str() { "/p" => panic!("in step"), "/e" => 1, _ => 0 }
}
