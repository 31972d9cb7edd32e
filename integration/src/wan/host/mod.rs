//! What the machine lends: network namespaces, TUN devices, a directory for state. Deeds only; what to do is the
//! plan's, and what happens to packets is the pipe's.

mod ip;
pub(super) mod namespace;
pub(super) mod state;
pub(super) mod tun;
