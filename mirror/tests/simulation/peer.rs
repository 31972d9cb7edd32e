//! One end of a QUIC connection in virtual time: quinn-proto, driven by hand.

use std::{
    collections::{BTreeMap, VecDeque},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use quinn_proto::{
    ClientConfig, Connection, ConnectionHandle, ConnectionId, ConnectionIdGenerator, DatagramEvent, Dir,
    Endpoint, EndpointConfig, Event, IdleTimeout, ServerConfig, StreamEvent, StreamId, TransportConfig,
    VarInt,
};
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    network::{Host, Network},
    tls::{SERVER_NAME, tls},
};

const CONNECTION_ID_BYTES: usize = 8;
const IDLE: Duration = Duration::from_secs(3);
const STREAMS_MAX: u32 = 256;
const DATAGRAMS_PER_TRANSMIT: usize = 1;

/// What a peer tells its host.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    Connected,
    /// Bytes of the control stream.
    Control(Bytes),
    /// A whole block.
    Block(Bytes),
    /// The other side has all of a block: the transport acknowledged it.
    BlockTaken(StreamId),
    Lost(String),
}

/// A process's end. A crash drops it with all it knows.
pub(crate) struct Peer {
    host: Host,
    endpoint: Endpoint,
    connection: Option<(ConnectionHandle, Connection)>,
    /// The one bidirectional stream, opened by the target.
    control: Option<StreamId>,
    /// Until the stream is there.
    control_bytes: VecDeque<Bytes>,
    /// Not yet taken by the transport, in order.
    to_write: BTreeMap<StreamId, Outgoing>,
    reading: BTreeMap<StreamId, Vec<u8>>,
    happenings: VecDeque<Happening>,
    /// Virtual time zero.
    epoch: Instant,
}

#[derive(Default)]
struct Outgoing {
    chunks: VecDeque<Bytes>,
    finish: bool,
}

/// Connection ids that a seed decides.
struct SeededIds(StdRng);

impl ConnectionIdGenerator for SeededIds {
    fn generate_cid(&mut self) -> ConnectionId {
        ConnectionId::new(&self.0.random::<[u8; CONNECTION_ID_BYTES]>())
    }

    fn cid_len(&self) -> usize {
        CONNECTION_ID_BYTES
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

impl Peer {
    pub(crate) fn new(host: Host, seed: u64, epoch: Instant) -> Self {
        let mut config = EndpointConfig::default();
        config.cid_generator(move || Box::new(SeededIds(StdRng::seed_from_u64(seed))));
        let server = (host == Host::Source).then(|| {
            let mut server = ServerConfig::with_crypto(tls().server.clone());
            server.transport_config(transport());
            Arc::new(server)
        });
        let mut endpoint_seed = [0; 32];
        endpoint_seed[..8].copy_from_slice(&seed.to_le_bytes());
        Self {
            host,
            endpoint: Endpoint::new(Arc::new(config), server, false, Some(endpoint_seed)),
            connection: None,
            control: None,
            control_bytes: VecDeque::new(),
            to_write: BTreeMap::new(),
            reading: BTreeMap::new(),
            happenings: VecDeque::new(),
            epoch,
        }
    }

    /// The target dials.
    pub(crate) fn dial(&mut self, now: Duration) {
        let mut client = ClientConfig::new(tls().client.clone());
        client.transport_config(transport());
        let to = address(Host::Source);
        let dialled = self.endpoint.connect(self.epoch + now, client, to, SERVER_NAME);
        self.begin(dialled.expect("a connection can be begun"));
    }

    pub(crate) fn has_connection(&self) -> bool {
        self.connection.is_some()
    }

    pub(crate) fn next_happening(&mut self) -> Option<Happening> {
        self.happenings.pop_front()
    }

    pub(crate) fn send_control(&mut self, bytes: Bytes) {
        self.control_bytes.push_back(bytes);
        self.write_control();
    }

    /// Opens a stream for a block. `None`: the connection is gone, or has too many streams.
    pub(crate) fn send_block(&mut self, chunks: Vec<Bytes>, priority: i32) -> Option<StreamId> {
        let (_, connection) = self.connection.as_mut()?;
        let stream = connection.streams().open(Dir::Uni)?;
        connection.send_stream(stream).set_priority(priority).expect("the stream was just opened");
        self.to_write.insert(stream, Outgoing { chunks: chunks.into(), finish: true });
        self.write(stream);
        Some(stream)
    }

    pub(crate) fn close(&mut self, now: Duration, reason: &str) {
        if let Some((_, connection)) = &mut self.connection {
            connection.close(
                self.epoch + now,
                VarInt::from_u32(1),
                Bytes::copy_from_slice(reason.as_bytes()),
            );
        }
    }

    pub(crate) fn bytes_in_flight_limit(&self) -> u64 {
        self.connection.as_ref().map_or(0, |(_, connection)| connection.congestion_state().window())
    }

    pub(crate) fn receive(&mut self, now: Duration, datagram: &[u8], network: &mut Network) {
        let from = address(self.host.other());
        let mut answer = Vec::new();
        let instant = self.epoch + now;
        match self.endpoint.handle(instant, from, None, None, BytesMut::from(datagram), &mut answer) {
            Some(DatagramEvent::NewConnection(incoming)) => {
                // A returning target: its old connection is history.
                let accepted = self.endpoint.accept(incoming, instant, &mut answer, None);
                if let Ok(accepted) = accepted {
                    if self.connection.take().is_some() {
                        self.lose("the peer came back");
                    }
                    self.begin(accepted);
                }
            }
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                if let Some((ours, connection)) = &mut self.connection
                    && *ours == handle
                {
                    connection.handle_event(event);
                }
            }
            Some(DatagramEvent::Response(transmit)) => {
                network.send(now, self.host.other(), &answer[..transmit.size]);
            }
            None => {}
        }
    }

    pub(crate) fn timeout(&mut self) -> Option<Duration> {
        let (_, connection) = self.connection.as_mut()?;
        connection.poll_timeout().map(|at| at.saturating_duration_since(self.epoch))
    }

    pub(crate) fn handle_timeout(&mut self, now: Duration) {
        let instant = self.epoch + now;
        if let Some((_, connection)) = &mut self.connection
            && connection.poll_timeout().is_some_and(|at| at <= instant)
        {
            connection.handle_timeout(instant);
        }
    }

    /// Sends what may be sent and takes what came, until nothing more happens at this instant.
    pub(crate) fn drive(&mut self, now: Duration, network: &mut Network) {
        self.events();
        self.transmit(now, network);
        self.endpoint_events();
        self.events();
    }

    fn begin(&mut self, (handle, connection): (ConnectionHandle, Connection)) {
        self.connection = Some((handle, connection));
        self.control = None;
        self.control_bytes.clear();
        self.to_write.clear();
        self.reading.clear();
    }

    fn lose(&mut self, reason: &str) {
        self.control = None;
        self.control_bytes.clear();
        self.to_write.clear();
        self.reading.clear();
        self.happenings.push_back(Happening::Lost(reason.to_owned()));
    }

    fn transmit(&mut self, now: Duration, network: &mut Network) {
        let Some((_, connection)) = &mut self.connection else { return };
        let mut datagram = Vec::new();
        loop {
            datagram.clear();
            let sent = connection.poll_transmit(self.epoch + now, DATAGRAMS_PER_TRANSMIT, &mut datagram);
            let Some(transmit) = sent else { break };
            network.send(now, self.host.other(), &datagram[..transmit.size]);
        }
    }

    fn endpoint_events(&mut self) {
        let Some((handle, connection)) = &mut self.connection else { return };
        while let Some(event) = connection.poll_endpoint_events() {
            if let Some(event) = self.endpoint.handle_event(*handle, event) {
                connection.handle_event(event);
            }
        }
        if connection.is_drained() {
            self.connection = None;
        }
    }

    fn events(&mut self) {
        while let Some(event) = self.connection.as_mut().and_then(|(_, connection)| connection.poll()) {
            match event {
                Event::Connected => self.connected(),
                Event::ConnectionLost { reason } => self.lose(&reason.to_string()),
                Event::Stream(StreamEvent::Opened { dir: Dir::Bi }) => self.accept_control(),
                Event::Stream(StreamEvent::Opened { dir: Dir::Uni }) => self.accept_blocks(),
                Event::Stream(StreamEvent::Readable { id }) => self.read(id),
                Event::Stream(StreamEvent::Writable { id }) => self.write(id),
                Event::Stream(StreamEvent::Finished { id }) => {
                    self.happenings.push_back(Happening::BlockTaken(id));
                }
                _ => {}
            }
        }
    }

    fn connected(&mut self) {
        if self.host == Host::Target {
            let (_, connection) = self.connection.as_mut().expect("an event has its connection");
            self.control = connection.streams().open(Dir::Bi);
        }
        self.happenings.push_back(Happening::Connected);
    }

    fn accept_control(&mut self) {
        let (_, connection) = self.connection.as_mut().expect("an event has its connection");
        if let Some(stream) = connection.streams().accept(Dir::Bi) {
            self.control = Some(stream);
            self.read(stream);
            self.write_control();
        }
    }

    fn write_control(&mut self) {
        let Some(control) = self.control else { return };
        self.to_write.entry(control).or_default().chunks.append(&mut self.control_bytes);
        self.write(control);
    }

    fn accept_blocks(&mut self) {
        while let Some(stream) =
            self.connection.as_mut().and_then(|(_, connection)| connection.streams().accept(Dir::Uni))
        {
            self.reading.insert(stream, Vec::new());
            self.read(stream);
        }
    }

    fn read(&mut self, id: StreamId) {
        let Some((_, connection)) = &mut self.connection else { return };
        let mut stream = connection.recv_stream(id);
        let Ok(mut chunks) = stream.read(true) else { return };
        let mut over = false;
        loop {
            match chunks.next(usize::MAX) {
                Ok(Some(chunk)) if Some(id) == self.control => {
                    self.happenings.push_back(Happening::Control(chunk.bytes));
                }
                Ok(Some(chunk)) => self.reading.entry(id).or_default().extend_from_slice(&chunk.bytes),
                Ok(None) => {
                    over = true;
                    break;
                }
                Err(_) => break,
            }
        }
        let _ = chunks.finalize();
        if over && let Some(block) = self.reading.remove(&id) {
            self.happenings.push_back(Happening::Block(block.into()));
        }
    }

    fn write(&mut self, id: StreamId) {
        let Some((_, connection)) = &mut self.connection else { return };
        let Some(outgoing) = self.to_write.get_mut(&id) else { return };
        let mut stream = connection.send_stream(id);
        while let Some(chunk) = outgoing.chunks.front_mut() {
            let mut one = [std::mem::take(chunk)];
            let written = stream.write_chunks(&mut one);
            let [rest] = one;
            match written {
                Ok(_) if rest.is_empty() => {
                    outgoing.chunks.pop_front();
                }
                Ok(_) => *chunk = rest,
                // Blocked, or stopped by a peer that goes: an event follows either.
                Err(_) => {
                    *chunk = rest;
                    return;
                }
            }
        }
        if outgoing.finish {
            let _ = stream.finish();
            self.to_write.remove(&id);
        }
    }
}

impl Host {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Source => Self::Target,
            Self::Target => Self::Source,
        }
    }
}

fn address(host: Host) -> SocketAddr {
    let port = match host {
        Host::Source => 1,
        Host::Target => 2,
    };
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn transport() -> Arc<TransportConfig> {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_uni_streams(STREAMS_MAX.into())
        .max_idle_timeout(Some(IdleTimeout::try_from(IDLE).expect("seconds fit")))
        .keep_alive_interval(Some(IDLE / 4))
        .mtu_discovery_config(None)
        .congestion_controller_factory(Arc::new(mirror::congestion::LinkControllerFactory::default()));
    Arc::new(transport)
}
