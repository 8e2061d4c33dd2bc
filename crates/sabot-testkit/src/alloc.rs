//! An allocator that counts, for tests that say how often something may allocate, and how much it
//! may hold.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator with a count for each thread. A test binary installs it:
///
/// ```
/// use sabot_testkit::alloc::{CountingAllocator, count};
///
/// #[global_allocator]
/// static ALLOCATOR: CountingAllocator = CountingAllocator;
///
/// let mut numbers = Vec::with_capacity(8);
/// let (_, counts) = count(|| numbers.extend([1, 2, 3]));
/// assert_eq!(counts.allocations, 0);
/// let (_, counts) = count(|| numbers.extend([0; 100]));
/// assert_eq!(counts.allocations, 1);
/// // What is given back again still counts for the peak.
/// let (_, counts) = count(|| drop(vec![0u8; 1000]));
/// assert_eq!((counts.peak_bytes, counts.held_bytes), (1000, 0));
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "a static is made of it")]
pub struct CountingAllocator;

/// What one thread asked of [`CountingAllocator`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Allocations, and reallocations that grow or shrink.
    pub allocations: usize,
    /// Bytes asked for by them.
    pub bytes: usize,
    /// Bytes held at once at most, beyond those held before. A reallocation holds both, the old and
    /// the new.
    pub peak_bytes: usize,
    /// Bytes held in the end beyond those held before: negative where more was given back.
    pub held_bytes: isize,
}

/// Calls `work`; returns what it returned, and what this thread allocated meanwhile. All counts are
/// zero unless [`CountingAllocator`] is the global allocator.
pub fn count<T>(work: impl FnOnce() -> T) -> (T, Counts) {
    let before = TALLY.get();
    TALLY.set(Tally {
        peak: before.held,
        ..before
    });
    let result = work();
    let after = TALLY.get();
    // Whoever counts around this sees the higher peak.
    TALLY.set(Tally {
        peak: before.peak.max(after.peak),
        ..after
    });
    let counts = Counts {
        allocations: after.allocations - before.allocations,
        bytes: after.bytes.wrapping_sub(before.bytes),
        peak_bytes: after.peak.wrapping_sub(before.held).unsigned_abs(),
        held_bytes: after.held.wrapping_sub(before.held),
    };
    (result, counts)
}

/// What a thread did since it began. It may give back what another one took, so that what it holds
/// can be negative.
#[derive(Debug, Clone, Copy)]
struct Tally {
    allocations: usize,
    bytes: usize,
    held: isize,
    peak: isize,
}

thread_local! {
    /// `const` and without a destructor, so that reaching it allocates nothing.
    static TALLY: Cell<Tally> = const { Cell::new(Tally { allocations: 0, bytes: 0, held: 0, peak: 0 }) };
}

fn note(bytes: usize) {
    update(|tally| {
        tally.allocations += 1;
        tally.bytes = tally.bytes.wrapping_add(bytes);
        tally.held = tally.held.wrapping_add_unsigned(bytes);
        tally.peak = tally.peak.max(tally.held);
    });
}

fn note_returned(bytes: usize) {
    update(|tally| tally.held = tally.held.wrapping_sub_unsigned(bytes));
}

fn update(change: impl FnOnce(&mut Tally)) {
    // A thread that is ending has no count any more; nobody asks it either.
    let _ = TALLY.try_with(|cell| {
        let mut tally = cell.get();
        change(&mut tally);
        cell.set(tally);
    });
}

#[expect(
    unsafe_code,
    reason = "the trait of a global allocator is unsafe; this crate is for tests alone"
)]
// SAFETY: every call goes to `System` with the arguments as they came, and counting touches no
// allocated memory.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(new_size);
        note_returned(layout.size());
        // SAFETY: as above; `memory` came from `System`.
        unsafe { System.realloc(memory, layout, new_size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        note_returned(layout.size());
        // SAFETY: as above; `memory` came from `System`.
        unsafe { System.dealloc(memory, layout) }
    }
}
