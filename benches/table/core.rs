//! One core for all: to wake a process on another, idle core costs ten times what a call does on a virtual machine,
//! and where a scheduler puts a process is luck.

use std::process::{Command, Stdio};

/// Measures while this process, and what it starts meanwhile, runs on one core; none where taskset(1) can't do that.
pub(crate) fn on_one<T>(measure: impl FnOnce() -> T) -> Option<T> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?.trim();
    let first = allowed.split([',', '-']).next()?;
    move_to(first)?;
    let measured = measure();
    move_to(allowed)?;
    Some(measured)
}

fn move_to(cores: &str) -> Option<()> {
    let mut taskset = Command::new("taskset");
    taskset.args(["-a", "-c", "-p", cores]).arg(std::process::id().to_string());
    taskset.stdout(Stdio::null()).stderr(Stdio::null());
    taskset.status().ok()?.success().then_some(())
}
