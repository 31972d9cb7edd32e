//! What state machines say, as control messages: cut into pieces on the way out, put together on the way in.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{
    driver::limits::{OWNERSHIP_MESSAGE_BYTES_MAX, OWNERSHIP_PIECE_BYTES},
    link::wire::OwnershipMessage,
    ownership::{Datacenter, Message},
};

/// Cuts a message.
pub(super) fn pieces(unit: &str, number: u64, message: &Message) -> Vec<OwnershipMessage> {
    let text = serde_json::to_vec(message)
        .expect("a message holds only strings, numbers and lists, so it always serialises");
    let text = Bytes::from(text);
    let count = text.len().div_ceil(OWNERSHIP_PIECE_BYTES).max(1);
    let pieces = u32::try_from(count).unwrap_or(u32::MAX);
    (0..pieces)
        .zip((0..count).map(|at| at * OWNERSHIP_PIECE_BYTES))
        .map(|(piece, from)| OwnershipMessage {
            unit: unit.to_owned(),
            number,
            piece,
            pieces,
            body: text.slice(from..text.len().min(from + OWNERSHIP_PIECE_BYTES)),
        })
        .collect()
}

/// Puts the messages of each peer about one unit together. Whatever does not fit is dropped: messages may be lost.
#[derive(Debug, Default)]
pub(super) struct Listening {
    begun: BTreeMap<Datacenter, Begun>,
}

#[derive(Debug)]
struct Begun {
    number: u64,
    next: u32,
    pieces: u32,
    body: Vec<u8>,
}

impl Listening {
    /// Takes a piece; answers the message that it completes.
    pub(super) fn hear(&mut self, from: &Datacenter, piece: OwnershipMessage) -> Option<Message> {
        let OwnershipMessage { number, piece, pieces, body, .. } = piece;
        if piece == 0 {
            self.begun.insert(from.clone(), Begun { number, next: 0, pieces, body: Vec::new() });
        }
        let begun = self.begun.get_mut(from)?;
        let fits = begun.body.len() + body.len() <= OWNERSHIP_MESSAGE_BYTES_MAX;
        if begun.number != number || begun.next != piece || begun.pieces != pieces || !fits {
            tracing::warn!(%from, number, piece, pieces, "a piece of an ownership message does not fit and is dropped");
            self.begun.remove(from);
            return None;
        }
        begun.body.extend_from_slice(&body);
        begun.next += 1;
        if begun.next < begun.pieces {
            return None;
        }
        let whole = self.begun.remove(from)?;
        serde_json::from_slice(&whole.body)
            .inspect_err(|error| tracing::warn!(%from, %error, "an ownership message cannot be read"))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Offset, PartitionId, TopicId, TopicName, Uuid};

    use super::*;
    use crate::ownership::{HomeGeneration, PartitionEnd, RequestId};

    fn fenced(partitions: i32) -> Message {
        let end = |partition| PartitionEnd {
            topic: TopicName::from("orders.eu"),
            topic_id: TopicId(Uuid::from_u128(1)),
            partition: PartitionId(partition),
            end: Offset(i64::from(partition)),
        };
        let ends = (0..partitions).map(end).collect();
        Message::Fenced { request: RequestId(1), generation: HomeGeneration(2), ends, groups: Vec::new() }
    }

    #[test]
    fn a_message_larger_than_a_control_message_arrives_whole() {
        let (message, east) = (fenced(20_000), Datacenter::from("us-east"));
        let pieces = pieces("orders", 7, &message);
        assert!(pieces.len() > 1);
        let mut listening = Listening::default();
        let heard: Vec<_> = pieces.into_iter().filter_map(|piece| listening.hear(&east, piece)).collect();
        assert_eq!(heard, [message]);
    }

    #[test]
    fn pieces_of_two_peers_and_of_a_broken_message_are_not_mixed() {
        let (east, north) = (Datacenter::from("us-east"), Datacenter::from("eu-north"));
        let (first, second) = (pieces("orders", 1, &fenced(20_000)), pieces("orders", 1, &fenced(1)));
        let mut listening = Listening::default();
        assert_eq!(listening.hear(&east, first[0].clone()), None);
        assert_eq!(listening.hear(&north, second[0].clone()), Some(fenced(1)));
        // The second piece is lost: the third does not complete anything.
        for piece in first.iter().skip(2) {
            assert_eq!(listening.hear(&east, piece.clone()), None);
        }
        assert_eq!(listening.hear(&east, second[0].clone()), Some(fenced(1)));
    }
}
