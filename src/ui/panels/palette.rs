use egui::accesskit::Role;
use egui::{Align2, Key, ScrollArea, Sense, TextEdit, Ui, WidgetInfo, pos2, vec2};

use super::menu::is_available;
use super::modals::matching;
use crate::app::command::CommandInfo;
use crate::app::state::AppState;
use crate::app::{Command, CommandSender};
use crate::ui::format::without_ellipsis;
use crate::ui::theme::{Palette, radius, size, space, text};

/// Words typed so far and the row that Enter takes.
#[derive(Clone, Default)]
struct Search {
    words: String,
    row: usize,
}

/// All commands by name: type, choose with the arrows, Enter.
pub fn palette_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    ui.set_width(480.0);
    let id = ui.scope_id().with("search");
    let mut search = ui.data(|data| data.get_temp::<Search>(id)).unwrap_or_default();
    let (up, down, enter) = ui.input_mut(|input| {
        (
            input.count_and_consume_key(egui::Modifiers::NONE, Key::ArrowUp),
            input.count_and_consume_key(egui::Modifiers::NONE, Key::ArrowDown),
            input.key_pressed(Key::Enter),
        )
    });
    let field = TextEdit::singleline(&mut search.words)
        .hint_text("What would you like to do?")
        .desired_width(f32::INFINITY)
        .margin(vec2(space::S, space::S));
    let response = ui.add(field).accessible_name("Search commands");
    response.request_focus();
    if response.changed() {
        search.row = 0;
    }
    let rows: Vec<_> = matching(&search.words)
        .into_iter()
        .filter(|info| info.command != Command::ShowPalette && is_available(state, &info.command))
        .collect();
    search.row = (search.row + down).saturating_sub(up).min(rows.len().saturating_sub(1));
    let mut chosen = enter.then(|| rows.get(search.row)).flatten().copied();
    ui.add_space(space::XS);
    ScrollArea::vertical()
        .max_height(340.0)
        .min_scrolled_height(340.0)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            if rows.is_empty() {
                ui.label(text::muted(ui, "No command is called that."));
            }
            for (index, info) in rows.iter().enumerate() {
                let moved = up + down > 0;
                if row_ui(ui, info, index == search.row, moved) {
                    chosen = Some(info);
                }
            }
        });
    if let Some(info) = chosen {
        ui.data_mut(|data| data.remove::<Search>(id));
        commands.send(Command::SetModal(None));
        commands.send(info.command.clone());
    } else {
        ui.data_mut(|data| data.insert_temp(id, search));
    }
}

fn row_ui(ui: &mut Ui, info: &CommandInfo, is_current: bool, follows: bool) -> bool {
    let palette = Palette::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::BUTTON), Sense::click());
    let name = without_ellipsis(info.name);
    response.widget_info(|| WidgetInfo::selected(Role::MenuItem, true, is_current, name));
    if is_current {
        ui.painter().rect_filled(rect, radius::CONTROL, palette.accent_tint);
        if follows {
            response.scroll_to_me(None);
        }
    } else if response.hovered() {
        ui.painter().rect_filled(rect, radius::CONTROL, palette.hover);
    }
    let body = egui::TextStyle::Body.resolve(ui.style());
    let caption = text::caption().resolve(ui.style());
    let painter = ui.painter();
    painter.text(
        pos2(rect.left() + space::S, rect.center().y),
        Align2::LEFT_CENTER,
        name,
        body,
        palette.text,
    );
    let keys = info.command.shortcut_text(ui.ctx()).unwrap_or_default();
    painter.text(
        pos2(rect.right() - space::S, rect.center().y),
        Align2::RIGHT_CENTER,
        keys,
        caption,
        palette.text_faint,
    );
    response.clicked()
}
