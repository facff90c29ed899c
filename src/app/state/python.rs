use crate::app::python::PythonFailure;
use crate::engines::{PythonEnvironment, Report};

/// The environment that upstream's pipelines run in.
#[derive(Clone, Debug, Default)]
pub struct PythonState {
    /// The environment, once one was chosen.
    pub environment: Option<PythonEnvironment>,
    /// How it stands.
    pub status: PythonStatus,
}

/// How the environment stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum PythonStatus {
    /// Nothing was asked of it since the program started.
    #[default]
    Unknown,
    /// It is being looked over.
    Examining,
    /// The bridge is being installed.
    Installing,
    /// What it has and can run.
    Examined(Report),
    /// It could not be looked over or set up.
    Failed(PythonFailure),
}

impl PythonStatus {
    /// Whether something is being done to it.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Examining | Self::Installing)
    }
}
