//! From a frame to a handler and back: header, version check, decode, handle, encode.

use std::{future::Future, net::SocketAddr, sync::Arc};

use bytes::BytesMut;

use protocol::{
    ErrorCode,
    codec::{Api, Chunks, Decoder, EncodeError, Encoder},
    frame::{self, RequestPrefix},
    framing,
    messages::{k11_join_group::JoinGroupResponse, k14_sync_group::SyncGroupResponse},
    versions::{self, Served},
};

use crate::{
    api::{self, RequestContext},
    node::Node,
    serve::{Answer, Charge, CloseReason, Frame, Outcome, drain::Drain},
};

const PRODUCE: i16 = 0;
const API_VERSIONS: i16 = 18;

/// A request whose header has been read.
pub(crate) struct Request {
    context: RequestContext,
    correlation_id: i32,
    served: &'static Served,
    body: Decoder<BytesMut>,
    charge: Charge,
}

impl Request {
    /// Takes the header off a frame; what cannot be served has its outcome already.
    pub(crate) fn read(frame: Frame, peer: SocketAddr) -> Result<Self, Outcome> {
        let Frame { bytes, charge } = frame;
        let mut body = Decoder::new(bytes);
        let prefix = RequestPrefix::read(&mut body).map_err(|_| MALFORMED)?;
        let served = versions::served(prefix.api_key).ok_or(UNSUPPORTED)?;
        if !served.serves(prefix.version) {
            // Kafka's rule: only ApiVersions has an answer to a version that is not known; else the connection ends.
            return Err(match served.key {
                API_VERSIONS => encoded(frame::unsupported_api_versions(prefix.correlation_id)),
                _ => UNSUPPORTED,
            });
        }
        let flexible = served.is_flexible(prefix.version);
        let client_id = frame::read_client_id(&mut body, flexible).map_err(|error| {
            tracing::debug!(%peer, api = served.name, %error, "malformed request header");
            MALFORMED
        })?;
        let context = RequestContext { version: prefix.version, client_id, peer };
        Ok(Self { context, correlation_id: prefix.correlation_id, served, body, charge })
    }

    /// Whether the requests before this one may still be waiting for the disk when it is handled.
    pub(crate) fn may_overlap(&self) -> bool {
        self.served.key == PRODUCE
    }
}

/// Runs a request's handler. A Produce returns once its batches are queued in their order.
pub(crate) async fn handle(node: &Arc<Node>, request: Request, drain: &Drain) -> Answer {
    let started = node.clock.monotonic();
    let api = request.served.name;
    node.metrics.request_read(api);
    if request.served.key == PRODUCE {
        return match produce(node, request).await {
            Ok(pending) => Answer::Later(Box::pin(finish(node.clone(), api, started, pending))),
            Err(outcome) => Answer::Now(outcome),
        };
    }
    let outcome = answer(node, request, drain).await;
    node.metrics.request_took(api, node.clock.monotonic().saturating_sub(started));
    Answer::Now(outcome)
}

async fn finish(
    node: Arc<Node>,
    api: &'static str,
    started: std::time::Duration,
    pending: impl Future<Output = Outcome>,
) -> Outcome {
    let outcome = pending.await;
    node.metrics.request_took(api, node.clock.monotonic().saturating_sub(started));
    outcome
}

async fn produce(
    node: &Arc<Node>,
    request: Request,
) -> Result<impl Future<Output = Outcome> + use<>, Outcome> {
    let Request { context, correlation_id, body, charge, served } = request;
    let frame = framing::produce::ProduceFrame::read(body, context.version).map_err(|error| {
        tracing::debug!(peer = %context.peer, api = served.name, %error, "malformed request");
        MALFORMED
    })?;
    let silent = frame.acks == 0;
    let pending = api::k00_produce::begin(node, &context, frame).await;
    Ok(async move {
        let response = pending.finish().await;
        drop(charge);
        match (silent, api::k00_produce::has_error(&response)) {
            (true, true) => Outcome::Close(CloseReason::SilentProduceFailed),
            (true, false) => Outcome::Silence,
            (false, _) => encoded(frame::response(correlation_id, context.version, &response)),
        }
    })
}

/// Every API whose answer is complete before the next request of the connection is handled.
async fn answer(node: &Node, request: Request, drain: &Drain) -> Outcome {
    let cx = request.context.clone();
    let (metadata, gate) = (&node.metadata, &*node.gate);
    let (groups, endpoint) = (&node.groups, &node.endpoint);
    let image = metadata.image();
    match request.served.key {
        1 => fetch(node, request, drain).await,
        2 => run(request, |it| api::k02_list_offsets::handle(&node.partitions, &image, &cx, it)).await,
        3 => run(request, |it| api::k03_metadata::handle(metadata, gate, endpoint, &cx, it)).await,
        8 => run(request, |it| api::k08_offset_commit::handle(groups, &*image, &cx, it)).await,
        9 => run(request, |it| api::k09_offset_fetch::handle(groups, &*image, &cx, it)).await,
        10 => run(request, async |it| api::k10_find_coordinator::handle(endpoint, &cx, it)).await,
        11 => {
            let refused =
                || JoinGroupResponse { error_code: ErrorCode::NOT_COORDINATOR, ..Default::default() };
            run(request, |it| until_drain(drain, refused, api::k11_join_group::handle(groups, &cx, it))).await
        }
        12 => run(request, |it| api::k12_heartbeat::handle(groups, &cx, it)).await,
        13 => run(request, |it| api::k13_leave_group::handle(groups, &cx, it)).await,
        14 => {
            let refused =
                || SyncGroupResponse { error_code: ErrorCode::NOT_COORDINATOR, ..Default::default() };
            run(request, |it| until_drain(drain, refused, api::k14_sync_group::handle(groups, &cx, it))).await
        }
        15 => run(request, |it| api::k15_describe_groups::handle(groups, &cx, it)).await,
        16 => run(request, |it| api::k16_list_groups::handle(groups, &cx, it)).await,
        API_VERSIONS => run(request, |it| api::k18_api_versions::handle(&cx, it)).await,
        19 => run(request, |it| api::k19_create_topics::handle(metadata, gate, &cx, it)).await,
        20 => run(request, |it| api::k20_delete_topics::handle(metadata, gate, &cx, it)).await,
        21 => run(request, |it| api::k21_delete_records::handle(&node.partitions, gate, &image, it)).await,
        22 => run(request, |it| api::k22_init_producer_id::handle(&node.producer_ids, it)).await,
        23 => run(request, |it| api::k23_offset_for_leader_epoch::handle(&node.partitions, &image, it)).await,
        32 => {
            run(request, |it| api::k32_describe_configs::handle(metadata, endpoint, &node.settings, &cx, it))
                .await
        }
        33 => run(request, |it| api::k33_alter_configs::handle(metadata, gate, endpoint, &cx, it)).await,
        35 => run(request, |it| api::k35_describe_log_dirs::handle(node, &image, it)).await,
        37 => run(request, |it| api::k37_create_partitions::handle(metadata, gate, &cx, it)).await,
        42 => run(request, |it| api::k42_delete_groups::handle(groups, &cx, it)).await,
        44 => {
            run(request, |it| api::k44_incremental_alter_configs::handle(metadata, gate, endpoint, &cx, it))
                .await
        }
        47 => run(request, |it| api::k47_offset_delete::handle(groups, &*image, &cx, it)).await,
        60 => run(request, |it| api::k60_describe_cluster::handle(metadata, endpoint, &cx, it)).await,
        75 => {
            run(request, |it| api::k75_describe_topic_partitions::handle(metadata, endpoint, &cx, it)).await
        }
        // `every_served_api_has_a_handler` keeps this arm from being reached.
        _ => UNSUPPORTED,
    }
}

/// Decodes, handles and encodes one request of the declared form.
async fn run<Q: Api, A: Api, F: Future<Output = A>>(
    request: Request,
    handle: impl FnOnce(Q) -> F,
) -> Outcome {
    let Request { context, correlation_id, body, charge, served } = request;
    let message = match Q::read_leniently(body.into_rest().freeze(), context.version) {
        Ok(message) => message,
        Err(error) => {
            tracing::debug!(peer = %context.peer, api = served.name, %error, "malformed request");
            return MALFORMED;
        }
    };
    // What a handler may wait for (other members of a group, say) needs no memory of the frame's size.
    drop(charge);
    encoded(frame::response(correlation_id, context.version, &handle(message).await))
}

/// A fetch's answer carries records as the slices the log hands out.
async fn fetch(node: &Node, request: Request, drain: &Drain) -> Outcome {
    use protocol::messages::k01_fetch::FetchRequest;

    let Request { context, correlation_id, body, charge, served } = request;
    let version = context.version;
    let message = match FetchRequest::read_leniently(body.into_rest().freeze(), version) {
        Ok(message) => message,
        Err(error) => {
            tracing::debug!(peer = %context.peer, api = served.name, %error, "malformed request");
            return MALFORMED;
        }
    };
    drop(charge);
    let (response, records) = api::k01_fetch::handle(node, &context, message, drain).await;
    let mut body = Encoder::new();
    let written = framing::fetch::write(&mut body, version, &response, &records);
    encoded(written.and_then(|()| frame::response_from(correlation_id, served.is_flexible(version), body)))
}

/// A wait for other members ends with the broker: the client looks for its coordinator again.
async fn until_drain<A>(drain: &Drain, refused: impl FnOnce() -> A, waiting: impl Future<Output = A>) -> A {
    let mut drain = drain.clone();
    tokio::select! {
        biased;
        answer = waiting => answer,
        () = drain.started() => refused(),
    }
}

const MALFORMED: Outcome = Outcome::Close(CloseReason::MalformedRequest);
const UNSUPPORTED: Outcome = Outcome::Close(CloseReason::UnsupportedRequest);

fn encoded(answer: Result<Chunks, EncodeError>) -> Outcome {
    match answer {
        Ok(chunks) => Outcome::Reply(chunks),
        Err(error) => {
            tracing::error!(%error, "an answer of ours could not be encoded; this is a bug");
            Outcome::Close(CloseReason::Internal)
        }
    }
}
