//! The stage where the processor draws: a thread with a graphics device of its own makes pictures of it, the window shows
//! the newest one. Drawing a large mesh takes a processor a second, and a device is busy meanwhile for everybody who shares
//! it; the window must not be among them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bozzetto_viewport::{Offscreen, OrbitCamera, Scene, ScenePool};
use egui::{Color32, ColorImage, Painter, Rect, TextureHandle, TextureOptions, pos2};
use parking_lot::Mutex;

use super::latest::{LatestWins, Ticket};
use super::mailbox::{Mailbox, Message};
use super::stage::{Numbered, Side, SideFrame, Slot, StageContent, StageContents, StageRequest, Uploaded, upload};

/// Pixels of the picture a pixel of the window, along each axis, while the processor is needed for other things or must
/// keep up with the artist's hand.
const COARSE: f32 = 0.5;
/// How long the eye must rest before every pixel is drawn again.
const REST: Duration = Duration::from_millis(250);

/// What the thread is asked for: contents, and pictures of them by side.
#[derive(Clone)]
struct Wish {
    contents: StageContents,
    /// `None` to have the contents ready, whatever will be seen of them.
    frames: Option<[Option<SideFrame>; 2]>,
}

/// What tells a picture from another one: the number of its content, and the frame.
type Asked = (u64, SideFrame);

/// Owns the thread and its newest pictures.
pub struct SoftwareStage {
    thread: LatestWins<Wish>,
    contents: StageContents,
    /// What the newest pictures were asked for with.
    asked: Mutex<[Option<Asked>; 2]>,
    /// The eye, and when it last moved.
    eye: Mutex<Option<(OrbitCamera, Instant)>>,
    pictures: [Option<TextureHandle>; 2],
}

impl SoftwareStage {
    /// Starts the thread; it opens its device first.
    pub fn start(mailbox: &Mailbox) -> std::io::Result<Self> {
        let (for_work, for_panic) = (mailbox.clone(), mailbox.clone());
        let mut artist = Artist::new(for_work);
        let work = move |wish: Wish, ticket: &Ticket| artist.grant(&wish, ticket);
        let failed = move |_: &Ticket, reason: String| {
            for_panic.post(Message::Stage(StageContent::Failed(reason)));
        };
        let stage = Self {
            thread: LatestWins::start("stage", work, failed)?,
            contents: StageContents::default(),
            asked: Mutex::default(),
            eye: Mutex::default(),
            pictures: [None, None],
        };
        stage.ask(None);
        Ok(stage)
    }

    /// Shows something else; the last picture stays until it is drawn.
    pub fn show(&mut self, slot: Slot, request: StageRequest) {
        self.contents.replace(slot, request);
        // Takes back whatever was asked before.
        *self.asked.get_mut() = [None, None];
        self.ask(None);
    }

    /// Shows this picture from now on. It comes as another texture: who compares frames sees that it is not the same.
    pub fn set_picture(&mut self, ctx: &egui::Context, side: Side, picture: ColorImage) {
        if side == Side::Second && self.asked.get_mut()[side as usize].is_none() {
            // The comparison that it was drawn for has ended.
            return;
        }
        self.pictures[side as usize] = Some(ctx.load_texture("stage", picture, TextureOptions::LINEAR));
    }

    /// A picture that was asked for could not be drawn: asks again with the next frame.
    pub fn ask_again(&self) {
        *self.asked.lock() = [None, None];
    }

    /// Asks for the pictures that should be there, by side.
    pub fn want(&self, frames: [Option<SideFrame>; 2]) {
        let wanted = frames.clone().map(|frame| {
            let frame = frame?;
            Some((self.contents.of(frame.slot).number, frame))
        });
        let mut asked = self.asked.lock();
        if *asked != wanted {
            self.ask(Some(frames));
            *asked = wanted;
        }
    }

    /// Paints the newest picture of a side.
    pub fn paint(&self, painter: &Painter, rect: Rect, side: Side) {
        if let Some(picture) = &self.pictures[side as usize] {
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            painter.image(picture.id(), rect, whole, Color32::WHITE);
        }
    }

    /// Gives the memory of the second picture back.
    pub fn forget_second(&mut self) {
        self.pictures[Side::Second as usize] = None;
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

    fn ask(&self, frames: Option<[Option<SideFrame>; 2]>) {
        let contents = self.contents.clone();
        self.thread.request(Wish { contents, frames });
    }
}

/// Draws on the thread.
struct Artist {
    mailbox: Mailbox,
    device: Option<Offscreen>,
    pool: ScenePool,
    /// By slot, with what they hold.
    scenes: [(Arc<Numbered>, Scene); 2],
    /// By side: what was drawn last.
    drawn: [Option<Asked>; 2],
}

impl Artist {
    fn new(mailbox: Mailbox) -> Self {
        Self {
            mailbox,
            device: None,
            pool: ScenePool::default(),
            scenes: Default::default(),
            drawn: [None, None],
        }
    }

    fn grant(&mut self, wish: &Wish, ticket: &Ticket) {
        if self
            .device
            .as_ref()
            .is_some_and(|device| device.renderer().watch().is_lost())
        {
            *self = Self::new(self.mailbox.clone());
        }
        if self.device.is_none() {
            // The device's own threads inherit this one's low priority.
            match Offscreen::new() {
                Ok(device) => self.device = Some(device),
                Err(error) => return self.post(StageContent::Failed(error.to_string())),
            }
            self.post(StageContent::Ready);
        }
        for slot in Slot::ALL {
            self.upload(slot, wish.contents.of(slot));
        }
        let Some(frames) = &wish.frames else { return };
        for side in Side::ALL {
            if side == Side::Second && ticket.is_outdated() {
                return;
            }
            match &frames[side as usize] {
                Some(frame) => self.draw(side, frame),
                None => self.drawn[side as usize] = None,
            }
        }
    }

    fn upload(&mut self, slot: Slot, content: &Arc<Numbered>) {
        let Some(device) = &self.device else { return };
        let (held, scene) = &mut self.scenes[slot as usize];
        if held.number == content.number {
            return;
        }
        let (device, queue, wake) = (device.device(), device.queue(), self.mailbox.wake());
        let (patch, faults) = upload(device, queue, &content.request, &held.request, wake, &self.pool);
        patch.apply(scene);
        *held = Arc::clone(content);
        let content = Uploaded::Software(scene.bounds());
        self.post(StageContent::Uploaded { slot, content, faults });
    }

    fn draw(&mut self, side: Side, wanted: &SideFrame) {
        let Some(device) = &self.device else { return };
        let (held, scene) = &mut self.scenes[wanted.slot as usize];
        let asked = (held.number, wanted.clone());
        if self.drawn[side as usize].as_ref() == Some(&asked) {
            return;
        }
        let frame = &wanted.frame;
        let drawn = device.render(scene, &frame.camera, frame.size_px, &frame.settings);
        self.drawn[side as usize] = drawn.is_ok().then_some(asked);
        self.post(match drawn {
            Ok(picture) => {
                let size = [picture.width() as usize, picture.height() as usize];
                StageContent::Picture(side, ColorImage::from_rgba_unmultiplied(size, &picture))
            }
            Err(fault) => StageContent::NotDrawn(fault),
        });
    }

    fn post(&self, content: StageContent) {
        self.mailbox.post(Message::Stage(content));
    }
}
