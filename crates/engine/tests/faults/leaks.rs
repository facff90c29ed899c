//! Looks for what a test left behind. Linux tells; elsewhere nothing is looked for.

use std::path::Path;
use std::time::{Duration, Instant};

/// Fails when threads of the engine `id`, processes that know `folder`, or unreaped processes stay.
pub fn nothing_is_left(id: &str, folder: &Path) {
    if cfg!(target_os = "linux") {
        settles_empty("threads", || threads_of(id));
        settles_empty("processes", || processes_that_know(folder));
        // Those of tests beside this one come and go.
        settles_empty("zombies", zombies);
    }
}

/// Fails unless the search for what is left finds the three threads and the process of an engine that is there: a
/// search that finds nothing would prove nothing.
pub fn is_seen(id: &str, folder: &Path, process: u32) {
    if cfg!(target_os = "linux") {
        assert_eq!(threads_of(id).len(), 3, "{:?}", threads_of(id));
        assert!(processes_that_know(folder).contains(&process.to_string()));
    }
}

/// Peak memory of this process, bytes; `None` where it is not known.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

fn settles_empty(what: &str, list: impl Fn() -> Vec<String>) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let left = list();
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{what} are left: {left:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn threads_of(id: &str) -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("threads are listed");
    tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok())
        .filter(|name| name.starts_with("worker-") && name.trim_end().ends_with(id))
        .collect()
}

fn processes_that_know(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy().into_owned();
    processes()
        .filter(|process| {
            let environment = std::fs::read(Path::new("/proc").join(process).join("environ")).unwrap_or_default();
            String::from_utf8_lossy(&environment).contains(&folder)
        })
        .collect()
}

fn zombies() -> Vec<String> {
    let myself = std::process::id().to_string();
    processes()
        .filter(|process| {
            let stat = std::fs::read_to_string(Path::new("/proc").join(process).join("stat")).unwrap_or_default();
            // The name before it may hold anything, parentheses included.
            let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            fields.first() == Some(&"Z") && fields.get(1) == Some(&myself.as_str())
        })
        .collect()
}

fn processes() -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir("/proc").expect("processes are listed");
    entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
}
