//! The seam between egui and the renderer: the only place that knows both.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bozzetto_viewport::{Background, Bounds, Frame, GpuError, OrbitCamera, Renderer, Scene};
use egui::{PaintCallback, Rect, Ui};
use egui_wgpu::{CallbackResources, CallbackTrait, RenderState, ScreenDescriptor, wgpu};
use parking_lot::Mutex;

use super::mailbox::Mailbox;
use super::stage::{StageContent, StageRequest, StageThread};
use super::state::{GpuStatus, Problem, ViewportState};

/// Lines of the ground grid on the light theme's ground, linear RGB; the renderer's own are for a dark one.
const LIGHT_THEME_GRID: [f32; 3] = [0.36, 0.36, 0.37];

/// Pixels of the stage's picture a pixel of the window, along each axis, where the processor draws and is needed for
/// other things or must keep up with the artist's hand.
const COARSE: f32 = 0.5;
/// How long the eye must rest before the processor draws every pixel again.
const REST: Duration = Duration::from_millis(250);

/// What the callback draws with; lives among egui's own GPU resources.
struct StageResources {
    renderer: Renderer,
    scene: Option<Scene>,
}

/// Owns the stage's thread and its place in egui's renderer.
pub struct ViewportHost {
    render_state: RenderState,
    thread: StageThread,
    fault: Arc<Mutex<Option<GpuError>>>,
    /// Whether the stage looks different although it is asked for as before: the scene has changed.
    has_news: Arc<AtomicBool>,
    /// As it was asked for last. Given to egui again while nothing changes, so that it can tell.
    last_paint: Mutex<Option<(Frame, PaintCallback)>>,
    /// Width over height of the stage when it was last drawn.
    aspect: Arc<Mutex<f32>>,
    bounds: Option<Bounds>,
    /// The eye, and when it last moved.
    eye: Mutex<Option<(OrbitCamera, Instant)>>,
}

/// What the stage is to show besides what [`ViewportState`] says.
#[derive(Clone, Copy, Debug)]
pub struct StageMood {
    /// Show a mesh that is still forming, or the live preview of the face count, although a finished one is there.
    pub prefers_raw_mesh: bool,
    /// An engine works: leave it the processor.
    pub is_engine_working: bool,
}

impl ViewportHost {
    /// Starts the stage's thread for egui's device.
    pub fn start(render_state: RenderState, mailbox: &Mailbox) -> std::io::Result<Self> {
        let has_news = Arc::new(AtomicBool::new(false));
        let thread = StageThread::start(
            render_state.device.clone(),
            render_state.queue.clone(),
            render_state.target_format,
            mailbox,
            Arc::clone(&has_news),
        )?;
        Ok(Self {
            render_state,
            thread,
            fault: Arc::default(),
            has_news,
            last_paint: Mutex::default(),
            aspect: Arc::new(Mutex::new(1.5)),
            bounds: None,
            eye: Mutex::default(),
        })
    }

    /// Shows something else, as soon as it is on the card.
    pub fn show(&self, request: StageRequest) {
        self.thread.show(request);
    }

    /// Takes what the stage's thread made. Returns the stage's new status when it changes, and problems to tell.
    pub fn take(&mut self, content: StageContent) -> (Option<GpuStatus>, Vec<Problem>) {
        match content {
            StageContent::Renderer(renderer) => {
                let resources = StageResources {
                    renderer: *renderer,
                    scene: None,
                };
                self.render_state.renderer.write().callback_resources.insert(resources);
                (Some(self.ready()), Vec::new())
            }
            StageContent::Scene { scene, bounds, faults } => {
                let mut renderer = self.render_state.renderer.write();
                if let Some(resources) = renderer.callback_resources.get_mut::<StageResources>() {
                    resources.scene = Some(*scene);
                    self.bounds = bounds;
                    self.has_news.store(true, Ordering::Relaxed);
                }
                (
                    None,
                    faults.iter().map(|fault| Problem::new(fault.to_string())).collect(),
                )
            }
            StageContent::Failed(reason) => {
                let problem = Problem::with_hint(
                    format!("The graphics driver failed: {reason}."),
                    "Results can still be made and exported. Update the driver and start the program again.",
                );
                (Some(GpuStatus::Failed(problem)), Vec::new())
            }
        }
    }

    fn ready(&self) -> GpuStatus {
        GpuStatus::Ready {
            adapter: self.render_state.adapter.get_info().name,
            is_software: self.is_software(),
        }
    }

    fn is_software(&self) -> bool {
        self.render_state.adapter.get_info().device_type == wgpu::DeviceType::Cpu
    }

    /// Pixels of the stage's picture a pixel of the window.
    fn pixel_density(&self, ctx: &egui::Context, eye: OrbitCamera, mood: StageMood) -> f32 {
        if !self.is_software() {
            return 1.0;
        }
        let mut last = self.eye.lock();
        // The first eye has not moved.
        let (last_eye, moved) =
            *last.get_or_insert_with(|| (eye, Instant::now().checked_sub(REST).unwrap_or_else(Instant::now)));
        let moved = if last_eye == eye { moved } else { Instant::now() };
        *last = Some((eye, moved));
        let rested = moved.elapsed();
        if rested < REST {
            ctx.request_repaint_after(REST.saturating_sub(rested));
        }
        if mood.is_engine_working || rested < REST {
            COARSE
        } else {
            1.0
        }
    }

    /// The same one as long as it draws the same.
    fn paint_callback(&self, rect: Rect, frame: Frame) -> PaintCallback {
        let has_news = self.has_news.swap(false, Ordering::Relaxed);
        let mut last = self.last_paint.lock();
        match &*last {
            Some((last_frame, callback)) if !has_news && *last_frame == frame && callback.rect == rect => {
                callback.clone()
            }
            _ => {
                let paint = StagePaint {
                    frame: frame.clone(),
                    fault: Arc::clone(&self.fault),
                    has_news: Arc::clone(&self.has_news),
                };
                let callback = egui_wgpu::Callback::new_paint_callback(rect, paint);
                last.insert((frame, callback)).1.clone()
            }
        }
    }

    /// A drawing fault since the last call.
    pub fn take_fault(&self) -> Option<GpuError> {
        self.fault.lock().take()
    }

    /// Box about everything on the stage.
    pub fn bounds(&self) -> Option<Bounds> {
        self.bounds
    }

    /// Width over height of the stage when it was last drawn.
    pub fn aspect(&self) -> f32 {
        *self.aspect.lock()
    }
}

/// Paints the stage into a rectangle of the window.
///
/// The scene's own ground is left out: the panel has painted the theme's under it.
pub fn paint(ui: &Ui, rect: Rect, host: &ViewportHost, state: &ViewportState, mood: StageMood) {
    let density = host.pixel_density(ui.ctx(), state.orbit, mood);
    let pixels = rect.size() * ui.ctx().pixels_per_point() * density;
    let size_px = [pixels.x.round() as u32, pixels.y.round() as u32];
    if size_px.contains(&0) {
        return;
    }
    let aspect = size_px[0] as f32 / size_px[1] as f32;
    *host.aspect.lock() = aspect;
    let mut settings = state.render_settings();
    settings.background = Background::Transparent;
    settings.prefers_raw_mesh = mood.prefers_raw_mesh;
    if !ui.visuals().dark_mode {
        settings.grid_color = LIGHT_THEME_GRID;
    }
    let frame = Frame {
        camera: state.orbit.camera(aspect),
        size_px,
        settings,
    };
    ui.painter().add(host.paint_callback(rect, frame));
}

struct StagePaint {
    frame: Frame,
    fault: Arc<Mutex<Option<GpuError>>>,
    has_news: Arc<AtomicBool>,
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
        if let Some(resources) = resources.get_mut::<StageResources>()
            && let Some(scene) = &mut resources.scene
            && let Err(fault) = resources.renderer.prepare(scene, device, queue, encoder, &self.frame)
        {
            *self.fault.lock() = Some(fault);
            self.has_news.store(true, Ordering::Relaxed);
        }
        Vec::new()
    }

    fn paint(&self, _: egui::PaintCallbackInfo, pass: &mut wgpu::RenderPass<'static>, resources: &CallbackResources) {
        if let Some(resources) = resources.get::<StageResources>()
            && let Some(scene) = &resources.scene
        {
            resources.renderer.blit(scene, pass);
        }
    }
}
