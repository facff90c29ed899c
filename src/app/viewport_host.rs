//! The seam between egui and the renderer: the only place that knows both.

use std::sync::Arc;

use bozzetto_viewport::{Background, Bounds, Frame, GpuError, Renderer, Scene};
use egui::{Rect, Ui};
use egui_wgpu::{CallbackResources, CallbackTrait, RenderState, ScreenDescriptor, wgpu};
use parking_lot::Mutex;

use super::mailbox::Mailbox;
use super::stage::{StageContent, StageRequest, StageThread};
use super::state::{GpuStatus, Problem, ViewportState};

/// Lines of the ground grid on the light theme's ground, linear RGB; the renderer's own are for a dark one.
const LIGHT_THEME_GRID: [f32; 3] = [0.36, 0.36, 0.37];

/// What the callback draws with; lives among egui's own GPU resources.
struct StageResources {
    renderer: Arc<Renderer>,
    scene: Option<Scene>,
}

/// Owns the stage's thread and its place in egui's renderer.
pub struct ViewportHost {
    render_state: RenderState,
    thread: StageThread,
    fault: Arc<Mutex<Option<GpuError>>>,
    /// Width over height of the stage when it was last drawn.
    aspect: Arc<Mutex<f32>>,
    bounds: Option<Bounds>,
}

impl ViewportHost {
    /// Starts the stage's thread for egui's device.
    pub fn start(render_state: RenderState, mailbox: &Mailbox) -> std::io::Result<Self> {
        let thread = StageThread::start(
            render_state.device.clone(),
            render_state.queue.clone(),
            render_state.target_format,
            mailbox,
        )?;
        Ok(Self {
            render_state,
            thread,
            fault: Arc::default(),
            aspect: Arc::new(Mutex::new(1.5)),
            bounds: None,
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
                let resources = StageResources { renderer, scene: None };
                self.render_state.renderer.write().callback_resources.insert(resources);
                (Some(self.ready()), Vec::new())
            }
            StageContent::Scene { scene, bounds, faults } => {
                let mut renderer = self.render_state.renderer.write();
                if let Some(resources) = renderer.callback_resources.get_mut::<StageResources>() {
                    resources.scene = Some(*scene);
                    self.bounds = bounds;
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
        let info = self.render_state.adapter.get_info();
        GpuStatus::Ready {
            adapter: info.name,
            is_software: info.device_type == wgpu::DeviceType::Cpu,
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
/// The scene's own ground is left out: the panel has painted the theme's under it. `prefers_raw_mesh` shows a mesh that is
/// still forming, or the live preview of the face count, although a finished one is there.
pub fn paint(ui: &Ui, rect: Rect, host: &ViewportHost, state: &ViewportState, prefers_raw_mesh: bool) {
    let pixels = rect.size() * ui.ctx().pixels_per_point();
    let size_px = [pixels.x.round() as u32, pixels.y.round() as u32];
    if size_px.contains(&0) {
        return;
    }
    let aspect = size_px[0] as f32 / size_px[1] as f32;
    *host.aspect.lock() = aspect;
    let mut settings = state.render_settings();
    settings.background = Background::Transparent;
    settings.prefers_raw_mesh = prefers_raw_mesh;
    if !ui.visuals().dark_mode {
        settings.grid_color = LIGHT_THEME_GRID;
    }
    let callback = StagePaint {
        frame: Frame {
            camera: state.orbit.camera(aspect),
            size_px,
            settings,
        },
        fault: Arc::clone(&host.fault),
    };
    ui.painter()
        .add(egui_wgpu::Callback::new_paint_callback(rect, callback));
}

struct StagePaint {
    frame: Frame,
    fault: Arc<Mutex<Option<GpuError>>>,
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
