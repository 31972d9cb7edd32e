//! Who a node is: a private certificate authority, the nodes' identities, and what they accept of each other.
//!
//! ```text
//!   root (offline) -> intermediate of a datacenter -> leaf of a node, for days
//!                                                     spiffe://<topology>/dc/<datacenter>/node/<name>
//! ```
//!
//! What this room will promise; nothing of it is built yet:
//! 1. Links are authenticated both ways, and authorised by exact match of the identity, never by a prefix.
//! 2. Leaves are renewed while the daemon runs; no connection outlives the leaf it was made with.
//! 3. Revocation lists are enforced, and one that has expired is an error, not an empty list.
//! 4. Keys are readable by their owner alone, and wiped from memory after use.
//!
//! A leaf: it imports no other room.
