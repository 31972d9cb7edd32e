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
}

/// A source's end of a link, as it looks now.
pub(crate) struct SourceLinkView {
    pub(crate) link: String,
    pub(crate) peer: Peer,
    pub(crate) path: PathView,
    pub(crate) subscriptions: Vec<SubscriptionView>,
}

impl Sessions {
    /// The new session is the one now; what it returns becomes true when it no longer is.
    pub(super) fn open(
        &self,
        link: &str,
        peer: &Peer,
        inquirer: Inquirer<SessionView>,
    ) -> watch::Receiver<bool> {
        let (replaced, is_replaced) = watch::channel(false);
        let session = Session { inquirer, replaced };
        if let Some(former) = self.open.lock().insert((link.to_owned(), peer.clone()), session) {
            let _ = former.replaced.send(true);
        }
        is_replaced
    }

    pub(crate) async fn views(&self) -> Vec<SourceLinkView> {
        let asked: Vec<_> =
            self.open.lock().iter().map(|(key, session)| (key.clone(), session.inquirer.clone())).collect();
        let mut views = Vec::new();
        for ((link, peer), inquirer) in asked {
            if let Some(SessionView { path, subscriptions }) = inquirer.ask().await {
                views.push(SourceLinkView { link, peer, path, subscriptions });
            }
        }
        views
    }
}
