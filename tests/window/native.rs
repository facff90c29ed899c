//! The native neural engine as the window drives it: its worker on tiny weights, which lies beside the program where it was built
//! too.

use bozzetto::app::Command;
use bozzetto::app::state::{ExportFormat, ExportStatus, FinishStatus, JobStatus, Modal};
use bozzetto_engine::{CancelToken, Engine as _, ParamValue, WorkerCommand, WorkerEngine};
use egui_kittest::kittest::Queryable as _;

use super::{TestWindow, common, egg_pictures, home};

const ENGINE: &str = "trellis2";

#[test]
fn the_native_engine_makes_a_result_that_is_finished_and_exported() {
    let home = home();
    let weights = home.path().join("weights");
    let Some(worker) = common::native_worker(&weights) else {
        return;
    };
    let command = WorkerCommand::new(worker).arg("worker").arg("--weights").arg(&weights);
    let mut engine = Box::new(WorkerEngine::new(ENGINE, command));
    engine.prepare(&CancelToken::new()).expect("it greets");
    let mut window = TestWindow::open_with(home.path(), &egg_pictures(home.path())[..1], vec![engine]);
    assert_eq!(window.state().engine.selected, ENGINE);
    window.until("the picture is there", |state| state.views.items.len() == 1);
    let few = ["structure", "shape", "material"].map(|stage| (format!("{stage}.steps"), ParamValue::Int(1)));
    let coarse = ("shape.pipeline_type".to_owned(), ParamValue::Choice("512".to_owned()));
    for (key, value) in few.into_iter().chain([coarse]) {
        window.send(Command::SetParam {
            key,
            value,
            is_final: true,
        });
        window.harness.step();
    }
    window.send(Command::Generate);
    window.until("its licences are shown", |state| state.modal == Some(Modal::Licences));
    window.harness.get_by_label("Agree and generate").click();
    window.until("the job is done", |state| {
        let job = state.jobs.items.first();
        job.is_some_and(|job| job.status == JobStatus::Done)
    });
    window.until("the textures are baked and the result is saved", |state| {
        state.finish.status == FinishStatus::Ready && state.library.entries.len() == 1
    });
    let result = window.state().result.as_ref().expect("a result");
    assert_eq!(result.asset.provenance.engine, ENGINE);
    assert!(result.asset.volume.is_some() && !result.asset.provenance.weights.is_empty());

    let path = home.path().join("made.glb");
    *window.desktop.target.lock() = Some(path.clone());
    window.send(Command::ExportAs(ExportFormat::Glb));
    window.until("the file is written", |state| {
        matches!(state.export.status, ExportStatus::Done { .. })
    });
    common::validate_glb(&path);
}
