//! Topics: creating one, and asking what one is.

use protocol::{
    ErrorCode, Uuid,
    messages::{
        k03_metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse},
        k19_create_topics::{CreateTopicsRequest, CreateTopicsRequestTopic, CreateTopicsResponse},
    },
};

use super::{Client, ClientError, TIMEOUT_MS};

const METADATA: i16 = 12;
const CREATE_TOPICS: i16 = 6;

/// What a broker says of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) struct Topic {
    pub(in crate::demo) id: Uuid,
    pub(in crate::demo) partitions: usize,
}

impl Client {
    pub(in crate::demo) async fn create_topic(
        &mut self,
        name: &str,
        partitions: i32,
    ) -> Result<(), ClientError> {
        let topic = CreateTopicsRequestTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: 1,
            ..Default::default()
        };
        let request =
            CreateTopicsRequest { topics: vec![topic], timeout_ms: TIMEOUT_MS, ..Default::default() };
        let answer: CreateTopicsResponse = self.connection.call(CREATE_TOPICS, &request).await?;
        let created = answer.topics.first();
        let created = created.ok_or_else(|| self.connection.malformed("no topic".to_owned()))?;
        self.taken("creating the topic", created.error_code, created.error_message.as_deref())
    }

    pub(in crate::demo) async fn topic(&mut self, name: &str) -> Result<Topic, ClientError> {
        let asked = MetadataRequestTopic { name: Some(name.into()), ..Default::default() };
        let request = MetadataRequest {
            topics: Some(vec![asked]),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let answer: MetadataResponse = self.connection.call(METADATA, &request).await?;
        let topic = answer.topics.first();
        let topic = topic.ok_or_else(|| self.connection.malformed("no topic".to_owned()))?;
        self.taken("telling the topic", topic.error_code, None)?;
        let faulty = topic.partitions.iter().find(|partition| partition.error_code.is_error());
        let code = faulty.map_or(ErrorCode::NONE, |partition| partition.error_code);
        self.taken("telling the topic's partitions", code, None)?;
        Ok(Topic { id: topic.topic_id, partitions: topic.partitions.len() })
    }
}
