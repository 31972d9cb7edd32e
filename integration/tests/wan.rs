//! The WAN emulator as ordinary tools see it: ping and iperf3, in namespaces that it made.
//!
//! Needs root, /dev/net/tun, iproute2, ping and iperf3. Where one of them is missing the tests are skipped and say so; if `CI`
//! is set they fail.

mod wan {
    mod befall;
    mod delay;
    mod lifecycle;
    mod loss;
    mod machine;
    mod mirrored;
    mod rate;
    mod tools;
}
