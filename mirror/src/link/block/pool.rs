//! Buffers that are used again once the last reader is done with them.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Keeps a handle to what it lent, and takes it back when it holds the only one. No lock, and nothing to give back: the
/// transport just drops its handle.
#[derive(Debug)]
pub(super) struct Pool {
    lent: VecDeque<Bytes>,
    buffers_max: usize,
    buffer_bytes: usize,
}

impl Pool {
    pub(super) fn new(buffers_max: usize, buffer_bytes: usize) -> Self {
        Self { lent: VecDeque::new(), buffers_max, buffer_bytes }
    }

    /// An empty buffer with room.
    pub(super) fn take(&mut self) -> BytesMut {
        // The oldest comes back first: the transport works roughly in order.
        let front = self.lent.pop_front();
        match front.map(Bytes::try_into_mut) {
            Some(Ok(mut buffer)) => {
                buffer.clear();
                buffer
            }
            Some(Err(busy)) => {
                if self.lent.len() < self.buffers_max {
                    self.lent.push_back(busy);
                }
                BytesMut::with_capacity(self.buffer_bytes)
            }
            None => BytesMut::with_capacity(self.buffer_bytes),
        }
    }

    /// Lends out what was written into a buffer.
    pub(super) fn lend(&mut self, filled: BytesMut) -> Bytes {
        let bytes = filled.freeze();
        if self.lent.len() < self.buffers_max {
            self.lent.push_back(bytes.clone());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_reader_dropped_it_and_not_before() {
        let mut pool = Pool::new(4, 1000);
        let mut buffer = pool.take();
        buffer.extend_from_slice(b"first");
        let memory = buffer.as_ptr();
        let lent = pool.lend(buffer);
        assert_ne!(pool.take().as_ptr(), memory);
        assert_eq!(&lent[..], b"first");
        drop(lent);
        let again = pool.take();
        assert_eq!(again.as_ptr(), memory);
        assert!(again.is_empty() && again.capacity() >= 1000);
    }
}
