//! The window: one state, one queue of commands, services that answer by messages.
//!
//! A frame has two halves. [`BozzettoApp::tick`] applies what background threads told, executes queued commands and brings
//! times up to date; it also runs while the window is hidden. [`BozzettoApp::draw`] only draws, and turns keys and drops into
//! commands for the next tick.

mod captures;
mod comparing;
mod device_loss;
mod execute;
mod exports;
mod frame;
mod frusta;
mod library;
mod notices;
mod params;
mod python;
mod results;
mod session;
mod viewing;
mod views;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use bozzetto_engine::{Job, Preview};
use crossbeam_channel::Receiver;
use egui::Ui;
use image::RgbaImage;

use super::Command;
use super::capture::{Capture, Captures};
use super::command::{CommandSender, note_typing};
use super::desktop::Desktop;
use super::export::Exports;
use super::export_size::ExportSizes;
use super::finish::Finish;
use super::import::Import;
use super::jobs::Jobs;
use super::kept_picture;
use super::library::Library;
use super::log::LogFeed;
use super::mailbox::{Mailbox, Message};
use super::options::{AppOptions, Folders};
use super::pick::Picker;
use super::platform::WindowSystem;
use super::python::Python;
use super::settings::{self, Settings, SettingsWriter};
use super::state::{AppState, GpuStatus, NoticeLevel, Problem, ViewId};
use super::telemetry::TelemetryThread;
use super::undo::UndoStack;
use super::viewport_host::{self, StageMood, ViewportHost};
use super::waker::Waker;

/// What the stage shows besides what [`AppState`] tells of it.
#[derive(Default)]
struct Forming {
    /// The newest previews of the job that runs, one of each kind.
    previews: Vec<Preview>,
}

/// The window's state and everything that works for it.
pub struct BozzettoApp {
    ctx: egui::Context,
    waker: Arc<Waker>,
    state: AppState,
    commands: CommandSender,
    folders: Folders,
    desktop: Arc<dyn Desktop>,
    animates: bool,

    mailbox: Mailbox,
    inbox: Receiver<Message>,
    log: LogFeed,
    notice_actions: HashMap<u64, (String, Command)>,

    import: Import,
    exports: Option<Exports>,
    export_sizes: Option<ExportSizes>,
    captures: Option<Captures>,
    /// A picture of the stage whose file is being named.
    pending_capture: Option<Capture>,
    library: Option<Library>,
    finish: Option<Finish>,
    jobs: Option<Jobs>,
    python: Python,
    viewport: Option<ViewportHost>,
    picker: Option<Picker>,
    last_grip: u64,
    telemetry: Option<TelemetryThread>,

    undo: UndoStack,
    presets: Vec<super::state::Preset>,
    settings_writer: Option<SettingsWriter>,
    /// As they were given to the writer last.
    saved_settings: Settings,
    settings_changed: Option<Instant>,

    last_view: u64,
    /// Licences that the artist has agreed to, as `part: licence`.
    agreed_licences: BTreeSet<String>,
    /// Whether the list still is the example that the first start put there.
    is_example: bool,
    /// Whether the example is being unpacked for the list as it is.
    awaits_example: bool,
    /// Whether the camera has not been touched since the last result was framed.
    frames_next_scene: bool,
    last_result: u64,
    /// The job behind what is on the stage.
    result_job: Option<Job>,
    forming: Forming,
    /// Whether the finish thread works on what is on the stage.
    is_finishing: bool,
    /// Small pictures of the views, for their cameras on the stage.
    camera_pictures: HashMap<ViewId, Arc<RgbaImage>>,
    glide: Option<viewing::Glide>,
    comparing: comparing::Comparing,
    losses: device_loss::Losses,
    pending_export: Option<exports::PendingExport>,
}

impl BozzettoApp {
    /// The window as eframe makes it.
    pub fn new(cc: &eframe::CreationContext<'_>, options: AppOptions) -> Self {
        Self::start(&cc.egui_ctx, cc.wgpu_render_state.clone(), options)
    }

    /// The window for any host that has an egui context. Without a render state everything works but the stage.
    pub fn start(ctx: &egui::Context, gpu: Option<egui_wgpu::RenderState>, options: AppOptions) -> Self {
        let losses = device_loss::Losses::default();
        let gpu = device_loss::prepare_context(ctx, gpu, &losses);
        let waker = Waker::new(ctx.clone());
        let of_threads = Arc::clone(&waker);
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(move || of_threads.wake());
        let (mailbox, inbox) = Mailbox::new(Arc::clone(&wake));
        let log = LogFeed::new(Arc::clone(&wake));
        let (remembered, settings_problem) = settings::load(&options.folders.config);
        let jobs = Jobs::start(options.engines, wake, remembered.stage_secs.clone());
        let finish = Finish::start(&mailbox);
        let mut app = Self {
            ctx: ctx.clone(),
            waker,
            state: AppState::default(),
            commands: CommandSender::default(),
            desktop: options.desktop,
            animates: options.animates,
            inbox,
            log,
            notice_actions: HashMap::new(),
            import: Import::new(mailbox.clone()),
            exports: Some(Exports::new(mailbox.clone())),
            export_sizes: None,
            captures: Some(Captures::new(mailbox.clone())),
            pending_capture: None,
            library: Some(Library::new(options.folders.library(), mailbox.clone())),
            settings_writer: Some(SettingsWriter::new(options.folders.config.clone(), mailbox.clone())),
            folders: options.folders,
            finish: None,
            jobs: None,
            python: Python::new(mailbox.clone()),
            viewport: None,
            picker: None,
            last_grip: 0,
            telemetry: options
                .reads_telemetry
                .then(|| TelemetryThread::start(mailbox.clone()))
                .flatten(),
            undo: UndoStack::default(),
            presets: Vec::new(),
            saved_settings: remembered.clone(),
            settings_changed: None,
            last_view: 0,
            agreed_licences: BTreeSet::new(),
            is_example: false,
            awaits_example: false,
            frames_next_scene: true,
            last_result: 0,
            result_job: None,
            forming: Forming::default(),
            is_finishing: false,
            camera_pictures: HashMap::new(),
            glide: None,
            comparing: comparing::Comparing::default(),
            losses,
            mailbox: mailbox.clone(),
            pending_export: None,
        };
        match jobs {
            Ok(jobs) => app.jobs = Some(jobs),
            Err(error) => app.say(NoticeLevel::Error, &Problem::of(&error)),
        }
        match finish {
            Ok(finish) => app.finish = Some(finish),
            Err(error) => app.say_no_thread(&error),
        }
        match ExportSizes::start(&mailbox) {
            Ok(sizes) => app.export_sizes = Some(sizes),
            Err(error) => app.say_no_thread(&error),
        }
        match Picker::start(&mailbox) {
            Ok(picker) => app.picker = Some(picker),
            Err(error) => app.say_no_thread(&error),
        }
        app.start_stage(gpu);
        app.restore(remembered);
        app.python.greet(app.state.python.environment.clone());
        if let Some(problem) = settings_problem {
            app.say(NoticeLevel::Warning, &problem);
        }
        app.state.drop.obstacle = WindowSystem::detect().drop_obstacle();
        if let Some(library) = &app.library {
            library.list();
        }
        app.open_first_files(options.files);
        app
    }

    fn start_stage(&mut self, gpu: Option<egui_wgpu::RenderState>) {
        let Some(render_state) = gpu else {
            self.state.viewport.gpu = GpuStatus::Failed(Problem::with_hint(
                "There is no graphics device to draw with.",
                "Results can still be made and exported. Install a graphics driver and start the program again.",
            ));
            return;
        };
        match ViewportHost::start(render_state, &self.mailbox) {
            Ok(viewport) => self.viewport = Some(viewport),
            Err(error) => self.say_no_thread(&error),
        }
    }

    fn say_no_thread(&self, error: &std::io::Error) {
        let problem = Problem::with_hint(
            format!("A part of the program could not be started: {error}."),
            "Close other programs and start this one again.",
        );
        self.say(NoticeLevel::Error, &problem);
    }

    /// What the window shows.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Where commands go.
    pub fn commands(&self) -> &CommandSender {
        &self.commands
    }

    /// The first half of a frame; also runs while the window is hidden. `parent` is the window that dialogs belong to.
    pub fn tick(&mut self, parent: Option<&eframe::Frame>) {
        self.apply_messages();
        self.apply_job_events();
        for command in self.commands.drain() {
            self.execute(command, parent);
        }
        self.advance_glide();
        self.follow_device();
        self.report_drawing_fault();
        self.follow_finish();
        self.follow_export_size();
        self.apply_log();
        self.age_notices();
        self.update_status();
        self.follow_load();
        self.save_settings_when_settled();
        self.schedule_next_frame();
    }

    /// The second half of a frame.
    pub fn draw(&mut self, ui: &mut Ui) {
        self.state.viewport.navigation.remember_in(ui.ctx());
        self.take_input(ui.ctx());
        let is_engine_working = self.state.jobs.running().is_some();
        // Finishing leaves the stage as it is; only its textures come at the end.
        kept_picture::set_engine_works(ui.ctx(), is_engine_working || self.is_finishing);
        let mood = StageMood {
            prefers_raw_mesh: self.prefers_raw_mesh(),
            is_engine_working,
        };
        let (viewport, state) = (&self.viewport, &self.state);
        crate::ui::draw(ui, state, &self.commands, &|ui, rect| {
            if let Some(viewport) = viewport {
                viewport_host::paint(ui, rect, viewport, &state.viewport, mood);
            }
        });
        note_typing(ui.ctx());
        if !self.commands.is_empty() {
            ui.ctx().request_repaint();
        }
    }

    /// Saves what is not saved yet and waits for files that are being written.
    pub fn shut_down(&mut self) {
        self.save_settings_now();
        // Jobs first: a worker that is told to stop must not outlive the window.
        self.jobs = None;
        // Threads that wait for room in the mailbox would never end: nobody reads it any more.
        let (_, nobody) = crossbeam_channel::bounded(0);
        self.inbox = nobody;
        if let Some(writer) = self.settings_writer.take() {
            writer.finish();
        }
        if let Some(library) = self.library.take() {
            library.finish();
        }
        if let Some(exports) = self.exports.take() {
            exports.finish();
        }
        if let Some(captures) = self.captures.take() {
            captures.finish();
        }
        self.waker.close();
    }
}

impl Drop for BozzettoApp {
    fn drop(&mut self) {
        self.shut_down();
    }
}

impl eframe::App for BozzettoApp {
    fn logic(&mut self, _: &egui::Context, frame: &mut eframe::Frame) {
        self.tick(Some(frame));
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        self.draw(ui);
    }

    fn on_exit(&mut self) {
        self.shut_down();
    }
}
