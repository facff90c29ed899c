//! Engines in processes of their own: the program's side ([`WorkerEngine`]) and the process' side ([`serve_worker`], or
//! [`WorkerStreams`] where libraries load first).
//!
//! ```text
//! inference thread                            worker process
//! WorkerEngine ─ requests ▶ worker-in  ─ stdin  ▶ worker-requests ─ orders ▶ main thread: Engine::run
//!              ◀ messages ─ worker-out ◀ stdout ─ Outlet ◀ events, heartbeat
//!                           worker-err ◀ stderr   whatever libraries print
//! ```
//!
//! A worker is not trusted: lines, channels and log tails have limits, artifacts must lie in the job's folder, and
//! silence, rubbish and death each end a job with an error of their own kind.

mod artifacts;
mod command;
mod engine;
mod lines;
mod outlet;
mod pace;
#[cfg_attr(unix, path = "pipe_unix.rs")]
#[cfg_attr(windows, path = "pipe_windows.rs")]
mod pipe;
mod process;
#[cfg_attr(unix, path = "process_tree_unix.rs")]
#[cfg_attr(windows, path = "process_tree_windows.rs")]
mod process_tree;
pub mod protocol;
mod serve;
mod streams;
mod tail;
mod watch;

pub use command::WorkerCommand;
pub use engine::WorkerEngine;
pub use serve::serve_worker;
pub use streams::WorkerStreams;
