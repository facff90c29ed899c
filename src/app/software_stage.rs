//! The stage where the processor draws: a thread with a graphics device of its own makes pictures of it, the window shows
//! the newest one. Drawing a large mesh takes a processor a second, and a device is busy meanwhile for everybody who shares
//! it; the window must not be among them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bozzetto_viewport::{Frame, Offscreen, OrbitCamera, Scene};
use egui::{Color32, ColorImage, Rect, TextureHandle, TextureOptions, Ui, pos2};
use parking_lot::Mutex;

use super::latest::{LatestWins, Ticket};
use super::mailbox::{Mailbox, Message};
use super::stage::{StageContent, StageRequest, upload};

/// Pixels of the picture a pixel of the window, along each axis, while the processor is needed for other things or must
/// keep up with the artist's hand.
const COARSE: f32 = 0.5;
/// How long the eye must rest before every pixel is drawn again.
const REST: Duration = Duration::from_millis(250);

/// Content with a number: another number is other content.
#[derive(Default)]
struct Content {
    number: u64,
    request: StageRequest,
}

/// What the thread is asked for: content, and a picture of it.
struct Wish {
    content: Arc<Content>,
    frame: Option<Frame>,
}

/// Owns the thread and its newest picture.
pub struct SoftwareStage {
    thread: LatestWins<Wish>,
    content: Arc<Content>,
    /// What the newest picture was asked for with.
    asked: Mutex<Option<(u64, Frame)>>,
    /// The eye, and when it last moved.
    eye: Mutex<Option<(OrbitCamera, Instant)>>,
    picture: Option<TextureHandle>,
}

impl SoftwareStage {
    /// Starts the thread; it opens its device first.
    pub fn start(mailbox: &Mailbox) -> std::io::Result<Self> {
        let (for_work, for_panic) = (mailbox.clone(), mailbox.clone());
        let mut artist = Artist::new(for_work);
        let work = move |wish: Wish, _: &Ticket| artist.grant(&wish);
        let failed = move |_: &Ticket, reason: String| {
            for_panic.post(Message::Stage(StageContent::Failed(reason)));
        };
        let stage = Self {
            thread: LatestWins::start("stage", work, failed)?,
            content: Arc::default(),
            asked: Mutex::default(),
            eye: Mutex::default(),
            picture: None,
        };
        stage.ask(None);
        Ok(stage)
    }

    /// Shows something else; the last picture stays until it is drawn.
    pub fn show(&mut self, request: StageRequest) {
        let number = self.content.number + 1;
        self.content = Arc::new(Content { number, request });
        self.ask(None);
    }

    /// Shows this picture from now on. It comes as another texture: who compares frames sees that it is not the same.
    pub fn set_picture(&mut self, ctx: &egui::Context, picture: ColorImage) {
        self.picture = Some(ctx.load_texture("stage", picture, TextureOptions::LINEAR));
    }

    /// The picture that was asked for could not be drawn: asks again with the next frame.
    pub fn ask_again(&self) {
        *self.asked.lock() = None;
    }

    /// Paints the newest picture and asks for the one that should be there.
    pub fn paint(&self, ui: &Ui, rect: Rect, frame: Frame) {
        let wanted = (self.content.number, frame);
        let mut asked = self.asked.lock();
        if asked.as_ref() != Some(&wanted) {
            self.ask(Some(wanted.1.clone()));
            *asked = Some(wanted);
        }
        if let Some(picture) = &self.picture {
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            ui.painter().image(picture.id(), rect, whole, Color32::WHITE);
        }
    }

    /// Pixels of the picture a pixel of the window. Asks for a frame when it will be another one.
    pub fn pixel_density(&self, ctx: &egui::Context, eye: OrbitCamera, is_engine_working: bool) -> f32 {
        let mut last = self.eye.lock();
        let now = Instant::now();
        let rested = match *last {
            Some((last_eye, moved)) if last_eye == eye => now.duration_since(moved),
            Some(_) => Duration::ZERO,
            // The first eye has not moved.
            None => REST,
        };
        *last = now.checked_sub(rested).map(|moved| (eye, moved));
        if rested < REST {
            ctx.request_repaint_after(REST.saturating_sub(rested));
        }
        if is_engine_working || rested < REST {
            COARSE
        } else {
            1.0
        }
    }

    fn ask(&self, frame: Option<Frame>) {
        let content = Arc::clone(&self.content);
        self.thread.request(Wish { content, frame });
    }
}

/// Draws on the thread.
struct Artist {
    mailbox: Mailbox,
    device: Option<Offscreen>,
    scene: Option<(u64, Scene)>,
}

impl Artist {
    fn new(mailbox: Mailbox) -> Self {
        Self {
            mailbox,
            device: None,
            scene: None,
        }
    }

    fn grant(&mut self, wish: &Wish) {
        if self.device.as_ref().is_some_and(|device| device.renderer().is_lost()) {
            self.device = None;
            self.scene = None;
        }
        if self.device.is_none() {
            // The device's own threads inherit this one's low priority.
            match Offscreen::new() {
                Ok(device) => self.device = Some(device),
                Err(error) => return self.post(StageContent::Failed(error.to_string())),
            }
            self.post(StageContent::Ready);
        }
        let Some(device) = &self.device else { return };
        let number = wish.content.number;
        if self.scene.as_ref().is_none_or(|(shown, _)| *shown != number) {
            let wake = self.mailbox.wake();
            let (scene, faults) = upload(device.device(), device.queue(), &wish.content.request, wake);
            let bounds = scene.bounds();
            self.scene = Some((number, scene));
            self.post(StageContent::Uploaded {
                scene: None,
                bounds,
                faults,
            });
        }
        let (Some(frame), Some((_, scene))) = (&wish.frame, &mut self.scene) else {
            return;
        };
        let drawn = device.render(scene, &frame.camera, frame.size_px, &frame.settings);
        self.post(match drawn {
            Ok(picture) => {
                let size = [picture.width() as usize, picture.height() as usize];
                StageContent::Picture(ColorImage::from_rgba_unmultiplied(size, &picture))
            }
            Err(fault) => StageContent::NotDrawn(fault),
        });
    }

    fn post(&self, content: StageContent) {
        self.mailbox.post(Message::Stage(content));
    }
}
