//! Memory that blocks are read into, used again and again.
//!
//! Buffers are cut off large arenas, as large as each block needs, because a log keeps the buffer that a batch came in: a
//! small live batch must not hold a megabyte. An arena whose buffers are all gone is used again, so its pages are not given
//! back and faulted in anew; that alone is worth 15-50 % of a link's rate.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::BytesMut;
use parking_lot::Mutex;

use super::limits::ARENA_BYTES;

/// Arenas looked at before a new one is made: the oldest are the likeliest to be free.
const LOOKED_AT: usize = 4;

pub struct BufferPool {
    arenas: Mutex<Arenas>,
    kept_max: usize,
    made: AtomicU64,
}

struct Arenas {
    /// What is left of the newest one.
    current: BytesMut,
    /// Handles of used-up ones, oldest first. Each is empty and only keeps its arena from being freed.
    used: VecDeque<BytesMut>,
}

impl BufferPool {
    /// Keeps at most `bytes` of used-up arenas; more than that are given back once nobody uses them.
    pub fn new(bytes: usize) -> Self {
        Self {
            arenas: Mutex::new(Arenas { current: BytesMut::new(), used: VecDeque::new() }),
            kept_max: bytes / ARENA_BYTES,
            made: AtomicU64::new(0),
        }
    }

    /// An empty buffer with room for `bytes`. It goes back by being dropped, and so do the parts it is split into.
    ///
    /// The caller bounds `bytes`, and what is taken at once.
    pub fn take(&self, bytes: usize) -> BytesMut {
        if bytes > ARENA_BYTES {
            return BytesMut::with_capacity(bytes);
        }
        let mut arenas = self.arenas.lock();
        if arenas.current.capacity() < bytes {
            let next = arenas.free().unwrap_or_else(|| {
                self.made.fetch_add(1, Ordering::Relaxed);
                BytesMut::with_capacity(ARENA_BYTES)
            });
            let used_up = std::mem::replace(&mut arenas.current, next);
            if arenas.used.len() < self.kept_max {
                arenas.used.push_back(used_up);
            }
        }
        let rest = arenas.current.split_off(bytes);
        std::mem::replace(&mut arenas.current, rest)
    }

    /// Arenas allocated since the start: stands still when memory is used again.
    pub fn arenas_made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }
}

impl Arenas {
    fn free(&mut self) -> Option<BytesMut> {
        for _ in 0..LOOKED_AT.min(self.used.len()) {
            let mut arena = self.used.pop_front()?;
            if arena.try_reclaim(ARENA_BYTES) {
                return Some(arena);
            }
            self.used.push_back(arena);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_has_the_room_asked_for_and_does_not_reach_its_neighbour() {
        let pool = BufferPool::new(16 * ARENA_BYTES);
        let (mut one, mut two) = (pool.take(100), pool.take(50));
        assert_eq!((one.capacity(), two.capacity()), (100, 50));
        one.extend_from_slice(&[1; 100]);
        two.extend_from_slice(&[2; 50]);
        assert!(one.iter().all(|byte| *byte == 1) && two.iter().all(|byte| *byte == 2));
    }

    #[test]
    fn arenas_are_used_again_once_every_part_of_their_buffers_is_gone() {
        let pool = BufferPool::new(16 * ARENA_BYTES);
        for _ in 0..100 {
            let mut block = pool.take(ARENA_BYTES / 2);
            block.extend_from_slice(&[7; 1_000]);
            let first = block.split_to(300).freeze();
            drop(block);
            assert_eq!(first.len(), 300);
        }
        assert!(pool.arenas_made() <= 2, "{} arenas", pool.arenas_made());
    }

    #[test]
    fn a_buffer_in_use_keeps_its_bytes_while_the_pool_goes_on() {
        let pool = BufferPool::new(16 * ARENA_BYTES);
        let mut held = pool.take(1_000);
        held.extend_from_slice(&[9; 1_000]);
        let held = held.freeze();
        for _ in 0..20 {
            pool.take(ARENA_BYTES).extend_from_slice(&[1; 2_000]);
        }
        assert!(held.iter().all(|byte| *byte == 9));
    }

    #[test]
    fn what_exceeds_the_bound_is_given_back() {
        let pool = BufferPool::new(2 * ARENA_BYTES);
        let held: Vec<_> = (0..10).map(|_| pool.take(ARENA_BYTES)).collect();
        assert_eq!(pool.arenas.lock().used.len(), 2);
        drop(held);
    }
}
