//! DescribeLogDirs (key 35), versions 1-4: sizes of partitions on disk; there is one log directory.
//!
//! Null topics asks for all; a partition that does not exist is left out. 3: an error for the whole answer. 4: the
//! disk's total and usable bytes (KIP-827).

use std::sync::Arc;

use bytestring::ByteString;

use protocol::{
    PartitionId,
    messages::k35_describe_log_dirs::{
        DescribeLogDirsRequest, DescribeLogDirsRequestTopic, DescribeLogDirsResponse,
        DescribeLogDirsResponsePartition, DescribeLogDirsResponseResult, DescribeLogDirsResponseTopic,
    },
};

use crate::{
    metadata::{Image, Topic},
    node::Node,
};

pub(crate) async fn handle(
    node: &Node,
    image: &Image,
    request: DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    let mut topics = Vec::new();
    for (topic, partitions) in asked(image, request.topics) {
        let partitions = sizes(node, topic, partitions).await;
        if !partitions.is_empty() {
            let name = topic.name.0.clone();
            topics.push(DescribeLogDirsResponseTopic { name, partitions });
        }
    }
    let space = node.log_dir.space().ok();
    let bytes = |of: Option<u64>| of.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    let result = DescribeLogDirsResponseResult {
        log_dir: ByteString::from(node.log_dir.root().to_string_lossy().as_ref()),
        topics,
        total_bytes: bytes(space.map(|space| space.total_bytes)),
        usable_bytes: bytes(space.map(|space| space.usable_bytes)),
        ..Default::default()
    };
    DescribeLogDirsResponse { results: vec![result], ..Default::default() }
}

fn asked(
    image: &Image,
    topics: Option<Vec<DescribeLogDirsRequestTopic>>,
) -> Vec<(&Arc<Topic>, Vec<PartitionId>)> {
    let all = |topic: &Topic| (0..).map(PartitionId).take(topic.partitions.len()).collect();
    match topics {
        None => image.topics().map(|topic| (topic, all(topic))).collect(),
        Some(topics) => topics
            .into_iter()
            .filter_map(|asked| {
                let partitions = asked.partitions.into_iter().map(PartitionId).collect();
                Some((image.topic(&asked.topic)?, partitions))
            })
            .collect(),
    }
}

async fn sizes(
    node: &Node,
    topic: &Arc<Topic>,
    partitions: Vec<PartitionId>,
) -> Vec<DescribeLogDirsResponsePartition> {
    let mut sizes = Vec::with_capacity(partitions.len());
    for index in partitions {
        if let Ok(partition) = node.partitions.find(topic, index).await {
            sizes.push(DescribeLogDirsResponsePartition {
                partition_index: index.0,
                partition_size: i64::try_from(partition.log.size_bytes()).unwrap_or(i64::MAX),
                ..Default::default()
            });
        }
    }
    sizes
}
