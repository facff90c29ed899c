//! Upstream's pipelines in a Python environment, as the window sets them up. With `BOZZETTO_TEST_PYTHON` the environment is a
//! real one with the bridge in it; what the environment's own report would say of missing packages is answered for it.

use std::path::{Path, PathBuf};

use bozzetto::app::Command;
use bozzetto::app::state::{JobStatus, Modal, NoticeLevel, PythonStatus};
use egui_kittest::kittest::Queryable as _;

use super::{TestWindow, egg_pictures, home};

const ENGINE: &str = "trellis2-python";

#[test]
fn a_folder_without_python_says_so() {
    let home = home();
    let mut window = TestWindow::open(home.path(), &[]);
    window.send(Command::SetModal(Some(Modal::Python)));
    window.send(Command::SetPython(home.path().to_owned()));
    window.until(
        "there is no Python",
        |state| matches!(&state.python.status, PythonStatus::Failed(failure) if !failure.lacks_bridge),
    );
    assert!(window.state().python.environment.is_none());
    // A dialog that is closed changes nothing.
    window.harness.get_by_label("Choose…").click();
    window.harness.run_steps(3);
    assert_eq!(window.notices(NoticeLevel::Warning), Vec::<String>::new());
}

/// A program that answers for a Python: says that an engine can run, and is the real interpreter for all else.
#[cfg(unix)]
fn interpreter(folder: &Path, real: &str) -> PathBuf {
    let report =
        format!(r#"{{"python":"3.11","bridge":"0.1.0","engines":{{"{ENGINE}":{{"can_run":true,"problems":[]}}}}}}"#);
    let script = format!(
        "#!/bin/sh\nfor argument; do [ \"$argument\" = --probe ] && echo '{report}' && exit; done\nexec '{real}' \"$@\"\n"
    );
    program(folder, &script)
}

/// A script that can be started like an interpreter.
#[cfg(unix)]
fn program(folder: &Path, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("python3");
    std::fs::write(&path, script).expect("can be written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("can be made executable");
    path
}

#[cfg(unix)]
#[test]
fn an_environment_without_the_bridge_offers_to_install_it() {
    let home = home();
    let script = "#!/bin/sh\necho 'python3: No module named bozzetto_bridge' >&2\nexit 1\n";
    let path = program(home.path(), script);
    let mut window = TestWindow::open(home.path(), &[]);
    *window.desktop.folder.lock() = Some(path);
    window.send(Command::SetModal(Some(Modal::Python)));
    window.harness.run_steps(2);
    window.harness.get_by_label("Choose…").click();
    window.until(
        "the bridge is missed",
        |state| matches!(&state.python.status, PythonStatus::Failed(failure) if failure.lacks_bridge),
    );
    // No wheel lies beside the tests' own program, which is said.
    window.harness.get_by_label("Install the bridge").click();
    window.until("the wheel is missed", |state| {
        matches!(&state.python.status, PythonStatus::Failed(failure) if failure.problem.sentence.contains("wheel"))
    });
}

#[cfg(unix)]
#[test]
fn weights_of_ones_own_are_handed_to_their_engine() {
    let home = home();
    let told = home.path().join("told");
    let report = format!(
        r#"{{"python":"3.11","bridge":"0.1.0","engines":{{"{ENGINE}":{{"can_run":true,"weights":"owner/name","problems":[]}}}}}}"#
    );
    let script = format!(
        "#!/bin/sh\nfor argument; do [ \"$argument\" = --probe ] && echo '{report}' && exit; done\necho \"$*\" >'{}'\nexit 1\n",
        told.display()
    );
    let path = program(home.path(), &script);
    let weights = home.path().join("my weights");
    std::fs::create_dir(&weights).expect("can be made");
    let is_told = |wanted: &str| std::fs::read_to_string(&told).is_ok_and(|line| line.trim_end() == wanted);
    let mut window = TestWindow::open(home.path(), &[]);
    window.send(Command::SetModal(Some(Modal::Python)));
    window.send(Command::SetPython(path));
    window.until("the engine was started as it is", |_| {
        is_told(&format!("-m bozzetto_bridge {ENGINE}"))
    });
    *window.desktop.folder.lock() = Some(weights.clone());
    window.harness.run_steps(2);
    window.harness.get_by_label("owner/name on Hugging Face");
    window.harness.get_by_label("Folder…").click();
    let wanted = format!("-m bozzetto_bridge {ENGINE} --weights {}", weights.display());
    window.until("it was started with the weights", |_| is_told(&wanted));
    window.harness.run_steps(2);
    window.harness.get_by_label("Take the published weights again").click();
    window.until("it was started without them", |_| {
        is_told(&format!("-m bozzetto_bridge {ENGINE}"))
    });
}

#[cfg(unix)]
#[test]
fn pipelines_of_an_environment_are_offered_and_their_licences_shown_before_the_first_run() {
    let Ok(real) = std::env::var("BOZZETTO_TEST_PYTHON") else {
        return;
    };
    let home = home();
    let pictures = egg_pictures(home.path());
    let mut window = TestWindow::with_pictures(home.path(), &pictures[..1]);
    window.send(Command::SetPython(interpreter(home.path(), &real)));
    window.until("the engine is offered", |state| {
        state.engine.engines.iter().any(|engine| engine.id == ENGINE)
    });
    window.send(Command::SelectEngine(ENGINE.to_owned()));
    window.until("it is chosen with its parameters", |state| {
        state
            .engine
            .info()
            .is_some_and(|info| info.id == ENGINE && !info.params.is_empty())
    });
    window.send(Command::Generate);
    window.until("its licences are shown", |state| state.modal == Some(Modal::Licences));
    assert!(window.state().jobs.items.is_empty());
    window.harness.get_by_label("Agree and generate").click();
    window.until("the job ends for want of upstream's packages", |state| {
        let status = state.jobs.items.first().map(|job| &job.status);
        matches!(status, Some(JobStatus::Failed(problem)) if problem.hint.is_some())
    });
    // Agreed once, it is not asked again; and the built-in engine never asks.
    window.send(Command::Generate);
    window.until("the second run is refused in the same way", |state| {
        state.jobs.items.len() == 2
    });
    assert_eq!(window.state().modal, None);
    window.send(Command::ForgetPython);
    window.until("the engine is gone", |state| state.engine.engines.len() == 1);
    assert_eq!(window.state().engine.selected, "hull");
}
