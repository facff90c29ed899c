use bozzetto_viewport::OrbitCamera;
use egui::{Align2, CentralPanel, PointerButton, Rect, Response, Sense, Ui, UiBuilder, pos2, vec2};
use glam::{Vec2, Vec3};

use super::frusta::frusta_ui;
use super::stage_bar::{overlay_bar_ui, stage_stats_ui, tool_bar_ui};
use super::stage_compare::{compared_photo_ui, comparison_bar_ui, comparison_line_ui};
use super::stage_empty::{first_hint_ui, gpu_problem_ui, stage_empty_ui};
use super::stage_modes::mode_bar_ui;
use super::view_cube::{REACH, view_cube_ui};
use crate::app::state::{AppState, Comparison, GpuStatus, Pane, ViewId, ViewportState};
use crate::app::{Command, CommandSender, Gesture};
use crate::ui::StagePainter;
use crate::ui::format::short_count;
use crate::ui::theme::{Palette, space};
use crate::ui::widgets::{Fit, Tone, chip_ui, paint_picture, place_ui};

/// Zoom a point of scrolling: a usual notch of the wheel comes a tenth closer.
const ZOOM_PER_POINT: f32 = 0.002;

/// The stage: the 3D scene, the pointer's grip on it, and the controls that float over it.
pub fn viewport_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender, paint_stage: StagePainter<'_>) {
    CentralPanel::no_frame().show(ui, |ui| {
        let rect = ui.max_rect();
        paint_ground(ui, rect);
        ui.data_mut(|data| data.insert_temp(stage_rect_id(), rect));
        let response = ui.interact(rect, ui.scope_id().with("stage"), Sense::click_and_drag());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Canvas, true, "Stage"));
        if state.viewport.has_content && matches!(state.viewport.gpu, GpuStatus::Ready { .. }) {
            paint_stage(ui, rect);
            paint_overlay(ui, rect, state);
            compared_photo_ui(ui, rect, state);
            let is_over_camera = frusta_ui(ui, rect, &response, state, commands);
            steer(ui, &response, &state.viewport, commands);
            if response.double_clicked() && !is_over_camera {
                commands.send(Command::FrameAll);
            }
        }
        floating_ui(ui, rect, state, commands);
    });
}

/// Under which the stage's rectangle is kept within a frame.
fn stage_rect_id() -> egui::Id {
    egui::Id::unique("stage_rect")
}

/// Where the stage was drawn last.
pub(super) fn stage_rect(ctx: &egui::Context) -> Rect {
    ctx.data(|data| data.get_temp(stage_rect_id()))
        .unwrap_or_else(|| ctx.content_rect())
}

fn paint_ground(ui: &Ui, rect: Rect) {
    let [top, bottom] = Palette::of(ui).stage;
    let mut mesh = egui::Mesh::default();
    for (corner, color) in [
        (rect.left_top(), top),
        (rect.right_top(), top),
        (rect.left_bottom(), bottom),
        (rect.right_bottom(), bottom),
    ] {
        mesh.colored_vertex(corner, color);
    }
    mesh.add_triangle(0, 1, 2);
    mesh.add_triangle(2, 1, 3);
    ui.painter().add(mesh);
}

/// The picture over the scene, as high as the stage.
fn paint_overlay(ui: &Ui, rect: Rect, state: &AppState) {
    if let Some(overlay) = state.viewport.overlay {
        paint_photo(ui, rect, rect, state, overlay.view, overlay.opacity);
    }
}

/// A picture as high as a rectangle, where that is visible.
pub(super) fn paint_photo(ui: &Ui, rect: Rect, visible: Rect, state: &AppState, view: ViewId, opacity: f32) {
    let picture = state
        .views
        .get(view)
        .and_then(|item| item.photo.as_ref().or(item.thumbnail.as_ref()));
    if let Some(picture) = picture {
        let width = rect.height() * picture.aspect();
        let target = Rect::from_center_size(rect.center(), vec2(width, rect.height()));
        let mut child = Ui::new(
            ui.ctx().clone(),
            ui.scope_id().with("photo"),
            UiBuilder::new().layer_id(ui.layer_id()).max_rect(target),
        );
        child.set_clip_rect(visible);
        child.set_opacity(opacity);
        paint_picture(&child, target, picture, Fit::Contain, 0);
    }
}

/// Moves the eye by the pointer, under the artist's habits.
fn steer(ui: &Ui, response: &Response, viewport: &ViewportState, commands: &CommandSender) {
    let mut orbit = viewport.orbit;
    let height = response.rect.height().max(1.0);
    // In the frame of the press the motion includes the way to the press, at low frame rates a long one.
    let motion = if response.drag_started() {
        egui::Vec2::ZERO
    } else {
        response.drag_delta()
    };
    let modifiers = ui.input(|input| input.modifiers);
    let buttons = [PointerButton::Primary, PointerButton::Middle, PointerButton::Secondary];
    let held = buttons.into_iter().find(|button| response.dragged_by(*button));
    if let Some(gesture) = held.and_then(|button| viewport.navigation.drag(button, modifiers)) {
        follow(&mut orbit, gesture, motion / height, viewport.pivot);
        if gesture == Gesture::Turn && response.drag_started() {
            commands.send(Command::Grip(press_place(
                ui,
                response.rect,
                viewport.comparison.as_ref(),
            )));
        }
    }
    if response.drag_stopped() {
        commands.send(Command::Grip(None));
    }
    if response.contains_pointer() {
        let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta(), input.zoom_delta()));
        match viewport.navigation.swipe(modifiers) {
            gesture @ (Gesture::Turn | Gesture::Move) if is_swiping(ui) => {
                follow(&mut orbit, gesture, swipe(ui) / height, None);
            }
            _ => orbit.zoom((-(scroll.x + scroll.y) * ZOOM_PER_POINT).exp()),
        }
        orbit.zoom(if pinch > 0.0 { pinch.recip() } else { 1.0 });
    }
    if orbit != viewport.orbit {
        commands.send(Command::SetOrbit(orbit));
    }
}

/// How far two fingers moved in this frame. egui's own sum turns it to one side while Shift is held.
fn swipe(ui: &Ui) -> egui::Vec2 {
    ui.input(|input| {
        let motions = input.events.iter().filter_map(|event| match event {
            egui::Event::MouseWheel {
                unit: egui::MouseWheelUnit::Point,
                delta,
                ..
            } => Some(*delta),
            _ => None,
        });
        motions.fold(egui::Vec2::ZERO, |sum, delta| sum + delta)
    })
}

/// Whether what scrolls is a touchpad. Remembered, since egui goes on scrolling smoothly after the last event.
fn is_swiping(ui: &Ui) -> bool {
    let id = egui::Id::unique("scrolls by touchpad");
    let newest = ui.input(|input| {
        input.events.iter().rev().find_map(|event| match event {
            egui::Event::MouseWheel { unit, .. } => Some(*unit == egui::MouseWheelUnit::Point),
            _ => None,
        })
    });
    ui.data_mut(|data| {
        let is_touchpad = newest.unwrap_or_else(|| data.get_temp(id).unwrap_or(false));
        data.insert_temp(id, is_touchpad);
        is_touchpad
    })
}

/// Where the button was pressed, `[0, 1]^2` from the upper left of the picture there.
fn press_place(ui: &Ui, stage: Rect, comparison: Option<&Comparison>) -> Option<Vec2> {
    let at = ui.input(|input| input.pointer.press_origin())?;
    let panes = comparison.map(|comparison| comparison.panes(stage));
    let pane = panes
        .into_iter()
        .flatten()
        .find(|pane| pane.visible.contains(at))
        .unwrap_or(Pane::whole(stage));
    let within = at - pane.view.min;
    Some(Vec2::new(within.x / pane.view.width(), within.y / pane.view.height()))
}

/// Moves the eye by a motion of the pointer over the stage's height.
fn follow(orbit: &mut OrbitCamera, gesture: Gesture, motion: egui::Vec2, pivot: Option<Vec3>) {
    let turn = Vec2::new(-motion.x, motion.y) * std::f32::consts::PI;
    match (gesture, pivot) {
        (Gesture::Turn, Some(pivot)) => orbit.orbit_about(pivot, turn),
        (Gesture::Turn, None) => orbit.orbit(turn),
        (Gesture::Move, _) => orbit.pan(Vec2::new(-motion.x, motion.y)),
        (Gesture::Zoom, _) => orbit.zoom((motion.y * 3.0).exp()),
    }
}

fn floating_ui(ui: &mut Ui, rect: Rect, state: &AppState, commands: &CommandSender) {
    let inner = rect.shrink(space::M);
    if let GpuStatus::Failed(problem) = &state.viewport.gpu {
        middle_ui(ui, inner, |ui| gpu_problem_ui(ui, problem));
        return;
    }
    if !state.viewport.has_content {
        middle_ui(ui, inner, |ui| stage_empty_ui(ui, state, commands));
        first_hint_ui(ui, inner, state, commands);
        return;
    }
    comparison_line_ui(ui, rect, state, commands);
    let tools = tool_bar_ui(ui, inner, state, commands);
    mode_bar_ui(ui, inner, tools.left() - inner.left() - space::S, state, commands);
    let cube = pos2(inner.right(), tools.bottom()) + vec2(-REACH, REACH + space::S);
    view_cube_ui(ui, cube, &state.viewport.orbit, commands);
    stage_stats_ui(ui, inner, state);
    overlay_bar_ui(ui, inner, state, commands);
    comparison_bar_ui(ui, inner, state, commands);
    preview_tag_ui(ui, inner, state);
    first_hint_ui(ui, inner, state, commands);
}

fn middle_ui(ui: &mut Ui, rect: Rect, content: impl FnOnce(&mut Ui)) {
    let id = ui.scope_id().with("middle");
    // The height is known only after drawing: the last frame's centres this one.
    let height = ui.data(|data| data.get_temp::<f32>(id)).unwrap_or(260.0);
    let width = rect.width().min(460.0);
    let target = Align2::CENTER_CENTER.align_size_within_rect(vec2(width, height), rect);
    let layout = egui::Layout::top_down(egui::Align::Center);
    let drawn = place_ui(ui, target, layout, |ui| {
        content(ui);
        ui.min_rect().height()
    });
    if (drawn - height).abs() > 0.5 {
        ui.data_mut(|data| data.insert_temp(id, drawn));
        ui.ctx().request_repaint();
    }
}

fn preview_tag_ui(ui: &mut Ui, inner: Rect, state: &AppState) {
    if !state.jobs.is_preview_shown {
        return;
    }
    let text = match state.viewport.num_voxels {
        0 => "Still taking shape".to_owned(),
        num_voxels => format!("Still taking shape: {} voxels", short_count(num_voxels)),
    };
    let target = Rect::from_min_size(inner.left_top() + vec2(0.0, 46.0), vec2(280.0, 24.0));
    place_ui(ui, target, *ui.layout(), |ui| {
        chip_ui(ui, Some(crate::ui::icons::Icon::Clock), &text, Tone::Accent);
    });
}
