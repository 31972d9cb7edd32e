//! Peers that break the protocol, or have no business here: refused, counted, and nobody else notices.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::type_complexity,
    clippy::async_yields_async,
    dead_code,
    reason = "a test fails by panicking; targets share their support"
)]

mod support;

use mirror::{
    driver::{TransportSettings, client_config, endpoint, server_config},
    link::{
        block::HEADER_SIZE,
        wire::{Hello, ToSource, ToTarget, VERSION, encode},
    },
};
use quinn::{Connection, ConnectionError, Endpoint, SendStream, VarInt};

use bytes::BytesMut;
use support::{World, batch, peer, reset_key, soon, until};

const PROTOCOL: VarInt = VarInt::from_u32(1);
const REFUSED: VarInt = VarInt::from_u32(2);

fn hello(link: &str, node: &str) -> Hello {
    Hello {
        version: VERSION,
        link: link.to_owned(),
        node: node.to_owned(),
        topology: "shop".to_owned(),
        digest: "77".to_owned(),
        clock: 0,
    }
}

/// Dials a source as the node of `datacenter`, and opens the control stream.
async fn dial(
    world: &World,
    datacenter: &str,
    to: std::net::SocketAddr,
) -> (Endpoint, Connection, SendStream) {
    let credentials = world.authority.issue(&peer(datacenter));
    let settings = TransportSettings::default();
    let endpoint = endpoint("127.0.0.1:0".parse().unwrap(), None, &settings, &reset_key(9)).unwrap();
    let config = client_config(credentials.dialling(&peer("east")).unwrap(), &settings, to).unwrap();
    let connection = endpoint.connect_with(config, to, credentials.server_name()).unwrap().await.unwrap();
    let (control, _) = connection.open_bi().await.unwrap();
    (endpoint, connection, control)
}

async fn say(control: &mut SendStream, message: &ToSource) {
    let mut bytes = BytesMut::new();
    encode(message, &mut bytes).unwrap();
    control.write_all(&bytes).await.unwrap();
}

async fn closed_with(connection: &Connection) -> (VarInt, String) {
    match soon("the close", connection.closed()).await {
        ConnectionError::ApplicationClosed(close) => {
            (close.error_code, String::from_utf8_lossy(&close.reason).into_owned())
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_source_refuses_who_is_not_of_the_link_and_closes_on_garbage() {
    let world = World::new();
    let source = world.source(None).await;
    let address = source.address();

    let (_endpoint, stranger, mut control) = dial(&world, "north", address).await;
    say(&mut control, &ToSource::Hello(hello("east:west", "north-1"))).await;
    let (code, reason) = closed_with(&stranger).await;
    assert!(code == REFUSED && reason.contains("does not lead"), "{code} {reason}");

    let (_endpoint, lost, mut control) = dial(&world, "west", address).await;
    say(&mut control, &ToSource::Hello(hello("north:west", "west-1"))).await;
    assert_eq!(closed_with(&lost).await.0, REFUSED);

    let (_endpoint, early, mut control) = dial(&world, "west", address).await;
    say(&mut control, &ToSource::Ping { clock: 1 }).await;
    assert_eq!(closed_with(&early).await.0, PROTOCOL);

    let (_endpoint, long, mut control) = dial(&world, "west", address).await;
    control.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
    assert_eq!(closed_with(&long).await.0, PROTOCOL);
    assert_eq!(source.metrics().peers_refused.value(), 4);

    let (_endpoint, twice, mut control) = dial(&world, "west", address).await;
    for _ in 0..2 {
        say(&mut control, &ToSource::Hello(hello("east:west", "west-1"))).await;
    }
    assert_eq!(closed_with(&twice).await.0, PROTOCOL);
    until("the count", || source.metrics().peers_hostile.value() == 1).await;
    source.shutdown().await;
}

/// A source that says hello, and then what a test makes of it.
struct FalseSource {
    endpoint: Endpoint,
}

impl FalseSource {
    fn new(world: &World) -> Self {
        let credentials = world.authority.issue(&peer("east"));
        let settings = TransportSettings::default();
        let server = Some(server_config(credentials.accepting().unwrap(), &settings).unwrap());
        Self { endpoint: endpoint("127.0.0.1:0".parse().unwrap(), server, &settings, &reset_key(9)).unwrap() }
    }

    async fn meet(&self) -> (Connection, SendStream) {
        self.meet_as(hello("east:west", "east-1")).await
    }

    async fn meet_as(&self, hello: Hello) -> (Connection, SendStream) {
        let connection = soon("a dial", self.endpoint.accept()).await.unwrap().await.unwrap();
        let (mut control, _) = soon("the control stream", connection.accept_bi()).await.unwrap();
        let mut bytes = BytesMut::new();
        encode(&ToTarget::Hello(hello), &mut bytes).unwrap();
        control.write_all(&bytes).await.unwrap();
        (connection, control)
    }
}

async fn sends_stream(connection: &Connection, bytes: &[u8]) {
    let mut stream = connection.open_uni().await.unwrap();
    // The other side may have closed already.
    let _ = stream.write_all(bytes).await;
    let _ = stream.finish();
}

#[tokio::test]
async fn a_target_closes_on_bad_blocks_and_dials_again() {
    let world = World::new();
    let source = FalseSource::new(&world);
    let target = world.target(source.endpoint.local_addr().unwrap()).await;
    let header = [0xff; HEADER_SIZE];
    let hostile: [&[u8]; 3] = [&header, b"short", &[]];
    for (number, bytes) in hostile.into_iter().enumerate() {
        let (connection, _control) = source.meet().await;
        sends_stream(&connection, bytes).await;
        let (code, reason) = closed_with(&connection).await;
        assert_eq!(code, PROTOCOL, "{reason}");
        until("the count", || target.metrics().peers_hostile.value() == number as u64 + 1).await;
    }
    let (connection, control) = source.meet().await;
    drop(control);
    assert_eq!(closed_with(&connection).await.0, PROTOCOL);
    assert_eq!(target.metrics().unapplied_bytes.value(), 0);
    target.shutdown().await;
}

#[tokio::test]
async fn a_source_that_sends_more_than_it_was_granted_is_cut_off_before_there_is_memory_for_it() {
    let mut world = World::new();
    world.transport.credit_bytes = 1;
    let source = FalseSource::new(&world);
    let target = world.target(source.endpoint.local_addr().unwrap()).await;
    let (connection, _control) = source.meet().await;
    let block = support::block_of(batch(protocol::batch::Compression::None, &[&[7; 900_000]]));
    let sent = soon("the end", async {
        let mut sent = 0;
        while connection.close_reason().is_none() && sent < 1_000 {
            sends_stream(&connection, &block).await;
            sent += 1;
        }
        sent
    })
    .await;
    let (code, reason) = closed_with(&connection).await;
    assert!(code == PROTOCOL, "{sent} {reason}");
    target.shutdown().await;
}

#[tokio::test]
async fn a_node_of_another_topology_is_refused_by_either_end() {
    let world = World::new();
    let stranger = |node| Hello { topology: "bank".to_owned(), ..hello("east:west", node) };
    let source = world.source(None).await;
    let (_endpoint, connection, mut control) = dial(&world, "west", source.address()).await;
    say(&mut control, &ToSource::Hello(stranger("west-1"))).await;
    let (code, reason) = closed_with(&connection).await;
    assert!(code == REFUSED && reason.contains("\"shop\", not of \"bank\""), "{code} {reason}");
    source.shutdown().await;

    let source = FalseSource::new(&world);
    let target = world.target(source.endpoint.local_addr().unwrap()).await;
    let (connection, _control) = source.meet_as(stranger("east-1")).await;
    let (code, reason) = closed_with(&connection).await;
    assert!(code == PROTOCOL && reason.contains("\"bank\", not of \"shop\""), "{code} {reason}");
    target.shutdown().await;
}
