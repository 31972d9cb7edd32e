//! A network between two daemons that a test can cut: a UDP relay on loopback.

use std::{
    collections::HashMap,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Larger than any datagram.
const DATAGRAM_BYTES_MAX: usize = 65_536;
/// How long a thread of the relay is blind to its end.
const LOOK: Duration = Duration::from_millis(50);

/// Passes datagrams between whoever sends to it and one target, until it is cut.
pub struct Relay {
    address: SocketAddr,
    state: Arc<State>,
    front: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    cut: AtomicBool,
    over: AtomicBool,
}

impl Relay {
    #[track_caller]
    pub fn to(target: SocketAddr) -> Self {
        let socket = socket();
        let address = socket.local_addr().expect("a bound socket has an address");
        let state = Arc::new(State::default());
        let front = {
            let state = Arc::clone(&state);
            thread::spawn(move || forward(&Arc::new(socket), target, &state))
        };
        Self { address, state, front: Some(front) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Nothing passes any more, in either direction, and nobody is told.
    pub fn cut(&self) {
        self.state.cut.store(true, Ordering::SeqCst);
    }

    pub fn restore(&self) {
        self.state.cut.store(false, Ordering::SeqCst);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::SeqCst);
        if let Some(front) = self.front.take() {
            let _ = front.join();
        }
    }
}

impl State {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }
}

/// From clients to the target; each client gets a socket of its own there, so that answers find their way.
fn forward(front: &Arc<UdpSocket>, target: SocketAddr, state: &Arc<State>) {
    let mut backs: HashMap<SocketAddr, (Arc<UdpSocket>, JoinHandle<()>)> = HashMap::new();
    let mut datagram = vec![0; DATAGRAM_BYTES_MAX];
    while !state.is_over() {
        let Some((length, client)) = receive(front, &mut datagram) else { continue };
        if state.is_cut() {
            continue;
        }
        let (back, _) = backs.entry(client).or_insert_with(|| {
            let back = Arc::new(socket());
            let (front, returning, state) = (Arc::clone(front), Arc::clone(&back), Arc::clone(state));
            (back, thread::spawn(move || give_back(&returning, &front, client, &state)))
        });
        // Datagrams may be lost.
        let _ = back.send_to(&datagram[..length], target);
    }
    for (_, (_, thread)) in backs {
        let _ = thread.join();
    }
}

fn give_back(back: &UdpSocket, front: &UdpSocket, client: SocketAddr, state: &State) {
    let mut datagram = vec![0; DATAGRAM_BYTES_MAX];
    while !state.is_over() {
        let Some((length, _)) = receive(back, &mut datagram) else { continue };
        if !state.is_cut() {
            let _ = front.send_to(&datagram[..length], client);
        }
    }
}

fn receive(socket: &UdpSocket, datagram: &mut [u8]) -> Option<(usize, SocketAddr)> {
    match socket.recv_from(datagram) {
        Ok(received) => Some(received),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
        // The target is not there just now; the system says so on the next call.
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => None,
        Err(error) => panic!("the relay's socket failed: {error}"),
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    socket.set_read_timeout(Some(LOOK)).expect("a socket takes a timeout");
    socket
}

#[test]
fn datagrams_pass_until_the_relay_is_cut_and_again_when_it_is_restored() {
    let (target, client) = (socket(), socket());
    let relay = Relay::to(target.local_addr().unwrap());
    let mut datagram = [0; 16];
    let mut arrives = |payload: &[u8]| {
        client.send_to(payload, relay.address()).unwrap();
        crate::eventually_within(LOOK * 4, || receive(&target, &mut datagram)).map(|(_, from)| from)
    };
    let from = arrives(b"one").expect("it passes");
    relay.cut();
    assert_eq!(arrives(b"two"), None);
    relay.restore();
    assert_eq!(arrives(b"three"), Some(from));
    target.send_to(b"back", from).unwrap();
    let answer = crate::eventually("the answer", || receive(&client, &mut datagram));
    assert_eq!(&datagram[..answer.0], b"back");
}
