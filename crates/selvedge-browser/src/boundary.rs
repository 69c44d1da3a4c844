//! The one function the hands call, and the functions they are called by.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use selvedge_client::crossing::{later_show, read_input, write_notice};
use selvedge_client::{Ask, Client, Effect};
use spin::Mutex;
use wasm_bindgen::prelude::wasm_bindgen;

/// The head of this page. The lock is never contended: a page has one thread, and it is let go of before the hands run.
static CLIENT: Mutex<Client> = Mutex::new(Client::new());

#[wasm_bindgen(raw_module = "./host.js")]
extern "C" {
    fn store(key: &[u8], value: &[u8]);
    fn erase(key: &[u8]);
    #[wasm_bindgen(js_name = eraseAll)]
    fn erase_all();
    fn send(request: u32, body: &[u8]);
    fn beacon(body: &[u8]);
    fn schedule(delay_ms: u32);
    fn load(hash: &[u8]);
    fn hold(queue: &[u8]);
    fn show(slot: &[u8]);
    fn emit(notice: &[u8]);
    fn engine();
    fn ask(question: &[u8]) -> u32;
    fn take(parcel: &mut [u8]);
}

/// The rule engine, which is a module of its own: the hands carry the question over, and answer nothing where it traps.
#[derive(Debug)]
struct OtherModule;

impl Ask for OtherModule {
    fn ask(&mut self, question: &[u8]) -> Vec<u8> {
        taken(ask(question))
    }
}

/// The bytes that the hands hold ready, of which they told how many there are. Taken from here, because handing them in takes
/// an allocator that can be asked from outside, and glue: half a kilobyte.
fn taken(length: u32) -> Vec<u8> {
    let mut parcel = vec![0; usize::try_from(length).unwrap_or(0)];
    take(&mut parcel);
    parcel
}

/// Handles one input, as [`read_input`] describes it, and has its effects done. The hands hold its bytes ready, so many.
/// False where they are no input.
#[wasm_bindgen]
pub fn handle(length: u32) -> bool {
    let Ok((now_ms, input)) = read_input(&taken(length)) else { return false };
    let effects = CLIENT.lock().handle(input, now_ms);
    effects.into_iter().for_each(perform);
    true
}

fn perform(effect: Effect) {
    match effect {
        Effect::Store { key, value } => store(key.as_bytes(), &value),
        Effect::Erase { key } => erase(key.as_bytes()),
        Effect::EraseAll => erase_all(),
        Effect::Send { request, body } => send(request, &body),
        Effect::Beacon { body } => beacon(&body),
        Effect::Schedule { delay_ms } => schedule(delay_ms),
        Effect::Load(hash) => load(&hash.0),
        Effect::Engine => {
            CLIENT.lock().reach(Box::new(OtherModule));
            engine();
        }
        Effect::Hold { queue } => hold(queue.as_bytes()),
        Effect::Show(content) => show(&later_show(&content)),
        Effect::Emit(notice) => emit(&write_notice(&notice)),
    }
}
