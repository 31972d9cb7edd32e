//! Losses, over a hundred thousand packets, and blackholes.

use integration::{
    DEADLINE, eventually,
    wan::{Change, Counters, Impairments, Layout},
};

use super::{
    machine::{east_west, turn},
    tools::{counters, iperf, iperf_client, iperf_server, kernel_counters, ping},
};

const PACKETS: u64 = 100_000;
/// Packets of the test's own connection, and those at its end that the receiver cannot miss.
const BESIDE: u64 = 100;

/// Sends them, checks that iperf3 and the kernel saw what the emulator did, and gives what it did.
fn pass(layout: &Layout) -> Counters {
    let packets = PACKETS.to_string();
    let end = iperf(layout, "east", "west", &["-u", "-l", "100", "-b", "28M", "-k", &packets]);
    let seen = counters(layout, "east", "west");
    // What the kernel itself dropped, for the receiver was not scheduled in time.
    let unread = kernel_counters(layout, "west")["Udp.RcvbufErrors"];
    let missing = end["sum_received"]["lost_packets"].as_u64().expect("iperf3 counts");
    let sent_but_not_received = PACKETS + BESIDE - seen.received.min(PACKETS + BESIDE);
    let off = missing.abs_diff(seen.lost + unread);
    assert!(off <= BESIDE + sent_but_not_received, "iperf3 misses {missing}, {unread} unread: {seen:?}");
    assert!(seen.received >= PACKETS * 99 / 100, "the sender's own queue lost more than it may: {seen:?}");
    seen
}

/// Of a hundred thousand packets of which 1 % are lost the number has a standard deviation of 3 %, and the seed decides it.
#[test]
fn one_percent_of_independent_losses_is_right_to_a_tenth() {
    let Some(_turn) = turn() else { return };
    let seen = pass(&east_west("loss", &Impairments { loss: 0.01, ..Impairments::default() }));
    let share = seen.lost as f64 / seen.received as f64;
    assert!((0.009..0.011).contains(&share), "{share}: {seen:?}");
}

/// In bursts of 4 it is 8 %.
#[test]
fn losses_in_bursts_are_right_to_a_tenth() {
    let Some(_turn) = turn() else { return };
    let bursts = Impairments { loss: 0.05, loss_burst: 4.0, ..Impairments::default() };
    let seen = pass(&east_west("burst", &bursts));
    let share = seen.lost as f64 / seen.received as f64;
    assert!((0.045..0.055).contains(&share), "{share}: {seen:?}");
}

/// Super-packets lose single segments, and TCP makes up for them.
#[test]
fn tcp_goes_on_over_a_lossy_link_that_cuts_its_super_packets() {
    let Some(_turn) = turn() else { return };
    let layout = east_west("tcploss", &Impairments { loss: 0.01, ..Impairments::default() });
    let end = iperf(&layout, "east", "west", &["-n", "100M", "-C", "cubic"]);
    let seen = counters(&layout, "east", "west");
    let share = seen.lost as f64 / seen.received as f64;
    assert!((0.009..0.011).contains(&share), "{share}: {seen:?}");
    let retransmits = end["sum_sent"]["retransmits"].as_u64().expect("iperf3 counts");
    assert!(retransmits >= seen.lost * 9 / 10, "{retransmits} were sent again: {seen:?}");
    assert_eq!(kernel_counters(&layout, "west")["Tcp.InCsumErrors"], 0, "what is cut has right checksums");
}

#[test]
fn a_blackhole_swallows_everything_and_heals() {
    let Some(_turn) = turn() else { return };
    let layout = east_west("hole", &Impairments { delay_ms: 1.0, ..Impairments::default() });
    let hole = |blackhole| Change { blackhole: Some(blackhole), ..Change::default() };
    let two = ["-c", "2", "-i", "0.01", "-W", "0.3"];
    assert_eq!(ping(&layout, "east", "west", &two).received, 2);
    layout.set("west", "east", &hole(true)).unwrap();
    assert_eq!(ping(&layout, "east", "west", &two).received, 0);
    assert_eq!(counters(&layout, "west", "east").blackholed, 2, "the requests came, the answers did not");
    layout.set("west", "east", &hole(false)).unwrap();
    assert_eq!(ping(&layout, "east", "west", &two).received, 2);
}

#[test]
fn a_transfer_survives_a_blackhole_in_its_midst() {
    let Some(_turn) = turn() else { return };
    let line = Impairments { delay_ms: 2.0, rate_mbit: 100.0, ..Impairments::default() };
    let layout = east_west("cut", &line);
    let mut server = iperf_server(&layout, "west");
    let mut client = iperf_client(&layout, "east", "west", &["-n", "10M"]);
    let mut client = client.stdout(std::process::Stdio::null()).spawn().expect("iperf3 starts");
    let half = || (counters(&layout, "east", "west").delivered_bytes > 5_000_000).then_some(());
    eventually("half of the bytes", half);
    let hole = |blackhole| Change { blackhole: Some(blackhole), ..Change::default() };
    layout.set_both("east", "west", &hole(true)).unwrap();
    eventually("packets in the hole", || (counters(&layout, "east", "west").blackholed > 0).then_some(()));
    layout.set_both("east", "west", &hole(false)).unwrap();
    let status = eventually("the end of the transfer", || client.try_wait().expect("iperf3 is ours"));
    assert!(status.success(), "within {DEADLINE:?}");
    server.wait().expect("iperf3 ends");
}
