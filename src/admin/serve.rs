//! The admin listener: few connections, one request each, every one with a deadline.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::AbortHandle,
    time,
};

use super::{Status, patience::Patience, routes::routes};

/// More than a few scrapers and probes at once is somebody's mistake; further connections are closed unanswered.
const CONNECTIONS_MAX: usize = 32;
/// From the first byte to the end of the headers.
const HEADERS_WITHIN: Duration = Duration::from_secs(5);
/// From accepting to closing, unless a verb is at work.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);
const REQUEST_BYTES_MAX: usize = 16 << 10;
/// After a failed accept (out of file descriptors, mostly), so that the loop does not spin.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The admin port, bound and serving until dropped.
#[derive(Debug)]
pub(crate) struct Admin {
    address: SocketAddr,
    task: AbortHandle,
}

impl Admin {
    /// Binds `address` and serves what `status` says. Must be called on the runtime.
    pub(crate) async fn serve(address: &str, status: Arc<Status>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, routes(status))).abort_handle();
        Ok(Self { address, task })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, routes: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
                let routes = routes.clone();
                tokio::spawn(async move {
                    answer(stream, routes).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the admin port cannot accept");
                time::sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
}

/// One request of one connection.
pub(super) async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, routes: Router) {
    let patience = Patience::default();
    let routes = routes.layer(Extension(patience.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .keep_alive(false)
        .max_buf_size(REQUEST_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    // How the other side left is its own affair; what it was not given in time it can ask for again.
    let mut connection = pin!(connection);
    while time::timeout(ANSWERED_WITHIN, &mut connection).await.is_err() && patience.is_asked_for() {}
}

#[cfg(test)]
mod tests {
    use prometheus_client::registry::Registry;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::admin::Phase;

    async fn serving() -> (Admin, Arc<Status>) {
        let status = Arc::new(Status::starting());
        let admin = Admin::serve("127.0.0.1:0", Arc::clone(&status)).await.expect("any free port binds");
        (admin, status)
    }

    async fn send(admin: &Admin, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(admin.address()).await.expect("it listens");
        let mut answer = String::new();
        // A closed connection may come as a reset too; what was read until then is the answer.
        drop(stream.write_all(request).await);
        drop(stream.read_to_string(&mut answer).await);
        answer
    }

    async fn get(admin: &Admin, path: &str) -> (u16, String) {
        let answer = send(admin, format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status code");
        (code, body.to_owned())
    }

    #[tokio::test]
    async fn readiness_follows_the_phase() {
        let (admin, status) = serving().await;
        assert_eq!(get(&admin, "/readyz").await, (503, "starting\n".to_owned()));
        status.enter(Phase::Ready);
        assert_eq!(get(&admin, "/readyz").await, (200, "ready\n".to_owned()));
        status.enter(Phase::Draining);
        assert_eq!(get(&admin, "/readyz").await, (503, "draining\n".to_owned()));
        status.enter(Phase::Failed("the disk is gone".to_owned()));
        assert_eq!(get(&admin, "/readyz").await, (503, "failed: the disk is gone\n".to_owned()));
    }

    #[tokio::test]
    async fn health_does_not_depend_on_readiness() {
        let (admin, status) = serving().await;
        assert_eq!(get(&admin, "/healthz").await.0, 200);
        status.enter(Phase::Draining);
        assert_eq!(get(&admin, "/healthz").await.0, 200);
    }

    #[tokio::test]
    async fn metrics_appear_once_they_are_registered() {
        let (admin, status) = serving().await;
        assert_eq!(get(&admin, "/metrics").await.0, 503);
        let mut registry = Registry::default();
        crate::admin::process::register(&mut registry);
        status.expose(registry);
        let (code, body) = get(&admin, "/metrics").await;
        assert_eq!(code, 200);
        assert!(body.contains("process_open_fds"), "{body}");
        assert!(body.ends_with("# EOF\n"), "{body}");
    }

    #[tokio::test]
    async fn an_unknown_path_says_what_there_is() {
        let (admin, _) = serving().await;
        let (code, body) = get(&admin, "/").await;
        assert_eq!(code, 404);
        assert!(body.contains("/metrics"));
    }

    #[tokio::test]
    async fn endless_headers_are_cut_off() {
        let (admin, _) = serving().await;
        let mut request = b"GET / HTTP/1.1\r\n".to_vec();
        request.resize(REQUEST_BYTES_MAX * 2, b'a');
        let answer = send(&admin, &request).await;
        assert!(answer.is_empty() || answer.contains("431"), "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_is_closed() {
        let (admin, _) = serving().await;
        assert_eq!(send(&admin, b"").await, "");
    }

    #[tokio::test]
    async fn a_flood_of_connections_leaves_health_alone() {
        let (admin, _) = serving().await;
        let mut held = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            held.push(TcpStream::connect(admin.address()).await.expect("it listens"));
        }
        // One more is closed unanswered, and the next after one has left is served.
        assert_eq!(send(&admin, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await, "");
        drop(held);
        let served = async {
            while send(&admin, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        time::timeout(Duration::from_secs(10), served).await.expect("places are given back");
    }
}
