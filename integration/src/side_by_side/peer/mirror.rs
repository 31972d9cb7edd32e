//! MirrorMaker 2 in dedicated mode.

use std::{net::SocketAddr, path::Path, sync::Arc};

use super::java;
use crate::side_by_side::{
    place::{MirrorPlace, Places},
    process::Role,
    service::Service,
    side::Purpose,
};

/// Starts it beside the target, or the source; it mirrors when its tasks have been given out.
#[track_caller]
pub(super) fn start(
    places: &Places,
    folder: &Path,
    [source, target]: [SocketAddr; 2],
    purpose: Purpose,
    exactly_once: bool,
) -> Service {
    let settings = folder.join("mirror.properties");
    let mut more = vec![
        ("source.bootstrap.servers", source.to_string()),
        ("target.bootstrap.servers", target.to_string()),
    ];
    if exactly_once {
        more.push(("target.exactly.once.source.support", "enabled".to_owned()));
    }
    more.extend(for_the_line(places.mirror));
    if purpose == Purpose::Faults {
        // The default: nobody is held there, and who was killed should be missed soon.
        more.push(("target.session.timeout.ms", "10000".to_owned()));
    }
    java::settings("mirror.properties", &more, &settings);
    let place = Arc::clone(match places.mirror {
        MirrorPlace::FarFromTarget { .. } => &places.source,
        MirrorPlace::Near | MirrorPlace::FarFromSource => &places.target,
    });
    let mut mirror = Service::new(Role::Mirror, folder.join("mirror.log"), move || {
        let mut command = java::command(&*place, "mirror.jvm", "org.apache.kafka.connect.mirror.MirrorMaker");
        command.arg(&settings);
        command
    });
    mirror.spawn();
    mirror
}

/// Enough on its way to fill a long line.
fn for_the_line(mirror: MirrorPlace) -> Vec<(&'static str, String)> {
    let settings: &[(&str, &str)] = match mirror {
        MirrorPlace::Near => &[],
        MirrorPlace::FarFromSource => &[("source.consumer.max.partition.fetch.bytes", "52428800")],
        // 5 requests of 1 MB from each task, where Connect has one by default; idempotence keeps their order.
        MirrorPlace::FarFromTarget { compresses } => &[
            ("target.producer.enable.idempotence", "true"),
            ("target.producer.max.in.flight.requests.per.connection", "5"),
            ("target.producer.batch.size", "1000000"),
            ("target.producer.compression.type", if compresses { "zstd" } else { "none" }),
        ],
    };
    settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect()
}
