//! The model over a simulated path: one bottleneck with a queue of finite size, virtual time, one seed, one result.
//!
//! Each file is one promise. Bounds are what was measured with some room for changes that do no harm; what was measured stands
//! beside them. Throughput is in shares of the link, wire bytes against wire bytes; queues are in empty round trips, which is the
//! same as in bandwidth-delay products.
//!
//! Simulated: drop-tail queue, propagation, independent and bursty loss, jitter that keeps order, bunched acknowledgements, quinn's
//! pacer with timers of 1 ms, loss detection by packet threshold, a timeout for silence. Not simulated: reordering, ECN marking,
//! hosts short of CPU, and quinn itself. CUBIC is a test double (`cubic`), since quinn's takes an RTT estimator that only quinn
//! can make.

mod cubic;
mod declared;
mod fairness;
mod hostile;
mod pacer;
mod sender;
mod throughput;
mod variation;
mod world;
