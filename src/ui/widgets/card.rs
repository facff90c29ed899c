use egui::accesskit::Role;
use egui::{Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::{Fit, paint_picture};
use crate::app::state::Picture;
use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, radius, size, space, text};

/// A picture with a name below.
#[derive(Debug)]
pub struct Card<'a> {
    /// The picture; an icon stands in while there is none.
    pub picture: Option<&'a Picture>,
    /// First line.
    pub name: &'a str,
    /// Second line.
    pub note: &'a str,
    /// Whether it is the one on the stage.
    pub is_chosen: bool,
    /// Whether it is being opened.
    pub is_busy: bool,
    /// Whether it cannot be opened.
    pub is_broken: bool,
    /// Width in points.
    pub width: f32,
    /// Height of the picture in points.
    pub picture_height: f32,
}

/// A card that can be clicked.
pub fn card_ui(ui: &mut Ui, card: &Card<'_>) -> Response {
    let palette = Palette::of(ui);
    let text_height = 36.0;
    let (rect, response) = ui.allocate_exact_size(vec2(card.width, card.picture_height + text_height), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, ui.is_enabled(), card.is_chosen, card.name));
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let picture_rect = rect.with_max_y(rect.top() + card.picture_height);
    ui.painter().rect_filled(picture_rect, radius::CARD, palette.field);
    match card.picture {
        Some(picture) => {
            paint_picture(ui, picture_rect, picture, Fit::Cover, radius::CARD);
        }
        None if card.is_broken => Icon::Warning.paint(ui, picture_rect, size::ICON_LARGE, palette.warning),
        None => Icon::Cube.paint(ui, picture_rect, size::ICON_LARGE, palette.text_faint),
    }
    if card.is_busy {
        ui.painter().rect_filled(picture_rect, radius::CARD, palette.scrim);
        let spinner = Rect::from_center_size(picture_rect.center(), egui::Vec2::splat(size::ICON_LARGE));
        super::place_ui(ui, spinner, *ui.layout(), |ui| super::spinner_ui(ui, size::ICON_LARGE));
    }
    let outline = if card.is_chosen {
        Stroke::new(2.0, palette.accent_text)
    } else if response.hovered() || response.has_focus() {
        Stroke::new(size::FOCUS, palette.text_faint)
    } else {
        Stroke::new(size::LINE, palette.line)
    };
    ui.painter()
        .rect_stroke(picture_rect, radius::CARD, outline, StrokeKind::Inside);
    let top = picture_rect.bottom() + space::XS + 1.0;
    let name_color = if card.is_broken {
        palette.text_faint
    } else {
        palette.text
    };
    paint_line(
        ui,
        card.name,
        &text::caption(),
        name_color,
        Rect::from_min_size(pos2(rect.left() + 2.0, top), vec2(rect.width() - 4.0, 14.0)),
    );
    paint_line(
        ui,
        card.note,
        &text::caption(),
        palette.text_faint,
        Rect::from_min_size(pos2(rect.left() + 2.0, top + 15.0), vec2(rect.width() - 4.0, 14.0)),
    );
    response
}

/// Draws one line of text, cut with an ellipsis where it does not fit. It is part of another control: screen readers hear only that.
pub fn paint_line(ui: &Ui, line: &str, style: &egui::TextStyle, color: egui::Color32, rect: Rect) {
    let mut job = egui::text::LayoutJob::simple_singleline(line.to_owned(), style.resolve(ui.style()), color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width());
    let galley = ui.painter().layout_job(job);
    let at = pos2(rect.left(), rect.center().y - galley.size().y * 0.5);
    ui.painter().galley(at, galley, color);
}
