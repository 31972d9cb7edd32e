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

use mirror::ownership::FailoverReport;

use super::{Status, patience::Patience};
use crate::operations::{
    FailoverRequest, Kind, NodeStatus, Problem, ProblemAnswer, ResumeReport, ResumeRequest, TranslateRequest,
    Translated,
};

pub(super) fn routes() -> Router<Arc<Status>> {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/failover", post(failover))
        .route("/v1/resume", post(resume))
        .route("/v1/translate", get(translate))
        .method_not_allowed_fallback(other_method)
}

async fn status(State(status): State<Arc<Status>>) -> Json<NodeStatus> {
    Json(status.of_node().await)
}

async fn failover(
    State(status): State<Arc<Status>>,
    Extension(patience): Extension<Patience>,
    request: Result<Json<FailoverRequest>, JsonRejection>,
) -> Result<Json<FailoverReport>, Problem> {
    let Json(request) = request.map_err(|rejection| invalid(&rejection.body_text()))?;
    let _at_work = patience.at_work();
    status.operations()?.failover(request).await.map(Json)
}

async fn resume(
    State(status): State<Arc<Status>>,
    request: Result<Json<ResumeRequest>, JsonRejection>,
) -> Result<Json<ResumeReport>, Problem> {
    let Json(request) = request.map_err(|rejection| invalid(&rejection.body_text()))?;
    if request.partition.is_some() && request.topic.is_none() {
        return Err(invalid("a partition is one of a topic: name the topic, too"));
    }
    status.operations()?.resume(request).await.map(Json)
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
        "ask with GET for status and translate, with POST for failover and resume",
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::admin::{Phase, routes, serve, testing::FakeNode};

    async fn ask(status: &Arc<Status>, request: String) -> (u16, Value) {
        let (mut here, there) = tokio::io::duplex(1 << 16);
        let serving = tokio::spawn(serve::answer(there, routes::routes(status.clone())));
        here.write_all(request.as_bytes()).await.expect("room for a request");
        let mut answer = String::new();
        here.read_to_string(&mut answer).await.expect("text");
        serving.await.expect("no panic");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status code");
        (code, serde_json::from_str(body).expect("JSON"))
    }

    async fn get(status: &Arc<Status>, path: &str) -> (u16, Value) {
        ask(status, format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await
    }

    async fn post(status: &Arc<Status>, body: &str) -> (u16, Value) {
        post_to(status, "/v1/failover", body).await
    }

    async fn post_to(status: &Arc<Status>, path: &str, body: &str) -> (u16, Value) {
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json");
        ask(status, format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}")).await
    }

    fn node() -> Arc<Status> {
        let status = Arc::new(Status::starting());
        status.operate(Arc::new(FakeNode));
        status.enter(Phase::Ready);
        status
    }

    #[tokio::test]
    async fn status_is_told_in_every_phase() {
        let status = Arc::new(Status::starting());
        let (code, told) = get(&status, "/v1/status").await;
        assert_eq!((code, &told["phase"], &told["node"]), (200, &json!("starting"), &Value::Null));
        let (code, told) = get(&node(), "/v1/status").await;
        assert_eq!((code, &told["phase"]), (200, &json!("ready")));
        assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(told["links"][0]["partitions"][0]["stop"]["code"], "diverged");
    }

    #[tokio::test(start_paused = true)]
    async fn a_verb_is_waited_for_beyond_the_deadline_of_questions() {
        let (code, report) = post(&node(), r#"{"unit":"orders","to":"eu","dry_run":true}"#).await;
        assert_eq!(code, 200, "{report}");
        assert_eq!((&report["to"], &report["dry_run"]), (&json!("eu"), &json!(true)));
        assert_eq!(report["outcome"]["outcome"], "moved");
    }

    #[tokio::test]
    async fn a_problem_has_kind_code_and_message() {
        let (code, told) = post(&node(), r#"{"unit":"clicks","to":"eu"}"#).await;
        assert_eq!(code, 404);
        let expected =
            json!({ "kind": "not-found", "code": "unknown-unit", "message": "there is no such unit" });
        assert_eq!(told["error"], expected);
    }

    #[tokio::test]
    async fn a_request_that_is_not_understood_is_refused_with_the_field() {
        for body in [r#"{"unit":"orders"}"#, r#"{"unit":"orders","to":"eu","dryrun":true}"#, "{"] {
            let (code, told) = post(&node(), body).await;
            assert_eq!((code, &told["error"]["code"]), (400, &json!("invalid-request")), "{body}: {told}");
        }
        let (code, told) = get(&node(), "/v1/translate?link=a:b&topic=t&partition=0&offset=x").await;
        assert_eq!((code, &told["error"]["code"]), (400, &json!("invalid-request")), "{told}");
        let (code, told) = get(&node(), "/v1/failover").await;
        assert_eq!((code, &told["error"]["code"]), (405, &json!("method")));
    }

    #[tokio::test]
    async fn stopped_partitions_are_resumed_by_link_topic_and_partition() {
        let resume = async |body: &str| post_to(&node(), "/v1/resume", body).await;
        let (code, told) = resume(r#"{"link":"us:eu","topic":"orders","partition":0}"#).await;
        assert_eq!((code, &told["dry_run"]), (200, &json!(false)));
        assert_eq!(told["partitions"][0]["stop"]["code"], "diverged");
        let (code, told) = resume(r#"{"link":"us:eu","partition":0}"#).await;
        assert_eq!((code, &told["error"]["code"]), (400, &json!("invalid-request")));
    }

    #[tokio::test]
    async fn a_translation_is_answered() {
        let (code, told) = get(&node(), "/v1/translate?link=us%3Aeu&topic=t&partition=0&offset=10").await;
        assert_eq!((code, &told["translated"], &told["link"]), (200, &json!(20), &json!("us:eu")));
    }

    #[tokio::test]
    async fn a_broker_that_stands_alone_has_nothing_to_move() {
        let status = Arc::new(Status::starting());
        let body = r#"{"unit":"orders","to":"eu"}"#;
        let (code, told) = post(&status, body).await;
        assert_eq!((code, &told["error"]["code"]), (503, &json!("starting")));
        status.enter(Phase::Ready);
        let (code, told) = post(&status, body).await;
        assert_eq!((code, &told["error"]["code"]), (409, &json!("no-topology")));
    }
}
