//! Vectors whose room outlives what is in them.

/// The vector, with a new one of the same room in its place: the next batch is likely to be as
/// long.
pub(crate) fn take<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(values.len());
    std::mem::replace(values, room)
}

/// Empties a vector of what borrows, and keeps its room for what borrows from elsewhere: `T` and
/// `U` are one type with two lifetimes. Collecting in place takes over the allocation.
///
/// So slices that are handed over run by run (see [`crate::Run`]) are allocated once:
///
/// ```
/// let mut kept: Vec<Option<&'static [u8]>> = Vec::with_capacity(1024);
/// for fetched in [b"one".to_vec(), b"two".to_vec()] {
///     let mut values: Vec<Option<&[u8]>> = sabot_assemble::recycle(kept);
///     values.push(Some(&fetched));
///     kept = sabot_assemble::recycle(values);
/// }
/// assert_eq!(kept.capacity(), 1024);
/// ```
#[must_use]
pub fn recycle<T, U>(mut values: Vec<T>) -> Vec<U> {
    values.clear();
    let nothing = |_| unreachable!("the vector is empty");
    values.into_iter().map(nothing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recycling_keeps_the_room() {
        fn renewed<'a>(values: Vec<Option<&[u8]>>) -> Vec<Option<&'a [u8]>> {
            recycle(values)
        }
        let bytes = *b"abc";
        let mut values = Vec::with_capacity(100);
        values.push(Some(&bytes[..]));
        let at = values.as_ptr() as usize;
        let recycled = renewed(values);
        assert!(recycled.is_empty());
        assert_eq!((recycled.capacity(), recycled.as_ptr() as usize), (100, at));
    }
}
