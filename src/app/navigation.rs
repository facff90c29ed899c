//! How pointer and keys move the eye: as in web viewers, or as in Blender.

use bozzetto_asset::Direction;
use egui::{Key, KeyboardShortcut, Modifiers, PointerButton};
use serde::{Deserialize, Serialize};

use super::Command;

/// A set of habits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Navigation {
    /// Left button turns, right one moves, the wheel comes closer.
    #[default]
    Web,
    /// Middle button turns, with Shift moves, with Ctrl comes closer; digits look along the axes. Alt makes a left
    /// button a middle one, for pointers that have none, unless the desktop keeps Alt for moving windows.
    Blender,
}

/// What a motion of the pointer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gesture {
    /// Turns about the target.
    Turn,
    /// Moves along the picture.
    Move,
    /// Comes closer or goes away.
    Zoom,
}

const fn keys(modifiers: Modifiers, key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(modifiers, key)
}

/// A key that moves the eye.
pub struct EyeKey {
    /// The key.
    pub shortcut: KeyboardShortcut,
    /// What it does, to be read.
    pub name: &'static str,
    /// What it does.
    pub command: Command,
}

const fn eye_key(modifiers: Modifiers, key: Key, name: &'static str, command: Command) -> EyeKey {
    EyeKey {
        shortcut: keys(modifiers, key),
        name,
        command,
    }
}

const fn look_key(modifiers: Modifiers, key: Key, name: &'static str, direction: Direction) -> EyeKey {
    eye_key(modifiers, key, name, Command::LookFrom(direction))
}

/// The keys of Blender's 3D viewport. Its right is where +X is, which is the object's own left.
static BLENDER_KEYS: [EyeKey; 9] = [
    look_key(Modifiers::NONE, Key::Num1, "Look from the front", Direction::Front),
    look_key(Modifiers::COMMAND, Key::Num1, "Look from the back", Direction::Back),
    look_key(Modifiers::NONE, Key::Num3, "Look from the left", Direction::Left),
    look_key(Modifiers::COMMAND, Key::Num3, "Look from the right", Direction::Right),
    look_key(Modifiers::NONE, Key::Num7, "Look from the top", Direction::Top),
    look_key(Modifiers::COMMAND, Key::Num7, "Look from below", Direction::Bottom),
    eye_key(Modifiers::NONE, Key::Num5, "Orthographic", Command::ToggleOrthographic),
    eye_key(Modifiers::NONE, Key::Period, "Frame", Command::FrameAll),
    eye_key(Modifiers::NONE, Key::Home, "Frame", Command::FrameAll),
];

impl Navigation {
    /// Every set.
    pub const ALL: [Self; 2] = [Self::Web, Self::Blender];

    /// Keys that the set brings along.
    pub fn eye_keys(self) -> &'static [EyeKey] {
        match self {
            Self::Web => &[],
            Self::Blender => &BLENDER_KEYS,
        }
    }

    /// The keys of an action under these habits: where digits look along axes, actions on digits take Alt as well.
    pub fn adapted(self, shortcut: KeyboardShortcut) -> KeyboardShortcut {
        if self == Self::Blender && is_digit(shortcut.logical_key) {
            keys(shortcut.modifiers.plus(Modifiers::ALT), shortcut.logical_key)
        } else {
            shortcut
        }
    }

    /// What dragging with a button does.
    pub fn drag(self, button: PointerButton, modifiers: Modifiers) -> Option<Gesture> {
        let is_middle = button == PointerButton::Middle;
        let is_primary = button == PointerButton::Primary;
        match self {
            Self::Web => match button {
                PointerButton::Middle if modifiers.command => Some(Gesture::Zoom),
                PointerButton::Secondary => Some(Gesture::Move),
                PointerButton::Primary | PointerButton::Middle if modifiers.shift => Some(Gesture::Move),
                PointerButton::Primary | PointerButton::Middle => Some(Gesture::Turn),
                _ => None,
            },
            Self::Blender if is_middle || (is_primary && modifiers.alt) => Some(if modifiers.shift {
                Gesture::Move
            } else if modifiers.command {
                Gesture::Zoom
            } else {
                Gesture::Turn
            }),
            Self::Blender => None,
        }
    }

    /// What two fingers on a touchpad do; pinching always comes closer.
    pub fn swipe(self, modifiers: Modifiers) -> Gesture {
        match self {
            _ if modifiers.shift => Gesture::Move,
            Self::Blender if !modifiers.command => Gesture::Turn,
            Self::Web | Self::Blender => Gesture::Zoom,
        }
    }

    /// Acts and the motions that do them, to be read.
    pub fn legend(self) -> [(&'static str, &'static str); 7] {
        match self {
            Self::Web => [
                ("Turn", "Left or middle drag"),
                ("Move", "Right drag, Shift + drag"),
                ("Come closer", "Wheel, Ctrl + middle drag"),
                ("Frame", "Double click"),
                ("Touchpad: move", "Shift + two fingers"),
                ("Touchpad: come closer", "Two fingers"),
                ("Touchpad: come closer, too", "Pinch"),
            ],
            Self::Blender => [
                ("Turn", "Middle drag, Alt + left drag"),
                ("Move", "Shift + middle drag"),
                ("Come closer", "Wheel, Ctrl + middle drag"),
                ("Frame", "Double click"),
                ("Touchpad: turn", "Two fingers"),
                ("Touchpad: move", "Shift + two fingers"),
                ("Touchpad: come closer", "Pinch, Ctrl + two fingers"),
            ],
        }
    }

    /// The habits in force, as [`Self::remember_in`] left them.
    pub fn of(ctx: &egui::Context) -> Self {
        ctx.data(|data| data.get_temp(id())).unwrap_or_default()
    }

    /// Tells widgets which habits are in force, so that they name the right keys.
    pub fn remember_in(self, ctx: &egui::Context) {
        ctx.data_mut(|data| data.insert_temp(id(), self));
    }
}

fn id() -> egui::Id {
    egui::Id::unique("navigation")
}

/// Whether a key is one of the ten digits.
pub fn is_digit(key: Key) -> bool {
    matches!(
        key,
        Key::Num0
            | Key::Num1
            | Key::Num2
            | Key::Num3
            | Key::Num4
            | Key::Num5
            | Key::Num6
            | Key::Num7
            | Key::Num8
            | Key::Num9
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_has_the_motions_of_its_models() {
        let none = Modifiers::NONE;
        let cases = [
            (Navigation::Web, PointerButton::Primary, none, Some(Gesture::Turn)),
            (Navigation::Web, PointerButton::Secondary, none, Some(Gesture::Move)),
            (
                Navigation::Web,
                PointerButton::Primary,
                Modifiers::SHIFT,
                Some(Gesture::Move),
            ),
            (Navigation::Blender, PointerButton::Middle, none, Some(Gesture::Turn)),
            (
                Navigation::Blender,
                PointerButton::Middle,
                Modifiers::SHIFT,
                Some(Gesture::Move),
            ),
            (
                Navigation::Blender,
                PointerButton::Middle,
                Modifiers::COMMAND,
                Some(Gesture::Zoom),
            ),
            (Navigation::Blender, PointerButton::Primary, none, None),
            (
                Navigation::Blender,
                PointerButton::Primary,
                Modifiers::ALT,
                Some(Gesture::Turn),
            ),
        ];
        for (navigation, button, modifiers, gesture) in cases {
            assert_eq!(
                navigation.drag(button, modifiers),
                gesture,
                "{navigation:?} {button:?} {modifiers:?}"
            );
        }
    }
}
