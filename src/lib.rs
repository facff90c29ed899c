//! Bozzetto's window and command line. The program itself is [`cli::run`].
//!
//! # Where a failure ends up
//!
//! | what fails | who catches it | what the artist sees |
//! |---|---|---|
//! | a picture cannot be read or cut out | `app::import` | the picture's row says so, with what to do |
//! | an engine refuses a job, fails, dies or hangs | `app::jobs` | the job's row, and a notice that stays |
//! | finishing fails | `app::finish` | the finish panel; the last finished mesh stays |
//! | an export or a save fails | `app::export`, `app::library` | a notice that stays, and the panel's own line |
//! | the settings file is damaged | `app::settings` | a warning that names where it was moved; defaults apply |
//! | the graphics device is missing or lost | `app::viewport_host` | the stage says so; everything else works |
//! | no file dialog can be opened | `app::dialogs` | a notice that says what to install; dropping still works |
//! | a service thread panics | the service's `catch_unwind` | the same place as that service's errors |
//!
//! Whatever is shown as a notice went through `tracing` first, so the log has it too.

pub mod app;
pub mod cli;
pub mod engines;
pub mod export;
pub mod pictures;
pub mod ui;
