//! What a node must run, what a new file would change, and what is shown of both.

use topology::{ChangeKind, Flow, Side, Topology, UnitRole, diff, digest, load, plan};

const DESIGN: &str = include_str!("golden/design.yaml");
const BOTH_WAYS: &str = include_str!("golden/both-ways.yaml");

fn topology(text: &str) -> Topology {
    load("test", text).expect("a valid file").topology
}

#[test]
fn the_target_dials_and_the_source_expects_exactly_it() {
    let topology = topology(DESIGN);
    let east = plan(&topology, "east-1").unwrap();
    let west = plan(&topology, "west-1").unwrap();
    assert_eq!((east.broker_id, west.broker_id), (1001, 2001));
    assert_eq!((east.dial.len(), east.accept.len()), (0, 1));
    assert_eq!((west.dial.len(), west.accept.len()), (1, 0));
    let (sends, receives) = (&east.accept[0], &west.dial[0]);
    assert_eq!((sends.side, receives.side), (Side::Source, Side::Target));
    assert_eq!(sends.name, "us-east:eu-west");
    assert_eq!(sends.name, receives.name);
    let peer = &sends.peers[0];
    assert_eq!((peer.datacenter.as_str(), peer.node.as_str()), ("eu-west", "west-1"));
    assert_eq!(receives.peers[0].endpoint.to_string(), "east-1.example:7443");
    assert_eq!(east.peers_to_accept().len(), 1);
    assert!(east.peers_to_dial().is_empty());
    assert_eq!(sends.rate.unwrap().bits_per_second, 400_000_000);
}

#[test]
fn the_first_rule_that_matches_decides() {
    let east = plan(&topology(DESIGN), "east-1").unwrap();
    let link = &east.accept[0];
    assert_eq!(link.flow("orders.eu"), Some(&Flow::Replica));
    assert!(matches!(link.flow("clicks"), Some(Flow::Merged { into }) if into.as_str() == "all-clicks"));
    assert_eq!(link.flow("views"), None);
    assert_eq!(link.flow("__consumer_offsets"), None);
    assert!(link.carries_group("anything"));
}

#[test]
fn a_unit_has_a_home_and_standbys() {
    let topology = topology(BOTH_WAYS);
    let (east, west) = (plan(&topology, "east-1").unwrap(), plan(&topology, "west-1").unwrap());
    assert_eq!(east.unit_of_topic("orders.eu").unwrap().role, UnitRole::Home);
    assert_eq!(west.unit_of_topic("orders.eu").unwrap().role, UnitRole::Standby);
    assert!(east.unit_of_topic("clicks").is_none());
    assert_eq!(west.unit_of_group("checkout-7").unwrap().name.as_str(), "orders");
    assert_eq!((east.dial.len(), east.accept.len()), (1, 1));
}

#[test]
fn an_unknown_node_is_told_what_there_is() {
    let error = plan(&topology(DESIGN), "eats-1").unwrap_err();
    assert_eq!(error.to_string(), "the topology has no node `eats-1`; did you mean `east-1`?");
}

#[test]
fn a_plan_can_be_read_by_people_and_programs() {
    let west = plan(&topology(DESIGN), "west-1").unwrap();
    let expected = "\
node west-1 of eu-west in shop (broker id 2001)
  serves Kafka clients on 10.2.0.11:9092
  listens for links on west-1.example:7443
  link us-east:eu-west: dials east-1 at east-1.example:7443; receives topics orders.* (replica), clicks (merged into all-clicks); groups *
  is standby of unit orders (declared home us-east)
";
    assert_eq!(topology::node_plan_text(&west), expected);
    let json = topology::node_plan_json(&west);
    assert_eq!(json["broker_id"], 2001);
    assert_eq!(json["dial"][0]["topics"][1]["into"], "all-clicks");
    assert_eq!(json["dial"][0]["peers"][0]["endpoint"], "east-1.example:7443");
    assert_eq!(json["units"][0]["role"], "standby");
}

#[test]
fn a_topology_can_be_read_by_people_and_programs() {
    let topology = topology(DESIGN);
    let text = topology::topology_text(&topology);
    for line in [
        "topology shop",
        "  datacenter us-east (id 1)",
        "    node east-1: kafka on 10.1.0.11:9092, links on east-1.example:7443",
        "  datacenter legacy (Kafka cluster at 10.3.0.5:9092)",
        "  link us-east:eu-west",
        "    topics orders.* (replica)",
        "    topics clicks (merged into all-clicks)",
        "    groups *; codec auto; rate 400 Mbit/s; on a gap: stop",
        "  unit orders: home us-east, standby eu-west",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nin\n{text}");
    }
    let json = topology::topology_json(&topology);
    assert_eq!(json["datacenters"][0]["nodes"][0]["name"], "east-1");
    assert_eq!(json["links"][0]["rate_bits_per_second"], 400_000_000);
    assert_eq!(json["failover"][0]["when_apart"], "quarantine");
}

#[test]
fn the_same_world_has_no_changes_wherever_it_is_written() {
    let moved = format!("# a comment\n\n{DESIGN}");
    assert!(diff(&topology(DESIGN), &topology(&moved)).is_empty());
    assert_eq!(topology::changes_text(&[]), "no changes\n");
}

#[test]
fn every_change_is_named_with_what_to_think_of() {
    let new = DESIGN
        .replace("400 Mbit/s", "1 Gbit/s")
        .replace("10.1.0.11:9092", "10.1.0.12:9092")
        .replace("  legacy:\n    kafka_cluster: { bootstrap: [\"10.3.0.5:9092\"] }       # an Apache Kafka run by others\n", "")
        .replace("links:\n", "links:\n  - { from: eu-west, to: us-east, topics: [{ match: \"orders.*\" }], groups: { match: \"*\" } }\n")
        .replace("home: us-east, standby: [eu-west]", "home: eu-west, standby: [us-east]");
    let changes = diff(&topology(DESIGN), &topology(&new));
    let expected = "\
- datacenter legacy: bootstrap 10.3.0.5:9092
~ node east-1 kafka: 10.1.0.11:9092 -> 10.1.0.12:9092
    note: the node listens there after a restart; its certificate must name the new host
+ link eu-west:us-east: topics orders.* (replica), groups *, codec auto, rate no limit, on_gap stop
~ link us-east:eu-west rate: 400 Mbit/s -> 1 Gbit/s
~ unit orders home: us-east -> eu-west
    note: this moves no home: the file's home counts for the first generation only; use `isthmus failover`
~ unit orders standby: eu-west -> us-east
";
    assert_eq!(topology::changes_text(&changes), expected);
    assert_eq!(changes.iter().filter(|change| change.kind == ChangeKind::Added).count(), 1);
    let json = topology::changes_json(&changes);
    assert_eq!(json["changes"][1]["field"], "kafka");
    assert_eq!(json["changes"][2]["kind"], "added");
}

#[test]
fn a_digest_is_of_what_a_file_says_and_not_of_how_it_says_it() {
    let commented = format!("# a comment\n\n{DESIGN}");
    assert_eq!(digest(&topology(DESIGN)), digest(&topology(&commented)));
    assert_eq!(digest(&topology(DESIGN)).len(), 16);
    let moved = DESIGN.replace("east-1.example:7443", "east-1.example:7444");
    assert_ne!(moved, DESIGN);
    assert_ne!(digest(&topology(DESIGN)), digest(&topology(&moved)));
}
