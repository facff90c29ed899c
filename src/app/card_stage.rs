//! The stage on a graphics card: a thread brings content there, egui's own pass draws it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bozzetto_viewport::{
    Bounds, DeviceWatch, GpuError, Picture, Prepared, Renderer, RendererOptions, Scene, ScenePool,
};
use egui::{PaintCallback, Rect};
use egui_wgpu::{CallbackResources, CallbackTrait, RenderState, ScreenDescriptor, wgpu};
use parking_lot::Mutex;

use super::latest::{LatestWins, Ticket};
use super::mailbox::{Mailbox, Message};
use super::stage::{
    Numbered, ScenePatch, Side, SideFrame, Slot, StageContent, StageContents, StageRequest, Uploaded, upload,
};

/// What the callback draws with; lives among egui's own GPU resources.
struct StageResources {
    renderer: Arc<Renderer>,
    /// By slot.
    scenes: [Scene; 2],
    /// By side.
    pictures: [Picture; 2],
    /// By side: when it was drawn last.
    drawn: [Option<Instant>; 2],
}

/// How long a picture stands at least while an engine needs the card.
const PAUSE_FOR_ENGINES: Duration = Duration::from_millis(33);

/// Owns the thread that uploads, and the stage's place in egui's renderer.
pub struct CardStage {
    render_state: RenderState,
    thread: LatestWins<StageContents>,
    contents: StageContents,
    fault: Arc<Mutex<Option<GpuError>>>,
}

impl CardStage {
    /// Starts the thread for egui's device; it builds the pipelines first.
    pub fn start(render_state: RenderState, watch: DeviceWatch, mailbox: &Mailbox) -> std::io::Result<Self> {
        let thread = start_uploads(&render_state, watch, mailbox)?;
        let contents = StageContents::default();
        thread.request(contents.clone());
        Ok(Self {
            render_state,
            thread,
            contents,
            fault: Arc::default(),
        })
    }

    /// Shows something else, as soon as it is on the card.
    pub fn show(&mut self, slot: Slot, request: StageRequest) {
        self.contents.replace(slot, request);
        self.thread.request(self.contents.clone());
    }

    /// Draws with these pipelines from now on.
    pub fn set_renderer(&self, renderer: Arc<Renderer>) {
        let resources = StageResources {
            renderer,
            scenes: [Scene::new(), Scene::new()],
            pictures: [Picture::new(), Picture::new()],
            drawn: [None, None],
        };
        self.render_state.renderer.write().callback_resources.insert(resources);
    }

    /// Draws the changed scene from now on. Returns the box about everything in it.
    pub fn update_scene(&self, slot: Slot, patch: ScenePatch) -> Option<Bounds> {
        let mut renderer = self.render_state.renderer.write();
        // The thread sends the pipelines before everything else.
        let resources = renderer.callback_resources.get_mut::<StageResources>()?;
        let scene = &mut resources.scenes[slot as usize];
        patch.apply(scene);
        scene.bounds()
    }

    /// Gives the memory of the second picture back.
    pub fn forget_second(&self) {
        if let Some(resources) = self
            .render_state
            .renderer
            .write()
            .callback_resources
            .get_mut::<StageResources>()
        {
            resources.pictures[Side::Second as usize] = Picture::new();
            resources.drawn[Side::Second as usize] = None;
        }
    }

    /// A drawing fault since the last call.
    pub fn take_fault(&self) -> Option<GpuError> {
        self.fault.lock().take()
    }

    /// Draws a side into a rectangle of the window. While an engine works it is not drawn as often as it might be: the
    /// window given then is asked for a frame when it is time.
    pub fn callback(&self, rect: Rect, side: Side, frame: SideFrame, paced: Option<egui::Context>) -> PaintCallback {
        let fault = Arc::clone(&self.fault);
        let paint = StagePaint {
            side,
            frame,
            fault,
            paced,
        };
        egui_wgpu::Callback::new_paint_callback(rect, paint)
    }
}

fn start_uploads(
    render_state: &RenderState,
    watch: DeviceWatch,
    mailbox: &Mailbox,
) -> std::io::Result<LatestWins<StageContents>> {
    let (device, queue) = (render_state.device.clone(), render_state.queue.clone());
    let target_format = render_state.target_format;
    let (for_work, for_panic) = (mailbox.clone(), mailbox.clone());
    let mut renderer = None;
    let pool = ScenePool::default();
    let mut uploaded: [Arc<Numbered>; 2] = Default::default();
    let work = move |contents: StageContents, _: &Ticket| {
        let renderer = renderer.get_or_insert_with(|| {
            let options = RendererOptions::default();
            let renderer = Renderer::with_options(&device, &queue, target_format, options, watch.clone());
            let renderer = Arc::new(renderer);
            if let Err(fault) = renderer.warm_up(&device, &queue) {
                tracing::warn!("the first frame could not be drawn: {fault}");
            }
            for_work.post(Message::Stage(StageContent::Renderer(Arc::clone(&renderer))));
            renderer
        });
        for slot in Slot::ALL {
            let (content, earlier) = (contents.of(slot), &mut uploaded[slot as usize]);
            if content.number == earlier.number {
                continue;
            }
            let (request, wake) = (&content.request, for_work.wake());
            let (mut patch, mut faults) = upload(&device, &queue, request, &earlier.request, wake, &pool);
            faults.extend(renderer.choose_splat_tier(patch.scene_mut(), &device, &queue).err());
            // What waits to be copied is handed to the card here, so that the window's next frame need not.
            renderer.bind_scene(patch.scene_mut(), &device);
            queue.submit([]);
            // An outdated scene is shown all the same when uploads take longer than the artist's hand needs to move a
            // slider: a late picture is better than none. It is the next one that is skipped.
            for_work.post(Message::Stage(StageContent::Uploaded {
                slot,
                content: Uploaded::Card(patch),
                faults,
            }));
            *earlier = Arc::clone(content);
        }
    };
    let failed = move |_: &Ticket, reason: String| {
        for_panic.post(Message::Stage(StageContent::Failed(reason)));
    };
    LatestWins::start("stage", work, failed)
}

struct StagePaint {
    side: Side,
    frame: SideFrame,
    fault: Arc<Mutex<Option<GpuError>>>,
    paced: Option<egui::Context>,
}

/// How long the picture that was drawn last stands yet.
fn remaining_pause(drawn: Option<Instant>, now: Instant) -> Option<Duration> {
    let elapsed = now.saturating_duration_since(drawn?);
    PAUSE_FOR_ENGINES
        .checked_sub(elapsed)
        .filter(|remaining| !remaining.is_zero())
}

impl CallbackTrait for StagePaint {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        _: &ScreenDescriptor,
        encoder: &mut wgpu::CommandEncoder,
        resources: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        // Nothing is there in the first frames, while the stage's thread builds the pipelines.
        if let Some(resources) = resources.get_mut::<StageResources>() {
            let drawn = &mut resources.drawn[self.side as usize];
            if let Some(ctx) = &self.paced
                && let Some(remaining) = remaining_pause(*drawn, Instant::now())
            {
                ctx.request_repaint_after(remaining);
                return Vec::new();
            }
            let scene = &mut resources.scenes[self.frame.slot as usize];
            let picture = &mut resources.pictures[self.side as usize];
            let prepared = resources
                .renderer
                .prepare(scene, picture, device, queue, encoder, &self.frame.frame);
            match prepared {
                Ok(Prepared::Drew) => *drawn = Some(Instant::now()),
                Ok(Prepared::Reused) => {}
                Err(fault) => *self.fault.lock() = Some(fault),
            }
        }
        Vec::new()
    }

    fn paint(&self, _: egui::PaintCallbackInfo, pass: &mut wgpu::RenderPass<'static>, resources: &CallbackResources) {
        if let Some(resources) = resources.get::<StageResources>() {
            resources.renderer.blit(&resources.pictures[self.side as usize], pass);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_stands_for_a_while_after_it_was_drawn() {
        let now = Instant::now();
        let after = |millis| remaining_pause(Some(now), now + Duration::from_millis(millis));
        assert_eq!(remaining_pause(None, now), None);
        assert_eq!(after(0), Some(PAUSE_FOR_ENGINES));
        assert_eq!(after(30), Some(Duration::from_millis(3)));
        assert_eq!(after(33), None);
        assert_eq!(after(500), None);
    }
}
