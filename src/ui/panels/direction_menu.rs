use std::ops::RangeInclusive;

use bozzetto_asset::Direction;
use egui::accesskit::Role;
use egui::{Popup, PopupCloseBehavior, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::app::state::ViewItem;
use crate::app::{Command, CommandSender};
use crate::ui::format;
use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, radius, size, space, text};
use crate::ui::widgets::{NumberField, number_ui, plain_row_ui, tooltip};

const SIDES: [Direction; 6] = [
    Direction::Front,
    Direction::Left,
    Direction::Back,
    Direction::Right,
    Direction::Top,
    Direction::Bottom,
];

/// A tag with the side that a picture shows; opens the list of sides.
pub fn direction_button_ui(ui: &mut Ui, item: &ViewItem, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let is_known_camera = item.view.camera.is_some();
    let label = if is_known_camera {
        "Exact camera".to_owned()
    } else {
        item.direction()
            .map_or_else(|| "Which side?".to_owned(), format::direction)
    };
    let is_open_question = !is_known_camera && item.direction().is_none();
    let color = if is_open_question {
        palette.accent_text
    } else {
        palette.text_muted
    };
    let font = text::caption().resolve(ui.style());
    let galley = ui.painter().layout_no_wrap(label.clone(), font, color);
    let chevron_width = if is_known_camera { 8.0 } else { 18.0 };
    let wanted = vec2(galley.size().x + 6.0 + chevron_width, 20.0);
    let sense = if is_known_camera {
        Sense::hover()
    } else {
        Sense::click()
    };
    let (rect, response) = ui.allocate_exact_size(wanted, sense);
    let name = format!("Direction of {}", item.name);
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ComboBox, ui.is_enabled(), &name);
        info.current_text_value = Some(label.clone());
        info
    });
    let fill = match (is_open_question, response.hovered() || response.has_focus()) {
        (_, true) => palette.hover,
        (true, false) => palette.accent_tint,
        (false, false) => palette.control,
    };
    ui.painter().rect_filled(rect, radius::CONTROL, fill);
    let at = pos2(rect.left() + 7.0, rect.center().y - galley.size().y * 0.5);
    ui.painter().galley(at, galley, color);
    if !is_known_camera {
        let chevron = egui::Rect::from_min_max(pos2(rect.right() - 17.0, rect.top()), rect.max);
        Icon::ChevronDown.paint(ui, chevron, 12.0, palette.text_faint);
    }
    let sentence = match (is_known_camera, item.view.direction, item.proposed_direction) {
        (true, _, _) => "The picture came with its exact camera.",
        (false, Some(_), _) => "The side of the object that this picture shows.",
        (false, None, Some(_)) => "Proposed from the file name or the order of the pictures. Click to change it.",
        (false, None, None) => "Say which side of the object this picture shows.",
    };
    Popup::menu(&response)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| menu_ui(ui, item, commands));
    tooltip(response, &name, None, sentence);
}

fn menu_ui(ui: &mut Ui, item: &ViewItem, commands: &CommandSender) {
    ui.set_min_width(184.0);
    ui.set_max_width(184.0);
    ui.spacing_mut().item_spacing.y = 1.0;
    let automatic = match item.proposed_direction {
        Some(proposed) => format!("Automatic ({})", format::direction(proposed).to_lowercase()),
        None => "Automatic".to_owned(),
    };
    let choose = |ui: &mut Ui, label: &str, direction: Option<Direction>| {
        if ui.selectable_label(item.view.direction == direction, label).clicked() {
            commands.send(Command::SetViewDirection(item.id, direction));
            ui.close();
        }
    };
    choose(ui, &automatic, None);
    ui.separator();
    for side in SIDES {
        choose(ui, &format::direction(side), Some(side));
    }
    ui.separator();
    free_angles_ui(ui, item, commands);
}

/// Two numbers for any other place on the sphere.
fn free_angles_ui(ui: &mut Ui, item: &ViewItem, commands: &CommandSender) {
    let (azimuth_deg, elevation_deg) = item.direction().unwrap_or(Direction::Front).azimuth_elevation_deg();
    let angle = |ui: &mut Ui, label: &str, help: &str, value: f32, range: RangeInclusive<f64>| {
        let field = NumberField {
            unit: "°",
            field_width: size::NUMBER,
            ..NumberField::new(label, range, 1.0)
        };
        let edit = plain_row_ui(ui, label, help, |ui| number_ui(ui, &field, f64::from(value)));
        edit.map(|edit| edit.value as f32)
    };
    ui.add_space(space::XS);
    let turn_help = "0° is the front, 90° the object's own left side.";
    let turned = angle(ui, "Turn", turn_help, azimuth_deg, -360.0..=360.0);
    let raised = angle(
        ui,
        "Height",
        "90° looks from above, -90° from below.",
        elevation_deg,
        -90.0..=90.0,
    );
    if turned.is_some() || raised.is_some() {
        let free = Direction::Free {
            azimuth_deg: turned.unwrap_or(azimuth_deg),
            elevation_deg: raised.unwrap_or(elevation_deg),
        };
        commands.send(Command::SetViewDirection(item.id, Some(free)));
    }
}
