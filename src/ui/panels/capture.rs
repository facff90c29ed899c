//! The dialog that saves pictures of the stage.

use egui::{Align, Layout, Ui};

use super::modals::title_ui;
use super::problem_ui;
use crate::app::state::{AppState, CaptureFormat, CaptureSettings, CaptureStatus, Modal};
use crate::app::{Command, CommandSender};
use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, size, space, text};
use crate::ui::widgets::{
    Button, ButtonKind, Edit, NumberField, Segment, combo_ui, number_ui, plain_row_ui, progress_bar_ui, segmented_ui,
};

const WIDTH: f32 = 480.0;
const SIDE: f32 = 72.0;

/// Sizes that are asked for most.
const SIZES: [(&str, [u32; 2]); 7] = [
    ("Full HD, 1920 × 1080", [1920, 1080]),
    ("4K, 3840 × 2160", [3840, 2160]),
    ("Print A2, 7016 × 4961", [7016, 4961]),
    ("Square, 1024", [1024, 1024]),
    ("Square, 2048", [2048, 2048]),
    ("Portrait, 1080 × 1350", [1080, 1350]),
    ("Small, 480 × 480", [480, 480]),
];

/// Format, size, background, turn; then the button, or how far drawing is.
pub fn capture_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    ui.set_width(WIDTH);
    title_ui(ui, "Save a picture", commands);
    ui.spacing_mut().item_spacing.y = space::S;
    let settings = state.capture.settings;
    let mut wanted = settings;
    ui.add_enabled_ui(!state.capture.is_busy(), |ui| settings_ui(ui, &mut wanted));
    if wanted != settings {
        commands.send(Command::SetCapture(wanted));
    }
    if state.viewport.comparison.is_some() {
        ui.label(text::faint(ui, "Of what is compared, the left side is saved."));
    }
    if let CaptureStatus::Failed(problem) = &state.capture.status {
        problem_ui(ui, problem);
    }
    ui.add_space(space::M);
    foot_ui(ui, state, commands);
}

fn settings_ui(ui: &mut Ui, wanted: &mut CaptureSettings) {
    let formats = CaptureFormat::ALL.map(|format| Segment::text(format.label()));
    let chosen = CaptureFormat::ALL.iter().position(|format| *format == wanted.format);
    if let Some(index) = segmented_ui(ui, "Kind of picture", &formats, chosen) {
        wanted.format = CaptureFormat::ALL[index];
    }
    ui.label(text::faint(ui, wanted.format.summary()));
    plain_row_ui(ui, "Size", "Width and height in pixels.", |ui| size_ui(ui, wanted));
    let help = "Transparent leaves out the ground and what lies behind, to lay the object over something else.";
    plain_row_ui(ui, "Background", help, |ui| {
        let segments = ["As on the stage", "Transparent"].map(Segment::text);
        let chosen = usize::from(wanted.is_transparent);
        if let Some(index) = segmented_ui(ui, "Background", &segments, Some(chosen)) {
            wanted.is_transparent = index == 1;
        }
    });
    if wanted.format.animation().is_some() {
        turn_ui(ui, wanted);
    }
}

fn size_ui(ui: &mut Ui, wanted: &mut CaptureSettings) {
    let usual = SIZES.iter().find(|(_, size_px)| *size_px == wanted.size_px);
    let shown = usual.map_or("Other", |(name, _)| name);
    let room = ui.available_width() - 2.0 * (SIDE + space::L);
    combo_ui(ui, "Usual sizes", shown, room, |ui| {
        for (name, size_px) in SIZES {
            if ui.selectable_label(size_px == wanted.size_px, name).clicked() {
                wanted.size_px = size_px;
            }
        }
    });
    let sides = [CaptureSettings::MIN_SIDE_PX, wanted.format.max_side_px()];
    let [least, most] = sides.map(f64::from);
    for (side, name) in wanted.size_px.iter_mut().zip(["Width", "Height"]) {
        let field = NumberField {
            is_count: true,
            field_width: SIDE,
            ..NumberField::new(name, least..=most, 1.0)
        };
        ui.scope(|ui| {
            // As wide as the field alone: no slider.
            ui.set_max_width(SIDE);
            if let Some(Edit { value, .. }) = number_ui(ui, &field, f64::from(*side)) {
                *side = value as u32;
            }
        });
    }
}

fn turn_ui(ui: &mut Ui, wanted: &mut CaptureSettings) {
    let [fewest, most] = CaptureSettings::NUM_FRAMES.map(f64::from);
    let field = NumberField {
        is_count: true,
        ..NumberField::new("Frames", fewest..=most, 1.0)
    };
    let edit = plain_row_ui(
        ui,
        "Pictures",
        "More turn more smoothly and make a larger file.",
        |ui| number_ui(ui, &field, f64::from(wanted.num_frames)),
    );
    if let Some(Edit { value, .. }) = edit {
        wanted.num_frames = value as u32;
    }
    let [shortest, longest] = CaptureSettings::SECONDS.map(f64::from);
    let field = NumberField {
        unit: "s",
        ..NumberField::new("Duration", shortest..=longest, 0.5)
    };
    let edit = plain_row_ui(ui, "Duration", "How long one turn takes.", |ui| {
        number_ui(ui, &field, f64::from(wanted.seconds))
    });
    if let Some(Edit { value, .. }) = edit {
        wanted.seconds = value as f32;
    }
}

fn foot_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let palette = Palette::of(ui);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if let CaptureStatus::Drawing { done, total, .. } = &state.capture.status {
            if ui.add(Button::new("Stop drawing").kind(ButtonKind::Quiet)).clicked() {
                commands.send(Command::CancelCapture);
            }
            if *total > 0 {
                ui.label(text::muted(ui, format!("{done} of {total}")));
            }
            let share = (*total > 1).then(|| *done as f32 / *total as f32);
            let width = ui.available_width() - space::S;
            progress_bar_ui(ui, "Drawing", share, width, palette.accent);
            return;
        }
        let save = Button::new("Save…")
            .kind(ButtonKind::Primary)
            .icon(Icon::Export)
            .height(size::BUTTON)
            .enabled(state.viewport.has_content && !state.capture.is_busy())
            .sentence("Choose where to write the file.");
        if ui.add(save).clicked() {
            commands.send(Command::SaveCapture);
        }
        if ui.add(Button::new("Close").kind(ButtonKind::Quiet)).clicked() {
            commands.send(Command::SetModal(None));
        }
    });
}

/// Opens the dialog.
pub fn capture_button_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let open = Command::SetModal(Some(Modal::Capture));
    let button = Button::new("Picture or turntable…")
        .icon(Icon::Film)
        .wide()
        .keys(open.shortcut_text(ui.ctx()))
        .sentence("Save what the stage shows, still or turning.")
        .enabled(state.viewport.has_content);
    if ui.add(button).clicked() {
        commands.send(open);
    }
}
