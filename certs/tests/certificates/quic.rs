//! The same configurations over QUIC on loopback: what the driver will see.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use certs::{NodeIdentity, Refusal};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Connection, Endpoint, ServerConfig};
use rustls_pki_types::CertificateDer;

use crate::world::{DAY, End, World, id, noon};

/// Longer than any handshake takes; a test that waits it out has failed.
const DEADLINE: Duration = Duration::from_secs(30);

fn server(end: &End) -> Endpoint {
    let tls = end.tls.server_config(end.allowed.clone()).expect("a configuration");
    let config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).expect("it fits QUIC")));
    Endpoint::server(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a socket")
}

async fn dial(end: &End, to: &Endpoint) -> Result<Connection, String> {
    let tls = end.tls.client_config(end.allowed.clone()).expect("a configuration");
    let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).expect("it fits QUIC")));
    let endpoint = Endpoint::client(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a socket");
    let address = to.local_addr().expect("an address");
    let connecting = endpoint.connect_with(config, address, certs::SERVER_NAME).expect("a valid name");
    let connection = connecting.await.map_err(|error| error.to_string())?;
    // A client is done before the server has judged it: the first thing that the server says shows that it was accepted.
    match connection.accept_uni().await {
        Ok(_) => Ok(connection),
        Err(error) => Err(error.to_string()),
    }
}

/// Accepts one connection, and says something on it.
async fn accept(endpoint: &Endpoint) -> Result<Connection, String> {
    let incoming = endpoint.accept().await.expect("open");
    let connection = incoming.await.map_err(|error| error.to_string())?;
    let mut stream = connection.open_uni().await.map_err(|error| error.to_string())?;
    stream.write_all(b"hello").await.map_err(|error| error.to_string())?;
    Ok(connection)
}

fn peer(connection: &Connection) -> NodeIdentity {
    let shown = connection.peer_identity().expect("both sides show certificates");
    let chain = shown.downcast::<Vec<CertificateDer<'static>>>().expect("certificates");
    certs::peer_identity(&chain).expect("an identity")
}

async fn meet(client: &End, server_end: &End) -> (Result<Connection, String>, Result<Connection, String>) {
    let endpoint = server(server_end);
    let both = async { tokio::join!(dial(client, &endpoint), accept(&endpoint)) };
    tokio::time::timeout(DEADLINE, both).await.expect("the handshake ends")
}

#[tokio::test]
async fn nodes_that_expect_each_other_are_connected_and_know_each_other() {
    let world = World::new("shop", &["us-east", "eu-west"]);
    let (east, west) = (id("shop", "us-east", "east-1"), id("shop", "eu-west", "west-1"));
    let client = End::new(&world.node("eu-west", "west-1"), std::slice::from_ref(&east), noon());
    let server_end = End::new(&world.node("us-east", "east-1"), std::slice::from_ref(&west), noon());
    let (dialled, accepted) = meet(&client, &server_end).await;
    assert_eq!(peer(&dialled.unwrap()), east);
    assert_eq!(peer(&accepted.unwrap()), west);
}

#[tokio::test]
async fn a_refused_client_learns_the_kind_and_the_server_the_reason() {
    let world = World::new("shop", &["us-east", "eu-west"]);
    let east = id("shop", "us-east", "east-1");
    let client = End::new(&world.node("eu-west", "west-2"), &[east], noon());
    let server_end = End::new(&world.node("us-east", "east-1"), &[id("shop", "eu-west", "west-1")], noon());
    let (dialled, accepted) = meet(&client, &server_end).await;
    assert!(accepted.is_err());
    let error = dialled.unwrap_err();
    assert!(error.contains("49"), "the alert access_denied: {error}");
    assert_eq!(server_end.refused(), vec![Refusal::NotListed(id("shop", "eu-west", "west-2"))]);
}

#[tokio::test]
async fn an_expired_server_is_refused_by_the_client() {
    let world = World::new("shop", &["us-east", "eu-west"]);
    let east = id("shop", "us-east", "east-1");
    let late = noon() + certs::limits::NODE_LIFETIME + DAY;
    let client = End::new(&world.node("eu-west", "west-1"), std::slice::from_ref(&east), late);
    let server_end = End::new(&world.node("us-east", "east-1"), &[id("shop", "eu-west", "west-1")], noon());
    let (dialled, accepted) = meet(&client, &server_end).await;
    assert!(dialled.is_err() && accepted.is_err());
    assert_eq!(client.refused(), vec![Refusal::Expired(east.to_string())]);
}

#[tokio::test]
async fn another_ca_is_refused() {
    let one = World::new("shop", &["eu-west"]);
    let other = World::new("shop", &["us-east"]);
    let client = End::new(&one.node("eu-west", "west-1"), &[id("shop", "us-east", "east-1")], noon());
    let server_end = End::new(&other.node("us-east", "east-1"), &[id("shop", "eu-west", "west-1")], noon());
    let (dialled, accepted) = meet(&client, &server_end).await;
    assert!(dialled.is_err() && accepted.is_err());
    assert_eq!(client.refused(), vec![Refusal::OtherAuthority]);
}
