//! Who is who between datacenters: a private certificate authority, one identity per node, and TLS configurations in which both
//! sides prove theirs.
//!
//! ```text
//! root (offline) --signs--> datacenter CA --signs--> node certificate: spiffe://TOPOLOGY/dc/DATACENTER/node/NAME
//!   authority                  authority                issue --> credentials --> tls (rustls configurations for QUIC)
//! ```
//!
//! 1. A peer is accepted only if its chain ends at our root, every certificate of it is valid now, it has exactly one identity, that
//!    identity is of our topology, was issued by its own datacenter's CA, and is on the list for this connection (`verify`).
//! 2. A refusal has a typed reason (`Refusal`), handed to the log before the handshake fails.
//! 3. Private keys are written with mode 0600 and erased from memory after use; a key that others can read is not loaded.
//! 4. Nothing is overwritten unless the caller says so.
//! 5. Time, directories and names are arguments; randomness comes from the TLS library's provider. Nothing here reads a clock.
//!
//! A leaf: it imports no other room. Not here: revocation and rotation. Their places are `chain::verify` (takes revocation options), and `LinkTls::replace` and
//! `AllowedPeers::replace` (configurations that are in service see the change with the next handshake).

mod authority;
mod chain;
mod credentials;
mod error;
mod files;
mod identity;
mod inspect;
mod issue;
pub mod limits;
mod refusal;
mod show;
mod signing;
mod tls;
mod verify;

pub use self::authority::{Created, InitRequest, init};
pub use self::credentials::NodeCredentials;
pub use self::error::CertsError;
pub use self::files::Existing;
pub use self::identity::{InvalidIdentity, InvalidLabel, Label, NodeIdentity};
pub use self::inspect::{CertificateInfo, Role, Validity, inspect};
pub use self::issue::{HostName, IssueRequest, issue};
pub use self::refusal::{OnRefusal, Refusal};
pub use self::show::{Inventory, InventoryFile, inventory};
pub use self::tls::{ALPN, LinkTls, SERVER_NAME, peer_identity};
pub use self::verify::AllowedPeers;
