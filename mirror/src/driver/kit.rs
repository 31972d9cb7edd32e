//! Packers and unpackers, lent to whoever works: they keep contexts and buffers that are dear to make.

use std::io;

use parking_lot::Mutex;

/// A stack of tools; as many exist as were ever used at once.
pub(crate) struct Kit<T> {
    idle: Mutex<Vec<T>>,
    make: Box<dyn Fn() -> io::Result<T> + Send + Sync>,
}

impl<T> Kit<T> {
    pub(crate) fn new(make: impl Fn() -> io::Result<T> + Send + Sync + 'static) -> Self {
        Self { idle: Mutex::new(Vec::new()), make: Box::new(make) }
    }

    /// Works with a tool; a job that panics loses it.
    pub(crate) fn with<R>(&self, job: impl FnOnce(&mut T) -> R) -> io::Result<R> {
        let idle = self.idle.lock().pop();
        let mut tool = idle.map_or_else(|| (self.make)(), Ok)?;
        let result = job(&mut tool);
        self.idle.lock().push(tool);
        Ok(result)
    }
}
