#![expect(clippy::needless_pass_by_value, reason = "Python hands arguments over by value")]

use std::sync::Arc;

use bozzetto_asset::PreparedView;
use bozzetto_engine::{CancelToken, Event, LogLevel, Preview, StageInfo};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray3};
use parking_lot::Mutex;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::arrays;
use crate::cameras;
use crate::engine::Events;

/// One job's way to the program: what it tells, and whether it was cancelled. Usable from any thread until the job ends.
#[pyclass(frozen)]
pub(crate) struct Context {
    cancel: CancelToken,
    stages: Vec<StageInfo>,
    /// `None` once the job is over.
    events: Mutex<Option<Events>>,
}

impl Context {
    pub(crate) fn new(cancel: CancelToken, stages: Vec<StageInfo>, events: Events) -> Self {
        Self {
            cancel,
            stages,
            events: Mutex::new(Some(events)),
        }
    }

    pub(crate) fn close(&self) {
        *self.events.lock() = None;
    }

    fn emit(&self, py: Python<'_>, event: Event) -> PyResult<()> {
        let events = self.events.lock().clone();
        let is_sent = events.is_some_and(|events| py.detach(|| events.send(event)).is_ok());
        if is_sent {
            Ok(())
        } else {
            Err(PyRuntimeError::new_err(
                "The job is over: nothing can be told about it.",
            ))
        }
    }

    fn place_of(&self, stage: &str) -> PyResult<usize> {
        let place = self.stages.iter().position(|info| info.id == stage);
        place.ok_or_else(|| PyValueError::new_err(format!("The engine has no stage '{stage}'.")))
    }
}

#[pymethods]
impl Context {
    /// Whether the artist has asked for an end.
    #[getter]
    fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// A stage begins.
    fn stage(&self, py: Python<'_>, stage: &str) -> PyResult<()> {
        let index = self.place_of(stage)?;
        let StageInfo { id, label } = self.stages[index].clone();
        let count = self.stages.len();
        self.emit(
            py,
            Event::Stage {
                id,
                label,
                index,
                count,
            },
        )
    }

    /// A stage goes on.
    fn progress(&self, py: Python<'_>, stage: &str, done: u64, total: u64) -> PyResult<()> {
        let stage = stage.to_owned();
        self.emit(py, Event::Progress { stage, done, total })
    }

    /// A stage's kept output is used again.
    fn reused(&self, py: Python<'_>, stage: &str) -> PyResult<()> {
        let stage = stage.to_owned();
        self.emit(py, Event::Reused { stage })
    }

    /// Memory of the engine's device, bytes.
    fn memory(&self, py: Python<'_>, used: u64, total: u64) -> PyResult<()> {
        self.emit(py, Event::Memory { used, total })
    }

    /// A line for the log; `level` is `debug`, `info` or `warning`.
    fn log(&self, py: Python<'_>, level: &str, message: String) -> PyResult<()> {
        let level = match level {
            "debug" => LogLevel::Debug,
            "info" => LogLevel::Info,
            "warning" => LogLevel::Warning,
            other => return Err(PyValueError::new_err(format!("There is no log level '{other}'."))),
        };
        self.emit(py, Event::Log { level, message })
    }

    /// Shows the active voxels of a cube about the origin with `resolution` voxels along its edge of one metre.
    fn preview_structure(
        &self,
        py: Python<'_>,
        coords: PyReadonlyArray2<'_, i32>,
        resolution: u32,
        frame: &str,
    ) -> PyResult<()> {
        let structure = arrays::structure(&coords, resolution, frame.parse()?)?;
        self.emit(py, Event::Preview(Preview::Structure(Arc::new(structure))))
    }

    /// Shows the cameras that the engine settled on; see `Asset.set_cameras`.
    fn preview_cameras(
        &self,
        py: Python<'_>,
        view_from_world: PyReadonlyArray3<'_, f32>,
        fov_y_rad: PyReadonlyArray1<'_, f32>,
        aspect: PyReadonlyArray1<'_, f32>,
        frame: &str,
    ) -> PyResult<()> {
        let cameras = cameras::cameras(&view_from_world, &fov_y_rad, &aspect, frame.parse()?)?;
        self.emit(py, Event::Preview(Preview::Cameras(cameras)))
    }

    /// Shows pictures as the engine sees them: each a name, sRGB `[H, W, 3]` and a matte `[H, W]`.
    fn preview_views(
        &self,
        py: Python<'_>,
        views: Vec<(String, PyReadonlyArray3<'_, u8>, PyReadonlyArray2<'_, u8>)>,
    ) -> PyResult<()> {
        let views: Vec<PreparedView> = views
            .iter()
            .map(|(name, color, matte)| arrays::prepared_view(name, color, matte))
            .collect::<PyResult<_>>()?;
        self.emit(py, Event::Preview(Preview::Views(views)))
    }
}
