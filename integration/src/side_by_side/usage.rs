//! CPU time and memory of a world's processes over a measurement, by role.

use super::{
    figures::Figures,
    process::{Process, Role},
};

const GB: f64 = 1e9;

/// CPU time at the start of a measurement.
pub(crate) struct Usage(Vec<(Role, f64)>);

impl Usage {
    pub(crate) fn start(processes: &[&Process]) -> Self {
        Self(processes.iter().map(|process| (process.role(), process.cpu_seconds())).collect())
    }

    /// CPU seconds since the start of all processes, and of each.
    pub(crate) fn cpu_seconds(&self, processes: &[&Process]) -> (f64, Vec<(Role, f64)>) {
        let of = |process: &&Process| {
            let before = self.0.iter().find(|(role, _)| *role == process.role()).map_or(0.0, |(_, cpu)| *cpu);
            (process.role(), process.cpu_seconds() - before)
        };
        let each: Vec<(Role, f64)> = processes.iter().map(of).collect();
        (each.iter().map(|(_, cpu)| cpu).sum(), each)
    }

    /// CPU seconds for each GB since the start, and the most memory ever; by role where there are several.
    pub(crate) fn per_gb(&self, processes: &[&Process], bytes: f64) -> Figures {
        let mut figures = Figures::default();
        let (all, each) = self.cpu_seconds(processes);
        figures.lower("CPU", "s/GB", all / (bytes / GB));
        if each.len() > 1 {
            for (role, cpu) in each {
                figures.lower(format!("CPU, {}", role.name()), "s/GB", cpu / (bytes / GB));
            }
        }
        figures.extend(memory(processes));
        figures
    }
}

/// The most that was ever resident.
pub(crate) fn memory(processes: &[&Process]) -> Figures {
    let mut figures = Figures::default();
    let each: Vec<(Role, f64)> =
        processes.iter().map(|process| (process.role(), process.resident_peak_mb())).collect();
    figures.lower("peak memory", "MB", each.iter().map(|(_, mb)| mb).sum());
    if each.len() > 1 {
        for (role, mb) in each {
            figures.lower(format!("peak memory, {}", role.name()), "MB", mb);
        }
    }
    figures
}
