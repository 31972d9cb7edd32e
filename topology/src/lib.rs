//! The declared world: which datacenters there are, what is mirrored between them, and who is home for what.
//!
//! ```text
//!   topology.yaml -> parse (file, line, column) -> validated model -> diff against what runs -> plan -> this node's part
//! ```
//!
//! What this room will promise; nothing of it is built yet:
//! 1. One file describes everything; the same file on every node gives the same plan.
//! 2. An error names file, line, column and the fix, and all errors are reported at once.
//! 3. A plan that would make two writers of one topic, two sources of one replica, or a cycle of writable topics is refused.
//! 4. Planning is pure: it reads nothing, changes nothing, and shows what would change.
//!
//! A leaf: it imports no other room. The daemon's own settings (paths, ports, limits) are not in here but in the package
//! `isthmus`.
