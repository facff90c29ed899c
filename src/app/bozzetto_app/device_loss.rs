use std::time::{Duration, Instant};

use super::super::kept_picture;
use super::super::lost_device::{LostDevicePlugin, WatchSlot};
use super::super::mailbox::Message;
use super::super::state::{GpuStatus, NoticeLevel, Problem};
use super::BozzettoApp;

/// A device that is lost sooner than this after the last one was not worth opening.
const SHORT_LIFE: Duration = Duration::from_secs(20);
/// So many of those in a row, and the driver is beyond help.
const MAX_SHORT_LIVES: u32 = 3;

/// How often the graphics device was lost.
#[derive(Default)]
pub(super) struct Losses {
    /// The window is being closed because its device is gone.
    is_closing: bool,
    last: Option<Instant>,
    num_short_lives: u32,
    watch: WatchSlot,
}

/// Makes a context ready for the window, and the device that it draws on.
pub(super) fn prepare_context(
    ctx: &egui::Context,
    gpu: Option<egui_wgpu::RenderState>,
    losses: &Losses,
) -> Option<egui_wgpu::RenderState> {
    crate::ui::install(ctx);
    let gpu = gpu.map(|gpu| kept_picture::install(ctx, gpu));
    // The last plugin, so that nothing comes after it.
    ctx.add_plugin(LostDevicePlugin(WatchSlot::clone(&losses.watch)));
    gpu
}

impl BozzettoApp {
    /// Whether the window was closed because its graphics device is gone: open another one and go on.
    pub(crate) fn wants_new_window(&self) -> bool {
        self.losses.is_closing
    }

    /// Whether every new device is lost at once: another window would not help.
    pub(crate) fn is_driver_broken(&self) -> bool {
        self.losses.num_short_lives >= MAX_SHORT_LIVES
    }

    /// Closes the window once its device is gone.
    pub(super) fn follow_device(&mut self) {
        let Some(viewport) = &self.viewport else { return };
        *self.losses.watch.lock() = Some(viewport.watch().clone());
        if !viewport.is_device_lost() || self.losses.is_closing {
            return;
        }
        tracing::warn!("The graphics device is gone: the window is opened again");
        let now = Instant::now();
        let is_short_life = self
            .losses
            .last
            .replace(now)
            .is_some_and(|last| now.duration_since(last) < SHORT_LIFE);
        self.losses.num_short_lives = if is_short_life {
            self.losses.num_short_lives + 1
        } else {
            0
        };
        self.losses.is_closing = true;
        self.ctx.send_viewport_cmd(egui::ViewportCommand::Close);
    }

    /// Notes a loss that showed as a panic before it could be followed; says whether there was one.
    pub(crate) fn note_loss(&mut self) -> bool {
        self.follow_device();
        self.losses.is_closing
    }

    /// Lets go of the window that is being closed, and of everything on its device.
    pub(crate) fn leave_window(&mut self) {
        self.waker.close();
        // Before the stage's thread is waited for, which must not wait for room in the mailbox; and after, for its last
        // words.
        self.apply_messages_of_others();
        self.viewport = None;
        self.apply_messages_of_others();
        self.glide = None;
        for item in &mut self.state.views.items {
            (item.thumbnail, item.photo, item.matte) = (None, None, None);
        }
        for entry in &mut self.state.library.entries {
            entry.thumbnail = None;
        }
        self.losses.watch.lock().take();
        self.ctx = egui::Context::default();
        self.state.viewport.gpu = GpuStatus::Starting;
    }

    /// Goes on in a new window on a new device. Jobs have gone on meanwhile; everything that is kept comes back to the
    /// stage.
    pub(crate) fn enter_window(&mut self, cc: &eframe::CreationContext<'_>) {
        self.losses.is_closing = false;
        let ctx = &cc.egui_ctx;
        let gpu = prepare_context(ctx, cc.wgpu_render_state.clone(), &self.losses);
        self.ctx = ctx.clone();
        self.waker.open(ctx.clone());
        // egui's pictures went with the old window.
        for item in &self.state.views.items {
            self.import.decode(item.id, &item.view);
        }
        self.refresh_library();
        self.start_stage(gpu);
        self.update_stage();
        self.show_other();
        let problem = Problem::with_hint(
            "The graphics card was lost and the window has been opened again. Nothing is lost.",
            "If it happens often, update the graphics driver or close other programs that use the card.",
        );
        self.say(NoticeLevel::Warning, &problem);
    }

    /// Applies what waits in the mailbox, but for what an old stage has to say.
    fn apply_messages_of_others(&mut self) {
        let messages: Vec<_> = self.inbox.try_iter().collect();
        for message in messages {
            if !matches!(message, Message::Stage(_)) {
                self.apply_message(message);
            }
        }
    }

    /// Takes the device away, for tests.
    pub fn lose_device(&self) {
        if let Some(viewport) = &self.viewport {
            viewport.lose_device();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::path::Path;
    use std::rc::Rc;
    use std::sync::Arc;

    use bozzetto_asset::{GaussianSplats, formats::ply};
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;
    use glam::{Quat, Vec3};

    use super::*;
    use crate::app::desktop::NativeDesktop;
    use crate::app::{AppOptions, Folders};

    /// One of the windows that an application has in its life.
    struct Window(Rc<RefCell<Option<BozzettoApp>>>);

    impl eframe::App for Window {
        fn logic(&mut self, _: &egui::Context, frame: &mut eframe::Frame) {
            if let Some(app) = self.0.borrow_mut().as_mut() {
                app.tick(Some(frame));
            }
        }

        fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
            if let Some(app) = self.0.borrow_mut().as_mut() {
                app.draw(ui);
            }
        }
    }

    /// Opens a window; `enter` has the application in it.
    fn open(
        app: &Rc<RefCell<Option<BozzettoApp>>>,
        enter: impl FnOnce(&mut Option<BozzettoApp>, &eframe::CreationContext<'_>),
    ) -> Harness<'static, Window> {
        let mut setup = egui_kittest::wgpu::default_wgpu_setup();
        if let egui_wgpu::WgpuSetup::CreateNew(new) = &mut setup {
            new.device_descriptor = Arc::new(bozzetto_viewport::device_descriptor);
        }
        let app = Rc::clone(app);
        Harness::builder()
            .with_size([1200.0, 800.0])
            .with_max_steps(16)
            .wgpu_setup(setup)
            .build_eframe(move |cc| {
                enter(&mut app.borrow_mut(), cc);
                Window(app)
            })
    }

    fn options(home: &Path, file: &Path) -> AppOptions {
        AppOptions {
            folders: Folders::within(home),
            engines: Vec::new(),
            desktop: Arc::new(NativeDesktop),
            files: vec![file.to_owned()],
            reads_telemetry: false,
            animates: false,
        }
    }

    /// Draws frames until the middle of the stage is red.
    fn wait_for_red(window: &mut Harness<'static, Window>, when: &str) {
        let deadline = Instant::now() + Duration::from_mins(2);
        loop {
            window.step();
            let middle = window.get_by_label("Stage").rect().center();
            let picture = window.render().expect("can be drawn");
            let [red, green, blue, _] = picture.get_pixel(middle.x as u32, middle.y as u32).0;
            if red > 150 && red > 2 * green.max(blue) {
                return;
            }
            assert!(Instant::now() < deadline, "{when}: {:?}", [red, green, blue]);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn the_result_is_drawn_again_on_the_next_device() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let file = home.path().join("red.ply");
        let splats = GaussianSplats {
            positions: vec![Vec3::ZERO, Vec3::splat(0.3), Vec3::splat(-0.3)],
            log_scales: vec![Vec3::splat(0.15_f32.ln()); 3],
            rotations: vec![Quat::IDENTITY; 3],
            opacities: vec![0.98; 3],
            sh: vec![GaussianSplats::dc_from_srgb([0.9, 0.1, 0.1]); 3],
            ..GaussianSplats::default()
        };
        ply::write(&file, &splats).expect("can be written");
        let app = Rc::new(RefCell::new(None));
        let mut first = open(&app, |slot, cc| {
            *slot = Some(BozzettoApp::new(cc, options(home.path(), &file)));
        });
        wait_for_red(&mut first, "at first");
        {
            let mut slot = app.borrow_mut();
            let app = slot.as_mut().expect("it is open");
            app.lose_device();
            app.tick(None);
            assert!(app.wants_new_window());
        }
        drop(first);
        if let Some(app) = app.borrow_mut().as_mut() {
            app.leave_window();
        }
        let mut second = open(&app, |slot, cc| {
            slot.as_mut().expect("it goes on").enter_window(cc);
        });
        wait_for_red(&mut second, "again");
        let slot = app.borrow();
        let state = slot.as_ref().expect("it is open").state();
        assert!(state.result.is_some());
    }
}
