//! InitProducerId (key 22), versions 0-5: an id for an idempotent producer.
//!
//! Transactions are not served, so a transactional id is refused with INVALID_REQUEST. An id that the producer had
//! before (version 3+) does not matter without one: it gets a new id, as from Kafka's `TransactionCoordinator`.

use protocol::{
    ErrorCode, ProducerId,
    messages::k22_init_producer_id::{InitProducerIdRequest, InitProducerIdResponse},
};

use super::failure::Failure;
use crate::producer_ids::ProducerIds;

pub(crate) async fn handle(
    producer_ids: &ProducerIds,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let id = match request.transactional_id {
        Some(_) => Err(ErrorCode::INVALID_REQUEST),
        None => producer_ids.next().await.map_err(|error| Failure::from(error).code),
    };
    match id {
        Ok(ProducerId(producer_id)) => InitProducerIdResponse { producer_id, ..Default::default() },
        Err(error_code) => InitProducerIdResponse { error_code, producer_epoch: -1, ..Default::default() },
    }
}
