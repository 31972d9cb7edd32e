//! Drives one pipe: a thread that reads packets from one device and writes them to the other when they arrive.

use std::{
    io,
    num::NonZeroU64,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll},
    fd::OwnedFd,
    thread::set_current_timer_slack,
};

use super::{
    counters::Counters,
    host::tun::Tun,
    impairments::{BadValue, Change, Impairments},
    pipe::Pipe,
};

/// Longer than any super-packet with its prefix.
const PACKET_BYTES_MAX: usize = 70_000;
/// Packets read before those that have arrived are written.
const BURST_PACKETS: usize = 64;
/// How much later than asked the kernel may wake the thread, in nanoseconds; its own default is 50 microseconds.
const TIMER_SLACK_NANOS: NonZeroU64 = NonZeroU64::new(1_000).expect("it is not zero");
/// Commands that wait while the thread is busy with packets.
const COMMANDS_MAX: usize = 8;

/// A handle on the thread, which ends with it.
pub(super) struct Pump {
    commands: SyncSender<Command>,
    wake: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

enum Command {
    Change(Change, SyncSender<Result<Impairments, BadValue>>),
    Look(SyncSender<(Impairments, Counters)>),
    End,
}

/// The thread has ended: a device is gone.
#[derive(Debug)]
pub(super) struct Dead;

impl Pump {
    /// Time is counted from `epoch`.
    pub(super) fn start(pipe: Pipe, from: Arc<Tun>, to: Arc<Tun>, epoch: Instant) -> io::Result<Self> {
        let (commands, received) = sync_channel(COMMANDS_MAX);
        let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let work = Work { pipe, from, to, epoch, commands: received, wake: Arc::clone(&wake) };
        let thread = thread::Builder::new().name("wan-pump".to_owned()).spawn(|| work.run())?;
        Ok(Self { commands, wake, thread: Some(thread) })
    }

    pub(super) fn change(&self, change: Change) -> Result<Result<Impairments, BadValue>, Dead> {
        self.ask(|reply| Command::Change(change, reply))
    }

    pub(super) fn look(&self) -> Result<(Impairments, Counters), Dead> {
        self.ask(Command::Look)
    }

    fn ask<T>(&self, command: impl FnOnce(SyncSender<T>) -> Command) -> Result<T, Dead> {
        let (reply, answer) = sync_channel(1);
        self.tell(command(reply))?;
        answer.recv().map_err(|_| Dead)
    }

    fn tell(&self, command: Command) -> Result<(), Dead> {
        self.commands.send(command).map_err(|_| Dead)?;
        // It can only be full, and then it wakes the thread all the same.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
        Ok(())
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        let _ = self.tell(Command::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the thread owns.
struct Work {
    pipe: Pipe,
    from: Arc<Tun>,
    to: Arc<Tun>,
    epoch: Instant,
    commands: Receiver<Command>,
    wake: Arc<OwnedFd>,
}

impl Work {
    fn run(mut self) {
        // Without it, packets are up to 50 microseconds late.
        let _ = set_current_timer_slack(Some(TIMER_SLACK_NANOS));
        let mut buffer = vec![0; PACKET_BYTES_MAX];
        let mut readable = true;
        while self.obey() {
            if readable {
                let Ok(more) = self.read_burst(&mut buffer) else { return };
                readable = more;
            }
            self.write_arrived();
            if !readable {
                let Ok(found) = self.wait() else { return };
                readable = found;
            }
        }
    }

    /// Whether to go on.
    fn obey(&mut self) -> bool {
        loop {
            match self.commands.try_recv() {
                Ok(Command::Change(change, reply)) => {
                    let changed = self.pipe.impairments().with(&change);
                    let checked = changed.check().map(|()| changed.clone());
                    if checked.is_ok() {
                        self.pipe.set(self.epoch.elapsed(), changed);
                    }
                    // Whoever asked may have given up.
                    let _ = reply.send(checked);
                }
                Ok(Command::Look(reply)) => {
                    let _ = reply.send((self.pipe.impairments().clone(), self.pipe.counters()));
                }
                Ok(Command::End) | Err(TryRecvError::Disconnected) => return false,
                Err(TryRecvError::Empty) => return true,
            }
        }
    }

    /// Whether there may be more to read.
    fn read_burst(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        for _ in 0..BURST_PACKETS {
            let Some(length) = self.from.read(buffer)? else { return Ok(false) };
            self.pipe.push(self.epoch.elapsed(), &buffer[..length]);
        }
        Ok(true)
    }

    fn write_arrived(&mut self) {
        let now = self.epoch.elapsed();
        while let Some((_, packet)) = self.pipe.take(now) {
            if !self.to.write(&packet) {
                self.pipe.count_refused(&packet);
            }
            self.pipe.recycle(packet);
        }
    }

    /// Until a packet comes, one arrives, or a command is given; whether there is something to read.
    fn wait(&self) -> io::Result<bool> {
        let timeout =
            self.pipe.next_arrival().map(|arrival| timespec(arrival.saturating_sub(self.epoch.elapsed())));
        let (from, wake) = (&*self.from, &*self.wake);
        let mut ready = [PollFd::new(from, PollFlags::IN), PollFd::new(wake, PollFlags::IN)];
        match poll(&mut ready, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if ready[1].revents().contains(PollFlags::IN) {
            rustix::io::read(wake, &mut [0; 8])?;
        }
        // An error shows when it is read.
        Ok(!ready[0].revents().is_empty())
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: duration.subsec_nanos().into() }
}
