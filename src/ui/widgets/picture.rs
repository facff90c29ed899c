use egui::{CornerRadius, Image, Rect, Ui, pos2, vec2};

use crate::app::state::Picture;
use crate::ui::theme::{Palette, square};

/// How a picture fills a rectangle of another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// All of the rectangle, cutting the picture's longer side.
    Cover,
    /// All of the picture, leaving ground at the sides.
    Contain,
}

/// Draws a picture into a rectangle.
pub fn paint_picture(ui: &Ui, rect: Rect, picture: &Picture, fit: Fit, corner: impl Into<CornerRadius>) -> Rect {
    let aspect = picture.aspect().max(1e-3);
    let rect_aspect = rect.width() / rect.height().max(1.0);
    let (target, uv) = match fit {
        Fit::Contain => {
            let wanted = if aspect > rect_aspect {
                vec2(rect.width(), rect.width() / aspect)
            } else {
                vec2(rect.height() * aspect, rect.height())
            };
            (
                Rect::from_center_size(rect.center(), wanted),
                Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)),
            )
        }
        Fit::Cover => {
            let share = if aspect > rect_aspect {
                vec2(rect_aspect / aspect, 1.0)
            } else {
                vec2(1.0, aspect / rect_aspect)
            };
            (rect, Rect::from_center_size(pos2(0.5, 0.5), share))
        }
    };
    Image::from_texture(egui::load::SizedTexture::from_handle(&picture.texture))
        .uv(uv)
        .corner_radius(corner)
        .paint_at(ui, target);
    target
}

/// Squares in two shades, as behind transparent pictures everywhere.
pub fn paint_checker(ui: &Ui, rect: Rect, corner: u8) {
    let palette = Palette::of(ui);
    let side = 8.0;
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    painter.rect_filled(rect, corner, palette.checker_dark);
    let (columns, rows) = (
        (rect.width() / side).ceil() as usize,
        (rect.height() / side).ceil() as usize,
    );
    for row in 0..rows {
        for column in (row % 2..columns).step_by(2) {
            let is_corner = (row == 0 || row + 1 == rows) && (column == 0 || column + 1 == columns);
            let at = rect.min + vec2(column as f32, row as f32) * side;
            let cell = Rect::from_min_size(at, square(side)).intersect(rect);
            if !is_corner {
                painter.rect_filled(cell, 0, palette.checker_light);
            }
        }
    }
}
