use egui::{Align2, Id, LayerId, Order, Rect, Stroke, StrokeKind, Ui, vec2};

use crate::app::state::AppState;
use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, radius, space, square, text};

/// Over everything while files are held over the window.
pub fn drop_overlay_ui(ui: &Ui, state: &AppState) {
    let num_files = state.drop.num_hovering;
    if num_files == 0 {
        return;
    }
    let palette = Palette::of(ui);
    let layer = LayerId::new(Order::Foreground, Id::unique("drop_overlay"));
    let window = ui.ctx().content_rect();
    let painter = ui.ctx().layer_painter(layer);
    painter.rect_filled(window, 0, palette.scrim);
    let frame = window.shrink(space::M);
    painter.rect_stroke(
        frame,
        radius::FLOAT,
        Stroke::new(2.0, palette.accent_text),
        StrokeKind::Inside,
    );
    let card = Rect::from_center_size(window.center(), vec2(340.0, 140.0));
    painter.rect(
        card,
        radius::FLOAT,
        palette.raised,
        Stroke::new(1.0, palette.line_strong),
        StrokeKind::Inside,
    );
    let mut child = Ui::new(
        ui.ctx().clone(),
        Id::unique("drop_overlay"),
        egui::UiBuilder::new().layer_id(layer).max_rect(card),
    );
    child.set_clip_rect(window);
    let icon = Rect::from_center_size(card.center() - vec2(0.0, 26.0), square(32.0));
    Icon::ImagePlus.paint(&child, icon, 32.0, palette.accent_text);
    let title = if num_files == 1 {
        "Drop to add it".to_owned()
    } else {
        format!("Drop to add {num_files} files")
    };
    let title_font = text::title().resolve(ui.style());
    painter.text(
        card.center() + vec2(0.0, 14.0),
        Align2::CENTER_CENTER,
        title,
        title_font,
        palette.text,
    );
    let line = "Pictures, folders, transforms.json, or a GLB made here";
    let font = text::caption().resolve(ui.style());
    painter.text(
        card.center() + vec2(0.0, 40.0),
        Align2::CENTER_CENTER,
        line,
        font,
        palette.text_muted,
    );
}
