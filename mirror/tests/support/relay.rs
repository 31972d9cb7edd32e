//! A line between two nodes that can be cut: UDP packets go through, or vanish.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{net::UdpSocket, task::JoinHandle};

/// For one dialler at a time.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    cut: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Relay {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let front = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let back = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        back.connect(server).await.unwrap();
        let address = front.local_addr().unwrap();
        let cut = Arc::new(AtomicBool::new(false));
        let is_cut = Arc::clone(&cut);
        let task = tokio::spawn(async move {
            let (mut up, mut down) = ([0; 65_536], [0; 65_536]);
            let mut dialler = None;
            loop {
                tokio::select! {
                    Ok((size, from)) = front.recv_from(&mut up) => {
                        dialler = Some(from);
                        if !is_cut.load(Ordering::SeqCst) {
                            let _ = back.send(&up[..size]).await;
                        }
                    }
                    Ok(size) = back.recv(&mut down) => {
                        if let Some(to) = dialler.filter(|_| !is_cut.load(Ordering::SeqCst)) {
                            let _ = front.send_to(&down[..size], to).await;
                        }
                    }
                }
            }
        });
        Self { address, cut, task }
    }

    pub(crate) fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}
