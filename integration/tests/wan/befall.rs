//! Duplication, corruption, reordering, MTU.

use integration::wan::{Change, Impairments};

use super::{
    machine::{east_west, turn},
    tools::{counters, iperf, kernel_counters, ping},
};

#[test]
fn duplicates_are_seen_as_often_as_they_were_made() {
    let Some(_turn) = turn() else { return };
    let layout = east_west("twice", &Impairments::default());
    layout.set("east", "west", &Change { duplicate: Some(0.2), ..Change::default() }).unwrap();
    let pings = ping(&layout, "east", "west", &["-c", "500", "-i", "0.002"]);
    let seen = counters(&layout, "east", "west");
    assert_eq!(pings.received, 500);
    assert!((70..130).contains(&seen.duplicated), "{seen:?}");
    // A duplicate of the last one's answer may come when ping has gone.
    assert!(seen.duplicated - pings.duplicates <= 1, "{pings:?} {seen:?}");
}

#[test]
fn corrupted_packets_are_found_out_by_their_checksums() {
    let Some(_turn) = turn() else { return };
    let layout = east_west("flipped", &Impairments::default());
    layout.set("east", "west", &Change { corrupt: Some(0.05), ..Change::default() }).unwrap();
    iperf(&layout, "east", "west", &["-u", "-l", "1000", "-b", "40M", "-k", "10000"]);
    let (seen, kernel) = (counters(&layout, "east", "west"), kernel_counters(&layout, "west"));
    assert!((400..600).contains(&seen.corrupted), "{seen:?}");
    // Nearly all of the bits are payload, under the checksum of UDP; the others are the IP header's.
    let (found_out, unread) = (kernel["Udp.InCsumErrors"], kernel["Udp.RcvbufErrors"]);
    let all_but_a_few = found_out + unread > seen.corrupted * 9 / 10;
    assert!(all_but_a_few && found_out <= seen.corrupted, "{found_out}, {unread} unread: {seen:?}");
}

#[test]
fn tcp_over_a_corrupting_link_sends_again_what_was_damaged() {
    let Some(_turn) = turn() else { return };
    let layout = east_west("tcpflip", &Impairments::default());
    layout.set("east", "west", &Change { corrupt: Some(0.001), ..Change::default() }).unwrap();
    iperf(&layout, "east", "west", &["-n", "50M", "-C", "cubic"]);
    let (seen, kernel) = (counters(&layout, "east", "west"), kernel_counters(&layout, "west"));
    assert!(seen.corrupted > 15, "{seen:?}");
    let found_out = kernel["Tcp.InCsumErrors"];
    assert!(found_out > seen.corrupted * 8 / 10 && found_out <= seen.corrupted, "{found_out}: {seen:?}");
}

#[test]
fn reordered_packets_come_out_of_order() {
    let Some(_turn) = turn() else { return };
    let layout = east_west("late", &Impairments { delay_ms: 5.0, ..Impairments::default() });
    let late = Change { reorder: Some(0.01), reorder_ms: Some(3.0), ..Change::default() };
    layout.set("east", "west", &late).unwrap();
    // In reverse: the server, in the east, sends, and the client counts what it receives.
    let end = iperf(&layout, "west", "east", &["-R", "-u", "-l", "200", "-b", "16M", "-k", "10000"]);
    let seen = counters(&layout, "east", "west");
    let out_of_order = end["streams"][0]["udp"]["out_of_order"].as_u64().expect("iperf3 counts");
    assert!((60..140).contains(&seen.reordered), "{seen:?}");
    // Two late ones next to each other count once, and one at the end is late for nothing.
    assert!(out_of_order > 50 && out_of_order <= seen.reordered, "{out_of_order}: {seen:?}");
}

#[test]
fn longer_packets_than_the_path_carries_vanish() {
    let Some(_turn) = turn() else { return };
    let layout = east_west("mtu", &Impairments::default());
    let sized = |bytes| {
        ping(&layout, "east", "west", &["-c", "2", "-i", "0.01", "-W", "0.3", "-M", "do", "-s", bytes])
    };
    assert_eq!(sized("1472").received, 2, "1,500 bytes are what the device takes");
    layout.set("east", "west", &Change { mtu: Some(1_400), ..Change::default() }).unwrap();
    assert_eq!(sized("1373").received, 0);
    assert_eq!(sized("1372").received, 2);
    assert_eq!(counters(&layout, "east", "west").too_long, 2);
}
