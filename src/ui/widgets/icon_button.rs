use egui::accesskit::Role;
use egui::{Color32, Response, Sense, Stroke, StrokeKind, Ui, Widget, WidgetInfo};

use crate::app::Command;
use crate::ui::format::without_ellipsis;
use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, radius, size, square};

/// A button that is an icon alone: its name goes to screen readers and into its tooltip.
#[must_use = "add it to a ui"]
pub struct IconButton<'a> {
    icon: Icon,
    name: &'a str,
    sentence: &'a str,
    keys: Option<String>,
    side: f32,
    is_selected: bool,
    is_enabled: bool,
    tint: Option<Color32>,
}

impl<'a> IconButton<'a> {
    /// A button with an accessible name.
    pub fn new(icon: Icon, name: &'a str) -> Self {
        Self {
            icon,
            name,
            sentence: "",
            keys: None,
            side: size::CONTROL,
            is_selected: false,
            is_enabled: true,
            tint: None,
        }
    }

    /// A button for a command of the table, with its name, sentence and keys.
    pub fn of(ctx: &egui::Context, icon: Icon, command: &Command) -> Self {
        let mut button = Self::new(icon, "");
        if let Some(info) = command.info() {
            button.name = without_ellipsis(info.name);
            button.sentence = info.tooltip;
            button.keys = command.shortcut_text(ctx);
        }
        button
    }

    /// A sentence below the name in the tooltip.
    pub fn sentence(mut self, sentence: &'a str) -> Self {
        self.sentence = sentence;
        self
    }

    /// Side of the square that takes clicks, points.
    pub fn side(mut self, side: f32) -> Self {
        self.side = side;
        self
    }

    /// Whether what it stands for is on.
    pub fn selected(mut self, is_selected: bool) -> Self {
        self.is_selected = is_selected;
        self
    }

    /// Whether it can be pressed.
    pub fn enabled(mut self, is_enabled: bool) -> Self {
        self.is_enabled = is_enabled;
        self
    }

    /// Colour of the icon at rest.
    pub fn tint(mut self, tint: Color32) -> Self {
        self.tint = Some(tint);
        self
    }

    fn show(self, ui: &mut Ui) -> Response {
        let palette = Palette::of(ui);
        let (rect, response) = ui.allocate_exact_size(square(self.side), Sense::click());
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::Button, ui.is_enabled(), self.name);
            info.selected = self.is_selected.then_some(true);
            info
        });
        if ui.is_rect_visible(rect) {
            let is_held = response.is_pointer_button_down_on();
            let is_hovered = response.hovered() || response.has_focus();
            let (fill, tint) = match (self.is_selected, is_held, is_hovered) {
                (true, _, _) => (palette.accent_tint, palette.accent_text),
                (false, true, _) => (palette.pressed, palette.text),
                (false, false, true) => (palette.hover, palette.text),
                (false, false, false) => (Color32::TRANSPARENT, self.tint.unwrap_or(palette.text_muted)),
            };
            ui.painter().rect_filled(rect, radius::CONTROL, fill);
            if response.has_focus() {
                let ring = Stroke::new(size::FOCUS, palette.accent_text);
                ui.painter()
                    .rect_stroke(rect, radius::CONTROL, ring, StrokeKind::Inside);
            }
            let icon_side = if self.side >= size::BUTTON {
                size::ICON_LARGE - 2.0
            } else {
                size::ICON
            };
            self.icon.paint(ui, rect, icon_side.min(self.side), tint);
        }
        super::tooltip(response, self.name, self.keys.as_deref(), self.sentence)
    }
}

impl Widget for IconButton<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let is_enabled = self.is_enabled;
        ui.add_enabled_ui(is_enabled, |ui| self.show(ui)).inner
    }
}
