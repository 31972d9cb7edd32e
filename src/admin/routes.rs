//! One function per path. Plain text, for people and probes alike.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::encoding::text::{encode_eof, encode_registry};

use super::{Phase, Status, mirroring, v1};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn routes(status: Arc<Status>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .merge(v1::routes())
        .fallback(unknown)
        .with_state(status)
}

async fn metrics(State(status): State<Arc<Status>>) -> Response {
    let Some(registry) = status.metrics() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "starting\n").into_response();
    };
    let mut text = String::new();
    let links = mirroring::registry(status.of_node().await);
    let encoded = encode_registry(&mut text, registry)
        .and_then(|()| encode_registry(&mut text, &links))
        .and_then(|()| encode_eof(&mut text));
    match encoded {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

async fn healthz() -> &'static str {
    "alive\n"
}

async fn readyz(State(status): State<Arc<Status>>) -> (StatusCode, String) {
    let phase = status.phase();
    let code = match phase {
        Phase::Ready => StatusCode::OK,
        Phase::Starting | Phase::Draining | Phase::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, format!("{phase}\n"))
}

async fn unknown() -> (StatusCode, &'static str) {
    (
        StatusCode::NOT_FOUND,
        "there are /metrics, /healthz, /readyz, /v1/status, /v1/failover, /v1/resume and /v1/translate\n",
    )
}
