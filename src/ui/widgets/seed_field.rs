use egui::{DragValue, Ui, vec2};

use super::IconButton;
use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, size, space};

/// What was done to the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeedEdit {
    /// A new number.
    Set(u64),
    /// Another number, by chance.
    Roll,
    /// Keep it from run to run, or not.
    Lock(bool),
}

/// Largest seed that can be typed: what every engine's random generator takes.
const MAX_SEED: u64 = i32::MAX as u64;

/// The seed with its dice and lock.
pub fn seed_field_ui(ui: &mut Ui, seed: u64, is_locked: bool) -> Option<SeedEdit> {
    let palette = Palette::of(ui);
    let mut edit = None;
    let mut value = seed;
    let width = ui.available_width() - 2.0 * (size::CONTROL + space::XS);
    ui.spacing_mut().item_spacing.x = space::XS;
    let response = ui
        .scope(|ui| {
            let widgets = &mut ui.visuals_mut().widgets;
            for state in [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active] {
                state.weak_bg_fill = palette.field;
                state.bg_fill = palette.field;
            }
            ui.spacing_mut().button_padding = vec2(6.0, 2.0);
            let drag = DragValue::new(&mut value)
                .range(0..=MAX_SEED.max(seed))
                .update_while_editing(false);
            ui.add_sized([width, size::CONTROL - 2.0], drag)
        })
        .inner
        .accessible_name("Seed");
    if response.changed() {
        edit = Some(SeedEdit::Set(value));
    }
    let dice = IconButton::new(Icon::Dice, "Roll a new seed").sentence("Take another random start.");
    if ui.add(dice).clicked() {
        edit = Some(SeedEdit::Roll);
    }
    let (icon, sentence) = if is_locked {
        (Icon::Lock, "Every run starts from this seed.")
    } else {
        (Icon::LockOpen, "Every run rolls a seed of its own.")
    };
    let lock = IconButton::new(icon, "Keep the seed")
        .sentence(sentence)
        .selected(is_locked);
    if ui.add(lock).clicked() {
        edit = Some(SeedEdit::Lock(!is_locked));
    }
    edit
}
