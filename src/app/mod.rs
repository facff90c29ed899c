//! The window's state and logic.
//!
//! ```text
//! panels ── Command ──▶ BozzettoApp::tick ── requests ──▶ import, jobs, finish, export, library, stage  (threads)
//!    ▲                        │    ▲                                        │
//!    └────── AppState ◀───────┘    └───────────── Message ◀─────────────────┘
//! ```
//!
//! The window's thread never waits. Threads are named, channels bounded; where only the newest request counts (finishing, live
//! preview, upload) a slot replaces the queue.

mod bench;
mod bozzetto_app;
mod capture;
mod card_stage;
pub mod command;
pub mod desktop;
mod example;
mod export;
mod export_size;
mod finish;
mod import;
mod jobs;
mod kept_picture;
mod latest;
mod library;
pub mod log;
mod lost_device;
mod mailbox;
mod navigation;
mod options;
mod pick;
pub mod platform;
mod pool;
pub mod python;
pub mod settings;
mod software_stage;
mod stage;
pub mod state;
mod telemetry;
mod undo;
mod viewport_host;
mod waker;
mod window;

pub use bench::bench_window;
pub use bozzetto_app::BozzettoApp;
pub use command::{Command, CommandSender};
pub(crate) use import::{is_picture, natural_key};
pub use navigation::{Gesture, Navigation};
pub use options::{AppOptions, Folders};
pub use state::ThemeChoice;
pub use window::run_window;
