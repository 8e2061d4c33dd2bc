//! The machine and the build: what has to hold before a number is worth something.

use std::fs;
use std::sync::OnceLock;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Set by `cargo xtask bench` once it has seen that the settings reached every crate: cargo tells
/// no build script and no program about link-time optimisation.
const PROFILE: Option<&str> = option_env!("SABOT_BENCH_PROFILE");

/// Fails in a build whose settings nobody checked.
pub fn check_build() -> Result<(), String> {
    if cfg!(debug_assertions) {
        return Err("built with debug assertions: run `cargo xtask bench`".into());
    }
    match PROFILE {
        Some("fat-lto,codegen-units=1,opt-level=3") => Ok(()),
        other => Err(format!(
            "nobody checked that every crate has fat LTO and one codegen unit ({other:?}): run `cargo xtask bench`"
        )),
    }
}

/// Warns where other programs want the cores too.
pub fn check_load() {
    let Some(load) = load_average() else { return };
    let idle = if load > 0.5 {
        "; the machine is NOT idle: times mean nothing, ratios little"
    } else {
        ""
    };
    println!("load average {load:.2}{idle}");
}

/// Processes that wanted a core, over the last minute.
fn load_average() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// Keeps this thread on the first core that the process may use; gives how many those are.
pub fn pin_to_first_core() -> Result<usize, String> {
    let cores = allowed_cores()?;
    pin(*cores.first().ok_or("this process may use no core")?)?;
    Ok(cores.len())
}

/// The cores that the process may use, as they were when this was first asked: before anything was
/// pinned.
pub fn allowed_cores() -> Result<&'static [usize], String> {
    static CORES: OnceLock<Result<Vec<usize>, String>> = OnceLock::new();
    let cores = CORES.get_or_init(|| {
        let set = sched_getaffinity(None).map_err(|error| format!("cores: {error}"))?;
        Ok((0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect())
    });
    cores.as_deref().map_err(Clone::clone)
}

/// Keeps this thread on `core`.
pub fn pin(core: usize) -> Result<(), String> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).map_err(|error| format!("core {core}: {error}"))
}

/// The most memory that this process ever held; `None` where the kernel does not say.
pub fn peak_rss_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// The processor's name, with its family and model: what clouds call by one name may be several
/// generations.
pub fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |name: &str| {
        let is_it = |line: &&str| line.split_once(':').is_some_and(|(key, _)| key.trim() == name);
        let (_, value) = info.lines().find(is_it)?.split_once(':')?;
        Some(value.trim().to_owned())
    };
    let name = value("model name").unwrap_or_else(|| std::env::consts::ARCH.into());
    match (value("cpu family"), value("model")) {
        (Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        _ => name,
    }
}

/// How many cores the machine has, those that this pinned process leaves alone included.
pub fn cores() -> usize {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let listed = info.lines().filter(|line| line.starts_with("processor")).count();
    listed.max(1)
}
