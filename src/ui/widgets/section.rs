use egui::accesskit::Role;
use egui::{Id, RichText, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, size, space, text};

/// Title of a section, with small buttons at its right end. The buttons are added from right to left.
pub fn section_header_ui(ui: &mut Ui, title: &str, note: &str, buttons: impl FnOnce(&mut Ui)) {
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), size::CONTROL),
        egui::Layout::left_to_right(egui::Align::Center),
        |ui| {
            ui.label(RichText::new(title).text_style(text::section()));
            if !note.is_empty() {
                ui.label(text::faint(ui, note));
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 2.0;
                buttons(ui);
            });
        },
    );
}

/// A group of rows that can be folded away; remembers whether it is. `note` stands at the right end of its title.
pub fn group_ui(
    ui: &mut Ui,
    id_salt: &str,
    title: &str,
    note: &str,
    is_open_at_first: bool,
    rows: impl FnOnce(&mut Ui),
) {
    let id = ui.make_persistent_id(("group", id_salt));
    let mut is_open = ui.data_mut(|data| *data.get_persisted_mut_or(id, is_open_at_first));
    if title_ui(ui, id, title, note, is_open) {
        is_open = !is_open;
        ui.data_mut(|data| data.insert_persisted(id, is_open));
    }
    if is_open {
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing.y = 6.0;
            rows(ui);
        });
        ui.add_space(space::S);
    }
}

/// The title of a group; whether it was clicked.
fn title_ui(ui: &mut Ui, id: Id, title: &str, note: &str, is_open: bool) -> bool {
    let palette = Palette::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), size::CONTROL), Sense::hover());
    let response = ui.interact(rect, id.with("title"), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, ui.is_enabled(), is_open, title));
    let color = if response.hovered() || response.has_focus() {
        palette.text
    } else {
        palette.text_muted
    };
    let icon = if is_open { Icon::ChevronDown } else { Icon::ChevronRight };
    let icon_rect = egui::Rect::from_min_size(rect.min - vec2(3.0, 0.0), vec2(size::ICON, rect.height()));
    icon.paint(ui, icon_rect, size::ICON, palette.text_faint);
    let font = text::strong().resolve(ui.style());
    let painter = ui.painter();
    let left = rect.left() + size::ICON + 1.0;
    painter.text(
        pos2(left, rect.center().y),
        egui::Align2::LEFT_CENTER,
        title,
        font,
        color,
    );
    let caption = text::caption().resolve(ui.style());
    painter.text(
        rect.right_center() - vec2(10.0, 0.0),
        egui::Align2::RIGHT_CENTER,
        note,
        caption,
        palette.text_faint,
    );
    response.clicked()
}

/// A line across, with room about it.
pub fn rule_ui(ui: &mut Ui) {
    let palette = Palette::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), space::L + size::LINE), Sense::hover());
    let y = ui.painter().round_to_pixel_center(rect.center().y);
    ui.painter()
        .hline(rect.x_range(), y, egui::Stroke::new(size::LINE, palette.line));
}
