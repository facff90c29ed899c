//! The seam between egui and the renderer: with the stages, the only place that knows both.

use bozzetto_asset::color::linear_from_srgb_u8;
use bozzetto_viewport::{Background, Bounds, DeviceWatch, Frame, GpuError, RenderSettings};
use egui::{Rect, Ui};
use egui_wgpu::{RenderState, wgpu};
use parking_lot::Mutex;

use super::card_stage::CardStage;
use super::mailbox::Mailbox;
use super::platform;
use super::software_stage::SoftwareStage;
use super::stage::{Side, SideFrame, Slot, StageContent, StageRequest, Uploaded};
use super::state::{Compared, GpuStatus, Pane, Problem, ViewportMode, ViewportState};
use crate::ui::theme::Palette;

/// Lines of the ground grid on the light theme's ground, linear RGB; the renderer's own are for a dark one.
const LIGHT_THEME_GRID: [f32; 3] = [0.36, 0.36, 0.37];

/// Who draws.
enum Stage {
    Card(CardStage),
    Software(Box<SoftwareStage>),
}

/// Owns what draws the stage.
pub struct ViewportHost {
    stage: Stage,
    /// The window's own device, and who watches it.
    device: wgpu::Device,
    watch: DeviceWatch,
    adapter: String,
    fault: Option<GpuError>,
    /// Width over height of the stage when it was last drawn.
    aspect: Mutex<f32>,
    bounds: Option<Bounds>,
}

/// What the stage is to show besides what [`ViewportState`] says.
#[derive(Clone, Copy, Debug)]
pub struct StageMood {
    /// Show a mesh that is still forming, or the live preview of the face count, although a finished one is there.
    pub prefers_raw_mesh: bool,
    /// An engine works: leave it the processor, and the card.
    pub is_engine_working: bool,
}

impl ViewportHost {
    /// Starts the stage's thread.
    pub fn start(render_state: RenderState, mailbox: &Mailbox) -> std::io::Result<Self> {
        let adapter = render_state.adapter.get_info().name;
        let device = render_state.device.clone();
        let watch = DeviceWatch::on(&device);
        watch.call_on_loss(&mailbox.wake());
        let stage = if platform::draws_in_software(&render_state) {
            Stage::Software(Box::new(SoftwareStage::start(mailbox)?))
        } else {
            Stage::Card(CardStage::start(render_state, watch.clone(), mailbox)?)
        };
        Ok(Self {
            stage,
            device,
            watch,
            adapter,
            fault: None,
            aspect: Mutex::new(1.5),
            bounds: None,
        })
    }

    /// Shows something else, as soon as it can be drawn.
    pub fn show(&mut self, slot: Slot, request: StageRequest) {
        match &mut self.stage {
            Stage::Card(stage) => stage.show(slot, request),
            Stage::Software(stage) => stage.show(slot, request),
        }
    }

    /// Nothing is compared any more: gives memory back.
    pub fn end_comparison(&mut self) {
        self.show(Slot::Other, StageRequest::default());
        match &mut self.stage {
            Stage::Card(stage) => stage.forget_second(),
            Stage::Software(stage) => stage.forget_second(),
        }
    }

    /// Takes what the stage's thread made. Returns the stage's new status when it changes, and problems to tell.
    pub fn take(&mut self, ctx: &egui::Context, content: StageContent) -> (Option<GpuStatus>, Vec<Problem>) {
        match (content, &mut self.stage) {
            (StageContent::Renderer(renderer), Stage::Card(stage)) => {
                stage.set_renderer(renderer);
                return (Some(self.ready()), Vec::new());
            }
            (StageContent::Ready, _) => return (Some(self.ready()), Vec::new()),
            (StageContent::Uploaded { slot, content, faults }, stage) => {
                let bounds = match (stage, content) {
                    (Stage::Card(stage), Uploaded::Card(patch)) => stage.update_scene(slot, patch),
                    (_, Uploaded::Software(bounds)) => bounds,
                    (Stage::Software(_), Uploaded::Card(_)) => None,
                };
                if slot == Slot::Result {
                    self.bounds = bounds;
                }
                // Who has lost the device is told in the window that comes after.
                let faults = faults
                    .iter()
                    .filter(|fault| !matches!(fault, GpuError::DeviceLost { .. }));
                return (None, faults.map(|fault| Problem::new(fault.to_string())).collect());
            }
            (StageContent::Picture(side, picture), Stage::Software(stage)) => stage.set_picture(ctx, side, picture),
            (StageContent::NotDrawn(fault), stage) => {
                // A lost device is opened again; whatever else went wrong would go wrong again.
                if let (GpuError::DeviceLost { .. }, Stage::Software(stage)) = (&fault, stage) {
                    stage.ask_again();
                }
                self.fault = Some(fault);
            }
            (StageContent::Failed(reason), _) => {
                let problem = Problem::with_hint(
                    format!("The graphics driver failed: {reason}."),
                    "Results can still be made and exported. Update the driver and start the program again.",
                );
                return (Some(GpuStatus::Failed(problem)), Vec::new());
            }
            (StageContent::Renderer(_), Stage::Software(_)) | (StageContent::Picture(..), Stage::Card(_)) => {}
        }
        (None, Vec::new())
    }

    fn ready(&self) -> GpuStatus {
        GpuStatus::Ready {
            adapter: self.adapter.clone(),
            is_software: self.draws_in_software(),
        }
    }

    /// A drawing fault since the last call.
    pub fn take_fault(&mut self) -> Option<GpuError> {
        let of_card = match &self.stage {
            Stage::Card(stage) => stage.take_fault(),
            Stage::Software(_) => None,
        };
        of_card
            .or_else(|| self.fault.take())
            .or_else(|| self.watch.take_fault())
    }

    /// Whether the processor stands in for a graphics card.
    pub fn draws_in_software(&self) -> bool {
        matches!(self.stage, Stage::Software(_))
    }

    /// Who watches the window's own device.
    pub fn watch(&self) -> &DeviceWatch {
        &self.watch
    }

    /// Whether the window's own device is gone, and everything on it.
    pub fn is_device_lost(&self) -> bool {
        self.watch.is_lost()
    }

    /// Takes the window's device away, for tests.
    pub fn lose_device(&self) {
        self.watch.destroy(&self.device);
    }

    /// Box about the result on the stage.
    pub fn bounds(&self) -> Option<Bounds> {
        self.bounds
    }

    /// Width over height of the stage when it was last drawn.
    pub fn aspect(&self) -> f32 {
        *self.aspect.lock()
    }
}

/// Paints the stage into a rectangle of the window: one picture, or the two that are compared. Photos are left to the
/// panel.
///
/// The scene's own ground is left out: the panel has painted the theme's under it.
pub fn paint(ui: &Ui, rect: Rect, host: &ViewportHost, state: &ViewportState, mood: StageMood) {
    let density = match &host.stage {
        Stage::Card(_) => 1.0,
        Stage::Software(stage) => stage.pixel_density(ui.ctx(), state.orbit, mood.is_engine_working),
    };
    let panes = match &state.comparison {
        Some(comparison) => comparison.panes(rect),
        None => [Pane::whole(rect); 2],
    };
    *host.aspect.lock() = panes[0].view.aspect_ratio();
    let shown = [Some((Slot::Result, state.mode)), second(state)];
    let frames = Side::ALL.map(|side| {
        let (slot, mode) = shown[side as usize]?;
        let view = panes[side as usize].view;
        let pixels = view.size() * ui.ctx().pixels_per_point() * density;
        let size_px = [pixels.x.round() as u32, pixels.y.round() as u32];
        if size_px.contains(&0) {
            return None;
        }
        let mut settings = state.render_settings(mode);
        suit_theme(&mut settings, ui.visuals().dark_mode);
        settings.background = Background::Transparent;
        settings.prefers_raw_mesh = mood.prefers_raw_mesh && slot == Slot::Result;
        settings.cameras &= slot == Slot::Result;
        let camera = state.orbit.camera(size_px[0] as f32 / size_px[1] as f32);
        let frame = Frame {
            camera,
            size_px,
            settings,
        };
        Some(SideFrame { slot, frame })
    });
    if let Stage::Software(stage) = &host.stage {
        stage.want(frames.clone());
    }
    for (side, frame) in Side::ALL.into_iter().zip(frames) {
        let (Some(frame), pane) = (frame, panes[side as usize]) else {
            continue;
        };
        let painter = ui.painter().with_clip_rect(pane.visible.intersect(ui.clip_rect()));
        match &host.stage {
            Stage::Card(stage) => {
                let ctx = ui.ctx().clone();
                painter.add(stage.callback(pane.view, side, frame, mood.is_engine_working.then_some(ctx)));
            }
            Stage::Software(stage) => stage.paint(&painter, pane.view, side),
        }
    }
}

/// The ground and the grid of the window's colours.
pub fn suit_theme(settings: &mut RenderSettings, is_dark: bool) {
    let [top, bottom] = Palette::for_dark_mode(is_dark)
        .stage
        .map(|shade| [shade.r(), shade.g(), shade.b()].map(linear_from_srgb_u8));
    settings.background = Background::Gradient { top, bottom };
    if !is_dark {
        settings.grid_color = LIGHT_THEME_GRID;
    }
}

/// What the renderer draws at the right of a comparison's line.
fn second(state: &ViewportState) -> Option<(Slot, ViewportMode)> {
    match &state.comparison.as_ref()?.with {
        Compared::Mode(mode) => Some((Slot::Result, *mode)),
        Compared::Photo(_) => None,
        Compared::Previous | Compared::Saved(_) => Some((Slot::Other, state.mode)),
    }
}
