//! The menu bar, drawn from the command table.

use egui::{Button, MenuBar, Ui, vec2};

use crate::app::command::{ACTIONS, CommandInfo, MenuGroup};
use crate::app::state::{AppState, Modal, ViewportMode};
use crate::app::{Command, CommandSender, Navigation};
use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, size, space};

/// The menus of the top bar.
pub fn menu_bar_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    MenuBar::new().ui(ui, |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.spacing_mut().button_padding = vec2(space::S, space::XS);
        for group in MenuGroup::ALL {
            ui.menu_button(group.label(), |ui| group_ui(ui, group, state, commands));
        }
    });
}

fn group_ui(ui: &mut Ui, group: MenuGroup, state: &AppState, commands: &CommandSender) {
    ui.spacing_mut().item_spacing.y = 1.0;
    ui.spacing_mut().button_padding = vec2(space::S, space::XS);
    ui.set_min_width(230.0);
    let rows = ACTIONS.iter().filter(|info| info.group == group);
    for info in rows.clone().filter(|info| !is_in_submenu(&info.command)) {
        if starts_block(&info.command) {
            ui.separator();
        }
        row_ui(ui, info, state, commands);
        if info.command == Command::Export {
            ui.menu_button("      Export as", |ui| {
                ui.spacing_mut().item_spacing.y = 1.0;
                for info in rows.clone().filter(|info| is_in_submenu(&info.command)) {
                    row_ui(ui, info, state, commands);
                }
            });
        }
    }
}

fn row_ui(ui: &mut Ui, info: &CommandInfo, state: &AppState, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let name = match &info.command {
        Command::Undo => with_label(info.name, state.engine.undo_label.as_deref()),
        Command::Redo => with_label(info.name, state.engine.redo_label.as_deref()),
        _ => info.name.to_owned(),
    };
    let tick = if is_on(state, &info.command) == Some(true) {
        palette.accent_text
    } else {
        egui::Color32::TRANSPARENT
    };
    let keys = info.command.shortcut_text(ui.ctx()).unwrap_or_default();
    let button = Button::image_and_text(Icon::Check.image(14.0, tick), name)
        .image_tint_follows_text_color(false)
        .min_size(vec2(0.0, size::CONTROL))
        .frame_when_inactive(false)
        .shortcut_text(keys);
    let response = ui.add_enabled(is_available(state, &info.command), button);
    if response.on_hover_text(info.tooltip).clicked() {
        commands.send(info.command.clone());
        ui.close();
    }
}

fn with_label(name: &str, label: Option<&str>) -> String {
    label.map_or_else(|| name.to_owned(), |label| format!("{name}: {label}"))
}

fn is_in_submenu(command: &Command) -> bool {
    matches!(command, Command::ExportAs(_))
}

/// Whether a line stands above this row.
fn starts_block(command: &Command) -> bool {
    matches!(
        command,
        Command::Export
            | Command::SetModal(Some(Modal::Capture))
            | Command::ShowLibraryFolder
            | Command::Quit
            | Command::ResetAllParams
            | Command::RemoveSelectedView
            | Command::ToggleWireframe
            | Command::ToggleOrthographic
            | Command::SetNavigation(Navigation::Web)
            | Command::ToggleLeftPanel
            | Command::ClearEndedJobs
            | Command::ShowAbout
    )
}

/// Whether a command has anything to act on right now.
pub fn is_available(state: &AppState, command: &Command) -> bool {
    let has_jobs = state.jobs.current().is_some();
    match command {
        Command::Export => state.export.settings.format.obstacle(state.result.as_ref()).is_none(),
        Command::ExportAs(format) => format.obstacle(state.result.as_ref()).is_none(),
        Command::Undo => state.engine.undo_label.is_some(),
        Command::Redo => state.engine.redo_label.is_some(),
        Command::ResetAllParams => state.engine.num_changed() > 0,
        Command::RemoveSelectedView => state.views.selected.is_some(),
        Command::ClearViews | Command::ToggleOverlay => !state.views.items.is_empty(),
        Command::SetModal(Some(Modal::Capture)) => state.viewport.has_content,
        Command::ToggleComparison => state.result.is_some(),
        Command::Generate => state.generate_obstacle().is_none(),
        Command::Cancel => has_jobs || state.modal.is_some(),
        Command::ClearEndedJobs => state.jobs.items.iter().any(|job| !job.is_active()),
        Command::SetViewportMode(mode) => can_show(state, *mode),
        _ => true,
    }
}

/// Whether there is anything to show in this mode; with an empty stage every mode may be chosen for later.
pub fn can_show(state: &AppState, mode: ViewportMode) -> bool {
    let Some(result) = &state.result else {
        return true;
    };
    match mode {
        ViewportMode::Splats | ViewportMode::Both => result.asset.splats.is_some(),
        _ => result.asset.mesh.is_some() || result.finished.is_some(),
    }
}

/// Whether a command's switch is on; `None` for commands that switch nothing.
fn is_on(state: &AppState, command: &Command) -> Option<bool> {
    let viewport = &state.viewport;
    Some(match command {
        Command::SetViewportMode(mode) => viewport.mode == *mode,
        Command::SetNavigation(navigation) => viewport.navigation == *navigation,
        Command::ToggleWireframe => viewport.wireframe,
        Command::ToggleGrid => viewport.grid,
        Command::ToggleAxes => viewport.axes,
        Command::ToggleCameras => viewport.cameras,
        Command::ToggleOverlay => viewport.overlay.is_some(),
        Command::ToggleComparison => viewport.comparison.is_some(),
        Command::ToggleOrthographic => viewport.orbit.is_orthographic,
        Command::ToggleLeftPanel => state.layout.shows_left,
        Command::ToggleRightPanel => state.layout.shows_right,
        Command::ToggleBottomPanel => state.layout.shows_bottom,
        _ => return None,
    })
}
