//! An allocator that counts, for tests that say how often something may allocate.

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
}

/// Calls `work`; returns what it returned, and what this thread allocated meanwhile. All counts are zero unless
/// [`CountingAllocator`] is the global allocator.
pub fn count<T>(work: impl FnOnce() -> T) -> (T, Counts) {
    let before = COUNTS.get();
    let result = work();
    let after = COUNTS.get();
    let counts = Counts {
        allocations: after.allocations - before.allocations,
        bytes: after.bytes.wrapping_sub(before.bytes),
    };
    (result, counts)
}

thread_local! {
    /// `const` and without a destructor, so that reaching it allocates nothing.
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { allocations: 0, bytes: 0 }) };
}

fn note(bytes: usize) {
    // A thread that is ending has no count any more; nobody asks it either.
    let _ = COUNTS.try_with(|counts| {
        let Counts {
            allocations,
            bytes: sum,
        } = counts.get();
        counts.set(Counts {
            allocations: allocations + 1,
            bytes: sum.wrapping_add(bytes),
        });
    });
}

#[expect(
    unsafe_code,
    reason = "the trait of a global allocator is unsafe; this crate is for tests alone"
)]
// SAFETY: every call goes to `System` with the arguments as they came, and counting touches no allocated memory.
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
        // SAFETY: as above; `memory` came from `System`.
        unsafe { System.realloc(memory, layout, new_size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above; `memory` came from `System`.
        unsafe { System.dealloc(memory, layout) }
    }
}
