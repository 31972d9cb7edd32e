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

/// The transport of every connection, at either end.
pub fn transport_config(settings: &TransportSettings) -> Result<TransportConfig, EndpointError> {
    let window = settings.credit_bytes.saturating_add(limits::CONTROL_WINDOW_BYTES);
    let mut mtu = MtuDiscoveryConfig::default();
    if !(1_200..=limits::MTU_MAX_MAX).contains(&settings.mtu_max) {
        return Err(EndpointError::Setting { name: "mtu_max", value: settings.mtu_max.into() });
    }
    mtu.upper_bound(settings.mtu_max);
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
    server: Option<Arc<dyn crypto::ServerConfig>>,
    settings: &TransportSettings,
    reset_key: &ResetKey,
) -> Result<Endpoint, EndpointError> {
    let transport = Arc::new(transport_config(settings)?);
    let server = server.map(|crypto| {
        let mut config = ServerConfig::with_crypto(crypto);
        config.transport_config(transport).migration(false);
        config
    });
    let bind = || {
        let socket = socket(address, settings.socket_buffer_bytes)?;
        let runtime = Arc::new(quinn::TokioRuntime);
        Endpoint::new(reset_key.endpoint_config(), server, socket, runtime)
    };
    bind().map_err(|error| EndpointError::Bind { address, error })
}

/// How to dial a peer that `crypto` accepts.
pub fn client_config(
    crypto: Arc<dyn crypto::ClientConfig>,
    settings: &TransportSettings,
) -> Result<ClientConfig, EndpointError> {
    let mut config = ClientConfig::new(crypto);
    config.transport_config(Arc::new(transport_config(settings)?));
    Ok(config)
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
        transport_config(&TransportSettings::default()).expect("the defaults are in range");
        let jumbo = TransportSettings { mtu_max: 9_000, ..Default::default() };
        assert!(matches!(transport_config(&jumbo), Err(EndpointError::Setting { name: "mtu_max", .. })));
        let endless = TransportSettings { credit_bytes: u64::MAX, ..Default::default() };
        assert!(matches!(
            transport_config(&endless),
            Err(EndpointError::Setting { name: "credit_bytes", .. })
        ));
    }
}
