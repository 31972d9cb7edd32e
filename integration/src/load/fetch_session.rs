//! The Fetch requests of one reader, in a session (KIP-227) where the broker grants one: then only partitions that moved are
//! named, as Kafka's consumers do. Without it every request names all.

use protocol::{
    ErrorCode,
    messages::k01_fetch::{FetchRequest, FetchRequestPartition, FetchResponse},
};

use crate::produce;

/// A request that asks for a session.
const FIRST_EPOCH: i32 = 0;

pub struct FetchSession {
    topic: String,
    partitions: Vec<i32>,
    /// What the broker was told of each partition in this session.
    told: Vec<Option<i64>>,
    id: i32,
    epoch: i32,
    fetch_bytes: i32,
    wait_ms: i32,
}

impl FetchSession {
    pub fn new(topic: &str, partitions: &[i32], fetch_bytes: i32, wait_ms: i32) -> Self {
        let told = vec![None; partitions.len()];
        let partitions = partitions.to_vec();
        Self { topic: topic.to_owned(), partitions, told, id: 0, epoch: FIRST_EPOCH, fetch_bytes, wait_ms }
    }

    /// The next request; of each partition the offset that is wanted next.
    pub fn request(&mut self, next: &[i64]) -> FetchRequest {
        let mut request = produce::fetch_request(&self.topic, 0, 0, self.fetch_bytes);
        request.max_wait_ms = self.wait_ms;
        (request.session_id, request.session_epoch) = (self.id, self.epoch);
        let moved = |(at, next): (usize, &i64)| (self.told[at] != Some(*next)).then_some((at, *next));
        let moved: Vec<(usize, i64)> = next.iter().enumerate().filter_map(moved).collect();
        let partition = |(at, next): &(usize, i64)| FetchRequestPartition {
            partition: self.partitions[*at],
            fetch_offset: *next,
            partition_max_bytes: self.fetch_bytes,
            ..Default::default()
        };
        request.topics[0].partitions = moved.iter().map(partition).collect();
        if moved.is_empty() {
            request.topics.clear();
        }
        for (at, next) in moved {
            self.told[at] = Some(next);
        }
        request
    }

    /// Takes in an answer; whether it is one, or the session has to begin anew.
    pub fn answered(&mut self, answer: &FetchResponse) -> bool {
        let lost = [ErrorCode::FETCH_SESSION_ID_NOT_FOUND, ErrorCode::INVALID_FETCH_SESSION_EPOCH]
            .contains(&answer.error_code);
        self.id = if lost { 0 } else { answer.session_id };
        if self.id == 0 {
            self.epoch = FIRST_EPOCH;
            self.told.fill(None);
        } else {
            // Epochs go round, and 0 is the first request's.
            self.epoch = self.epoch.checked_add(1).unwrap_or(1);
        }
        !lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(request: &FetchRequest) -> Vec<(i32, i64)> {
        let all = request.topics.iter().flat_map(|topic| &topic.partitions);
        all.map(|partition| (partition.partition, partition.fetch_offset)).collect()
    }

    #[test]
    fn in_a_session_only_what_moved_is_named() {
        let mut session = FetchSession::new("t", &[4, 7], 1, 1);
        assert_eq!(named(&session.request(&[0, 0])), [(4, 0), (7, 0)]);
        assert!(session.answered(&FetchResponse { session_id: 9, ..Default::default() }));
        let request = session.request(&[0, 5]);
        assert_eq!((request.session_id, request.session_epoch), (9, 1));
        assert_eq!(named(&request), [(7, 5)]);
        assert!(session.answered(&FetchResponse { session_id: 9, ..Default::default() }));
        assert_eq!(named(&session.request(&[0, 5])), []);
        let error_code = ErrorCode::FETCH_SESSION_ID_NOT_FOUND;
        assert!(!session.answered(&FetchResponse { error_code, ..Default::default() }));
        let request = session.request(&[0, 6]);
        assert_eq!((request.session_id, request.session_epoch), (0, 0));
        assert_eq!(named(&request), [(4, 0), (7, 6)]);
    }

    #[test]
    fn without_a_session_every_request_names_all() {
        let mut session = FetchSession::new("t", &[0, 1], 1, 1);
        session.request(&[0, 0]);
        assert!(session.answered(&FetchResponse::default()));
        let request = session.request(&[0, 3]);
        assert_eq!((request.session_id, request.session_epoch), (0, 0));
        assert_eq!(named(&request), [(0, 0), (1, 3)]);
    }
}
