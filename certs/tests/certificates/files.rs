//! What `init`, `issue` and `show` leave on disk and say.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use certs::{
    CertsError, Existing, HostName, InitRequest, NodeCredentials, Role, Validity, inspect, inventory,
};

use crate::world::{DAY, World, id, noon};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o7777
}

fn init<'a>(world: &'a World, datacenters: &'a [&'a str]) -> InitRequest<'a> {
    InitRequest {
        directory: world.path(),
        topology: world.topology,
        datacenters,
        now: noon(),
        existing: Existing::Keep,
    }
}

#[test]
fn keys_are_for_their_owner_only() {
    let world = World::new("shop", &["us-east"]);
    let _ = world.node("us-east", "east-1");
    for key in ["ca/root.key", "ca/us-east.key", "nodes/east-1/node.key"] {
        assert_eq!(mode(&world.path().join(key)), 0o600, "{key}");
    }
    for folder in ["ca", "nodes", "nodes/east-1"] {
        assert_eq!(mode(&world.path().join(folder)), 0o700, "{folder}");
    }
}

#[test]
fn the_hierarchy_is_constrained() {
    let world = World::new("shop", &["us-east"]);
    let hosts = ["10.1.0.11", "east-1.example", "fd00::1"].map(|host| host.parse::<HostName>().unwrap());
    let _ =
        certs::issue(&certs::IssueRequest { hosts: &hosts, ..world.request("us-east", "east-1") }).unwrap();
    let chain = inspect(&world.node_folder("east-1").join("node.crt"), noon()).unwrap();
    let [leaf, ca] = chain.as_slice() else { panic!("{chain:?}") };
    assert_eq!((leaf.role, ca.role), (Role::Node, Role::Authority));
    assert_eq!(leaf.identities, ["spiffe://shop/dc/us-east/node/east-1"]);
    assert_eq!(leaf.hosts, ["10.1.0.11", "east-1.example", "fd00::1"]);
    assert_eq!(ca.identities, ["spiffe://shop"]);
    assert_eq!(leaf.issuer, ca.subject);
    assert_eq!((leaf.days_left, leaf.validity), (30, Validity::Valid));

    let raw = |path: &str| fs::read(world.path().join(path)).unwrap();
    let check = |path: &str, path_length: Option<u32>, server_and_client: bool| {
        let (_, pem) = x509_parser::pem::parse_x509_pem(&raw(path)).unwrap();
        let certificate = pem.parse_x509().unwrap();
        let constraints = certificate.basic_constraints().unwrap().unwrap().value;
        assert_eq!(constraints.path_len_constraint, path_length, "{path}");
        let usage = certificate
            .extended_key_usage()
            .unwrap()
            .map(|usage| (usage.value.server_auth, usage.value.client_auth));
        assert_eq!(usage == Some((true, true)), server_and_client, "{path}");
        let key_usage = certificate.key_usage().unwrap().unwrap().value;
        assert_eq!(key_usage.key_cert_sign(), certificate.is_ca(), "{path}");
        assert_eq!(key_usage.digital_signature(), !certificate.is_ca(), "{path}");
    };
    check("ca/root.crt", Some(1), false);
    check("ca/us-east.crt", Some(0), false);
    check("nodes/east-1/node.crt", None, true);
}

#[test]
fn init_adds_what_is_missing_and_overwrites_nothing() {
    let world = World::new("shop", &["us-east"]);
    let before = fs::read(world.path().join("ca/root.crt")).unwrap();
    let created = certs::init(&init(&world, &["us-east", "eu-west"])).unwrap();
    assert_eq!(created.kept.len(), 2);
    assert_eq!(created.written, [world.path().join("ca/eu-west.crt"), world.path().join("ca/eu-west.key")]);
    assert_eq!(fs::read(world.path().join("ca/root.crt")).unwrap(), before);
    let again = certs::init(&init(&world, &["us-east", "eu-west"])).unwrap();
    assert!(again.written.is_empty());
    let replaced =
        certs::init(&InitRequest { existing: Existing::Replace, ..init(&world, &["us-east"]) }).unwrap();
    assert_eq!(replaced.written.len(), 4);
    assert_ne!(fs::read(world.path().join("ca/root.crt")).unwrap(), before);
}

#[test]
fn the_root_key_is_needed_only_for_new_datacenters() {
    let world = World::new("shop", &["us-east"]);
    fs::remove_file(world.path().join("ca/root.key")).unwrap();
    let _ = world.node("us-east", "east-1");
    let _ = certs::init(&init(&world, &["us-east"])).unwrap();
    let error = certs::init(&init(&world, &["eu-west"])).unwrap_err();
    assert!(error.to_string().contains("offline"), "{error}");
}

#[test]
fn a_directory_of_another_topology_is_refused() {
    let world = World::new("shop", &["us-east"]);
    let error = certs::init(&InitRequest { topology: "lab", ..init(&world, &["us-east"]) }).unwrap_err();
    assert!(matches!(error, CertsError::OtherTopology { .. }), "{error}");
    let error = certs::issue(&certs::IssueRequest { topology: "lab", ..world.request("us-east", "east-1") })
        .unwrap_err();
    assert!(matches!(error, CertsError::OtherTopology { .. }), "{error}");
    let error = certs::issue(&world.request("eu-west", "west-1")).unwrap_err();
    assert!(matches!(error, CertsError::NoAuthority { .. }), "{error}");
    fs::rename(world.path().join("ca/us-east.crt"), world.path().join("ca/eu-west.crt")).unwrap();
    fs::rename(world.path().join("ca/us-east.key"), world.path().join("ca/eu-west.key")).unwrap();
    let error = certs::issue(&world.request("eu-west", "west-1")).unwrap_err();
    assert!(matches!(error, CertsError::OtherDatacenter { .. }), "{error}");
}

#[test]
fn names_that_are_no_labels_make_no_paths() {
    let world = World::new("shop", &["us-east"]);
    for bad in ["", "..", "../x", "a/b", "A", "root/../x"] {
        assert!(certs::issue(&world.request("us-east", bad)).is_err(), "{bad}");
        assert!(certs::issue(&world.request(bad, "east-1")).is_err(), "{bad}");
        assert!(certs::init(&init(&world, &[bad])).is_err(), "{bad}");
    }
    assert!(matches!(certs::init(&init(&world, &["root"])), Err(CertsError::RootName)));
}

#[test]
fn issue_overwrites_only_when_told() {
    let world = World::new("shop", &["us-east"]);
    let keep = certs::IssueRequest { existing: Existing::Keep, ..world.request("us-east", "east-1") };
    let _ = certs::issue(&keep).unwrap();
    let before = fs::read(world.node_folder("east-1").join("node.key")).unwrap();
    assert!(matches!(certs::issue(&keep), Err(CertsError::Exists { .. })));
    assert_eq!(fs::read(world.node_folder("east-1").join("node.key")).unwrap(), before);
    let _ = world.node("us-east", "east-1");
    assert_ne!(fs::read(world.node_folder("east-1").join("node.key")).unwrap(), before);
}

#[test]
fn lifetimes_are_bounded() {
    let world = World::new("shop", &["us-east"]);
    for lifetime in [Duration::ZERO, Duration::from_secs(59), DAY * 398, Duration::MAX] {
        let error = certs::issue(&certs::IssueRequest { lifetime, ..world.request("us-east", "east-1") })
            .unwrap_err();
        assert!(matches!(error, CertsError::Lifetime { .. }), "{error}");
    }
    let now = noon() + certs::limits::DATACENTER_LIFETIME - DAY;
    let error = certs::issue(&certs::IssueRequest { now, ..world.request("us-east", "east-1") }).unwrap_err();
    assert!(matches!(error, CertsError::OutlivesAuthority { .. }), "{error}");
    let now = std::time::SystemTime::UNIX_EPOCH;
    let _ = certs::issue(&certs::IssueRequest { now, ..world.request("us-east", "east-1") }).unwrap_err();
}

#[test]
fn credentials_load_only_if_everything_fits() {
    let world = World::new("shop", &["us-east", "eu-west"]);
    let credentials = world.node("us-east", "east-1");
    assert_eq!(credentials.not_after(), noon() + certs::limits::NODE_LIFETIME);
    let (folder, expected) = (world.node_folder("east-1"), id("shop", "us-east", "east-1"));
    let load = || NodeCredentials::load(&folder, &expected).map(drop);

    let error = NodeCredentials::load(&folder, &id("shop", "us-east", "east-2")).unwrap_err();
    assert!(matches!(error, CertsError::OtherNode { .. }), "{error}");

    fs::set_permissions(folder.join("node.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let error = load().unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");

    let _ = world.node("us-east", "east-2");
    fs::copy(world.node_folder("east-2").join("node.key"), folder.join("node.key")).unwrap();
    assert!(matches!(load(), Err(CertsError::KeyReadable { .. } | CertsError::KeyMismatch { .. })));
    fs::set_permissions(folder.join("node.key"), fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(load(), Err(CertsError::KeyMismatch { .. })));

    for garbage in [
        "",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        fs::write(folder.join("node.crt"), garbage).unwrap();
        assert!(matches!(load(), Err(CertsError::Unreadable { .. })), "{garbage}");
    }
    fs::remove_file(folder.join("node.crt")).unwrap();
    let error = load().unwrap_err();
    assert!(error.to_string().contains("isthmus certs issue"), "{error}");
}

#[test]
fn the_inventory_says_what_needs_attention() {
    let world = World::new("shop", &["us-east"]);
    let _ = world.node("us-east", "east-1");
    let fresh = inventory(world.path(), noon()).unwrap();
    assert!(!fresh.needs_attention());
    let text = fresh.to_string();
    for line in [
        "ca/root.crt",
        "ca/us-east.crt",
        "nodes/east-1/node.crt",
        "  identity   spiffe://shop/dc/us-east/node/east-1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nin\n{text}");
    }
    assert!(text.contains(": 30 days left"), "{text}");

    let soon = inventory(world.path(), noon() + DAY * 21).unwrap();
    assert!(soon.needs_attention() && soon.to_string().contains("EXPIRES SOON, 9 days left"), "{soon}");
    let late = inventory(world.path(), noon() + DAY * 31).unwrap();
    let json = late.to_json();
    assert_eq!(json["needs_attention"], true);
    assert_eq!(json["files"][2]["chain"][0]["validity"], "expired");
    assert_eq!(json["files"][2]["chain"][0]["days_left"], -1);
    assert_eq!(json["files"][2]["chain"][0]["not_after"], "2024-11-03T12:00:00Z");
    let early = inventory(world.path(), noon() - DAY).unwrap();
    assert!(early.to_string().contains("NOT YET VALID"));

    fs::write(world.path().join("ca/us-east.crt"), "nonsense").unwrap();
    assert!(inventory(world.path(), noon()).unwrap().to_string().contains("is not a certificate"));
    let empty = tempfile::tempdir().unwrap();
    assert!(inventory(empty.path(), noon()).unwrap_err().to_string().contains("isthmus certs init"));
}

#[test]
fn hosts_are_addresses_or_names() {
    assert_eq!("10.1.0.11".parse::<HostName>().unwrap(), HostName::Ip([10, 1, 0, 11].into()));
    assert_eq!("East.Example".parse::<HostName>().unwrap(), HostName::Dns("east.example".to_owned()));
    for bad in ["", "a b", "a:1", "*", "-a"] {
        assert!(bad.parse::<HostName>().is_err(), "{bad}");
    }
}
