use egui::accesskit::Role;
use egui::{Color32, ComboBox, Id, Rect, Sense, Stroke, StrokeKind, TextStyle, Ui, WidgetInfo, pos2, vec2};

use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, radius, size, space};

/// One of several things to choose from.
#[derive(Clone, Debug)]
pub struct Segment<'a> {
    /// Name; also the accessible one.
    pub label: &'a str,
    /// Icon before the name.
    pub icon: Option<Icon>,
    /// Whether the name is drawn, or only the icon.
    pub shows_label: bool,
    /// A sentence for the tooltip.
    pub sentence: &'a str,
    /// Keys that choose it.
    pub keys: Option<String>,
    /// Whether it can be chosen.
    pub is_enabled: bool,
}

impl<'a> Segment<'a> {
    /// A name alone.
    pub fn text(label: &'a str) -> Self {
        Self {
            label,
            icon: None,
            shows_label: true,
            sentence: "",
            keys: None,
            is_enabled: true,
        }
    }
}

/// Buttons side by side of which one is chosen. Named segments share the width there is; icons alone take what they need.
/// Returns the one that was clicked.
pub fn segmented_ui(ui: &mut Ui, name: &str, segments: &[Segment<'_>], chosen: Option<usize>) -> Option<usize> {
    let palette = Palette::of(ui);
    let is_compact = segments.iter().any(|segment| segment.icon.is_some());
    let font = TextStyle::Button.resolve(ui.style());
    let widths: Vec<f32> = if is_compact {
        segments
            .iter()
            .map(|segment| compact_width(ui, segment, &font))
            .collect()
    } else {
        shared_widths(ui, segments, &font)
    };
    let height = size::CONTROL;
    let (rect, _) = ui.allocate_exact_size(vec2(widths.iter().sum(), height), Sense::hover());
    if !is_compact {
        ui.painter().rect_filled(rect, radius::CONTROL, palette.field);
    }
    let mut left = rect.left();
    let mut clicked = None;
    for (index, (segment, width)) in segments.iter().zip(widths).enumerate() {
        let cell = Rect::from_min_size(pos2(left, rect.top()), vec2(width, height)).shrink2(vec2(1.0, 0.0));
        left += width;
        let id = ui.scope_id().with((name, segment.label));
        if segment_ui(ui, segment, cell, id, chosen == Some(index)) {
            clicked = Some(index);
        }
    }
    clicked
}

/// Each name's own width, and the same share of what is left.
fn shared_widths(ui: &Ui, segments: &[Segment<'_>], font: &egui::FontId) -> Vec<f32> {
    let named = |segment: &Segment<'_>| {
        let galley = ui
            .painter()
            .layout_no_wrap(segment.label.to_owned(), font.clone(), Color32::WHITE);
        galley.size().x
    };
    let names: Vec<f32> = segments.iter().map(named).collect();
    let spare = ui.available_width() - names.iter().sum::<f32>();
    let share = spare / names.len().max(1) as f32;
    names.into_iter().map(|name| name + share).collect()
}

fn compact_width(ui: &Ui, segment: &Segment<'_>, font: &egui::FontId) -> f32 {
    let text = if segment.shows_label {
        let galley = ui
            .painter()
            .layout_no_wrap(segment.label.to_owned(), font.clone(), Color32::WHITE);
        galley.size().x + space::S - 2.0
    } else {
        0.0
    };
    size::ICON + 2.0 * space::S + text
}

fn segment_ui(ui: &mut Ui, segment: &Segment<'_>, cell: Rect, id: Id, is_chosen: bool) -> bool {
    let palette = Palette::of(ui);
    let sense = if segment.is_enabled {
        Sense::click()
    } else {
        Sense::hover()
    };
    let response = ui.interact(cell, id, sense);
    let is_enabled = segment.is_enabled && ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, is_enabled, is_chosen, segment.label));
    let (fill, mut color) = if is_chosen {
        (palette.accent_tint, palette.accent_text)
    } else if is_enabled && (response.hovered() || response.has_focus()) {
        (palette.hover, palette.text)
    } else {
        (Color32::TRANSPARENT, palette.text_muted)
    };
    if !is_enabled {
        color = ui.visuals().disable(color);
    }
    ui.painter().rect_filled(cell, radius::CONTROL, fill);
    if response.has_focus() {
        let ring = Stroke::new(size::FOCUS, palette.accent_text);
        ui.painter()
            .rect_stroke(cell, radius::CONTROL, ring, StrokeKind::Inside);
    }
    let font = TextStyle::Button.resolve(ui.style());
    if let Some(icon) = segment.icon {
        let icon_rect = Rect::from_min_size(cell.min, vec2(size::ICON + 2.0 * space::S, cell.height()));
        icon.paint(ui, icon_rect, size::ICON, color);
        if segment.shows_label {
            let at = pos2(icon_rect.right() - 2.0, cell.center().y);
            ui.painter()
                .text(at, egui::Align2::LEFT_CENTER, segment.label, font, color);
        }
    } else {
        let clipped = ui.painter().with_clip_rect(cell);
        clipped.text(cell.center(), egui::Align2::CENTER_CENTER, segment.label, font, color);
    }
    let is_clicked = response.clicked();
    if segment.sentence.is_empty() && segment.icon.is_none() {
        return is_clicked;
    }
    super::tooltip(response, segment.label, segment.keys.as_deref(), segment.sentence);
    is_clicked
}

/// A list that opens on a click; `options` draws its rows. Returns what `options` returned while it was open.
pub fn combo_ui<R>(ui: &mut Ui, name: &str, shown: &str, width: f32, options: impl FnOnce(&mut Ui) -> R) -> Option<R> {
    let palette = Palette::of(ui);
    let inner = ui.scope(|ui| {
        let widgets = &mut ui.visuals_mut().widgets;
        widgets.inactive.weak_bg_fill = palette.control;
        ui.spacing_mut().button_padding = vec2(space::S, 2.0);
        ui.spacing_mut().interact_size.y = size::CONTROL;
        ComboBox::from_id_salt(name)
            .width(width)
            .truncate()
            .selected_text(shown)
            .icon(|ui, rect, visuals, _| Icon::ChevronDown.paint(ui, rect, 14.0, visuals.fg_stroke.color))
            .show_ui(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                ui.spacing_mut().button_padding = vec2(space::S, space::XS);
                options(ui)
            })
    });
    let response = inner.inner.response.accessible_name(name);
    if response.has_focus() {
        let ring = Stroke::new(size::FOCUS, palette.accent_text);
        ui.painter()
            .rect_stroke(response.rect, radius::CONTROL, ring, StrokeKind::Inside);
    }
    inner.inner.inner
}
