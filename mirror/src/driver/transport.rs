//! How quinn is set up: one UDP socket of a node, for the links it dials and those it is dialled for.
//!
//! Measured on loopback and on emulated lines: segmentation offload is worth a factor of 2.5, windows below the line's
//! bandwidth-delay product cap it, 1 MiB streams never reach quinn's limit of reassembly gaps.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use quinn::{
    ClientConfig, Endpoint, IdleTimeout, MtuDiscoveryConfig, ServerConfig, TransportConfig, VarInt,
    congestion::{ControllerFactory, CubicConfig},
    crypto,
};
use socket2::{Domain, Protocol, Socket, Type};

use super::{
    limits,
    reset_key::ResetKey,
    route,
    settings::{Congestion, TransportSettings},
};
use crate::congestion::LinkControllerFactory;

/// Why the node has no endpoint.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("cannot listen on {address}: {error}")]
    Bind { address: SocketAddr, error: io::Error },
    #[error("setting {name} = {value} is out of range")]
    Setting { name: &'static str, value: u64 },
}

/// The transport of a connection, at either end. `peer`: who is at the other, if that is known; only then are packets tried that
/// not every path takes.
pub fn transport_config(
    settings: &TransportSettings,
    peer: Option<SocketAddr>,
) -> Result<TransportConfig, EndpointError> {
    let window = settings.credit_bytes.saturating_add(limits::CONTROL_WINDOW_BYTES);
    let mut mtu = MtuDiscoveryConfig::default();
    if !(1_200..=limits::MTU_MAX).contains(&settings.mtu_max) {
        return Err(EndpointError::Setting { name: "mtu_max", value: settings.mtu_max.into() });
    }
    mtu.upper_bound(settings.mtu_max.min(peer.map_or(limits::MTU_EVERYWHERE, largest_payload)));
    let idle = IdleTimeout::try_from(Duration::from_millis(settings.idle_timeout_ms))
        .map_err(|_| EndpointError::Setting { name: "idle_timeout_ms", value: settings.idle_timeout_ms })?;
    let mut config = TransportConfig::default();
    config
        .stream_receive_window(limits::STREAM_WINDOW_BYTES.into())
        .receive_window(var_int("credit_bytes", window)?)
        .send_window(window)
        .max_concurrent_uni_streams(limits::BLOCK_STREAMS_MAX.into())
        .max_concurrent_bidi_streams(limits::CONTROL_STREAMS_MAX.into())
        .mtu_discovery_config(Some(mtu))
        .max_idle_timeout(Some(idle))
        .keep_alive_interval(Some(Duration::from_millis(settings.keep_alive_ms)))
        .datagram_receive_buffer_size(None)
        .enable_segmentation_offload(true)
        .congestion_controller_factory(controller(settings));
    Ok(config)
}

/// An endpoint that dials, and accepts if there is a server configuration.
///
/// Needs a tokio runtime, whose thread then does the work of all its connections.
pub fn endpoint(
    address: SocketAddr,
    server: Option<ServerConfig>,
    settings: &TransportSettings,
    reset_key: &ResetKey,
) -> Result<Endpoint, EndpointError> {
    let mut config = reset_key.endpoint_config();
    config
        .max_udp_payload_size(settings.mtu_max.max(limits::MTU_EVERYWHERE))
        .map_err(|_| EndpointError::Setting { name: "mtu_max", value: settings.mtu_max.into() })?;
    let bind = || {
        let socket = socket(address, settings.socket_buffer_bytes)?;
        let runtime = Arc::new(quinn::TokioRuntime);
        Endpoint::new(config, server, socket, runtime)
    };
    bind().map_err(|error| EndpointError::Bind { address, error })
}

/// How to accept those whom `crypto` accepts.
pub fn server_config(
    crypto: Arc<dyn crypto::ServerConfig>,
    settings: &TransportSettings,
) -> Result<ServerConfig, EndpointError> {
    let mut config = ServerConfig::with_crypto(crypto);
    config.transport_config(Arc::new(transport_config(settings, None)?)).migration(false);
    Ok(config)
}

/// How to dial `peer`, if `crypto` accepts it.
pub fn client_config(
    crypto: Arc<dyn crypto::ClientConfig>,
    settings: &TransportSettings,
    peer: SocketAddr,
) -> Result<ClientConfig, EndpointError> {
    let mut config = ClientConfig::new(crypto);
    config.transport_config(Arc::new(transport_config(settings, Some(peer))?));
    Ok(config)
}

/// What the first hop towards `peer` takes, and at least what is tried everywhere: a route's MTU may be known to be less, which
/// discovery finds out as well.
fn largest_payload(peer: SocketAddr) -> u16 {
    let payload = route::mtu(peer).map_or(0, |mtu| mtu.saturating_sub(limits::DATAGRAM_HEADER_BYTES));
    u16::try_from(payload).unwrap_or(u16::MAX).max(limits::MTU_EVERYWHERE)
}

fn controller(settings: &TransportSettings) -> Arc<dyn ControllerFactory + Send + Sync> {
    match settings.congestion {
        Congestion::Link => Arc::new(LinkControllerFactory::new().rate_max(settings.rate_max_bytes_per_sec)),
        Congestion::Cubic => Arc::new(CubicConfig::default()),
    }
}

/// With small buffers the kernel drops what comes while the thread is busy; too small ones are worth a warning, no more.
fn socket(address: SocketAddr, buffer_bytes: usize) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    if let Err(error) =
        socket.set_recv_buffer_size(buffer_bytes).and_then(|()| socket.set_send_buffer_size(buffer_bytes))
    {
        tracing::warn!(%error, buffer_bytes, "socket buffers stay as they are");
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn var_int(name: &'static str, value: u64) -> Result<VarInt, EndpointError> {
    VarInt::from_u64(value).map_err(|_| EndpointError::Setting { name, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_a_transport_and_wild_settings_do_not() {
        transport_config(&TransportSettings::default(), None).expect("the defaults are in range");
        let jumbo = TransportSettings { mtu_max: 9_000, ..Default::default() };
        assert!(matches!(
            transport_config(&jumbo, None),
            Err(EndpointError::Setting { name: "mtu_max", .. })
        ));
        let endless = TransportSettings { credit_bytes: u64::MAX, ..Default::default() };
        assert!(matches!(
            transport_config(&endless, None),
            Err(EndpointError::Setting { name: "credit_bytes", .. })
        ));
    }
    #[test]
    fn larger_packets_are_tried_where_the_first_hop_takes_them() {
        let loopback: SocketAddr = "127.0.0.1:7443".parse().unwrap();
        assert!(largest_payload(loopback) >= limits::MTU_MAX);
        let nowhere: SocketAddr = "[ff0e::1]:0".parse().unwrap();
        assert!(largest_payload(nowhere) >= limits::MTU_EVERYWHERE);
    }
}
