use bozzetto_asset::MatteSettings;
use egui::{Ui, vec2};

use super::problem_ui;
use crate::app::state::{MattePreview, Overlay, ViewItem, ViewStatus};
use crate::app::{Command, CommandSender};
use crate::ui::icons::Icon;
use crate::ui::theme::{self, Palette, radius, size, space, text};
use crate::ui::widgets::{
    Button, Edit, Fit, NumberField, Segment, number_ui, paint_checker, paint_picture, place_ui, row_ui, segmented_ui,
    spinner_ui, switch_row_ui,
};

/// The cut-out of the selected picture and how it is made, in a card that hangs from its row.
pub fn details_ui(ui: &mut Ui, item: &ViewItem, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let corner = egui::CornerRadius {
        nw: 0,
        ne: 0,
        ..egui::CornerRadius::same(radius::CARD)
    };
    ui.add_space(-ui.spacing().item_spacing.y);
    theme::card_frame(palette).corner_radius(corner).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = space::XS;
        ui.set_width(ui.available_width());
        if let ViewStatus::Failed(problem) = &item.status {
            problem_ui(ui, problem);
            ui.add_space(space::XS);
            if ui.add(Button::new("Read it again").icon(Icon::Reset)).clicked() {
                commands.send(Command::RetryView(item.id));
            }
            return;
        }
        cutout_ui(ui, item);
        if let Some(warning) = item.matte.as_ref().and_then(MattePreview::warning) {
            ui.label(
                egui::RichText::new(warning)
                    .text_style(text::caption())
                    .color(palette.warning),
            );
        }
        ui.add_space(space::XS);
        matte_ui(ui, item, commands);
        weight_ui(ui, item, commands);
        ui.add_space(space::XS);
        ui.horizontal(|ui| {
            let look = Button::new("Look through").icon(Icon::Camera).height(size::CONTROL);
            if ui
                .add(look.sentence("Put the eye where this picture was taken."))
                .clicked()
            {
                commands.send(Command::LookThroughView(item.id));
            }
            let overlay = Button::new("Overlay").icon(Icon::Image).height(size::CONTROL);
            if ui.add(overlay.sentence("Lay this picture over the stage.")).clicked() {
                commands.send(Command::SetOverlay(Some(Overlay {
                    view: item.id,
                    opacity: 0.5,
                })));
            }
        });
    });
}

/// The picture, cut out or whole.
fn cutout_ui(ui: &mut Ui, item: &ViewItem) {
    let palette = Palette::of(ui);
    let id = ui.scope_id().with("shows_whole_picture");
    let mut shows_whole = ui.data(|data| data.get_temp(id).unwrap_or(false));
    let segments = [Segment::text("Cut-out"), Segment::text("Whole picture")];
    if let Some(index) = segmented_ui(ui, "Show", &segments, Some(usize::from(shows_whole))) {
        shows_whole = index == 1;
        ui.data_mut(|data| data.insert_temp(id, shows_whole));
    }
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 120.0), egui::Sense::hover());
    let picture = if shows_whole {
        item.thumbnail.as_ref()
    } else {
        item.matte.as_ref().map(|matte| &matte.cutout)
    };
    if shows_whole {
        ui.painter().rect_filled(rect, radius::CONTROL, palette.field);
    } else {
        paint_checker(ui, rect, radius::CONTROL);
    }
    if let Some(picture) = picture {
        paint_picture(ui, rect.shrink(space::XS), picture, Fit::Contain, 3);
    }
    if item.is_matte_updating || picture.is_none() {
        let corner = egui::Rect::from_min_size(rect.right_top() + vec2(-26.0, 8.0), egui::Vec2::splat(18.0));
        place_ui(ui, corner, *ui.layout(), |ui| spinner_ui(ui, 18.0));
    }
}

fn matte_ui(ui: &mut Ui, item: &ViewItem, commands: &CommandSender) {
    let matte = item.view.matte;
    let default = MatteSettings::default();
    let send = |settings: MatteSettings| commands.send(Command::SetMatte(item.id, settings));
    let field = NumberField::new("Threshold", 0.0..=1.0, 0.01);
    let help = "How sure it must be that a point belongs to the object. Raise it when background is left over.";
    let is_changed = (matte.threshold - default.threshold).abs() > 1e-4;
    let (is_reset, edit) = row_ui(ui, "Threshold", help, is_changed, |ui| {
        number_ui(ui, &field, f64::from(matte.threshold))
    });
    if is_reset {
        send(MatteSettings {
            threshold: default.threshold,
            ..matte
        });
    } else if let Some(Edit { value, .. }) = edit {
        send(MatteSettings {
            threshold: value as f32,
            ..matte
        });
    }
    let mut inverted = matte.inverted;
    let help = "Swap object and background.";
    if switch_row_ui(ui, "Invert", help, false, &mut inverted).1 {
        send(MatteSettings { inverted, ..matte });
    }
    let mut ignores_alpha = matte.ignores_alpha;
    let help = "Find the object afresh, even when the picture is transparent around it.";
    if switch_row_ui(ui, "Ignore transparency", help, false, &mut ignores_alpha).1 {
        send(MatteSettings { ignores_alpha, ..matte });
    }
}

fn weight_ui(ui: &mut Ui, item: &ViewItem, commands: &CommandSender) {
    let field = NumberField::new("Weight", 0.0..=3.0, 0.1);
    let help = "How much this picture counts against the others where they disagree. 1 is usual.";
    let is_changed = (item.view.weight - 1.0).abs() > 1e-4;
    let (is_reset, edit) = row_ui(ui, "Weight", help, is_changed, |ui| {
        number_ui(ui, &field, f64::from(item.view.weight))
    });
    if is_reset {
        commands.send(Command::SetViewWeight(item.id, 1.0));
    } else if let Some(Edit { value, .. }) = edit {
        commands.send(Command::SetViewWeight(item.id, value as f32));
    }
}
