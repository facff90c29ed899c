use egui::accesskit::Role;
use egui::{Align, Layout, Margin, Panel, Sense, Stroke, Ui, WidgetInfo, vec2};

use super::{library, log, queue};
use crate::app::state::{AppState, BottomTab, JobStatus};
use crate::app::{Command, CommandSender};
use crate::ui::icons::Icon;
use crate::ui::theme::{self, Palette, size, space, text};
use crate::ui::widgets::{IconButton, Tone, badge_ui, place_ui};

/// Library, queue and log behind tabs.
pub fn bottom_panel_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let palette = Palette::of(ui);
    Panel::bottom("bottom")
        .resizable(true)
        .default_size(188.0)
        .size_range(148.0..=420.0)
        .frame(theme::panel_frame(palette))
        .show(ui, |ui| {
            // A panel takes its content's height, and little content must not make it low.
            ui.set_min_height(ui.available_height());
            let margin = Margin {
                left: space::S as i8,
                right: space::S as i8,
                top: 0,
                bottom: 0,
            };
            egui::Frame::new()
                .inner_margin(margin)
                .show(ui, |ui| tabs_ui(ui, state, commands));
            match state.layout.bottom_tab {
                BottomTab::Library => library::library_ui(ui, state, commands),
                BottomTab::Queue => queue::queue_ui(ui, state, commands),
                BottomTab::Log => log::log_ui(ui, state, commands),
            }
        });
}

fn tabs_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    let row = vec2(ui.available_width(), 36.0);
    ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        let num_active = state.jobs.items.iter().filter(|job| job.is_active()).count();
        let num_failed = state
            .jobs
            .items
            .iter()
            .filter(|job| matches!(job.status, JobStatus::Failed(_)))
            .count();
        let queue_badge = match (num_active, num_failed) {
            (0, 0) => None,
            (0, failed) => Some((failed, Tone::Error)),
            (active, _) => Some((active, Tone::Accent)),
        };
        let log_badge = (state.log.num_unread_errors > 0).then_some((state.log.num_unread_errors, Tone::Error));
        for (tab, name, badge) in [
            (BottomTab::Library, "Library", None),
            (BottomTab::Queue, "Queue", queue_badge),
            (BottomTab::Log, "Log", log_badge),
        ] {
            if tab_ui(ui, name, state.layout.bottom_tab == tab, badge) {
                commands.send(Command::SetBottomTab(tab));
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            let close = IconButton::of(ui.ctx(), Icon::ChevronDown, &Command::ToggleBottomPanel);
            if ui.add(close).clicked() {
                commands.send(Command::ToggleBottomPanel);
            }
            for (icon, command) in tab_commands(state.layout.bottom_tab) {
                if ui.add(IconButton::of(ui.ctx(), icon, &command)).clicked() {
                    commands.send(command);
                }
            }
            if state.layout.bottom_tab == BottomTab::Log {
                let clear = IconButton::new(Icon::Trash, "Clear log").sentence("Empty this panel.");
                if ui.add(clear).clicked() {
                    commands.send(Command::ClearLog);
                }
            }
        });
    });
}

fn tab_commands(tab: BottomTab) -> Vec<(Icon, Command)> {
    match tab {
        BottomTab::Library => vec![
            (Icon::Folder, Command::ShowLibraryFolder),
            (Icon::Reset, Command::RefreshLibrary),
        ],
        BottomTab::Queue => vec![(Icon::Trash, Command::ClearEndedJobs)],
        BottomTab::Log => vec![(Icon::Copy, Command::CopyLog)],
    }
}

fn tab_ui(ui: &mut Ui, name: &str, is_open: bool, badge: Option<(usize, Tone)>) -> bool {
    let palette = Palette::of(ui);
    let font = text::strong().resolve(ui.style());
    let galley = ui.painter().layout_no_wrap(name.to_owned(), font, palette.text);
    let badge_width = badge.map_or(0.0, |_| 22.0);
    let wanted = vec2(galley.size().x + 2.0 * space::S + badge_width, 36.0);
    let (rect, response) = ui.allocate_exact_size(wanted, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, is_open, name));
    let color = if is_open || response.hovered() || response.has_focus() {
        palette.text
    } else {
        palette.text_faint
    };
    let at = egui::pos2(rect.left() + space::S, rect.center().y - galley.size().y * 0.5);
    let text_right = at.x + galley.size().x;
    ui.painter().galley_with_override_text_color(at, galley, color);
    if is_open {
        let y = rect.bottom() - 1.0;
        let line = (rect.left() + space::S)..=(rect.right() - space::S);
        ui.painter().hline(line, y, Stroke::new(2.0, palette.accent_text));
    }
    if let Some((count, tone)) = badge {
        let spot = egui::Rect::from_min_size(
            egui::pos2(text_right + 6.0, rect.center().y - 8.0),
            vec2(20.0, size::ICON),
        );
        place_ui(ui, spot, *ui.layout(), |ui| badge_ui(ui, &count.to_string(), tone));
    }
    response.clicked()
}
