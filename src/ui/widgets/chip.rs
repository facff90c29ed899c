use egui::{Color32, CornerRadius, Response, Sense, StrokeKind, TextStyle, Ui, pos2, vec2};

use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, radius, size, space, text};

/// What a chip or notice says about its matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Neither good nor bad.
    Neutral,
    /// All is well.
    Ok,
    /// Worth a look.
    Warning,
    /// Failed.
    Error,
    /// Chosen, or at work.
    Accent,
}

impl Tone {
    /// Its colour on a panel.
    pub fn color(self, palette: &Palette) -> Color32 {
        match self {
            Self::Neutral => palette.text_muted,
            Self::Ok => palette.ok,
            Self::Warning => palette.warning,
            Self::Error => palette.error,
            Self::Accent => palette.accent_text,
        }
    }

    /// Its icon.
    pub fn icon(self) -> Icon {
        match self {
            Self::Neutral | Self::Accent => Icon::Info,
            Self::Ok => Icon::Ok,
            Self::Warning => Icon::Warning,
            Self::Error => Icon::Error,
        }
    }
}

/// A small fact with its tone.
pub fn chip_ui(ui: &mut Ui, icon: Option<Icon>, label: &str, tone: Tone) -> Response {
    let palette = Palette::of(ui);
    let font = text::caption().resolve(ui.style());
    let color = tone.color(palette);
    let galley = ui.painter().layout_no_wrap(label.to_owned(), font, palette.text_muted);
    let icon_side = 13.0;
    let icon_width = icon.map_or(0.0, |_| icon_side + space::XS);
    let wanted = vec2(galley.size().x + icon_width + 2.0 * space::S - 2.0, 22.0);
    let (rect, response) = ui.allocate_exact_size(wanted, Sense::hover());
    ui.painter().rect_filled(rect, CornerRadius::same(11), palette.control);
    let mut left = rect.left() + space::S - 1.0;
    if let Some(icon) = icon {
        let icon_rect = egui::Rect::from_min_size(pos2(left, rect.top()), vec2(icon_side, rect.height()));
        icon.paint(ui, icon_rect, icon_side, color);
        left += icon_width;
    }
    let at = pos2(left, rect.center().y - galley.size().y * 0.5);
    ui.painter().galley(at, galley, palette.text_muted);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Label, true, label));
    response
}

/// A number beside a tab's name.
pub fn badge_ui(ui: &mut Ui, label: &str, tone: Tone) {
    let palette = Palette::of(ui);
    let font = text::caption().resolve(ui.style());
    let galley = ui.painter().layout_no_wrap(label.to_owned(), font, tone.color(palette));
    let height = 16.0;
    let width = (galley.size().x + space::S + 2.0).max(height);
    let (rect, _) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    let fill = if tone == Tone::Neutral {
        palette.control
    } else {
        palette.accent_tint
    };
    ui.painter().rect_filled(rect, 8, fill);
    ui.painter()
        .galley(rect.center() - galley.size() * 0.5, galley, palette.text);
}

/// The keys of a command as caps.
pub fn key_hint_ui(ui: &mut Ui, keys: &str) -> Response {
    let palette = Palette::of(ui);
    let font = TextStyle::Small.resolve(ui.style());
    let galley = ui.painter().layout_no_wrap(keys.to_owned(), font, palette.text_muted);
    let wanted = vec2(galley.size().x + space::S + 2.0, 18.0);
    let (rect, response) = ui.allocate_exact_size(wanted, Sense::hover());
    let outline = egui::Stroke::new(size::LINE, palette.line_strong);
    ui.painter()
        .rect(rect, radius::CONTROL - 1, palette.field, outline, StrokeKind::Inside);
    ui.painter()
        .galley(rect.center() - galley.size() * 0.5, galley, palette.text_muted);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Label, true, keys));
    response
}
