//! Counts the memory a test's thread holds.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// Counts on the way to the system's allocator.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static TOTAL: Cell<isize> = const { Cell::new(0) };
}

/// Gives the bytes this thread has allocated and not freed.
pub(crate) fn live() -> isize {
    LIVE.get()
}

/// Gives the bytes this thread has allocated so far, freed or not.
pub(crate) fn total() -> isize {
    TOTAL.get()
}

/// Gives the most bytes that `work` held at once beyond what was held before.
pub(crate) async fn peak_of<F: Future>(work: F) -> (isize, F::Output) {
    let before = live();
    PEAK.set(before);
    let output = work.await;
    (PEAK.get() - before, output)
}

fn count(len: usize, sign: isize) {
    let live = LIVE.get() + sign * isize::try_from(len).unwrap_or(0);
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
    TOTAL.set(TOTAL.get() + isize::try_from(len).unwrap_or(0) * sign.max(0));
}

#[expect(
    unsafe_code,
    reason = "an allocator cannot be written without; it only counts"
)]
// SAFETY: every call is passed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}
