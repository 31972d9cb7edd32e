//! What an operator can ask, in JSON: one function for each path. A problem is `{"error": {kind, code, message}}`, with the HTTP
//! status of its kind.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};

use super::{Status, patience::Patience};
use crate::operations::{
    FailoverRequest, Kind, NodeStatus, Problem, ProblemAnswer, TranslateRequest, Translated,
};

pub(super) fn routes() -> Router<Arc<Status>> {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/failover", post(failover))
        .route("/v1/translate", get(translate))
        .method_not_allowed_fallback(other_method)
}

async fn status(State(status): State<Arc<Status>>) -> Json<NodeStatus> {
    Json(status.of_node())
}

async fn failover(
    State(status): State<Arc<Status>>,
    Extension(patience): Extension<Patience>,
    request: Result<Json<FailoverRequest>, JsonRejection>,
) -> Result<Json<serde_json::Value>, Problem> {
    let Json(request) = request.map_err(|rejection| invalid(&rejection.body_text()))?;
    let _at_work = patience.at_work();
    status.operations()?.failover(request).await.map(Json)
}

async fn translate(
    State(status): State<Arc<Status>>,
    request: Result<Query<TranslateRequest>, QueryRejection>,
) -> Result<Json<Translated>, Problem> {
    let Query(request) = request.map_err(|rejection| invalid(&rejection.body_text()))?;
    status.operations()?.translate(request).await.map(Json)
}

async fn other_method() -> Response {
    let problem = Problem::new(
        Kind::Invalid,
        "method",
        "ask with GET for status and translate, with POST for failover",
    );
    (StatusCode::METHOD_NOT_ALLOWED, Json(ProblemAnswer { error: problem })).into_response()
}

fn invalid(why: &str) -> Problem {
    Problem::new(Kind::Invalid, "invalid-request", why)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let code = match self.kind {
            Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Refused => StatusCode::CONFLICT,
            Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        };
        (code, Json(ProblemAnswer { error: self })).into_response()
    }
}
