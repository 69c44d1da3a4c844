//! What a `no_std` module brings along itself: the allocator, and what happens on a panic.

/// Grows the one heap that a module has. `talc` takes 1.6 kB less than the standard library's.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// Traps. The hands catch it, and leave the page as it was.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
