//! A broker in this process and a client that speaks the bare protocol to it, over a real socket.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use broker::{Broker, Components, Gate, OpenGate, Settings};
use core_log::{LogDirSettings, clock::SystemClock, storage::MemoryStorage};
use prometheus_client::registry::Registry;
use protocol::{
    ErrorCode, TopicId,
    batch::BatchBuilder,
    codec::Api,
    frame,
    messages::{k00_produce::*, k01_fetch::*, k03_metadata::*, k19_create_topics::*},
};

/// Longer than anything takes: a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn settings() -> Settings {
    let mut settings = Settings { listen: "127.0.0.1:0".to_owned(), ..Settings::default() };
    settings.groups.initial_rebalance_delay_ms = 0;
    settings
}

pub(crate) async fn start(storage: &Arc<MemoryStorage>, settings: Settings) -> Broker {
    start_gated(storage, settings, Arc::new(OpenGate)).await
}

pub(crate) async fn start_gated(
    storage: &Arc<MemoryStorage>,
    settings: Settings,
    gate: Arc<dyn Gate>,
) -> Broker {
    let components = Components { clock: Arc::new(SystemClock::new()), storage: storage.clone() };
    let log = LogDirSettings::default();
    let opened = Broker::open(settings, log, Path::new("/data"), components, &mut Registry::default()).await;
    opened.expect("the broker opens").serve(gate).await.expect("the broker serves")
}

pub(crate) async fn broker() -> Broker {
    start(&Arc::new(MemoryStorage::new(1)), settings()).await
}

pub(crate) struct Client {
    pub(crate) socket: TcpStream,
    correlation_id: i32,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self { socket: TcpStream::connect(address).await.expect("the broker listens"), correlation_id: 0 }
    }

    pub(crate) async fn call<Q: Api, A: Api>(&mut self, version: i16, request: &Q) -> A {
        self.send(version, request).await;
        self.receive(version).await
    }

    pub(crate) async fn send<Q: Api>(&mut self, version: i16, request: &Q) {
        self.correlation_id += 1;
        for chunk in frame::request(self.correlation_id, version, "test", request).unwrap() {
            self.socket.write_all(&chunk).await.unwrap();
        }
    }

    /// The next answer, which must be to the last request that was sent.
    pub(crate) async fn receive<A: Api>(&mut self, version: i16) -> A {
        let expected = self.correlation_id;
        self.receive_for(expected, version).await
    }

    pub(crate) async fn receive_for<A: Api>(&mut self, correlation_id: i32, version: i16) -> A {
        let mut answer = self.receive_raw().await.expect("an answer");
        assert_eq!(answer.get_i32(), correlation_id, "answers come in the order of the requests");
        if A::layout(version).flexible && A::KEY != 18 {
            assert_eq!(answer.get_u8(), 0);
        }
        A::read(answer, version).expect("a well-formed answer")
    }

    /// The next answer's frame, or `None` when the broker has closed the connection.
    pub(crate) async fn receive_raw(&mut self) -> Option<Bytes> {
        let length = timeout(PATIENCE, self.socket.read_i32()).await.expect("an answer in time").ok()?;
        let mut answer = BytesMut::zeroed(usize::try_from(length).unwrap());
        timeout(PATIENCE, self.socket.read_exact(&mut answer)).await.expect("in time").expect("whole");
        Some(answer.freeze())
    }

    pub(crate) async fn create(
        &mut self,
        topic: &'static str,
        partitions: i32,
        configs: &[(&'static str, &'static str)],
    ) {
        let configs = configs.iter().map(|(name, value)| CreateTopicsRequestConfig {
            name: (*name).into(),
            value: Some((*value).into()),
        });
        let topic = CreateTopicsRequestTopic {
            name: topic.into(),
            num_partitions: partitions,
            replication_factor: 1,
            configs: configs.collect(),
            ..Default::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
        let answer: CreateTopicsResponse = self.call(7, &request).await;
        assert_eq!(answer.topics[0].error_code, ErrorCode::NONE);
    }

    pub(crate) async fn topic_id(&mut self, topic: &'static str) -> TopicId {
        let asked = MetadataRequestTopic { name: Some(topic.into()), ..Default::default() };
        let request = MetadataRequest { topics: Some(vec![asked]), ..Default::default() };
        let answer: MetadataResponse = self.call(12, &request).await;
        TopicId(answer.topics[0].topic_id)
    }

    pub(crate) async fn produce(
        &mut self,
        topic: &'static str,
        batch: impl Into<Bytes>,
    ) -> ProduceResponsePartition {
        let mut answer: ProduceResponse = self.call(9, &produce(topic, -1, batch)).await;
        answer.responses.remove(0).partition_responses.remove(0)
    }

    pub(crate) async fn fetch(&mut self, topic: &'static str, offset: i64) -> FetchResponsePartition {
        let mut answer: FetchResponse = self.call(11, &fetch(topic, offset)).await;
        answer.responses.remove(0).partitions.remove(0)
    }
}

pub(crate) fn produce(topic: &'static str, acks: i16, batch: impl Into<Bytes>) -> ProduceRequest {
    let partition = ProduceRequestPartitionData { index: 0, records: Some(batch.into()) };
    let topic =
        ProduceRequestTopicData { name: topic.into(), partition_data: vec![partition], ..Default::default() };
    ProduceRequest { acks, timeout_ms: 20_000, topic_data: vec![topic], ..Default::default() }
}

/// Of partition 0, answered at once.
pub(crate) fn fetch(topic: &'static str, offset: i64) -> FetchRequest {
    let partition =
        FetchRequestPartition { fetch_offset: offset, partition_max_bytes: 1 << 20, ..Default::default() };
    let topic = FetchRequestTopic { topic: topic.into(), partitions: vec![partition], ..Default::default() };
    FetchRequest { max_bytes: 1 << 20, topics: vec![topic], ..Default::default() }
}

/// A batch with one record for each timestamp.
pub(crate) fn batch(timestamps: &[i64]) -> Bytes {
    let build = |batch: BatchBuilder, timestamp: &i64| {
        batch.record(*timestamp, Some(b"key"), Some(b"a value of some length"), &[])
    };
    timestamps.iter().fold(BatchBuilder::new(), build).build().unwrap().freeze()
}
