//! The two daemons, as child processes of this executable. Each ends when its standard input does (see `tether`), so
//! none outlives the demo, and stopping one is closing that pipe.

use std::{
    env,
    fs::File,
    future,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    process::{Child, ChildStdin, Command},
    time,
};

use super::{admin, error::DemoError, region::Region, world::World};

const READY_WITHIN: Duration = Duration::from_secs(60);
const READY_PAUSE: Duration = Duration::from_millis(30);
/// A little more than a daemon's own limit for its drain.
const DRAINED_WITHIN: Duration = Duration::from_secs(25);
const TAIL_BYTES: u64 = 8 << 10;
const TAIL_LINES: usize = 20;
/// Settings of the demo's user are not the daemons'.
const SETTINGS: &[u8] = b"ISTHMUS_";

/// Both of them; killed when dropped, drained by [`Daemons::stop`].
pub(super) struct Daemons {
    running: Vec<Daemon>,
}

struct Daemon {
    region: Region,
    child: Child,
    /// Its standard input: open for as long as it is to run.
    tether: Option<ChildStdin>,
    log: PathBuf,
}

impl Daemons {
    /// Starts both; they are not ready yet.
    pub(super) fn start(world: &World) -> Result<Self, DemoError> {
        let running = Region::BOTH.into_iter().map(|region| Daemon::start(world, region));
        Ok(Self { running: running.collect::<Result<_, _>>()? })
    }

    /// Waits until one of them ends, which neither should.
    pub(super) async fn ended(&mut self) -> DemoError {
        let [east, west] = self.running.as_mut_slice() else { return future::pending().await };
        tokio::select! {
            ended = east.ended() => ended,
            ended = west.ended() => ended,
        }
    }

    /// Lets both drain, and kills what does not.
    pub(super) async fn stop(&mut self) {
        for daemon in &mut self.running {
            daemon.tether = None;
        }
        for daemon in &mut self.running {
            if time::timeout(DRAINED_WITHIN, daemon.child.wait()).await.is_err() {
                eprintln!("isthmus: the daemon of {} did not drain; it is killed", daemon.region);
                drop(daemon.child.kill().await);
            }
        }
    }

    /// The ends of both logs, with where they lie.
    pub(super) fn log_tails(&self) -> String {
        let tail = |daemon: &Daemon| {
            let shown = tail(&daemon.log).unwrap_or_else(|error| format!("cannot be read: {error}\n"));
            format!("---- the end of {} ({}) ----\n{shown}", daemon.log.display(), daemon.region)
        };
        self.running.iter().map(tail).collect()
    }
}

/// Waits until both serve clients.
pub(super) async fn ready(world: &World) -> Result<(), DemoError> {
    for region in Region::BOTH {
        let ready = async {
            while !admin::is_ready(world.endpoints(region).admin).await {
                time::sleep(READY_PAUSE).await;
            }
        };
        let late = |_| DemoError::NotReady { region, within: READY_WITHIN };
        time::timeout(READY_WITHIN, ready).await.map_err(late)?;
    }
    Ok(())
}

impl Daemon {
    fn start(world: &World, region: Region) -> Result<Self, DemoError> {
        let failed = |source| DemoError::Spawn { region, source };
        let log = world.log(region);
        let file = File::create(&log).map_err(|source| DemoError::Folder { path: log.clone(), source })?;
        let mut command = Command::new(env::current_exe().map_err(failed)?);
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(SETTINGS)) {
            command.env_remove(name);
        }
        command.args(["run", "--end-with-parent", "--node", region.node()]);
        command.arg("--topology").arg(world.topology_file());
        command.arg("--data").arg(world.data(region));
        command.arg("--certs").arg(world.certificates());
        command.args(["--admin", &world.endpoints(region).admin.to_string()]);
        // In a group of its own, so that Ctrl-C reaches the demo alone, which then stops its daemons in order.
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(file);
        let mut child = command.spawn().map_err(failed)?;
        // Waiting for the child would close it.
        let tether = child.stdin.take();
        Ok(Self { region, child, tether, log })
    }

    async fn ended(&mut self) -> DemoError {
        DemoError::Ended { region: self.region, status: told(self.child.wait().await) }
    }
}

fn told(ended: io::Result<ExitStatus>) -> String {
    ended.map_or_else(|error| error.to_string(), |status| status.to_string())
}

fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let shown = lines.iter().skip(lines.len().saturating_sub(TAIL_LINES));
    Ok(shown.map(|line| format!("{line}\n")).collect())
}
