//! The WAN emulator as ordinary tools see it: ping and iperf3, in namespaces that it made.
//!
//! Needs root, /dev/net/tun, iproute2, ping and iperf3. Where something is missing the tests fail and say what to
//! install, but without root they are skipped, unless `CI` is set.

mod wan {
    mod befall;
    mod delay;
    mod lifecycle;
    mod loss;
    mod machine;
    mod rate;
    mod tools;
}
