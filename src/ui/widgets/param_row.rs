use bozzetto_engine::{ParamKind, ParamSpec, ParamValue};
use egui::accesskit::Role;
use egui::{Align, Label, Layout, Sense, Ui, WidgetInfo, vec2};

use super::switch::SWITCH_WIDTH;
use super::{Edit, NumberField, Segment, combo_ui, number_ui, place_ui, segmented_ui, switch_ui};
use crate::ui::theme::{Palette, size, space, square, text};

/// Column of the dot that sets a value back.
const RESET_COLUMN: f32 = 10.0;
/// More options than this go into a list.
const MAX_SEGMENTS: usize = 3;

/// What was done to a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamEdit {
    /// A new value.
    Set(Edit<ParamValue>),
    /// Back to the default.
    Reset,
}

/// One row of settings: label, control, and a dot that sets it back when it was changed. Returns whether the dot was pressed, and
/// what the control returns.
pub fn row_ui<R>(
    ui: &mut Ui,
    label: &str,
    help: &str,
    is_changed: bool,
    control: impl FnOnce(&mut Ui) -> R,
) -> (bool, R) {
    cells_ui(ui, label, help, size::LABEL_COLUMN, Some(is_changed), control)
}

/// A row without the column of the dot: label and control.
pub fn plain_row_ui<R>(ui: &mut Ui, label: &str, help: &str, control: impl FnOnce(&mut Ui) -> R) -> R {
    cells_ui(ui, label, help, size::LABEL_COLUMN, None, control).1
}

/// A row with a switch at its right end, which leaves more room for words. Returns whether the dot was pressed, and whether the
/// switch was flipped.
pub fn switch_row_ui(ui: &mut Ui, label: &str, help: &str, is_changed: bool, is_on: &mut bool) -> (bool, bool) {
    let label_width = ui.available_width() - SWITCH_WIDTH - space::S - RESET_COLUMN;
    cells_ui(ui, label, help, label_width, Some(is_changed), |ui| {
        switch_ui(ui, is_on, label).changed()
    })
}

fn cells_ui<R>(
    ui: &mut Ui,
    label: &str,
    help: &str,
    label_width: f32,
    is_changed: Option<bool>,
    control: impl FnOnce(&mut Ui) -> R,
) -> (bool, R) {
    let row = vec2(ui.available_width(), size::CONTROL);
    ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        label_ui(ui, label, help, label_width);
        ui.add_space(space::S);
        let width = ui.available_width() - is_changed.map_or(0.0, |_| RESET_COLUMN);
        let (cell, _) = ui.allocate_exact_size(vec2(width, size::CONTROL), Sense::hover());
        let inner = place_ui(ui, cell, Layout::left_to_right(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            control(ui)
        });
        let Some(is_changed) = is_changed else {
            return (false, inner);
        };
        let (dot, _) = ui.allocate_exact_size(vec2(RESET_COLUMN, size::CONTROL), Sense::hover());
        (is_changed && reset_dot_ui(ui, dot, label), inner)
    })
    .inner
}

/// A parameter as its declaration says.
pub fn param_row_ui(ui: &mut Ui, spec: &ParamSpec, value: &ParamValue) -> Option<ParamEdit> {
    let is_changed = *value != spec.default_value();
    let (is_reset, edit) = row_ui(ui, &spec.label, &spec.help, is_changed, |ui| {
        control_ui(ui, spec, value)
    });
    if is_reset {
        return Some(ParamEdit::Reset);
    }
    edit.map(ParamEdit::Set)
}

fn label_ui(ui: &mut Ui, label: &str, help: &str, width: f32) {
    let (cell, _) = ui.allocate_exact_size(vec2(width, size::CONTROL), Sense::hover());
    place_ui(ui, cell, Layout::left_to_right(Align::Center), |ui| {
        let label_text = text::muted(ui, label);
        let response = ui.add(
            Label::new(label_text)
                .truncate()
                .sense(Sense::hover())
                .show_tooltip_when_elided(false),
        );
        super::tooltip(response, label, None, help);
    });
}

fn reset_dot_ui(ui: &Ui, rect: egui::Rect, label: &str) -> bool {
    let palette = Palette::of(ui);
    let response = ui.interact(rect, ui.scope_id().with(("reset", label)), Sense::click());
    let name = format!("Reset {}", lower_first(label));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), &name));
    let is_lit = response.hovered() || response.has_focus();
    let dot = egui::Rect::from_center_size(rect.center(), square(if is_lit { 9.0 } else { 6.0 }));
    ui.painter()
        .circle_filled(dot.center(), dot.width() * 0.5, palette.accent_text);
    super::tooltip(response, &name, None, "Set it back to its default.").clicked()
}

fn lower_first(label: &str) -> String {
    let mut letters = label.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn control_ui(ui: &mut Ui, spec: &ParamSpec, value: &ParamValue) -> Option<Edit<ParamValue>> {
    match (&spec.kind, value) {
        (ParamKind::Int { min, max, step, .. }, &ParamValue::Int(current)) => {
            let field = NumberField {
                unit: &spec.unit,
                ..NumberField::new(&spec.label, *min as f64..=*max as f64, (*step).max(1) as f64)
            };
            number_ui(ui, &field, current as f64).map(|edit| Edit {
                value: ParamValue::Int(edit.value.round() as i64),
                is_final: edit.is_final,
            })
        }
        (ParamKind::Float { min, max, step, .. }, &ParamValue::Float(current)) => {
            let field = NumberField {
                unit: &spec.unit,
                ..NumberField::new(&spec.label, *min..=*max, *step)
            };
            number_ui(ui, &field, current).map(|edit| Edit {
                value: ParamValue::Float(edit.value),
                is_final: edit.is_final,
            })
        }
        (ParamKind::Choice { options, .. }, ParamValue::Choice(current)) => choice_ui(ui, spec, options, current),
        // A value of another kind comes from a damaged file; the dot brings the default back.
        _ => None,
    }
}

fn choice_ui(ui: &mut Ui, spec: &ParamSpec, options: &[(String, String)], current: &str) -> Option<Edit<ParamValue>> {
    let chosen = options.iter().position(|(id, _)| id == current);
    let picked = if options.len() <= MAX_SEGMENTS {
        let segments: Vec<_> = options.iter().map(|(_, label)| Segment::text(label)).collect();
        segmented_ui(ui, &spec.label, &segments, chosen)
    } else {
        let shown = chosen.map_or(current, |index| options[index].1.as_str());
        combo_ui(ui, &spec.label, shown, ui.available_width(), |ui| {
            options
                .iter()
                .position(|(id, label)| ui.selectable_label(id == current, label).clicked())
        })
        .flatten()
    };
    picked.filter(|&index| Some(index) != chosen).map(|index| Edit {
        value: ParamValue::Choice(options[index].0.clone()),
        is_final: true,
    })
}
