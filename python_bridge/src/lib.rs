//! The part of the bridge that must be fast or exact: the worker protocol on its own descriptors, and arrays of upstream
//! pipelines on their way into assets.
//!
//! ```text
//! program ── requests ▶ Streams::serve ▶ PythonEngine::run ── attaches ▶ handler.run(job, context)   main thread
//!         ◀ messages ── Outlet ◀ python-events ◀───────────── Context.progress, .preview_structure ┘
//!                          ▲ heartbeat
//! ```
//!
//! Requests, heartbeat and messages have threads of their own that never wait for the interpreter: a pipeline that holds
//! its lock for minutes is still seen to be alive, and hears of a cancel as soon as it looks.

mod arrays;
mod asset;
mod cameras;
mod context;
mod engine;
mod mesh_file;
mod splats;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::asset::Asset;
    #[pymodule_export]
    use super::context::Context;
    #[pymodule_export]
    use super::engine::Streams;
    #[pymodule_export]
    use super::mesh_file::read_mesh;
    #[pymodule_export]
    use super::take_streams;
}

/// Takes standard input and output away from the rest of the process, for the protocol alone. Call it before any
/// library loads.
#[pyfunction]
fn take_streams() -> PyResult<engine::Streams> {
    engine::Streams::take()
}
