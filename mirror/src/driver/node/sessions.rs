//! The connections that targets have made to this node.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{
    driver::{credentials::Peer, inquiry::Inquirer, path::PathView, source::SessionView},
    link::sender::SubscriptionView,
};

/// At most one for each link and peer: a newer connection replaces an older one, which the peer has given up.
#[derive(Default)]
pub(crate) struct Sessions {
    open: Mutex<BTreeMap<(String, Peer), Session>>,
}

struct Session {
    inquirer: Inquirer<SessionView>,
    replaced: watch::Sender<bool>,
    topology_differs: bool,
}

/// A source's end of a link, as it looks now.
pub(crate) struct SourceLinkView {
    pub(crate) link: String,
    pub(crate) peer: Peer,
    pub(crate) path: PathView,
    /// The two ends run different topology files.
    pub(crate) topology_differs: bool,
    pub(crate) subscriptions: Vec<SubscriptionView>,
}

impl Sessions {
    /// The new session is the one now; what it returns becomes true when it no longer is.
    pub(super) fn open(
        &self,
        link: &str,
        peer: &Peer,
        inquirer: Inquirer<SessionView>,
        topology_differs: bool,
    ) -> watch::Receiver<bool> {
        let (replaced, is_replaced) = watch::channel(false);
        let session = Session { inquirer, replaced, topology_differs };
        if let Some(former) = self.open.lock().insert((link.to_owned(), peer.clone()), session) {
            let _ = former.replaced.send(true);
        }
        is_replaced
    }

    pub(crate) async fn views(&self) -> Vec<SourceLinkView> {
        let asked: Vec<_> = {
            let open = self.open.lock();
            let known = |session: &Session| (session.inquirer.clone(), session.topology_differs);
            open.iter().map(|(key, session)| (key.clone(), known(session))).collect()
        };
        let mut views = Vec::new();
        for ((link, peer), (inquirer, topology_differs)) in asked {
            if let Some(SessionView { path, subscriptions }) = inquirer.ask().await {
                views.push(SourceLinkView { link, peer, path, topology_differs, subscriptions });
            }
        }
        views
    }
}
