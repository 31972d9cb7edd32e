//! Who gets in and who does not, decided by whole TLS handshakes in memory.

use std::sync::Arc;
use std::time::SystemTime;

use certs::{NodeIdentity, Refusal};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, SanType,
};
use rustls::{
    AlertDescription, CipherSuite, ClientConfig, ClientConnection, Connection, Error, ServerConfig,
    ServerConnection,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::world::{DAY, End, World, id, noon};

/// Both ends of a finished handshake, or what the refusing side and the refused side saw.
struct Outcome {
    client: Result<(), Error>,
    server: Result<(), Error>,
    pair: (Connection, Connection),
}

fn shake(client: Arc<ClientConfig>, server: &End, name: &'static str) -> Outcome {
    shake_with(client, server.tls.server_config(server.allowed.clone()).expect("a configuration"), name)
}

fn shake_with(client: Arc<ClientConfig>, server: Arc<ServerConfig>, name: &'static str) -> Outcome {
    let name = name.try_into().expect("a name");
    let mut client = Connection::from(ClientConnection::new(client, name).expect("a client"));
    let mut server = Connection::from(ServerConnection::new(server).expect("a server"));
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

/// Our own root and the right datacenter's CA, for a node of another topology: listed or not, it is refused.
#[test]
fn another_topology_under_our_own_root_is_refused() {
    let forgery =
        Forgery { signer: "eu-west", identities: &["spiffe://lab/dc/eu-west/node/west-1"], ..FORGERY };
    let (server, alert) = refused_forgery(&forgery);
    let identity = id("lab", "eu-west", "west-1");
    assert_eq!(server, Refusal::OtherTopology { identity, expected: "shop".to_owned() });
    assert_eq!(alert, AlertDescription::AccessDenied);
}

/// A datacenter's CA that signs a certificate for a node of another one.
#[test]
fn a_datacenter_cannot_speak_for_another_one() {
    let (server, alert) = refused_forgery(&FORGERY);
    assert_eq!(server, Refusal::OtherIssuer { identity: west(), issuer: "us-east".to_owned() });
    assert_eq!(alert, AlertDescription::AccessDenied);
}

/// A node that the root signed itself has no datacenter that answers for it.
#[test]
fn a_node_without_a_datacenter_is_refused() {
    let (server, _) = refused_forgery(&Forgery { signer: "root", ..FORGERY });
    assert_eq!(server, Refusal::OtherIssuer { identity: west(), issuer: "nobody".to_owned() });
}

#[test]
fn exactly_one_identity_is_needed() {
    const SOLE: &str = "spiffe://shop/dc/eu-west/node/west-1";
    let cases: [(&[&str], &str); 4] = [
        (&[], "none"),
        (&["spiffe://shop"], "spiffe://shop"),
        (
            &[SOLE, "spiffe://shop/dc/us-east/node/east-1"],
            "spiffe://shop/dc/eu-west/node/west-1, spiffe://shop/dc/us-east/node/east-1",
        ),
        (&[SOLE, SOLE], "spiffe://shop/dc/eu-west/node/west-1, spiffe://shop/dc/eu-west/node/west-1"),
    ];
    for (identities, shown) in cases {
        let (server, alert) = refused_forgery(&Forgery { signer: "eu-west", identities, ..FORGERY });
        assert_eq!(server, Refusal::NoIdentity(shown.to_owned()));
        assert_eq!(alert, AlertDescription::CertificateUnknown);
    }
}

#[test]
fn a_certificate_for_another_purpose_is_refused() {
    let (server, alert) = refused_forgery(&Forgery {
        signer: "eu-west",
        purposes: &[ExtendedKeyUsagePurpose::ServerAuth],
        ..FORGERY
    });
    assert!(matches!(server, Refusal::OtherPurpose(_)), "{server}");
    assert_eq!(alert, AlertDescription::UnsupportedCertificate);
}

#[test]
fn a_node_cannot_sign_for_others() {
    let world = shop();
    let _ = world.node("eu-west", "mallory");
    for kind in ["crt", "key"] {
        let from = world.node_folder("mallory").join(format!("node.{kind}"));
        std::fs::copy(from, world.path().join(format!("ca/mallory.{kind}"))).unwrap();
    }
    // Mallory passes the whole chain along: its own certificate, and its datacenter's.
    forge(&world, &Forgery { signer: "mallory", ..FORGERY });
    let chain = world.node_folder("forged");
    let client = certs::NodeCredentials::load(&chain, &west()).unwrap();
    let client = End::new(&client, &[east()], noon());
    let server = End::new(&world.node("us-east", "east-1"), &[west()], noon());
    assert!(connect(&client, &server).server.is_err());
    assert!(matches!(server.refused().as_slice(), [Refusal::OtherPurpose(_)]), "{:?}", server.refused());
}

#[test]
fn the_page_explains_every_reason() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/certs.md")).unwrap();
    let none = String::new;
    let reasons = [
        Refusal::OtherAuthority,
        Refusal::Expired(none()),
        Refusal::NotYetValid(none()),
        Refusal::OtherPurpose(none()),
        Refusal::Malformed(none()),
        Refusal::NoIdentity(none()),
        Refusal::OtherTopology { identity: east(), expected: none() },
        Refusal::OtherIssuer { identity: east(), issuer: none() },
        Refusal::NotListed(east()),
    ];
    let explained: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(kind, _)| kind)
        .collect();
    assert!(reasons.iter().all(|reason| explained.contains(&reason.kind())), "{explained:?}");
    assert_eq!(explained.len(), reasons.len());
}

#[test]
fn damaged_certificates_are_refused_without_a_panic() {
    let world = shop();
    let _ = world.node("eu-west", "west-1");
    let pem = std::fs::read(world.node_folder("west-1").join("node.crt")).unwrap();
    let good = CertificateDer::from_pem_slice(&pem).unwrap().to_vec();
    assert_eq!(certs::peer_identity(&[good.clone().into()]), Ok(west()));
    for at in 0..good.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[at] ^= change;
            let _ = certs::peer_identity(&[bad.into()]);
        }
        assert!(certs::peer_identity(&[good[..at].to_vec().into()]).is_err());
    }
    assert!(certs::peer_identity(&[]).is_err());
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

/// Each side alone is enough: a peer that would resume meets one that will not.
#[test]
fn either_side_alone_prevents_resumption() {
    let (client, server) = pair(&shop(), noon());
    let willing_client = {
        let mut config = (*client.tls.client_config(client.allowed.clone()).unwrap()).clone();
        config.resumption = rustls::client::Resumption::in_memory_sessions(16);
        Arc::new(config)
    };
    let willing_server = {
        let mut config = (*server.tls.server_config(server.allowed.clone()).unwrap()).clone();
        config.session_storage = rustls::server::ServerSessionMemoryCache::new(16);
        config.send_tls13_tickets = 2;
        Arc::new(config)
    };
    let ours = client.tls.client_config(client.allowed.clone()).unwrap();
    let our_server = server.tls.server_config(server.allowed.clone()).unwrap();
    let second = |client: &Arc<ClientConfig>, server: &Arc<ServerConfig>| {
        let _ = shake_with(client.clone(), server.clone(), certs::SERVER_NAME);
        shake_with(client.clone(), server.clone(), certs::SERVER_NAME).pair.0.handshake_kind()
    };
    assert_eq!(second(&willing_client, &our_server), Some(rustls::HandshakeKind::Full));
    assert_eq!(second(&ours, &willing_server), Some(rustls::HandshakeKind::Full));
    // And the test can tell: two willing sides do resume.
    assert_eq!(second(&willing_client, &willing_server), Some(rustls::HandshakeKind::Resumed));
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

/// A certificate that `issue` would not make.
struct Forgery {
    /// The files `ca/SIGNER.crt` and `.key`; a CA of that name is made below the root if there is none.
    signer: &'static str,
    identities: &'static [&'static str],
    purposes: &'static [ExtendedKeyUsagePurpose],
}

/// The CA of us-east speaks for a node of eu-west.
const FORGERY: Forgery = Forgery {
    signer: "us-east",
    identities: &["spiffe://shop/dc/eu-west/node/west-1"],
    purposes: &[ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth],
};

/// What east says to a client with a forged certificate, and the alert that the client gets.
fn refused_forgery(forgery: &Forgery) -> (Refusal, AlertDescription) {
    let world = shop();
    forge(&world, forgery);
    // The client is made without the checks of `NodeCredentials`: whoever forges does not run our code.
    let folder = world.node_folder("forged");
    let read = |name: &str| std::fs::read(folder.join(name)).expect("a file");
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&read("node.crt")).collect::<Result<_, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_slice(&read("node.key")).expect("a key");
    let honest = End::new(&world.node("eu-west", "west-1"), &[east()], noon());
    let mut config = (*honest.tls.client_config(honest.allowed.clone()).expect("a configuration")).clone();
    let key = config.crypto_provider().key_provider.load_private_key(key).expect("a key");
    let key = rustls::sign::CertifiedKey::new(chain, key);
    config.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(key));
    let server = End::new(&world.node("us-east", "east-1"), &[west()], noon());
    let outcome = shake(Arc::new(config), &server, certs::SERVER_NAME);
    assert!(outcome.server.is_err());
    let alert = match outcome.client {
        Err(Error::AlertReceived(alert)) => Some(alert),
        _ => None,
    };
    let alert = alert.expect("the client is told");
    let [refusal] = server.refused().try_into().expect("one refusal");
    (refusal, alert)
}

/// Writes a forged certificate to `nodes/forged`.
fn forge(world: &World, forgery: &Forgery) {
    let ca = |name: &str| world.path().join("ca").join(name);
    let text = |name: &str| std::fs::read_to_string(ca(name)).expect("a CA file");
    let window = |params: &mut CertificateParams| {
        params.not_before = (noon() - DAY).into();
        params.not_after = (noon() + DAY).into();
    };
    let signer = forgery.signer;
    if !ca(&format!("{signer}.crt")).exists() {
        let root_key = KeyPair::from_pem(&text("root.key")).expect("a key");
        let root = Issuer::from_ca_cert_pem(&text("root.crt"), root_key).expect("the root");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        window(&mut params);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationalUnitName, signer);
        let certificate = params.signed_by(&key, &root).expect("a CA");
        std::fs::write(ca(&format!("{signer}.crt")), certificate.pem()).expect("written");
        std::fs::write(ca(&format!("{signer}.key")), key.serialize_pem()).expect("written");
    }
    let signer_pem = text(&format!("{signer}.crt"));
    let signer_key = KeyPair::from_pem(&text(&format!("{signer}.key"))).expect("a key");
    let issuer = Issuer::from_ca_cert_pem(&signer_pem, signer_key).expect("a CA");
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    window(&mut params);
    params.extended_key_usages = forgery.purposes.to_vec();
    params.subject_alt_names =
        forgery.identities.iter().map(|uri| SanType::URI((*uri).try_into().expect("ASCII"))).collect();
    let leaf = params.signed_by(&key, &issuer).expect("a certificate");
    let folder = world.node_folder("forged");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::copy(ca("root.key"), folder.join("node.key")).expect("a file of mode 0600");
    std::fs::write(folder.join("node.key"), key.serialize_pem()).expect("written");
    std::fs::write(folder.join("node.crt"), format!("{}{signer_pem}", leaf.pem())).expect("written");
    std::fs::copy(ca("root.crt"), folder.join("ca.crt")).expect("copied");
}
