//! The Rust half of the barrier: work that runs in one transaction, so that an error or a panic in it leaves nothing and
//! touches nobody else. The other half is `shim/barrier.mjs`.
//!
//! The work travels in a thread-local slot: the JS frame enters a wasm export without arguments. No borrow is held while
//! it runs.

use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::durable::Storage;

#[wasm_bindgen]
extern "C" {
    type Barrier;

    #[wasm_bindgen(thread_local_v2, js_name = __selvedge_barrier)]
    static BARRIER: Barrier;

    #[wasm_bindgen(method)]
    fn run(this: &Barrier, storage: &JsValue, exports: &JsValue, name: &str) -> u32;
}

/// The export that the JS frame enters.
const EXPORT: &str = "selvedge_step";
/// What the export gives where the work succeeded: the transaction commits.
const COMMITTED: u32 = 0;
/// What it gives where the work failed: the transaction is rolled back.
const FAILED: u32 = 1;
/// What the JS frame gives where the work panicked.
const PANICKED: u32 = 2;

/// Work that says whether to commit.
type Work = Box<dyn FnOnce() -> bool>;

thread_local! {
    static SLOT: RefCell<Option<Work>> = const { RefCell::new(None) };
}

/// Why a transaction left nothing.
#[derive(Debug)]
pub enum Failure<E> {
    /// The work failed.
    Work(E),
    /// The work panicked.
    Panicked,
    /// The storage refused the transaction.
    Storage,
}

/// Runs `work` in one transaction of `storage`. Only where it gives `Ok`, what it wrote is kept.
pub fn transaction<T: 'static, E: 'static>(
    storage: &Storage,
    work: impl FnOnce() -> Result<T, E> + 'static,
) -> Result<T, Failure<E>> {
    let given = Rc::new(RefCell::new(None));
    let place = Rc::clone(&given);
    let boxed: Work = Box::new(move || {
        let result = work();
        let is_ok = result.is_ok();
        place.replace(Some(result));
        is_ok
    });
    SLOT.with(|slot| slot.replace(Some(boxed)));
    let status =
        BARRIER.with(|barrier| barrier.run(storage.as_raw().as_ref(), &wasm_bindgen::exports(), EXPORT));
    SLOT.with(|slot| slot.replace(None));
    let result = given.replace(None);
    match (status, result) {
        (COMMITTED, Some(Ok(value))) => Ok(value),
        (FAILED, Some(Err(error))) => Err(Failure::Work(error)),
        (PANICKED, _) => Err(Failure::Panicked),
        _ => Err(Failure::Storage),
    }
}

/// Entered by the JS frame of the barrier, inside the transaction. Gives whether it commits.
#[wasm_bindgen]
pub fn selvedge_step() -> u32 {
    let work = SLOT.with(|slot| slot.replace(None));
    match work.map(|work| work()) {
        Some(true) => COMMITTED,
        _ => FAILED,
    }
}
