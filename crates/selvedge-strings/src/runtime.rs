//! What a `no_std` module brings along itself: the allocator, and what happens on a panic.

use lol_alloc::{FreeListAllocator, LockedAllocator};

/// Grows the one heap that a module has: a list of what is free, from which the first that fits is taken. It is for few and
/// short-lived pieces; `talc`, which is for many, takes half a kilobyte more. The lock is never contended.
#[global_allocator]
static ALLOCATOR: LockedAllocator<FreeListAllocator> = LockedAllocator::new(FreeListAllocator::new());

/// Traps. The hands catch it, and leave the page as it was.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
