//! An allocator that counts, for each thread by itself.
#![expect(
    unsafe_code,
    reason = "an allocator is unsafe by its trait; this one only counts and passes on"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// Passes everything on to the system and counts.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static TOTAL: Cell<isize> = const { Cell::new(0) };
}

/// What this thread allocated while something ran, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// What was not freed in the end.
    pub(crate) live: isize,
    /// The most at any time.
    pub(crate) peak: isize,
    /// All allocations together.
    pub(crate) total: isize,
}

/// Runs `work` and gives its result and what it allocated.
pub(crate) fn measure<T>(work: impl FnOnce() -> T) -> (T, Usage) {
    let (live, total) = (LIVE.get(), TOTAL.get());
    PEAK.set(live);
    let result = work();
    let usage = Usage {
        live: LIVE.get() - live,
        peak: PEAK.get() - live,
        total: TOTAL.get() - total,
    };
    (result, usage)
}

fn count(change: isize) {
    let live = LIVE.get() + change;
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
    TOTAL.set(TOTAL.get() + change.max(0));
}

// SAFETY: every call is passed on unchanged, and counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: the caller keeps the contract of `dealloc`, which is the same.
        unsafe { System.dealloc(memory, layout) }
    }
}
