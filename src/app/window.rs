use std::path::PathBuf;
use std::process::ExitCode;

use super::options::AppOptions;
use super::platform::{self, WindowSystem};
use super::{BozzettoApp, log};

/// Opens the window and stays until it is closed.
pub fn run_window(files: Vec<PathBuf>) -> ExitCode {
    log::install();
    let options = AppOptions::native(files);
    let native = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Bozzetto")
            .with_app_id("bozzetto")
            .with_inner_size([1440.0, 900.0])
            .with_min_inner_size([960.0, 600.0]),
        wgpu_options: platform::wgpu_configuration(),
        event_loop_builder: platform::event_loop_hook(WindowSystem::detect()),
        persistence_path: Some(options.folders.config.join("window.ron")),
        ..eframe::NativeOptions::default()
    };
    let result = eframe::run_native(
        "Bozzetto",
        native,
        Box::new(|cc| Ok(Box::new(BozzettoApp::new(cc, options)))),
    );
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let sentence = sentence_of(&error);
            tracing::error!("{sentence}");
            // Who started it by a click sees no terminal.
            rfd::MessageDialog::new()
                .set_level(rfd::MessageLevel::Error)
                .set_title("Bozzetto cannot start")
                .set_description(&sentence)
                .show();
            ExitCode::FAILURE
        }
    }
}

/// What is missing for a window, and what to install.
fn sentence_of(error: &eframe::Error) -> String {
    let reason = error.to_string();
    match error {
        eframe::Error::Wgpu(_) => format!(
            "The window could not be opened: {}. On Debian and Ubuntu the package mesa-vulkan-drivers works on every \
             computer. Without a window, 'bozzetto generate' makes the same results.",
            bozzetto_viewport::GpuError::NoAdapter.to_string().trim_end_matches('.'),
        ),
        _ if cfg!(target_os = "linux") => format!(
            "The window could not be opened: {reason}. It needs a desktop, and the packages libxcursor1, libxi6 and \
             libxkbcommon-x11-0. Without a window, 'bozzetto generate' makes the same results."
        ),
        _ => {
            format!("The window could not be opened: {reason}. 'bozzetto generate' makes the same results without it.")
        }
    }
}
