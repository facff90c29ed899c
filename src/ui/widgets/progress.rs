use egui::accesskit::Role;
use egui::{Color32, Rect, Response, Sense, Stroke, Ui, WidgetInfo, vec2};

use crate::ui::theme::{Palette, square};

/// Time between two pictures of something that moves by itself: smooth enough, and the graphics card stays free.
const REFRESH: std::time::Duration = std::time::Duration::from_millis(33);

/// A bar that fills from the left; without a share it shows that something goes on.
pub fn progress_bar_ui(ui: &mut Ui, name: &str, share: Option<f32>, width: f32, color: Color32) -> Response {
    let palette = Palette::of(ui);
    let height = 4.0;
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ProgressIndicator, true, name);
        info.value = share.map(|share| f64::from(share.clamp(0.0, 1.0)));
        info
    });
    ui.painter().rect_filled(rect, height * 0.5, palette.control);
    let filled = match share {
        Some(share) => rect.with_max_x(egui::lerp(rect.x_range(), share.clamp(0.0, 1.0))),
        None => travelling(ui, rect),
    };
    if filled.width() > 0.5 {
        ui.painter().rect_filled(filled, height * 0.5, color);
    }
    response
}

/// A third of the bar that goes to and fro.
fn travelling(ui: &Ui, rect: Rect) -> Rect {
    ui.ctx().request_repaint_after(REFRESH);
    let phase = (ui.input(|input| input.time) * 2.0).sin() as f32 * 0.5 + 0.5;
    let width = rect.width() / 3.0;
    let left = rect.left() + phase * (rect.width() - width);
    Rect::from_min_size(egui::pos2(left, rect.top()), vec2(width, rect.height()))
}

/// A ring that turns while something is awaited.
pub fn spinner_ui(ui: &mut Ui, side: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(square(side), Sense::hover());
    paint_spinner(ui, rect);
    response
}

fn paint_spinner(ui: &Ui, rect: Rect) {
    let palette = Palette::of(ui);
    ui.ctx().request_repaint_after(REFRESH);
    let radius = rect.width() * 0.5 - 2.0;
    let start = ui.input(|input| input.time) * 4.0;
    let points: Vec<_> = (0..=20)
        .map(|step| {
            let angle = (start + f64::from(step) / 20.0 * 4.2) as f32;
            rect.center() + vec2(angle.cos(), angle.sin()) * radius
        })
        .collect();
    ui.painter()
        .circle_stroke(rect.center(), radius, Stroke::new(1.5, palette.line_strong));
    ui.painter().line(points, Stroke::new(1.5, palette.accent_text));
}
