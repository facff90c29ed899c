//! The window's state and logic.

pub mod command;
pub mod state;

pub use command::{Command, CommandSender};
