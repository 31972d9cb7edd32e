//! The link's own congestion controller: fills a long, lossy path and leaves no queue standing.
//!
//! Loss-based control starves on such paths (CUBIC at 100 ms and 0.1 % loss: a twentieth of 200 Mbit/s), and where there is
//! no loss it fills the bottleneck's queue, behind which live records wait. This one measures what the path delivers and how
//! long it takes when empty, and keeps their product in flight, plus a little.
//!
//! ```text
//!   packet sent  ->  delivery: snapshot          packet acked  ->  delivery: rate sample -> rate: maximum of some rounds
//!                                                              ->  path: least RTT, jitter
//!   packets lost ->  round: what was lost                      ->  round: over? -> loss, headroom, competing, phase
//!
//!   window = phase's share of  rate * (least RTT + jitter) / (1 - random loss),  within [floor, ceiling] and the declared rate
//! ```
//!
//! Promises:
//! 1. Whatever the callbacks say (clocks that stand still, round trips of zero, absurd sizes), nothing panics and the window
//!    stays within [`limits::WINDOW_PACKETS_MIN`] packets ([`limits::WINDOW_PACKETS_MIN_DECLARED`] under a declared rate) and [`limits::WINDOW_MAX`].
//! 2. Random loss does not lower the window below what fills the path; losses caused by the queue take the headroom away.
//! 3. Whoever else uses this controller gets a share; a queue kept full by somebody else is met with a CUBIC-like window.
//! 4. A declared rate bounds the long-run sending rate, as far as a window can: see [`LinkControllerFactory::rate_max`].
//!
//! It is not a pacer: quinn paces at 1.25 windows a round trip and asks a controller for nothing but its window.
//!
//! Files: `model` composes the pure parts and holds no quinn type; `adapter` is quinn's trait over it; `tests/` runs the model over
//! a simulated path.

mod adapter;
mod competing;
mod delivery;
mod detour;
mod headroom;
mod limits;
mod loss;
mod model;
mod path;
mod phase;
mod rate;
mod round;
mod startup;
#[cfg(test)]
mod tests;
mod windowed;

pub use self::adapter::LinkControllerFactory;
