//! How a node that was killed, and is back, tells peers that it knows nothing of their old connections.
//!
//! A peer goes on sending into a connection that died with the process. QUIC answers such a packet with a stateless reset: proof,
//! made of a key and the connection's id, that whoever had that id has forgotten it. Only with the key of the process before
//! does the proof hold, and quinn only looks at ids that it recognises as its own: both come from what is handed in here.

use std::{fmt, sync::Arc};

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use quinn::EndpointConfig;
use quinn_proto::{ConnectionIdGenerator, HashedConnectionIdGenerator};

/// Secret bytes that stay the same over restarts of a node. Whoever knows them can end its connections, and no more than that.
#[derive(Clone, PartialEq, Eq)]
pub struct ResetKey([u8; Self::LENGTH]);

impl ResetKey {
    pub const LENGTH: usize = 64;

    /// Of bytes from a cryptographic source.
    pub fn new(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    pub(super) fn endpoint_config(&self) -> EndpointConfig {
        let key = Key::new(HMAC_SHA256, &self.0);
        let ids = id_key(&key);
        let mut config = EndpointConfig::new(Arc::new(key));
        config.cid_generator(move || -> Box<dyn ConnectionIdGenerator> {
            Box::new(HashedConnectionIdGenerator::from_key(ids))
        });
        config
    }
}

/// What connection ids are recognised by. They are hashed for speed, not for secrecy: nothing of the key itself goes into them.
fn id_key(key: &Key) -> u64 {
    let derived = sign(key, b"isthmus connection ids");
    derived.as_ref().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

impl fmt::Debug for ResetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResetKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_recognised_with_the_key_they_were_made_with_and_with_no_other() {
        let generator =
            |byte| HashedConnectionIdGenerator::from_key(id_key(&Key::new(HMAC_SHA256, &[byte; 64])));
        let id = generator(1).generate_cid();
        assert!(generator(1).validate(&id).is_ok());
        assert!(generator(2).validate(&id).is_err());
    }

    #[test]
    fn the_key_is_not_printed() {
        assert_eq!(format!("{:?}", ResetKey::new([7; ResetKey::LENGTH])), "ResetKey");
    }
}
