//! The whole window, driven by accessible names: real engine, real files, a software graphics driver.

#[path = "../common/mod.rs"]
mod common;

mod capture;
mod compare;
mod forming;
mod generate;
mod kept_picture;
mod native;
mod pictures;
mod python;
mod session;
mod turning;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bozzetto::app::desktop::{Answer, Desktop, Pending, SaveDialog};
use bozzetto::app::state::{AppState, NoticeLevel, Problem, ViewStatus};
use bozzetto::app::{AppOptions, BozzettoApp, Command, Folders, log};
use bozzetto_engine::{Engine, InProcessEngine, ParamValue};
use bozzetto_hull::HullEngine;
use egui_kittest::Harness;
use image::{Rgba, RgbaImage};
use parking_lot::Mutex;

/// Longer than anything here takes on a slow and busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A desktop whose artist has made up their mind before being asked.
#[derive(Default)]
pub(crate) struct FakeDesktop {
    /// Pictures that the next dialog gives; none is a cancel.
    pub pictures: Mutex<Vec<PathBuf>>,
    /// Where the next export goes; none is a desktop without dialogs.
    pub target: Mutex<Option<PathBuf>>,
    /// The folder that the next dialog gives; none is a cancel.
    pub folder: Mutex<Option<PathBuf>>,
    /// The picture on the clipboard.
    pub clipboard: Mutex<Option<RgbaImage>>,
    /// Paths that were shown in the file program.
    pub shown: Mutex<Vec<PathBuf>>,
}

impl Desktop for FakeDesktop {
    fn choose_pictures(&self, _: Option<&Path>, _: Option<&eframe::Frame>) -> Pending<Vec<PathBuf>> {
        let paths = self.pictures.lock().clone();
        let answer = if paths.is_empty() {
            Answer::Cancelled
        } else {
            Answer::Chosen(paths)
        };
        Box::pin(std::future::ready(answer))
    }

    fn choose_target(&self, _: &SaveDialog<'_>, _: Option<&eframe::Frame>) -> Pending<PathBuf> {
        let answer = match self.target.lock().clone() {
            Some(path) => Answer::Chosen(path),
            None => Answer::Unavailable(Problem::with_hint("No file dialog can be opened.", "Install one.")),
        };
        Box::pin(std::future::ready(answer))
    }

    fn choose_folder(&self, _: &str, _: Option<&Path>, _: Option<&eframe::Frame>) -> Pending<PathBuf> {
        let chosen = self.folder.lock().clone();
        Box::pin(std::future::ready(chosen.map_or(Answer::Cancelled, Answer::Chosen)))
    }

    fn show(&self, path: &Path) -> Result<(), Problem> {
        self.shown.lock().push(path.to_owned());
        Ok(())
    }

    fn clipboard_picture(&self) -> Result<RgbaImage, Problem> {
        self.clipboard
            .lock()
            .clone()
            .ok_or_else(|| Problem::with_hint("There is no picture on the clipboard.", "Copy one first."))
    }
}

/// The window with its folders, which live as long as the test.
pub(crate) struct TestWindow {
    /// Runs the frames.
    pub harness: Harness<'static, BozzettoApp>,
    /// What the window asks for files.
    pub desktop: Arc<FakeDesktop>,
}

/// A folder with settings that skip the first start, and a small grid.
pub(crate) fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a temporary folder");
    let config = home.path().join("config");
    std::fs::create_dir_all(&config).expect("can be made");
    let settings = "was_started = true\n[finish]\ntarget_faces = 800\ntexture_px = 128\n\
                    [params.hull]\n\"carve.resolution\" = 64\n";
    std::fs::write(config.join("settings.toml"), settings).expect("can be written");
    home
}

/// The built-in engine in this process.
pub(crate) fn hull() -> Vec<Box<dyn Engine>> {
    vec![Box::new(InProcessEngine::new(Box::new(HullEngine::new())))]
}

impl TestWindow {
    /// Opens the window on a home folder with the built-in engine in this process.
    pub(crate) fn open(home: &Path, files: &[PathBuf]) -> Self {
        Self::open_with(home, files, hull())
    }

    /// The same with other engines.
    pub(crate) fn open_with(home: &Path, files: &[PathBuf], engines: Vec<Box<dyn Engine>>) -> Self {
        log::install();
        let desktop = Arc::new(FakeDesktop::default());
        let options = AppOptions {
            folders: Folders::within(home),
            engines,
            desktop: desktop.clone(),
            files: files.to_vec(),
            reads_telemetry: false,
            animates: false,
        };
        let harness = Harness::builder()
            .with_size([1440.0, 900.0])
            .with_pixels_per_point(1.0)
            .with_max_steps(16)
            .wgpu_setup(software_gpu())
            .build_eframe(|cc| BozzettoApp::new(cc, options));
        Self { harness, desktop }
    }

    /// What the window shows.
    pub(crate) fn state(&self) -> &AppState {
        self.harness.state().state()
    }

    /// Queues a command for the next frame.
    pub(crate) fn send(&self, command: Command) {
        self.harness.state().commands().send(command);
    }

    /// Draws frames until something holds, or fails with what the window shows instead.
    pub(crate) fn until(&mut self, what: &str, holds: impl Fn(&AppState) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self.state()) {
            if Instant::now() > deadline {
                let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join("window.png");
                let drawn = self.harness.render().map(|image| image.save(&picture));
                panic!("never: {what}. {drawn:?} in {}\n{:#?}", picture.display(), self.state());
            }
            self.harness.step();
            std::thread::sleep(Duration::from_millis(5));
        }
        // The change is known in the first half of a frame; the second draws it.
        self.harness.step();
    }

    /// Opens the window with pictures and waits until they are cut out.
    pub(crate) fn with_pictures(home: &Path, pictures: &[PathBuf]) -> Self {
        let mut window = Self::open(home, pictures);
        let count = pictures.len();
        window.until("pictures are cut out", |state| {
            state.views.items.len() == count && state.views.items.iter().all(|item| item.status == ViewStatus::Ready)
        });
        window
    }

    /// Sets the grid's resolution, as the slider does when it is let go.
    pub(crate) fn set_resolution(&mut self, resolution: i64) {
        self.send(Command::SetParam {
            key: "carve.resolution".into(),
            value: ParamValue::Int(resolution),
            is_final: true,
        });
        self.harness.step();
    }

    /// Notices at a level, newest last.
    pub(crate) fn notices(&self, level: NoticeLevel) -> Vec<String> {
        let toasts = self.state().toasts.iter();
        toasts
            .filter(|toast| toast.level == level)
            .map(|toast| toast.text.clone())
            .collect()
    }
}

/// The driver that tests draw with, opened as the program opens its own.
fn software_gpu() -> egui_wgpu::WgpuSetup {
    let mut setup = egui_kittest::wgpu::default_wgpu_setup();
    if let egui_wgpu::WgpuSetup::CreateNew(new) = &mut setup {
        new.device_descriptor = Arc::new(bozzetto_viewport::device_descriptor);
    }
    setup
}

/// Pictures of an ellipsoid on a transparent ground, from three sides by name.
pub(crate) fn egg_pictures(folder: &Path) -> Vec<PathBuf> {
    let sides = [
        ("front", 0.30, [200, 90, 60]),
        ("left", 0.22, [90, 160, 70]),
        ("back", 0.30, [60, 90, 190]),
    ];
    sides
        .into_iter()
        .map(|(side, half_width, color)| {
            let path = folder.join(format!("egg_{side}.png"));
            ellipse(half_width, 0.42, color).save(&path).expect("can be written");
            path
        })
        .collect()
}

/// An ellipse with a soft edge; half axes as shares of the picture's edge.
pub(crate) fn ellipse(half_width: f32, half_height: f32, color: [u8; 3]) -> RgbaImage {
    let edge = 96_u32;
    RgbaImage::from_fn(edge, edge, |x, y| {
        let place = |pixel: u32| (pixel as f32 + 0.5) / edge as f32 - 0.5;
        let radius = ((place(x) / half_width).powi(2) + (place(y) / half_height).powi(2)).sqrt();
        let alpha = ((1.0 - radius) * 12.0 + 0.5).clamp(0.0, 1.0);
        Rgba([color[0], color[1], color[2], (alpha * 255.0) as u8])
    })
}
