use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// A process and what it starts: a process group of its own.
///
/// Ctrl+C in a terminal does not reach it, so that the program can cancel in its own way.
pub(super) struct ProcessTree {
    group: Option<Pid>,
}

impl ProcessTree {
    pub(super) fn prepare(command: &mut Command) {
        command.process_group(0);
    }

    #[expect(clippy::unnecessary_wraps, reason = "the Windows one can fail")]
    pub(super) fn of(child: &Child) -> io::Result<Self> {
        Ok(Self {
            group: Pid::from_raw(child.id() as i32),
        })
    }

    /// Whether the first process has ended. Leaves it unreaped: until `wait` its id is not given to another process,
    /// so the whole group can be killed without hitting a stranger.
    pub(super) fn has_ended(&self, _child: &mut Child) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        self.group
            .is_none_or(|pid| !matches!(waitid(WaitId::Pid(pid), options), Ok(None)))
    }

    /// Kills all of it. Call before the child is waited for.
    pub(super) fn kill(&self, child: &mut Child) {
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = child.kill();
    }
}

/// How a process ended, as the tail of a sentence.
pub(super) fn status_words(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(9), _) => "killed from outside, often because memory ran out".to_owned(),
        (Some(signal), _) => format!("signal {signal}{}", signal_name(signal)),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => status.to_string(),
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        4 => ", an instruction this processor does not have",
        6 => ", it gave up by itself",
        11 => ", a wrong memory access",
        15 => ", it was asked to end",
        _ => "",
    }
}
