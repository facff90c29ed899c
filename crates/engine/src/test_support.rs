//! What several tests need.

use std::io::Write as _;
use std::sync::Arc;

use bozzetto_asset::{Asset, TriMesh, View};

use crate::{Engine, EngineError, EngineInfo, Job, ParamKind, ParamSpec, RunContext, StageInfo};

type Run = dyn FnMut(&Job, &RunContext<'_>) -> Result<Asset, EngineError> + Send;

/// An engine that does what a test tells it to.
pub(crate) struct TestEngine {
    id: String,
    run: Box<Run>,
    release: Box<dyn FnMut() + Send>,
}

impl TestEngine {
    pub(crate) fn new(
        id: &str,
        run: impl FnMut(&Job, &RunContext<'_>) -> Result<Asset, EngineError> + Send + 'static,
    ) -> Self {
        Self {
            id: id.to_owned(),
            run: Box::new(run),
            release: Box::new(|| ()),
        }
    }

    pub(crate) fn on_release(mut self, release: impl FnMut() + Send + 'static) -> Self {
        self.release = Box::new(release);
        self
    }

    pub(crate) fn boxed(self) -> Box<dyn Engine> {
        Box::new(self)
    }
}

impl Engine for TestEngine {
    fn info(&self) -> EngineInfo {
        EngineInfo {
            id: self.id.clone(),
            label: "Test".into(),
            summary: "Does what a test tells it to.".into(),
            stages: vec![StageInfo {
                id: "carve".into(),
                label: "Carving the shape".into(),
            }],
            params: vec![ParamSpec {
                key: "carve.resolution".into(),
                label: "Resolution".into(),
                stage: "carve".into(),
                kind: ParamKind::Int {
                    min: 32,
                    max: 512,
                    step: 32,
                    default: 192,
                },
                unit: String::new(),
                help: "More voxels show finer detail.".into(),
                advanced: false,
            }],
            max_views: Some(2),
            uses_seed: true,
            device: "CPU".into(),
            licences: Vec::new(),
        }
    }

    fn run(&mut self, job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
        (self.run)(job, context)
    }

    fn release(&mut self) {
        (self.release)();
    }
}

/// An asset with a mesh of one triangle.
pub(crate) fn triangle() -> Asset {
    let mut mesh = TriMesh {
        triangles: vec![[0, 1, 2]],
        ..TriMesh::default()
    };
    mesh.positions.resize_with(3, Default::default);
    mesh.positions[1].x = 1.0;
    mesh.positions[2].y = 1.0;
    Asset {
        mesh: Some(Arc::new(mesh)),
        ..Asset::default()
    }
}

/// A job for an engine with one picture, which lives as long as what is returned beside it.
pub(crate) fn job(engine: &str) -> (Job, tempfile::NamedTempFile) {
    let mut picture = tempfile::Builder::new().suffix(".png").tempfile().expect("a file");
    picture.write_all(b"abc").expect("written");
    let job = Job {
        engine: engine.to_owned(),
        params: crate::ParamValues::default(),
        views: vec![View::new(picture.path())],
        seed: 7,
    };
    (job, picture)
}

/// Runs `work` on a thread and fails the test when it takes longer than any loaded machine would.
pub(crate) fn within_a_minute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = crossbeam_channel::bounded(1);
    let thread = std::thread::Builder::new().name("test".into());
    thread.spawn(move || sender.send(work())).expect("a thread");
    let minute = std::time::Duration::from_mins(1);
    receiver.recv_timeout(minute).expect("it neither hangs nor panics")
}
