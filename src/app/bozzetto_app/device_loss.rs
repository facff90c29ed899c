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
