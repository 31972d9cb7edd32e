//! A layout that this process holds: up when it is made, gone when it is dropped.

use std::{
    ffi::OsStr,
    net::Ipv4Addr,
    path::Path,
    process::{self, Command},
    sync::Arc,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    control::{Client, Server},
    error::LayoutError,
    host::{
        namespace,
        state::{self, Held, State},
    },
    impairments::{Change, Impairments},
    links::Links,
    plan::{Name, Plan},
    report::{DatacenterReport, DirectionReport, Report},
    stop::Stop,
};
use crate::wait::eventually_within;

/// How long an emulator that was asked to end may take before it is killed, and then to be gone.
const ENDING_MAX: Duration = Duration::from_secs(10);

/// Fields in the order in which they end: who asks, then the links, then what they ran through.
pub struct Layout {
    _server: Server,
    links: Arc<Links>,
    _ground: Ground,
    blank: Report,
    stop: Stop,
}

/// The namespaces, taken away when it is dropped.
struct Ground {
    state: Option<State>,
}

impl Layout {
    /// Makes the namespaces, the links between them and the control socket. What a killed emulator left of a layout of
    /// this name is taken away first.
    ///
    /// # Errors
    ///
    /// If a layout of this name is up, or the machine does not do as asked; then nothing is left.
    pub fn up(plan: &Plan, seed: u64, root: &Path) -> Result<Self, LayoutError> {
        let state = match State::acquire(root, &plan.name)? {
            Ok(state) => state,
            Err(Held { pid }) => return Err(LayoutError::AlreadyUp { name: plan.name.clone(), pid }),
        };
        state.clear()?;
        let datacenter = |(at, name): (usize, &Name)| DatacenterReport {
            name: name.clone(),
            address: Plan::address(at),
            namespace: state::namespace_name(&plan.name, name),
        };
        let datacenters: Vec<DatacenterReport> =
            plan.datacenters.iter().enumerate().map(datacenter).collect();
        let namespaces: Vec<String> = datacenters.iter().map(|one| one.namespace.clone()).collect();
        let ground = Ground::lay(state, &datacenters, &namespaces)?;
        let links = Arc::new(Links::start(plan, &namespaces, seed)?);
        let blank = Report {
            layout: plan.name.clone(),
            pid: process::id(),
            seed,
            datacenters,
            directions: Vec::new(),
        };
        let stop = Stop::default();
        let socket = state::control_socket(root, &plan.name);
        let server = Server::start(&socket, Arc::clone(&links), blank.clone(), stop.clone())?;
        Ok(Self { _server: server, links, _ground: ground, blank, stop })
    }

    /// Changes what happens to what `from` sends to `to`; the settings after it.
    ///
    /// # Errors
    ///
    /// If there is no such link, or it takes no such value.
    pub fn set(&self, from: &str, to: &str, change: &Change) -> Result<Impairments, LayoutError> {
        self.links.change(from, to, change)
    }

    /// Changes both directions alike.
    ///
    /// # Errors
    ///
    /// As of [`Self::set`].
    pub fn set_both(&self, one: &str, other: &str, change: &Change) -> Result<(), LayoutError> {
        self.set(one, other, change)?;
        self.set(other, one, change)?;
        Ok(())
    }

    pub fn report(&self) -> Report {
        Report { directions: self.links.report(), ..self.blank.clone() }
    }

    /// What `from` sends to `to`: how it is set and what became of it.
    ///
    /// # Errors
    ///
    /// If there is no such link.
    pub fn direction(&self, from: &str, to: &str) -> Result<DirectionReport, LayoutError> {
        let is_it = |one: &DirectionReport| one.from.as_str() == from && one.to.as_str() == to;
        let no_link = || LayoutError::NoLink { from: from.to_owned(), to: to.to_owned() };
        self.links.report().into_iter().find(is_it).ok_or_else(no_link)
    }

    /// Where programs in the datacenter are reached by those in the others.
    ///
    /// # Errors
    ///
    /// If there is no such datacenter.
    pub fn address(&self, datacenter: &str) -> Result<Ipv4Addr, LayoutError> {
        self.datacenter(datacenter).map(|one| one.address)
    }

    /// A command that runs in the datacenter's namespace. What is spawned there ends with the layout at the latest.
    ///
    /// # Errors
    ///
    /// If there is no such datacenter.
    pub fn command(&self, datacenter: &str, program: impl AsRef<OsStr>) -> Result<Command, LayoutError> {
        self.datacenter(datacenter).map(|one| namespace::command(&one.namespace, program))
    }

    /// Asks for the end, as `wan down` does: [`Self::wait_until_stopped`] returns.
    pub fn stopper(&self) -> impl Fn() + Send + 'static {
        let stop = self.stop.clone();
        move || stop.ask()
    }

    /// Until someone asks for the end.
    pub fn wait_until_stopped(&self) {
        self.stop.wait();
    }

    fn datacenter(&self, name: &str) -> Result<&DatacenterReport, LayoutError> {
        let found = self.blank.datacenters.iter().find(|one| one.name.as_str() == name);
        found.ok_or_else(|| LayoutError::NoDatacenter(name.to_owned()))
    }
}

impl Ground {
    /// Noted before it is made, so that a process that is killed on the way leaves nothing that nobody knows of.
    fn lay(
        state: State,
        datacenters: &[DatacenterReport],
        namespaces: &[String],
    ) -> Result<Self, LayoutError> {
        state.note(namespaces)?;
        let ground = Self { state: Some(state) };
        for one in datacenters {
            namespace::make(&one.namespace, one.address)?;
        }
        Ok(ground)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if let Some(state) = self.state.take()
            && let Err(error) = state.remove()
        {
            eprintln!("wan: what is left must be taken away with wan down: {error}");
        }
    }
}

/// A command in a datacenter of a layout that another process holds.
///
/// # Errors
///
/// If the layout is not up or has no such datacenter.
pub fn command_in(
    root: &Path,
    name: &Name,
    datacenter: &str,
    program: impl AsRef<OsStr>,
) -> Result<Command, LayoutError> {
    let report = Client::new(root, name).report()?;
    let found = report.datacenters.iter().find(|one| one.name.as_str() == datacenter);
    let found = found.ok_or_else(|| LayoutError::NoDatacenter(datacenter.to_owned()))?;
    Ok(namespace::command(&found.namespace, program))
}

/// Ends a layout and takes away all it made, whether its emulator lives, hangs or was killed. Nothing to do is success.
///
/// # Errors
///
/// If it does not end, or something cannot be taken away.
pub fn down(root: &Path, name: &Name) -> Result<(), LayoutError> {
    if !state::directory(root, name).exists() {
        return Ok(());
    }
    let Held { pid } = match State::acquire(root, name)? {
        Ok(state) => return Ok(state.remove()?),
        Err(held) => held,
    };
    // One that does not answer is killed below.
    let asked = Client::new(root, name).stop();
    if asked.is_ok()
        && let Some(state) = acquire_within(ENDING_MAX, root, name)?
    {
        return Ok(state.remove()?);
    }
    // Its lock is held, so it lives: the id is its own.
    if let Some(pid) = pid.trim().parse().ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
    match acquire_within(ENDING_MAX, root, name)? {
        Some(state) => Ok(state.remove()?),
        None => Err(LayoutError::DoesNotEnd { name: name.clone(), pid }),
    }
}

fn acquire_within(limit: Duration, root: &Path, name: &Name) -> Result<Option<State>, LayoutError> {
    let acquired = eventually_within(limit, || match State::acquire(root, name) {
        Ok(Ok(state)) => Some(Ok(state)),
        Ok(Err(_)) => None,
        Err(error) => Some(Err(error)),
    });
    acquired.transpose()
}
