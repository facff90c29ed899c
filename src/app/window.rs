use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::options::{AppOptions, Folders};
use super::platform::{self, WindowSystem};
use super::{BozzettoApp, log};

/// Opens the window and stays until it is closed. When the graphics device is lost, another window takes its place and
/// everything in it goes on. `loses_device` takes the device away once, for tests.
pub fn run_window(files: Vec<PathBuf>, loses_device: bool) -> ExitCode {
    log::install();
    platform::let_work_yield();
    let mut options = Some(AppOptions::native(files));
    let app = SharedApp::default();
    let mut pauses = BEFORE_TRYING_AGAIN.into_iter();
    let failure = loop {
        let result = run_one_window(&app, &mut options, loses_device);
        let mut slot = app.borrow_mut();
        let Some(kept) = slot.as_mut().filter(|kept| kept.wants_new_window()) else {
            break result.err().map(|sentence| ("Bozzetto cannot start", sentence));
        };
        if kept.is_driver_broken() {
            break Some(("The graphics card does not come back", BROKEN_DRIVER.to_owned()));
        }
        if result.is_ok() {
            kept.leave_window();
            pauses = BEFORE_TRYING_AGAIN.into_iter();
        } else if let Some(pause) = pauses.next() {
            // A driver that resets itself needs a moment; jobs go on meanwhile.
            std::thread::sleep(pause);
        } else {
            break Some(("The graphics card does not come back", BROKEN_DRIVER.to_owned()));
        }
    };
    // Before the program ends: results that are being saved are waited for.
    app.take();
    let Some((title, sentence)) = failure else {
        return ExitCode::SUCCESS;
    };
    say_in_terminal(&sentence);
    // Who started it by a click sees no terminal.
    rfd::MessageDialog::new()
        .set_level(rfd::MessageLevel::Error)
        .set_title(title)
        .set_description(&sentence)
        .show();
    ExitCode::FAILURE
}

/// How long to wait before another window is tried where none could be opened after a loss.
const BEFORE_TRYING_AGAIN: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
const BROKEN_DRIVER: &str = "The graphics card was lost again and again, so the window had to be closed. Your results \
                             are in the library. Start the computer again or update the graphics driver, and use fewer \
                             faces or splats if it happens with one result only.";

/// The application, which outlives its windows.
type SharedApp = Rc<RefCell<Option<BozzettoApp>>>;

/// A window of the application.
struct Window {
    app: SharedApp,
    /// When to take the device away, for tests.
    loses_device_at: Option<Instant>,
}

/// How long a window that is to lose its device is left alone first.
const BEFORE_LOSS: Duration = Duration::from_secs(5);

impl eframe::App for Window {
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        let mut app = self.app.borrow_mut();
        let Some(app) = app.as_mut() else { return };
        if let Some(at) = self.loses_device_at {
            ctx.request_repaint_after(at.saturating_duration_since(Instant::now()));
            if Instant::now() >= at {
                self.loses_device_at = None;
                app.lose_device();
            }
        }
        app.tick(Some(frame));
    }

    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        if let Some(app) = self.app.borrow_mut().as_mut() {
            app.draw(ui);
        }
    }

    fn on_exit(&mut self) {
        if let Some(app) = self.app.borrow_mut().as_mut().filter(|app| !app.wants_new_window()) {
            app.shut_down();
        }
    }
}

fn run_one_window(app: &SharedApp, options: &mut Option<AppOptions>, loses_device: bool) -> Result<(), String> {
    let config = options.as_ref().map(|options| options.folders.config.clone());
    let config = config.unwrap_or_else(|| Folders::native().config);
    let native = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Bozzetto")
            .with_app_id("bozzetto")
            .with_icon(icon())
            .with_inner_size([1440.0, 900.0])
            .with_min_inner_size([960.0, 600.0]),
        wgpu_options: platform::wgpu_configuration(),
        event_loop_builder: platform::event_loop_hook(WindowSystem::detect()),
        persistence_path: Some(config.join("window.ron")),
        ..eframe::NativeOptions::default()
    };
    let create: eframe::AppCreator<'_> = Box::new(|cc| {
        let mut slot = app.borrow_mut();
        // Only the first window loses its device.
        let loses_device_at = (loses_device && slot.is_none()).then(|| Instant::now() + BEFORE_LOSS);
        match (slot.as_mut(), options.take()) {
            (Some(app), _) => app.enter_window(cc),
            (None, Some(options)) => *slot = Some(BozzettoApp::new(cc, options)),
            (None, None) => return Err("the last window left nothing to go on with".into()),
        }
        let app = Rc::clone(app);
        Ok(Box::new(Window { app, loses_device_at }))
    });
    // egui's renderer panics where a device that is just being lost gives it no buffer.
    let ran = catch_unwind(AssertUnwindSafe(|| eframe::run_native("Bozzetto", native, create)));
    match ran {
        Ok(result) => result.map_err(|error| sentence_of(&error)),
        Err(panic) => {
            let is_loss = app
                .try_borrow_mut()
                .is_ok_and(|mut app| app.as_mut().is_some_and(BozzettoApp::note_loss));
            if is_loss { Ok(()) } else { resume_unwind(panic) }
        }
    }
}

#[expect(clippy::print_stderr, reason = "there is no window to say it in")]
fn say_in_terminal(sentence: &str) {
    eprintln!("error: {sentence}");
}

/// What is missing for a window, and what to install.
fn sentence_of(error: &eframe::Error) -> String {
    // winit puts the place in its own source before what happened.
    let reason = error.to_string();
    let reason = reason.rsplit(": ").next().unwrap_or_default().trim_end_matches('.');
    match error {
        eframe::Error::Wgpu(_) => format!(
            "The window could not be opened: {} Without a window, 'bozzetto generate' makes the same results.",
            bozzetto_viewport::GpuError::NoAdapter,
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

const ICON_PX: u32 = 64;
/// Top, right and left face: fired clay in the light, turned away, and in shadow.
const ICON_FACES: [[f32; 3]; 3] = [[238.0, 148.0, 108.0], [194.0, 87.0, 48.0], [138.0, 60.0, 30.0]];

/// The program's sign for taskbars: the cube of the logo, in its own colours so that it shows on dark and light.
fn icon() -> egui::IconData {
    let rgba = (0..ICON_PX * ICON_PX).flat_map(|pixel| icon_pixel(pixel % ICON_PX, pixel / ICON_PX));
    egui::IconData {
        rgba: rgba.collect(),
        width: ICON_PX,
        height: ICON_PX,
    }
}

/// A pixel averaged from 4 x 4 samples.
fn icon_pixel(x: u32, y: u32) -> [u8; 4] {
    const SAMPLES: u32 = 4;
    let place = |pixel: u32, sample: u32| {
        (pixel as f32 + (sample as f32 + 0.5) / SAMPLES as f32) / (ICON_PX as f32 * 0.5) - 1.0
    };
    let samples = (0..SAMPLES * SAMPLES).filter_map(|sample| {
        let face = cube_face(place(x, sample % SAMPLES), place(y, sample / SAMPLES))?;
        Some(glam::Vec3::from(ICON_FACES[face]))
    });
    let (sum, count) = samples.fold((glam::Vec3::ZERO, 0), |(sum, count), color| (sum + color, count + 1));
    let color = sum / count.max(1) as f32;
    let alpha = count as f32 * 255.0 / (SAMPLES * SAMPLES) as f32;
    [color.x as u8, color.y as u8, color.z as u8, alpha as u8]
}

/// Which face of a cube seen from its corner lies at a place in `[-1, 1]^2` (y down): top, right or left.
fn cube_face(x: f32, y: f32) -> Option<usize> {
    const RADIUS: f32 = 0.94;
    let at = glam::Vec2::new(x, y);
    // A hexagon with a corner at the top: three pairs of parallel edges.
    let is_inside = [0.0_f32, 60.0, 120.0].into_iter().all(|degrees| {
        let normal = glam::Vec2::from_angle(degrees.to_radians());
        at.dot(normal).abs() <= RADIUS * 30_f32.to_radians().cos()
    });
    let clockwise_from_upper_left = (y.atan2(x).to_degrees() + 150.0).rem_euclid(360.0);
    is_inside.then_some((clockwise_from_upper_left / 120.0) as usize % 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_icon_is_a_cube_on_nothing() {
        assert_eq!(
            [cube_face(0.0, -0.5), cube_face(0.4, 0.3), cube_face(-0.4, 0.3)],
            [Some(0), Some(1), Some(2)]
        );
        assert_eq!(cube_face(0.95, 0.95), None);
        let icon = icon();
        assert_eq!(icon.rgba.len(), (icon.width * icon.height * 4) as usize);
        assert_eq!(icon.rgba[3], 0, "the corner is empty");
    }
}
