use egui::{Align, CornerRadius, Layout, Pos2, Rect, Sense, Shape, Stroke, Ui, pos2, vec2};

use super::card::paint_line;
use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, radius, size, space, square, text};

/// A place for files to fall.
#[derive(Debug)]
pub struct DropZone<'a> {
    /// What to do, in bold.
    pub title: &'a str,
    /// A sentence below.
    pub sentence: &'a str,
    /// Whether files are held over the window.
    pub is_lit: bool,
    /// Height in points.
    pub height: f32,
}

/// A dashed well with an icon and two lines, and `actions` below them.
pub fn drop_zone_ui(ui: &mut Ui, zone: &DropZone<'_>, actions: impl FnOnce(&mut Ui)) {
    let palette = Palette::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), zone.height), Sense::hover());
    let (fill, line) = if zone.is_lit {
        (palette.accent_tint, palette.accent_text)
    } else {
        (palette.panel, palette.line_strong)
    };
    ui.painter().rect_filled(rect, radius::FLOAT, fill);
    paint_dashes(ui, rect, Stroke::new(size::FOCUS, line));
    let inner = rect.shrink(space::L);
    super::place_ui(ui, inner, Layout::top_down(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.y = space::XS;
        let content_height = 28.0 + space::S + 18.0 + 34.0 + space::M + 2.0 * (size::BUTTON + space::XS);
        ui.add_space(((inner.height() - content_height) * 0.5).max(0.0));
        let (icon_rect, _) = ui.allocate_exact_size(square(28.0), Sense::hover());
        Icon::ImagePlus.paint(
            ui,
            icon_rect,
            28.0,
            if zone.is_lit {
                palette.accent_text
            } else {
                palette.text_muted
            },
        );
        ui.add_space(space::XS);
        ui.label(egui::RichText::new(zone.title).text_style(text::section()));
        ui.label(text::faint(ui, zone.sentence));
        ui.add_space(space::S);
        actions(ui);
    });
}

/// A thin dashed strip at the end of a list; says where more can go.
pub fn paint_strip(ui: &mut Ui, line: &str) {
    let palette = Palette::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), size::BUTTON), Sense::hover());
    paint_dashes(ui, rect, Stroke::new(size::LINE, palette.line_strong));
    paint_line(
        ui,
        line,
        &text::caption(),
        palette.text_faint,
        rect.shrink2(vec2(space::M, 0.0)),
    );
}

fn paint_dashes(ui: &Ui, rect: Rect, stroke: Stroke) {
    let path = outline(rect.shrink(stroke.width * 0.5), CornerRadius::same(radius::FLOAT));
    ui.painter().extend(Shape::dashed_line(&path, stroke, 5.0, 4.0));
}

/// The outline of a rounded rectangle as a closed line.
fn outline(rect: Rect, corner: CornerRadius) -> Vec<Pos2> {
    let radius = f32::from(corner.nw);
    let inner = rect.shrink(radius);
    let corners = [
        (inner.right_top(), -0.25),
        (inner.right_bottom(), 0.0),
        (inner.left_bottom(), 0.25),
        (inner.left_top(), 0.5),
    ];
    let mut path: Vec<Pos2> = corners
        .into_iter()
        .flat_map(|(center, start)| {
            (0..=6).map(move |step| {
                let turn = start + step as f32 / 6.0 * 0.25;
                let angle = turn * std::f32::consts::TAU;
                pos2(center.x + angle.cos() * radius, center.y + angle.sin() * radius)
            })
        })
        .collect();
    path.extend(path.first().copied());
    path
}
