//! The producer against brokers that do as they are told.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    time,
};

use core_log::clock::SystemClock;
use protocol::{
    ErrorCode,
    batch::BatchHeader,
    codec::{Api, Decoder},
    frame::{self, RequestPrefix},
    messages::k00_produce::{
        ProduceRequest, ProduceResponse, ProduceResponsePartition, ProduceResponseTopic,
    },
};

use super::*;

const WITHIN: Duration = Duration::from_secs(30);
const RATE: u64 = 2_000;

/// A log that moves from one broker to the other.
struct Log {
    ends: Mutex<Vec<i64>>,
    refused: watch::Sender<u64>,
}

/// Appends while it is told to, and refuses otherwise.
async fn broker(log: Arc<Log>, open: watch::Receiver<bool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&log), open.clone()));
        }
    });
    address
}

async fn serve(mut stream: TcpStream, log: Arc<Log>, open: watch::Receiver<bool>) {
    while let Ok(length) = stream.read_i32().await {
        let mut request = vec![0; usize::try_from(length).expect("a length")];
        stream.read_exact(&mut request).await.expect("a whole request");
        let mut from = Decoder::new(Bytes::from(request));
        let prefix = RequestPrefix::read(&mut from).expect("a prefix");
        frame::read_client_id(&mut from, true).expect("a client id");
        let request = ProduceRequest::read(from.into_rest(), prefix.version).expect("a produce request");
        let response = append(&request, &log, *open.borrow());
        let answer = frame::response(prefix.correlation_id, prefix.version, &response).expect("it encodes");
        if stream.write_all(&answer.concat()).await.is_err() {
            return;
        }
    }
}

fn append(request: &ProduceRequest, log: &Log, open: bool) -> ProduceResponse {
    let mut ends = log.ends.lock().expect("nobody panics with it");
    let partitions = request.topic_data.iter().flat_map(|topic| &topic.partition_data);
    let answers = partitions.map(|partition| {
        let index = partition.index;
        if !open {
            log.refused.send_modify(|count| *count += 1);
            let error_code = ErrorCode::NOT_LEADER_OR_FOLLOWER;
            return ProduceResponsePartition { index, error_code, base_offset: -1, ..Default::default() };
        }
        let header = BatchHeader::parse_whole(partition.records.as_ref().expect("records"));
        let end = &mut ends[usize::try_from(index).expect("a partition")];
        let base_offset = *end;
        *end += i64::from(header.expect("a sound batch").record_count);
        ProduceResponsePartition { index, base_offset, ..Default::default() }
    });
    let partition_responses = answers.collect();
    let topic = ProduceResponseTopic { name: TOPIC.into(), partition_responses, ..Default::default() };
    ProduceResponse { responses: vec![topic], ..Default::default() }
}

#[tokio::test]
async fn nothing_is_lost_or_repeated_while_the_home_moves() {
    let log = Log { ends: Mutex::new(vec![0; PARTITIONS as usize]), refused: watch::Sender::new(0) };
    let log = Arc::new(log);
    let mut refused = log.refused.subscribe();
    let (fence, east_open) = watch::channel(true);
    let (_open, west_open) = watch::channel(true);
    let east = broker(Arc::clone(&log), east_open).await;
    let west = broker(Arc::clone(&log), west_open).await;
    let progress = Progress::new(Arc::new(SystemClock::new()));
    let (home, told) = watch::channel(Home::In(Region::East, east));
    let producing = tokio::spawn(Producer::new(progress.clone(), RATE).run(told));

    let story = async {
        progress.until(|state| state.ledger.acked_in(Region::East) > 200).await;
        fence.send_replace(false);
        refused.wait_for(|count| *count > 0).await.expect("the log is there");
        home.send_replace(Home::In(Region::West, west));
        progress.until(|state| state.ledger.acked_in(Region::West) > 200).await;
        home.send_replace(Home::Done);
    };
    time::timeout(WITHIN, story).await.expect("every step comes");
    time::timeout(WITHIN, producing).await.expect("it ends").expect("no panic").expect("no error");

    progress.look(|state| {
        assert!(state.answered);
        assert_eq!(state.ledger.unaccounted(state.produced), 0);
        assert_eq!(state.ledger.ends(), *log.ends.lock().expect("nobody panics with it"));
        let all: Vec<_> = state.ledger.partitions().collect();
        assert!(all.iter().all(|acked| acked.is_sorted_by_key(|acked| acked.number)), "order is kept");
    });
}
