use egui::accesskit::Role;
use egui::{Color32, Rect, Response, Sense, Stroke, StrokeKind, TextStyle, Ui, Widget, WidgetInfo, pos2, vec2};

use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, radius, size, space};

/// How much a button asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ButtonKind {
    /// The one that leads on; at most one in sight.
    Primary,
    /// One of several.
    Plain,
    /// An act beside something greater: no ground until the pointer is over it.
    Quiet,
    /// Takes something away for good.
    Danger,
}

/// A button with a text and perhaps an icon.
#[must_use = "add it to a ui"]
pub struct Button<'a> {
    text: &'a str,
    kind: ButtonKind,
    icon: Option<Icon>,
    height: f32,
    fills_width: bool,
    keys: Option<String>,
    sentence: &'a str,
    is_enabled: bool,
}

impl<'a> Button<'a> {
    /// A plain button.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            kind: ButtonKind::Plain,
            icon: None,
            height: size::BUTTON,
            fills_width: false,
            keys: None,
            sentence: "",
            is_enabled: true,
        }
    }

    /// How much it asks for.
    pub fn kind(mut self, kind: ButtonKind) -> Self {
        self.kind = kind;
        self
    }

    /// An icon before the text.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// Height in points.
    pub fn height(mut self, height: f32) -> Self {
        self.height = height;
        self
    }

    /// Takes all the width there is.
    pub fn wide(mut self) -> Self {
        self.fills_width = true;
        self
    }

    /// Keys that do the same, drawn on the button when it is wide, else in the tooltip.
    pub fn keys(mut self, keys: Option<String>) -> Self {
        self.keys = keys;
        self
    }

    /// A sentence for the tooltip.
    pub fn sentence(mut self, sentence: &'a str) -> Self {
        self.sentence = sentence;
        self
    }

    /// Whether it can be pressed.
    pub fn enabled(mut self, is_enabled: bool) -> Self {
        self.is_enabled = is_enabled;
        self
    }

    fn colors(&self, palette: &Palette, response: &Response) -> (Color32, Color32) {
        let by_state = |rest: Color32, hover: Color32, held: Color32| {
            if response.is_pointer_button_down_on() {
                held
            } else if response.hovered() || response.has_focus() {
                hover
            } else {
                rest
            }
        };
        match self.kind {
            ButtonKind::Primary if !self.is_enabled => (palette.control, palette.text),
            ButtonKind::Primary => (
                by_state(palette.accent, palette.accent_hover, palette.accent_pressed),
                palette.on_accent,
            ),
            ButtonKind::Plain => (by_state(palette.control, palette.hover, palette.pressed), palette.text),
            ButtonKind::Quiet => (
                by_state(Color32::TRANSPARENT, palette.hover, palette.pressed),
                by_state(palette.text_muted, palette.text, palette.text),
            ),
            ButtonKind::Danger => (
                by_state(palette.error_tint, palette.hover, palette.pressed),
                palette.error,
            ),
        }
    }

    fn show(self, ui: &mut Ui) -> Response {
        let palette = Palette::of(ui);
        let font = TextStyle::Button.resolve(ui.style());
        let galley = ui.painter().layout_no_wrap(self.text.to_owned(), font, palette.text);
        let icon_width = self.icon.map_or(0.0, |_| size::ICON + space::S - 1.0);
        let content_width = icon_width + galley.size().x;
        let padding = if self.kind == ButtonKind::Quiet {
            space::S
        } else {
            space::M
        };
        let width = if self.fills_width {
            ui.available_width()
        } else {
            content_width + 2.0 * padding
        };
        let (rect, response) = ui.allocate_exact_size(vec2(width, self.height), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), self.text));
        if ui.is_rect_visible(rect) {
            let (fill, text) = self.colors(palette, &response);
            let corner = if self.height > size::BUTTON {
                radius::CARD
            } else {
                radius::CONTROL
            };
            ui.painter().rect_filled(rect, corner, fill);
            if response.has_focus() {
                let ring = Stroke::new(size::FOCUS, palette.accent_text);
                ui.painter().rect_stroke(rect, corner, ring, StrokeKind::Outside);
            }
            let left = rect.center().x - content_width * 0.5;
            if let Some(icon) = self.icon {
                let icon_rect = Rect::from_min_size(pos2(left - 1.0, rect.top()), vec2(size::ICON, rect.height()));
                icon.paint(ui, icon_rect, size::ICON, text);
            }
            let at = pos2(left + icon_width, rect.center().y - galley.size().y * 0.5);
            ui.painter().galley_with_override_text_color(at, galley, text);
        }
        if self.sentence.is_empty() && self.keys.is_none() {
            return response;
        }
        super::tooltip(
            response,
            crate::ui::format::without_ellipsis(self.text),
            self.keys.as_deref(),
            self.sentence,
        )
    }
}

impl Widget for Button<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let is_enabled = self.is_enabled;
        ui.add_enabled_ui(is_enabled, |ui| self.show(ui)).inner
    }
}
