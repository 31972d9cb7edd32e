//! What the tests and benchmarks of links share: datacenters over plain logs, credentials, and a wait that ends.
#![allow(dead_code, unused_imports, reason = "every test binary uses its part")]

mod credentials;
mod rules;
mod site;

use std::{future::Future, time::Duration};

pub(crate) use credentials::Authority;
pub(crate) use rules::{Everything, NoUnits};
pub(crate) use site::{Site, batch, valve};

/// Longer than anything takes; a test that waits it out has failed.
const DEADLINE: Duration = Duration::from_secs(10);

/// Waits for what must come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}
