use std::ops::RangeInclusive;

use egui::{DragValue, Response, Slider, Stroke, StrokeKind, Ui, lerp, pos2, vec2};

use crate::ui::format;
use crate::ui::theme::{Palette, radius, size, space};

const SLIDER_HEIGHT: f32 = 18.0;
const RAIL: f32 = 4.0;
/// egui keeps the middle of a round handle this far from the rail's ends.
const HANDLE_INSET: f32 = SLIDER_HEIGHT / 2.5;

/// A number that can be set by slider and by typing.
#[derive(Clone, Debug)]
pub struct NumberField<'a> {
    /// Accessible name.
    pub name: &'a str,
    /// Least and greatest value.
    pub range: RangeInclusive<f64>,
    /// Distance between neighbouring values of the slider; 0 for none.
    pub step: f64,
    /// Unit behind the number.
    pub unit: &'a str,
    /// Gives small values as much of the slider as large ones. The range must lie above 0.
    pub is_logarithmic: bool,
    /// Whole number, written with spaces between thousands.
    pub is_count: bool,
    /// Width of the field with the number.
    pub field_width: f32,
}

impl<'a> NumberField<'a> {
    /// A number in a range.
    pub fn new(name: &'a str, range: RangeInclusive<f64>, step: f64) -> Self {
        Self {
            name,
            range,
            step,
            unit: "",
            is_logarithmic: false,
            is_count: false,
            field_width: size::NUMBER,
        }
    }

    fn decimals(&self) -> usize {
        if self.is_count || self.step >= 1.0 {
            0
        } else if self.step > 0.0 {
            ((-self.step.log10() - 1e-9).ceil().max(0.0) as usize).min(4)
        } else {
            2
        }
    }

    fn share(&self, value: f64) -> f32 {
        let (low, high) = (*self.range.start(), *self.range.end());
        let share = if self.is_logarithmic {
            (value.max(low) / low).ln() / (high / low).ln()
        } else {
            (value - low) / (high - low)
        };
        if share.is_finite() {
            share.clamp(0.0, 1.0) as f32
        } else {
            0.5
        }
    }
}

/// A new value.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit<T> {
    /// The value.
    pub value: T,
    /// False while a handle is held.
    pub is_final: bool,
}

/// A slider and a field side by side, filling the width there is.
pub fn number_ui(ui: &mut Ui, field: &NumberField<'_>, current: f64) -> Option<Edit<f64>> {
    let mut value = current;
    let slider_width = ui.available_width() - field.field_width - space::S;
    let slider = (slider_width >= 36.0).then(|| slider_ui(ui, field, &mut value, slider_width));
    let typed = field_ui(ui, field, &mut value);
    let is_held = |response: &Response| response.dragged() && !response.drag_stopped();
    let (is_held, was_let_go, has_changed) =
        slider
            .iter()
            .chain([&typed])
            .fold((false, false, false), |(held, let_go, changed), response| {
                (
                    held || is_held(response),
                    let_go || response.drag_stopped(),
                    changed || response.changed(),
                )
            });
    (has_changed || was_let_go).then_some(Edit {
        value,
        is_final: !is_held,
    })
}

/// A slider alone, of a width. egui's slider does the work, unseen; rail and handle are drawn over it.
pub fn slider_ui(ui: &mut Ui, field: &NumberField<'_>, value: &mut f64, width: f32) -> Response {
    let palette = Palette::of(ui);
    let response = ui
        .scope(|ui| {
            let visuals = ui.visuals_mut();
            visuals.slider_trailing_fill = false;
            for state in [
                &mut visuals.widgets.inactive,
                &mut visuals.widgets.hovered,
                &mut visuals.widgets.active,
            ] {
                state.bg_fill = egui::Color32::TRANSPARENT;
                state.bg_stroke = Stroke::NONE;
                state.fg_stroke = Stroke::NONE;
            }
            ui.spacing_mut().slider_width = width;
            ui.spacing_mut().interact_size.y = SLIDER_HEIGHT;
            ui.add(
                Slider::new(value, field.range.clone())
                    .step_by(if field.is_logarithmic { 0.0 } else { field.step })
                    .logarithmic(field.is_logarithmic)
                    .max_decimals(field.decimals())
                    .show_value(false),
            )
        })
        .inner
        .accessible_name(field.name);
    let rect = response.rect;
    let knob = lerp(
        (rect.left() + HANDLE_INSET)..=(rect.right() - HANDLE_INSET),
        field.share(*value),
    );
    let rail = egui::Rect::from_min_max(
        pos2(rect.left() + 2.0, rect.center().y - RAIL * 0.5),
        pos2(rect.right() - 2.0, rect.center().y + RAIL * 0.5),
    );
    let is_lit = response.hovered() || response.dragged() || response.has_focus();
    let painter = ui.painter();
    painter.rect_filled(rail, RAIL * 0.5, palette.control);
    painter.rect_filled(
        rail.with_max_x(knob),
        RAIL * 0.5,
        if is_lit { palette.accent_hover } else { palette.accent },
    );
    let handle = if is_lit { 7.0 } else { 6.0 };
    let outline = Stroke::new(size::LINE, palette.line_strong);
    painter.circle(pos2(knob, rect.center().y), handle, palette.on_accent, outline);
    if response.has_focus() {
        let ring = Stroke::new(size::FOCUS, palette.accent_text);
        painter.circle_stroke(pos2(knob, rect.center().y), handle + 2.0, ring);
    }
    response
}

fn field_ui(ui: &mut Ui, field: &NumberField<'_>, value: &mut f64) -> Response {
    let palette = Palette::of(ui);
    let mut drag = DragValue::new(value)
        .range(field.range.clone())
        .speed(drag_speed(field))
        .max_decimals(field.decimals())
        .min_decimals(field.decimals())
        .update_while_editing(false);
    if field.is_count {
        drag = drag
            .custom_formatter(|value, _| format::count(value.max(0.0).round() as usize))
            .custom_parser(parse_count);
    }
    if !field.unit.is_empty() {
        let gap = if field.unit == "°" { "" } else { "\u{2009}" };
        drag = drag.suffix(format!("{gap}{}", field.unit));
    }
    let response = ui
        .scope(|ui| {
            let widgets = &mut ui.visuals_mut().widgets;
            for state in [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active] {
                state.weak_bg_fill = palette.field;
                state.bg_fill = palette.field;
            }
            widgets.hovered.bg_stroke = Stroke::new(size::LINE, palette.line_strong);
            ui.spacing_mut().button_padding = vec2(6.0, 2.0);
            ui.add_sized([field.field_width, size::CONTROL - 2.0], drag)
        })
        .inner;
    if response.has_focus() {
        let ring = Stroke::new(size::FOCUS, palette.accent_text);
        ui.painter()
            .rect_stroke(response.rect, radius::CONTROL, ring, StrokeKind::Inside);
    }
    response.accessible_name(format!("{} value", field.name))
}

/// Values a point of dragging: the whole range in about 300 points.
fn drag_speed(field: &NumberField<'_>) -> f64 {
    let span = field.range.end() - field.range.start();
    (span / 300.0).max(if field.is_count { 1.0 } else { field.step * 0.25 })
}

/// Reads `50000`, `50 000`, `50k` and `0.5M`.
fn parse_count(text: &str) -> Option<f64> {
    let compact: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '\u{2009}' && *c != '_')
        .collect();
    let lower = compact.to_ascii_lowercase();
    let (digits, factor) = match lower.strip_suffix('k') {
        Some(digits) => (digits, 1e3),
        None => lower
            .strip_suffix('m')
            .map_or((lower.as_str(), 1.0), |digits| (digits, 1e6)),
    };
    digits
        .replace(',', ".")
        .parse::<f64>()
        .ok()
        .map(|number| (number * factor).round())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_people_write_them() {
        for (text, value) in [
            ("50000", 5e4),
            ("50 000", 5e4),
            ("50\u{2009}000", 5e4),
            ("50k", 5e4),
            ("0.5M", 5e5),
            ("1,5k", 1500.0),
        ] {
            assert_eq!(parse_count(text), Some(value), "{text}");
        }
        assert_eq!(parse_count("many"), None);
    }

    #[test]
    fn decimals_follow_the_step() {
        for (step, decimals) in [
            (1.0, 0),
            (32.0, 0),
            (0.5, 1),
            (0.1, 1),
            (0.05, 2),
            (0.01, 2),
            (0.001, 3),
        ] {
            assert_eq!(NumberField::new("x", 0.0..=1.0, step).decimals(), decimals, "{step}");
        }
    }

    #[test]
    fn a_logarithmic_slider_gives_every_factor_of_ten_the_same_room() {
        let field = NumberField {
            is_logarithmic: true,
            ..NumberField::new("faces", 1e3..=1e6, 0.0)
        };
        assert!((field.share(1e4) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!((field.share(1.0), field.share(1e7)), (0.0, 1.0));
    }
}
