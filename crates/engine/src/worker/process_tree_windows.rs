#![expect(unsafe_code, reason = "job objects have no safe wrapper in the standard library")]

use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::os::windows::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::ptr;

use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation, SetInformationJobObject,
    TerminateJobObject,
};

/// Keeps a console window from flashing up when the program itself has none.
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// Leaves the processor to the window whenever it has something to draw.
const BELOW_NORMAL_PRIORITY_CLASS: u32 = 0x0000_4000;

/// A process and what it starts: a job object, which the system ends together with this program, however that ends.
pub(super) struct ProcessTree {
    job: OwnedHandle,
}

impl ProcessTree {
    pub(super) fn prepare(command: &mut Command) {
        command.creation_flags(CREATE_NO_WINDOW | BELOW_NORMAL_PRIORITY_CLASS);
    }

    pub(super) fn of(child: &Child) -> io::Result<Self> {
        // SAFETY: both pointers may be null: no security attributes, no name.
        let raw = unsafe { CreateJobObjectW(ptr::null(), ptr::null()) };
        if raw.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is valid, just made, and owned by nobody else.
        let job = unsafe { OwnedHandle::from_raw_handle(raw) };
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        // SAFETY: the pointer and the size describe `limits`, which is what this information class takes.
        let is_set = unsafe {
            SetInformationJobObject(
                job.as_raw_handle(),
                JobObjectExtendedLimitInformation,
                ptr::from_ref(&limits).cast(),
                size_of_val(&limits) as u32,
            )
        };
        // SAFETY: both handles are valid and stay so for the call.
        let is_assigned = unsafe { AssignProcessToJobObject(job.as_raw_handle(), child.as_raw_handle()) };
        if is_set == 0 || is_assigned == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { job })
    }

    #[expect(clippy::unused_self, reason = "the Unix one needs it")]
    pub(super) fn has_ended(&self, child: &mut Child) -> bool {
        !matches!(child.try_wait(), Ok(None))
    }

    /// Kills all of it.
    pub(super) fn kill(&self, child: &mut Child) {
        // SAFETY: the handle is valid and stays so for the call.
        unsafe { TerminateJobObject(self.job.as_raw_handle(), 1) };
        let _ = child.kill();
    }
}

/// How a process ended, as the tail of a sentence.
pub(super) fn status_words(status: ExitStatus) -> String {
    match status.code().map(|code| code as u32) {
        Some(0xC000_0005) => "a wrong memory access".to_owned(),
        Some(0xC000_0017 | 0xC000_012D) => "memory ran out".to_owned(),
        Some(0xC000_001D) => "an instruction this processor does not have".to_owned(),
        Some(0xC000_0135) => "a library it needs is missing".to_owned(),
        Some(code @ 0xC000_0000..) => format!("exit code {code:#010X}"),
        Some(code) => format!("exit code {code}"),
        None => status.to_string(),
    }
}
