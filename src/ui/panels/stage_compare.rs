//! Two things on one stage: the line between them, what they are called, and the bar that chooses.

use egui::accesskit::Role;
use egui::{Align2, CursorIcon, EventFilter, Key, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::menu::can_show;
use super::stage_bar::{FOOT_BAR, float_ui};
use super::viewport::paint_photo;
use crate::app::state::{AppState, Compared, Comparison, ComparisonLayout, OtherResult, ViewportMode};
use crate::app::{Command, CommandSender};
use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, radius, size, space, text};
use crate::ui::widgets::{IconButton, Segment, combo_ui, segmented_ui};

/// Width of what takes the pointer about the line.
const GRIP: f32 = 16.0;
/// How far an arrow key moves the line, as a share of the stage.
const KEY_STEP: f32 = 0.02;
/// Width of the bar, and of the list in it.
const BAR: f32 = 420.0;
const LIST: f32 = 190.0;
/// Saved results that the list offers.
const MAX_SAVED: usize = 12;
const LAYOUTS: [(ComparisonLayout, &str); 2] = [
    (ComparisonLayout::Wipe, "Wipe"),
    (ComparisonLayout::SideBySide, "Side by side"),
];

/// The picture at the right of the line, as high as its part of the stage.
pub fn compared_photo_ui(ui: &Ui, stage: Rect, state: &AppState) {
    let Some(comparison) = &state.viewport.comparison else {
        return;
    };
    if let Compared::Photo(id) = comparison.with {
        let pane = comparison.panes(stage)[1];
        paint_photo(ui, pane.view, pane.visible, state, id, 1.0);
    }
}

/// The line, which can be moved, and the names at its sides.
pub fn comparison_line_ui(ui: &Ui, stage: Rect, state: &AppState, commands: &CommandSender) {
    let Some(comparison) = &state.viewport.comparison else {
        return;
    };
    names_ui(ui, stage, comparison, state);
    let palette = Palette::of(ui);
    let x = comparison.line(stage);
    let stroke = Stroke::new(1.5, palette.text);
    let shadow = Stroke::new(3.5, palette.veil);
    ui.painter().vline(x, stage.y_range(), shadow);
    ui.painter().vline(x, stage.y_range(), stroke);
    if comparison.layout == ComparisonLayout::SideBySide {
        return;
    }
    let grip = Rect::from_center_size(
        pos2(x, stage.center().y),
        vec2(GRIP, stage.height() - 2.0 * (FOOT_BAR + space::M)),
    );
    let response = ui
        .interact(grip, ui.scope_id().with("line"), Sense::click_and_drag())
        .on_hover_and_drag_cursor(CursorIcon::ResizeHorizontal);
    response.widget_info(|| WidgetInfo::labeled(Role::Splitter, true, "Divider"));
    let is_lit = response.hovered() || response.dragged() || response.has_focus();
    let knob = Rect::from_center_size(grip.center(), vec2(18.0, 30.0));
    let fill = if is_lit { palette.accent } else { palette.control };
    let sign = if is_lit { palette.on_accent } else { palette.text };
    ui.painter().rect(
        knob,
        radius::CARD,
        fill,
        Stroke::new(size::LINE, palette.line_strong),
        egui::StrokeKind::Outside,
    );
    for offset in [-2.5, 2.5] {
        let rail = knob.center().x + offset;
        ui.painter()
            .vline(rail, knob.shrink(9.0).y_range(), Stroke::new(1.5, sign));
    }
    let mut divider = comparison.divider;
    if response.dragged()
        && let Some(pointer) = response.interact_pointer_pos()
    {
        divider = (pointer.x - stage.left()) / stage.width();
    }
    if response.double_clicked() {
        divider = 0.5;
    }
    if response.has_focus() {
        // egui would take the arrows to move the focus.
        let filter = EventFilter {
            horizontal_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        ui.input(|input| {
            let steps = i32::from(input.key_pressed(Key::ArrowRight)) - i32::from(input.key_pressed(Key::ArrowLeft));
            divider += steps as f32 * KEY_STEP;
        });
    }
    if divider != comparison.divider {
        commands.send(Command::Compare(Some(comparison.clone().with_divider(divider))));
    }
}

fn names_ui(ui: &Ui, stage: Rect, comparison: &Comparison, state: &AppState) {
    let x = comparison.line(stage);
    let y = stage.bottom() - FOOT_BAR - space::L;
    let left = match (&state.result, &comparison.with) {
        (Some(result), with) if with.is_other_result() => result.name.clone(),
        _ => state.viewport.mode.label().to_owned(),
    };
    let right = match &state.viewport.other {
        OtherResult::Opening => "Opening…".to_owned(),
        OtherResult::Shown {
            name,
            is_finishing: true,
        } => format!("{name} (textures follow)"),
        OtherResult::Shown { name, .. } => name.clone(),
        OtherResult::Failed(problem) => problem.sentence.clone(),
        OtherResult::None => name_of(&comparison.with, state),
    };
    name_ui(ui, stage, pos2(x - space::M, y), Align2::RIGHT_BOTTOM, left);
    name_ui(ui, stage, pos2(x + space::M, y), Align2::LEFT_BOTTOM, right);
}

/// A name on a plate, cut where its side of the stage ends.
fn name_ui(ui: &Ui, stage: Rect, at: egui::Pos2, align: Align2, name: String) {
    let palette = Palette::of(ui);
    let room = match align.x() {
        egui::Align::Max => at.x - stage.left(),
        _ => stage.right() - at.x,
    };
    if room < 3.0 * space::XL {
        return;
    }
    let mut job = egui::text::LayoutJob::simple_singleline(name, text::caption().resolve(ui.style()), palette.text);
    job.wrap = egui::text::TextWrapping::truncate_at_width(room - 2.0 * space::M);
    let galley = ui.painter().layout_job(job);
    let rect = align.anchor_size(at, galley.size() + vec2(2.0 * space::S, space::XS));
    ui.painter().rect_filled(rect, radius::CONTROL, palette.veil);
    ui.painter()
        .galley(rect.min + vec2(space::S, space::XS * 0.5), galley, palette.text);
}

/// The bar at the foot of the stage that chooses.
pub fn comparison_bar_ui(ui: &mut Ui, inner: Rect, state: &AppState, commands: &CommandSender) {
    let Some(comparison) = &state.viewport.comparison else {
        return;
    };
    let width = BAR.min(inner.width());
    let at = pos2(inner.center().x - width * 0.5, inner.bottom() - size::CONTROL - 8.0);
    let send = |with, layout| {
        commands.send(Command::Compare(Some(Comparison {
            with,
            layout,
            divider: comparison.divider,
        })));
    };
    float_ui(ui, at, |ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        ui.add_space(space::XS);
        combo_ui(ui, "Compare with", &name_of(&comparison.with, state), LIST, |ui| {
            if let Some(with) = choices_ui(ui, &comparison.with, state) {
                send(with, comparison.layout);
            }
        });
        let segments = LAYOUTS.map(|(_, label)| Segment::text(label));
        let chosen = LAYOUTS.iter().position(|(layout, _)| *layout == comparison.layout);
        ui.scope(|ui| {
            ui.set_max_width(width - LIST - size::CONTROL - 5.0 * space::S);
            if let Some(index) = segmented_ui(ui, "Layout of the comparison", &segments, chosen) {
                send(comparison.with.clone(), LAYOUTS[index].0);
            }
        });
        if ui.add(IconButton::new(Icon::Close, "End the comparison")).clicked() {
            commands.send(Command::Compare(None));
        }
    });
}

/// The list of things to compare with; returns the one that was clicked.
fn choices_ui(ui: &mut Ui, chosen: &Compared, state: &AppState) -> Option<Compared> {
    let mut clicked = None;
    let mut row = |ui: &mut Ui, with: Compared, name: &str| {
        if ui.selectable_label(with == *chosen, name).clicked() {
            clicked = Some(with);
        }
    };
    if let Some(previous) = &state.viewport.previous_name {
        heading_ui(ui, "Previous result");
        row(ui, Compared::Previous, previous);
    }
    let on_stage = state.result.as_ref().and_then(|result| result.library_id.as_ref());
    let saved = state.library.entries.iter();
    let mut saved = saved
        .filter(|entry| entry.problem.is_none() && Some(&entry.id) != on_stage)
        .take(MAX_SAVED)
        .peekable();
    if saved.peek().is_some() {
        heading_ui(ui, "Saved results");
        for entry in saved {
            let name = format!("{}, {}", entry.name, entry.age);
            row(ui, Compared::Saved(entry.id.clone()), &name);
        }
    }
    heading_ui(ui, "Shown as");
    for mode in ViewportMode::MAIN.into_iter().chain(ViewportMode::INSPECT) {
        if mode != state.viewport.mode && can_show(state, mode) {
            row(ui, Compared::Mode(mode), mode.label());
        }
    }
    if !state.views.items.is_empty() {
        heading_ui(ui, "Pictures");
        for item in &state.views.items {
            row(ui, Compared::Photo(item.id), &item.name);
        }
    }
    clicked
}

fn heading_ui(ui: &mut Ui, heading: &str) {
    ui.add_space(space::XS);
    ui.label(text::faint(ui, heading));
}

fn name_of(with: &Compared, state: &AppState) -> String {
    match with {
        Compared::Mode(mode) => mode.label().to_owned(),
        Compared::Photo(id) => state.views.get(*id).map(|item| item.name.clone()).unwrap_or_default(),
        Compared::Previous => state.viewport.previous_name.clone().unwrap_or_default(),
        Compared::Saved(id) => {
            let entry = state.library.entries.iter().find(|entry| entry.id == *id);
            entry.map_or_else(|| "Saved result".to_owned(), |entry| entry.name.clone())
        }
    }
}
