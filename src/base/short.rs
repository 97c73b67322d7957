//! Copying short pieces of bytes, for which a call takes longer than to copy more than that.

/// Copies the first bytes of `from` to the beginning of `to`, where most pieces are no longer than `CHUNK`: such a one is copied
/// as a whole chunk, and what lies behind it in `to` is overwritten. Whether there was room for the bytes.
#[inline]
pub(crate) fn copy<const CHUNK: usize>(from: &[u8], length: usize, to: &mut [u8]) -> bool {
    if length <= CHUNK
        && let (Some(from), Some(to)) = (from.first_chunk::<CHUNK>(), to.first_chunk_mut::<CHUNK>())
    {
        *to = *from;
        return true;
    }
    match (from.get(..length), to.get_mut(..length)) {
        (Some(from), Some(to)) => {
            to.copy_from_slice(from);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn so_many_bytes_are_copied(
            from in prop::collection::vec(any::<u8>(), 0..40), length in 0..50_usize, room in 0..60_usize
        ) {
            let mut to = vec![0; room];
            let fits = length <= from.len() && length <= room;
            prop_assert_eq!(copy::<16>(&from, length, &mut to), fits);
            if fits {
                prop_assert_eq!(&to[..length], &from[..length]);
            }
        }
    }
}
