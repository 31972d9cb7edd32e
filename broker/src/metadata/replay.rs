//! From the stored records to the image a broker starts with.

use std::sync::Arc;

use protocol::Offset;

use super::{
    error::OpenError,
    identity::{self, IdSource},
    image::Image,
    record::{ClusterRecord, MetadataRecord},
};
use crate::{
    record_log::{KeyValue, RecordLog},
    settings::TopicSettings,
};

/// The image of everything stored; at the first start the cluster's id is stored first.
pub(super) async fn open(
    log: &Arc<dyn RecordLog>,
    defaults: Arc<TopicSettings>,
    ids: &dyn IdSource,
) -> Result<Image, OpenError> {
    let reader = log.clone();
    let replayed = tokio::task::spawn_blocking(move || replay(reader.as_ref(), defaults)).await;
    let Replayed { mut image, records } = replayed.map_err(|_| OpenError::Interrupted)??;
    if !image.cluster_id().is_empty() {
        return Ok(image);
    }
    if records > 0 {
        return Err(OpenError::NoClusterId);
    }
    let id = identity::fresh(ids, |_| false).ok_or(OpenError::NoFreshId)?;
    let first = MetadataRecord::Cluster(ClusterRecord { version: 1, cluster_id: identity::print(id) });
    let stored = first.encode();
    log.append(vec![stored.clone()]).await?;
    fold(&mut image, Offset::ZERO, &stored)?;
    Ok(image)
}

struct Replayed {
    image: Image,
    records: u64,
}

/// Folds the stored records; stops at the first one that cannot be used.
fn replay(log: &dyn RecordLog, defaults: Arc<TopicSettings>) -> Result<Replayed, OpenError> {
    let mut replayed = Replayed { image: Image::new(defaults), records: 0 };
    let mut failed = None;
    log.replay(&mut |offset, _, stored| {
        if failed.is_none() {
            replayed.records += 1;
            failed = fold(&mut replayed.image, offset, &stored).err();
        }
    })?;
    failed.map_or(Ok(replayed), Err)
}

fn fold(image: &mut Image, offset: Offset, stored: &KeyValue) -> Result<(), OpenError> {
    let key = || String::from_utf8_lossy(&stored.key).chars().take(KEY_CHARS_SHOWN).collect();
    let record =
        MetadataRecord::decode(stored).map_err(|error| OpenError::Record { offset, key: key(), error })?;
    match record {
        Some(record) => {
            image.apply(&record).map_err(|error| OpenError::Setting { offset, key: key(), error })
        }
        None => Ok(()),
    }
}

/// An error quotes no more of a key.
const KEY_CHARS_SHOWN: usize = 200;
