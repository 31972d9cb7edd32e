//! Between the ownership messages of the cores and those on the wire.

use super::{OwnershipMessage, WireError, convert::name, proto};

impl From<&OwnershipMessage> for proto::Ownership {
    fn from(message: &OwnershipMessage) -> Self {
        let OwnershipMessage { unit, number, piece, pieces, body } = message.clone();
        Self { unit, number, piece, pieces, body }
    }
}

impl TryFrom<proto::Ownership> for OwnershipMessage {
    type Error = WireError;

    fn try_from(proto: proto::Ownership) -> Result<Self, WireError> {
        let proto::Ownership { unit, number, piece, pieces, body } = proto;
        if piece >= pieces {
            return Err(WireError::Value { field: "piece", value: piece.into() });
        }
        Ok(Self { unit: name("unit", unit)?, number, piece, pieces, body })
    }
}
