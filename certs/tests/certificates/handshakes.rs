//! Who gets in and who does not, decided by whole TLS handshakes in memory.

use std::sync::Arc;
use std::time::SystemTime;

use certs::{NodeIdentity, Refusal};
use rustls::{
    AlertDescription, CipherSuite, ClientConfig, ClientConnection, Connection, Error, ServerConnection,
};

use crate::world::{DAY, End, World, id, noon};

/// Both ends of a finished handshake, or what the refusing side and the refused side saw.
struct Outcome {
    client: Result<(), Error>,
    server: Result<(), Error>,
    pair: (Connection, Connection),
}

fn shake(client: Arc<ClientConfig>, server: &End, name: &'static str) -> Outcome {
    let server_config = server.tls.server_config(server.allowed.clone()).expect("a configuration");
    let name = name.try_into().expect("a name");
    let mut client = Connection::from(ClientConnection::new(client, name).expect("a client"));
    let mut server = Connection::from(ServerConnection::new(server_config).expect("a server"));
    let (mut client_said, mut server_said) = (Ok(()), Ok(()));
    while client.wants_write() || server.wants_write() {
        pass(&mut client, &mut server, &mut server_said);
        pass(&mut server, &mut client, &mut client_said);
    }
    Outcome { client: client_said, server: server_said, pair: (client, server) }
}

/// What one side has to say goes to the other, which keeps its first error.
fn pass(from: &mut Connection, to: &mut Connection, said: &mut Result<(), Error>) {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).expect("a Vec takes everything");
    }
    let mut rest = bytes.as_slice();
    while !rest.is_empty() && said.is_ok() {
        to.read_tls(&mut rest).expect("a slice gives everything");
        *said = to.process_new_packets().map(drop);
    }
}

fn connect(client: &End, server: &End) -> Outcome {
    shake(
        client.tls.client_config(client.allowed.clone()).expect("a configuration"),
        server,
        certs::SERVER_NAME,
    )
}

fn east() -> NodeIdentity {
    id("shop", "us-east", "east-1")
}

fn west() -> NodeIdentity {
    id("shop", "eu-west", "west-1")
}

fn shop() -> World {
    World::new("shop", &["us-east", "eu-west"])
}

/// West dials east; each expects the other.
fn pair(world: &World, now: SystemTime) -> (End, End) {
    let west_end = End::new(&world.node("eu-west", "west-1"), &[east()], now);
    let east_end = End::new(&world.node("us-east", "east-1"), &[west()], now);
    (west_end, east_end)
}

#[test]
fn nodes_that_expect_each_other_are_connected() {
    let (client, server) = pair(&shop(), noon());
    let outcome = connect(&client, &server);
    outcome.client.unwrap();
    outcome.server.unwrap();
    let (client_side, server_side) = outcome.pair;
    assert!(!client_side.is_handshaking() && !server_side.is_handshaking());
    assert_eq!(client_side.alpn_protocol(), Some(certs::ALPN));
    assert_eq!(server_side.alpn_protocol(), Some(certs::ALPN));
    let suite = client_side.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(suite, CipherSuite::TLS13_AES_128_GCM_SHA256);
    assert_eq!(certs::peer_identity(client_side.peer_certificates().unwrap()), Ok(east()));
    assert_eq!(certs::peer_identity(server_side.peer_certificates().unwrap()), Ok(west()));
    assert_eq!((client.refused(), server.refused()), (vec![], vec![]));
}

#[test]
fn the_name_that_is_dialled_does_not_matter() {
    let (client, server) = pair(&shop(), noon());
    for name in ["anything.example", "10.1.2.3", "west-1"] {
        let config = client.tls.client_config(client.allowed.clone()).unwrap();
        let outcome = shake(config, &server, name);
        outcome.client.unwrap();
        outcome.server.unwrap();
        let Connection::Server(server_side) = outcome.pair.1 else { panic!("a server") };
        assert_eq!(server_side.server_name(), None, "it is not sent either");
    }
}

#[test]
fn a_client_of_another_ca_is_refused() {
    let world = shop();
    let impostor = World::new("shop", &["eu-west"]);
    let server = End::new(&world.node("us-east", "east-1"), &[west()], noon());
    // It trusts the server, so that only the server can refuse.
    std::fs::copy(world.path().join("ca/root.crt"), impostor.path().join("root.crt")).unwrap();
    let _ = impostor.node("eu-west", "west-1");
    std::fs::copy(world.path().join("ca/root.crt"), impostor.node_folder("west-1").join("ca.crt")).unwrap();
    let client = End::new(&impostor.load("eu-west", "west-1"), &[east()], noon());
    let outcome = connect(&client, &server);
    assert_eq!(server.refused(), vec![Refusal::OtherAuthority]);
    assert!(outcome.server.is_err());
    assert_eq!(outcome.client, Err(Error::AlertReceived(AlertDescription::UnknownCA)));
}

#[test]
fn a_server_of_another_ca_is_refused() {
    let client = End::new(&shop().node("eu-west", "west-1"), &[east()], noon());
    let server = End::new(&shop().node("us-east", "east-1"), &[west()], noon());
    let outcome = connect(&client, &server);
    assert_eq!(client.refused(), vec![Refusal::OtherAuthority]);
    assert!(outcome.client.is_err());
    assert_eq!(outcome.server, Err(Error::AlertReceived(AlertDescription::UnknownCA)));
}

#[test]
fn an_expired_certificate_is_refused_by_the_clock_of_the_other_side() {
    let world = shop();
    let last_second = noon() + certs::limits::NODE_LIFETIME;
    let (client, server) = pair(&world, last_second);
    connect(&client, &server).client.unwrap();

    let late = End::new(&world.load("us-east", "east-1"), &[west()], last_second + DAY);
    let client = End::new(&world.load("eu-west", "west-1"), &[east()], noon());
    let outcome = connect(&client, &late);
    assert_eq!(late.refused(), vec![Refusal::Expired(west().to_string())]);
    assert_eq!(outcome.client, Err(Error::AlertReceived(AlertDescription::CertificateExpired)));

    let late = End::new(&world.load("eu-west", "west-1"), &[east()], last_second + DAY);
    let server = End::new(&world.load("us-east", "east-1"), &[west()], noon());
    assert!(connect(&late, &server).client.is_err());
    assert_eq!(late.refused(), vec![Refusal::Expired(east().to_string())]);
}

#[test]
fn a_certificate_of_the_future_is_refused_but_for_a_clock_a_little_behind() {
    let world = shop();
    let (client, server) = pair(&world, noon() - certs::limits::BACKDATING);
    connect(&client, &server).client.unwrap();
    let (client, server) = pair(&world, noon() - DAY);
    assert!(connect(&client, &server).client.is_err());
    // The server shows its certificate first, so the client is the first to judge.
    assert_eq!(client.refused(), vec![Refusal::NotYetValid(east().to_string())]);
}

#[test]
fn a_node_of_another_datacenter_is_refused_on_either_side() {
    let world = World::new("shop", &["us-east", "eu-west", "ap-south"]);
    let south = id("shop", "ap-south", "south-1");
    let server = End::new(&world.node("us-east", "east-1"), &[west()], noon());
    let client = End::new(&world.node("ap-south", "south-1"), &[east()], noon());
    let outcome = connect(&client, &server);
    assert_eq!(server.refused(), vec![Refusal::NotListed(south.clone())]);
    assert_eq!(outcome.client, Err(Error::AlertReceived(AlertDescription::AccessDenied)));

    // The dialling side expects east and reaches south.
    let client = End::new(&world.node("eu-west", "west-1"), &[east()], noon());
    let server = End::new(&world.node("ap-south", "south-1"), &[west()], noon());
    let outcome = connect(&client, &server);
    assert_eq!(client.refused(), vec![Refusal::NotListed(south)]);
    assert_eq!(outcome.server, Err(Error::AlertReceived(AlertDescription::AccessDenied)));
}

#[test]
fn a_node_of_the_right_datacenter_with_another_name_is_refused() {
    let world = shop();
    let server = End::new(&world.node("us-east", "east-1"), &[west()], noon());
    let client = End::new(&world.node("eu-west", "west-2"), &[east()], noon());
    assert!(connect(&client, &server).server.is_err());
    assert_eq!(server.refused(), vec![Refusal::NotListed(id("shop", "eu-west", "west-2"))]);
}

/// The same files under another topology's name: the CA is ours, the identity is not.
#[test]
fn another_topology_under_our_own_root_is_refused() {
    let world = shop();
    let mut shared = World::new("lab", &["us-east"]);
    for file in ["root.crt", "root.key"] {
        std::fs::copy(world.path().join("ca").join(file), shared.path().join("ca").join(file)).unwrap();
    }
    // A datacenter CA of the topology `lab` below the root of `shop`, made by hand: `init` would refuse to.
    forge(&shared, "lab", "eu-west", "lab", "eu-west", "west-1");
    shared.topology = "lab";
    let client =
        End::new(&shared.load("eu-west", "west-1"), &[id("lab", "us-east", "east-1"), east()], noon());
    let server =
        End::new(&world.node("us-east", "east-1"), &[west(), id("lab", "eu-west", "west-1")], noon());
    // The client refuses first, as the server is of another topology than its own.
    let outcome = connect(&client, &server);
    assert!(outcome.client.is_err());
    let expected = Refusal::OtherTopology { identity: east(), expected: "lab".to_owned() };
    assert_eq!(client.refused(), vec![expected]);
}

/// A datacenter's CA that signs a certificate for a node of another one.
#[test]
fn a_datacenter_cannot_speak_for_another_one() {
    let world = shop();
    forge(&world, "shop", "us-east", "shop", "eu-west", "west-1");
    let client = End::new(&world.load("eu-west", "west-1"), &[east()], noon());
    let server = End::new(&world.node("us-east", "east-1"), &[west()], noon());
    assert!(connect(&client, &server).server.is_err());
    let expected = Refusal::OtherIssuer { identity: west(), issuer: "us-east".to_owned() };
    assert_eq!(server.refused(), vec![expected]);
}

#[test]
fn a_client_without_a_certificate_is_refused() {
    let (client, server) = pair(&shop(), noon());
    let mut config = (*client.tls.client_config(client.allowed.clone()).unwrap()).clone();
    #[derive(Debug)]
    struct Nothing;
    impl rustls::client::ResolvesClientCert for Nothing {
        fn resolve(
            &self,
            _: &[&[u8]],
            _: &[rustls::SignatureScheme],
        ) -> Option<Arc<rustls::sign::CertifiedKey>> {
            None
        }
        fn has_certs(&self) -> bool {
            false
        }
    }
    config.client_auth_cert_resolver = Arc::new(Nothing);
    let outcome = shake(Arc::new(config), &server, certs::SERVER_NAME);
    assert_eq!(outcome.server, Err(Error::NoCertificatesPresented));
    assert_eq!(outcome.client, Err(Error::AlertReceived(AlertDescription::CertificateRequired)));
}

#[test]
fn nothing_is_resumed_so_every_connection_is_judged() {
    let (client, server) = pair(&shop(), noon());
    let config = client.tls.client_config(client.allowed.clone()).unwrap();
    for _ in 0..2 {
        let outcome = shake(config.clone(), &server, certs::SERVER_NAME);
        outcome.client.unwrap();
        assert_eq!(outcome.pair.0.handshake_kind(), Some(rustls::HandshakeKind::Full));
    }
    // Off the list: the same configurations refuse at once.
    server.allowed.replace([]);
    assert!(!server.allowed.contains(&west()));
    assert!(shake(config, &server, certs::SERVER_NAME).server.is_err());
    assert_eq!(server.refused(), vec![Refusal::NotListed(west())]);
}

#[test]
fn a_new_certificate_is_shown_from_the_next_handshake_on() {
    let world = shop();
    let (client, server) = pair(&world, noon());
    let serial = |outcome: Outcome| outcome.pair.0.peer_certificates().unwrap()[0].to_vec();
    let first = serial(connect(&client, &server));
    assert_eq!(first, serial(connect(&client, &server)));
    server.tls.replace(&world.node("us-east", "east-1")).unwrap();
    assert_ne!(first, serial(connect(&client, &server)));
    assert!(server.tls.replace(&world.node("us-east", "east-2")).is_err());
}

/// Signs, with the CA of `issuer`, a certificate for a node of `datacenter`; if there is no such CA it is made below the root first.
fn forge(world: &World, ca_topology: &str, issuer: &str, topology: &str, datacenter: &str, node: &str) {
    use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
    let ca = |name: &str| {
        let text = |kind| {
            std::fs::read_to_string(world.path().join(format!("ca/{name}.{kind}"))).expect("a CA file")
        };
        (text("crt"), KeyPair::from_pem(&text("key")).expect("a key"))
    };
    let window = |params: &mut CertificateParams| {
        params.not_before = (noon() - DAY).into();
        params.not_after = (noon() + DAY).into();
    };
    let (ca_pem, ca_key) = if world.path().join(format!("ca/{issuer}.crt")).exists() {
        ca(issuer)
    } else {
        let (root_pem, root_key) = ca("root");
        let root = Issuer::from_ca_cert_pem(&root_pem, root_key).expect("the root");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        window(&mut params);
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, ca_topology);
        params.distinguished_name.push(DnType::OrganizationalUnitName, issuer);
        (params.signed_by(&key, &root).expect("a CA").pem(), key)
    };
    let issuer = Issuer::from_ca_cert_pem(&ca_pem, ca_key).expect("a CA");
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    window(&mut params);
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    let uri = id(topology, datacenter, node).to_string().try_into().expect("ASCII");
    params.subject_alt_names = vec![SanType::URI(uri)];
    let leaf = params.signed_by(&key, &issuer).expect("a certificate");
    let folder = world.node_folder(node);
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("node.crt"), format!("{}{ca_pem}", leaf.pem())).expect("written");
    std::fs::copy(world.path().join("ca/root.key"), folder.join("node.key")).expect("a file of mode 0600");
    std::fs::write(folder.join("node.key"), key.serialize_pem()).expect("written");
    std::fs::copy(world.path().join("ca/root.crt"), folder.join("ca.crt")).expect("copied");
}
