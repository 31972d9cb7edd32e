//! `wan up`: the emulator in the foreground.

use std::{fs, io::Read, path::Path, thread};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use integration::wan::{Layout, Name, Plan};

/// A plan of the most datacenters is shorter.
const FILE_BYTES_MAX: u64 = 1 << 20;

pub(crate) fn run(file: &Path, seed: u64, name: Option<Name>, root: &Path) -> Result<(), String> {
    let in_file = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let mut text = String::new();
    let opened = fs::File::open(file).map_err(|error| in_file(&error))?;
    opened.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(|error| in_file(&error))?;
    let mut plan = Plan::from_yaml(&text).map_err(|error| in_file(&error))?;
    if let Some(name) = name {
        plan.name = name;
    }
    // Caught before anything is made, so that nothing is left behind.
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(|error| error.to_string())?;
    let layout = Layout::up(&plan, seed, root).map_err(|error| error.to_string())?;
    let stop = layout.stopper();
    thread::spawn(move || signals.forever().for_each(|_| stop()));
    super::print(&format!("{}ready\n", layout.report()))?;
    layout.wait_until_stopped();
    Ok(())
}
