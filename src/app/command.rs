//! Every act of the artist, as a value.
//!
//! Panels send commands and never change anything themselves; `BozzettoApp::logic` executes them, in order, before the next
//! frame is drawn. [`ACTIONS`] is the one table of those that menus, the palette and the keyboard know.

use std::path::PathBuf;
use std::sync::Arc;

use bozzetto_asset::{Direction, MatteSettings};
use bozzetto_engine::ParamValue;
use bozzetto_mesh::FinishSettings;
use bozzetto_viewport::{Environment, OrbitCamera, ToneMapping};
use egui::{Key, KeyboardShortcut, Modifiers};
use glam::Vec2;
use parking_lot::Mutex;

use super::navigation::{self, Navigation};
use super::state::{
    BottomTab, CaptureSettings, Comparison, ExportFormat, ExportSettings, Modal, Overlay, ThemeChoice, ViewId,
    ViewportMode,
};

/// An act of the artist.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Opens the dialog that chooses pictures.
    AddPictures,
    /// Adds files and folders: pictures, a `transforms.json`, a GLB or a saved generation.
    AddPaths(Vec<PathBuf>),
    /// Adds the picture on the clipboard.
    PasteImage,
    /// Opens a picture's details, or none's.
    SelectView(Option<ViewId>),
    /// Takes a picture off the list.
    RemoveView(ViewId),
    /// Takes the selected picture off the list.
    RemoveSelectedView,
    /// Takes all pictures off the list.
    ClearViews,
    /// Moves a picture so that it stands at this place of the list.
    MoveView {
        /// Which.
        view: ViewId,
        /// Its new place, from 0, in the list without it.
        to_index: usize,
    },
    /// Lets a picture take part or not.
    SetViewEnabled(ViewId, bool),
    /// Says which side a picture shows; `None` goes back to the proposal.
    SetViewDirection(ViewId, Option<Direction>),
    /// Says how much a picture counts, 1 is usual.
    SetViewWeight(ViewId, f32),
    /// Changes how the object is cut out of a picture.
    SetMatte(ViewId, MatteSettings),
    /// Reads a picture again that could not be read.
    RetryView(ViewId),
    /// Loads the example that comes with the program.
    LoadExample,

    /// Chooses an engine by its id.
    SelectEngine(String),
    /// Opens the dialog that chooses the Python environment.
    ChoosePython,
    /// Takes a Python environment, by its folder or interpreter, and looks it over.
    SetPython(PathBuf),
    /// Forgets the Python environment.
    ForgetPython,
    /// Opens the dialog that chooses a folder of a pipeline's code.
    ChoosePythonSource,
    /// Takes such a folder off the list.
    RemovePythonSource(PathBuf),
    /// Opens the dialog that chooses a folder of weights for a Python pipeline, by the id of its engine.
    ChoosePythonWeights(String),
    /// Takes the weights of its makers for a Python pipeline again.
    ForgetPythonWeights(String),
    /// Looks the Python environment over again.
    ExaminePython,
    /// Puts the bridge that came with the program into the Python environment.
    InstallBridge,
    /// Agrees to the licences of what the chosen engine uses, and starts the run.
    AgreeToLicences,
    /// Changes a parameter.
    SetParam {
        /// Its key.
        key: String,
        /// Its new value.
        value: ParamValue,
        /// False while a slider is held: such changes become one step of undo.
        is_final: bool,
    },
    /// Sets a parameter back to its default.
    ResetParam(String),
    /// Sets all parameters back to their defaults.
    ResetAllParams,
    /// Takes the last parameter change back.
    Undo,
    /// Brings it again.
    Redo,
    /// Sets the seed.
    SetSeed(u64),
    /// Rolls a new seed.
    RollSeed,
    /// Keeps the seed from run to run, or not.
    SetSeedLocked(bool),
    /// Takes a preset's values, by its name.
    ApplyPreset(String),
    /// Saves the values in force under a name.
    SavePreset(String),
    /// Deletes a preset by its name.
    DeletePreset(String),

    /// Starts a run with what is set.
    Generate,
    /// Stops the job that runs, or closes the dialog in front.
    Cancel,
    /// Stops one job, running or waiting.
    CancelJob(u64),
    /// Takes jobs that have ended off the queue.
    ClearEndedJobs,

    /// Changes how the mesh is finished.
    SetFinish {
        /// All settings.
        settings: FinishSettings,
        /// False while a slider is held: the mesh is simplified live, textures follow when it is let go.
        is_final: bool,
    },
    /// Finishes again after a failure.
    RetryFinish,

    /// Opens the dialog that chooses where to export, in the format of the last export.
    Export,
    /// The same in this format.
    ExportAs(ExportFormat),
    /// Writes a file without asking where to.
    ExportTo {
        /// Its format.
        format: ExportFormat,
        /// Where to.
        path: PathBuf,
    },
    /// Changes how results are exported.
    SetExport(ExportSettings),
    /// Opens the folder of a file in the desktop's file program.
    ShowInFolder(PathBuf),

    /// Chooses how pictures of the stage are made.
    SetCapture(CaptureSettings),
    /// Opens the dialog that chooses where a picture of the stage goes.
    SaveCapture,
    /// Draws the stage into a file without asking where to.
    CaptureTo(PathBuf),
    /// Stops the picture that is being drawn.
    CancelCapture,

    /// Chooses what the stage shows.
    SetViewportMode(ViewportMode),
    /// Shows edges over the mesh, or not.
    ToggleWireframe,
    /// Shows the ground grid, or not.
    ToggleGrid,
    /// Shows the axes, or not.
    ToggleAxes,
    /// Shows the views as small pyramids, or not.
    ToggleCameras,
    /// Moves the artist's eye.
    SetOrbit(OrbitCamera),
    /// Takes hold of what is seen at a place of the stage, `[0, 1]^2` from the upper left, to turn about it; or lets go.
    Grip(Option<Vec2>),
    /// Moves the eye so that everything is seen, from the same side.
    FrameAll,
    /// Looks from a side.
    LookFrom(Direction),
    /// Looks through the camera of a picture and lays the picture over the stage.
    LookThroughView(ViewId),
    /// Looks through a camera on the stage, by its place among them.
    LookThroughFrustum(usize),
    /// Chooses how pointer and keys move the eye.
    SetNavigation(Navigation),
    /// Switches between perspective and parallel rays.
    ToggleOrthographic,
    /// Lays a picture over the stage, or none.
    SetOverlay(Option<Overlay>),
    /// Lays the selected (or first) picture over the stage, or takes it away.
    ToggleOverlay,
    /// Compares the result with something, or ends that.
    Compare(Option<Comparison>),
    /// Compares the result with what suggests itself, or ends that.
    ToggleComparison,
    /// Chooses the light.
    SetEnvironment(Environment),
    /// Turns the light, radians about +Y.
    SetEnvironmentRotation(f32),
    /// Sets the exposure in stops.
    SetExposure(f32),
    /// Chooses how light becomes colour.
    SetToneMapping(ToneMapping),

    /// Opens a saved result with its pictures and parameters.
    OpenFromLibrary(String),
    /// Asks whether a saved result is to be deleted.
    AskDeleteFromLibrary(String),
    /// Deletes a saved result.
    DeleteFromLibrary(String),
    /// Renames a saved result.
    RenameInLibrary {
        /// Which.
        id: String,
        /// Its new name.
        name: String,
    },
    /// Lists the saved results afresh.
    RefreshLibrary,
    /// Opens the library's folder in the desktop's file program.
    ShowLibraryFolder,

    /// Puts a text on the clipboard.
    CopyText(String),
    /// Puts the whole log on the clipboard.
    CopyLog,
    /// Empties the log panel.
    ClearLog,
    /// Closes a notice.
    DismissToast(u64),
    /// Closes the hint of the first start.
    DismissFirstHint,

    /// Opens a dialog, or closes the one that is open.
    SetModal(Option<Modal>),
    /// Shows the list of keys.
    ShowShortcuts,
    /// Shows the palette of commands.
    ShowPalette,
    /// Shows name, version and licence.
    ShowAbout,
    /// Light or dark.
    SetTheme(ThemeChoice),
    /// Opens or closes the left panel.
    ToggleLeftPanel,
    /// Opens or closes the right panel.
    ToggleRightPanel,
    /// Opens or closes the bottom panel.
    ToggleBottomPanel,
    /// Chooses what the bottom panel shows, and opens it.
    SetBottomTab(BottomTab),
    /// Lists parameters for experts too, or not.
    SetShowsAdvanced(bool),
    /// Closes the window.
    Quit,
}

/// Where an action stands in the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MenuGroup {
    /// Pictures in, files out.
    File,
    /// Undo and parameters.
    Edit,
    /// The stage and the panels.
    View,
    /// Runs.
    Run,
    /// Help.
    Help,
}

impl MenuGroup {
    /// Every group, in the order of the menu bar.
    pub const ALL: [Self; 5] = [Self::File, Self::Edit, Self::View, Self::Run, Self::Help];

    /// Name in the menu bar.
    pub fn label(self) -> &'static str {
        match self {
            Self::File => "File",
            Self::Edit => "Edit",
            Self::View => "View",
            Self::Run => "Run",
            Self::Help => "Help",
        }
    }
}

/// A command as menus, palette and keyboard know it.
#[derive(Debug)]
pub struct CommandInfo {
    /// What it does.
    pub command: Command,
    /// Where it stands in the menu.
    pub group: MenuGroup,
    /// Name in menu and palette.
    pub name: &'static str,
    /// One sentence for the tooltip.
    pub tooltip: &'static str,
    /// Its keys.
    pub shortcut: Option<KeyboardShortcut>,
}

const fn keys(modifiers: Modifiers, key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(modifiers, key)
}

const CTRL: Modifiers = Modifiers::COMMAND;
const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
const NONE: Modifiers = Modifiers::NONE;

const fn row(
    command: Command,
    group: MenuGroup,
    shortcut: Option<KeyboardShortcut>,
    name: &'static str,
    tooltip: &'static str,
) -> CommandInfo {
    CommandInfo {
        command,
        group,
        name,
        tooltip,
        shortcut,
    }
}

/// The table of actions, in the order of the menus.
#[rustfmt::skip]
pub static ACTIONS: [CommandInfo; 55] = [
    row(Command::AddPictures, MenuGroup::File, Some(keys(CTRL, Key::O)), "Add pictures…", "Choose pictures of one object."),
    row(Command::PasteImage, MenuGroup::File, Some(keys(CTRL, Key::V)), "Paste picture", "Add the picture on the clipboard."),
    row(Command::LoadExample, MenuGroup::File, None, "Load the example", "Put the example that comes with the program on the list."),
    row(Command::Export, MenuGroup::File, Some(keys(CTRL, Key::E)), "Export…", "Write the result to a file."),
    row(Command::ExportAs(ExportFormat::Glb), MenuGroup::File, None, "Export as GLB…", "Mesh and textures in one file."),
    row(Command::ExportAs(ExportFormat::Obj), MenuGroup::File, None, "Export as OBJ…", "Mesh with its textures beside it."),
    row(Command::ExportAs(ExportFormat::Stl), MenuGroup::File, None, "Export as STL…", "The bare surface, for CAD programs and slicers."),
    row(Command::ExportAs(ExportFormat::ThreeMf), MenuGroup::File, None, "Export as 3MF…", "The bare surface in millimetres, for 3D printing."),
    row(Command::ExportAs(ExportFormat::MeshPly), MenuGroup::File, None, "Export as PLY mesh…", "Mesh with vertex colors."),
    row(Command::ExportAs(ExportFormat::Ply), MenuGroup::File, None, "Export as PLY splats…", "Gaussian splats, uncompressed."),
    row(Command::ExportAs(ExportFormat::Spz), MenuGroup::File, None, "Export as SPZ splats…", "Gaussian splats, compressed."),
    row(Command::SetModal(Some(Modal::Capture)), MenuGroup::File, Some(keys(NONE, Key::F12)), "Save a picture…", "Write what the stage shows as a picture or an animation that turns."),
    row(Command::ShowLibraryFolder, MenuGroup::File, None, "Show library folder", "Open the folder where results are saved."),
    row(Command::Quit, MenuGroup::File, Some(keys(CTRL, Key::Q)), "Quit", "Close the window. Results are saved already."),
    row(Command::Undo, MenuGroup::Edit, Some(keys(CTRL, Key::Z)), "Undo", "Take the last parameter change back."),
    row(Command::Redo, MenuGroup::Edit, Some(keys(CTRL_SHIFT, Key::Z)), "Redo", "Bring the change again that was taken back."),
    row(Command::ResetAllParams, MenuGroup::Edit, None, "Reset all parameters", "Set every parameter back to its default."),
    row(Command::SetModal(Some(Modal::SavePreset)), MenuGroup::Edit, None, "Save as preset…", "Keep the parameters under a name."),
    row(Command::RollSeed, MenuGroup::Edit, Some(keys(CTRL, Key::R)), "Roll a new seed", "Take another random start."),
    row(Command::RemoveSelectedView, MenuGroup::Edit, Some(keys(NONE, Key::Delete)), "Remove picture", "Take the selected picture off the list."),
    row(Command::ClearViews, MenuGroup::Edit, None, "Remove all pictures", "Start with an empty list."),
    row(Command::SetViewportMode(ViewportMode::Mesh), MenuGroup::View, Some(keys(NONE, Key::Num1)), "Mesh", "The mesh with its textures, lit."),
    row(Command::SetViewportMode(ViewportMode::Splats), MenuGroup::View, Some(keys(NONE, Key::Num2)), "Splats", "The Gaussian splats."),
    row(Command::SetViewportMode(ViewportMode::Both), MenuGroup::View, Some(keys(NONE, Key::Num3)), "Mesh and splats", "Both, one in the other."),
    row(Command::SetViewportMode(ViewportMode::Clay), MenuGroup::View, Some(keys(NONE, Key::Num4)), "Clay", "The shape alone, as grey clay."),
    row(Command::SetViewportMode(ViewportMode::Normals), MenuGroup::View, Some(keys(NONE, Key::Num5)), "Normals", "The mesh coloured by where its surface faces."),
    row(Command::SetViewportMode(ViewportMode::BaseColor), MenuGroup::View, Some(keys(NONE, Key::Num6)), "Base color", "The texture without light."),
    row(Command::SetViewportMode(ViewportMode::Matcap), MenuGroup::View, None, "Matcap", "Glazed clay that turns with you: every bump shows."),
    row(Command::SetViewportMode(ViewportMode::UvChecker), MenuGroup::View, None, "UV checker", "Squares on the texture: where it is stretched and where its seams run."),
    row(Command::SetViewportMode(ViewportMode::Metallic), MenuGroup::View, None, "Metallic", "White is metal, black is not."),
    row(Command::SetViewportMode(ViewportMode::Roughness), MenuGroup::View, None, "Roughness", "White is matte, black a mirror."),
    row(Command::SetViewportMode(ViewportMode::TexelDensity), MenuGroup::View, None, "Texel density", "Blue has fewer texels than the average, red has more; squares are 16 texels wide."),
    row(Command::SetViewportMode(ViewportMode::Health), MenuGroup::View, None, "Mesh health", "Red edges are open, yellow ones have three faces or more, magenta is seen from behind."),
    row(Command::ToggleWireframe, MenuGroup::View, Some(keys(NONE, Key::W)), "Wireframe", "Show the edges of the mesh."),
    row(Command::ToggleOverlay, MenuGroup::View, Some(keys(NONE, Key::P)), "Photo overlay", "Lay the selected picture over the stage."),
    row(Command::ToggleComparison, MenuGroup::View, Some(keys(NONE, Key::B)), "Compare", "Put the result beside another one, a picture, or itself shown in another way."),
    row(Command::ToggleGrid, MenuGroup::View, Some(keys(NONE, Key::G)), "Ground grid", "Show the ground grid."),
    row(Command::ToggleAxes, MenuGroup::View, Some(keys(NONE, Key::A)), "Axes", "Show the axes."),
    row(Command::ToggleCameras, MenuGroup::View, Some(keys(NONE, Key::C)), "View cameras", "Show where each picture was taken from."),
    row(Command::ToggleOrthographic, MenuGroup::View, Some(keys(NONE, Key::O)), "Parallel projection", "Look without perspective."),
    row(Command::FrameAll, MenuGroup::View, Some(keys(NONE, Key::F)), "Frame", "Bring the whole object into sight."),
    row(Command::SetNavigation(Navigation::Web), MenuGroup::View, None, "Navigate as in web viewers", "The left button turns, the right one moves."),
    row(Command::SetNavigation(Navigation::Blender), MenuGroup::View, None, "Navigate as in Blender", "The middle button turns, digits look along the axes."),
    row(Command::ToggleLeftPanel, MenuGroup::View, Some(keys(CTRL, Key::Num1)), "Pictures and parameters", "Open or close the left panel."),
    row(Command::ToggleRightPanel, MenuGroup::View, Some(keys(CTRL, Key::Num2)), "Finish and export", "Open or close the right panel."),
    row(Command::ToggleBottomPanel, MenuGroup::View, Some(keys(CTRL, Key::Num3)), "Library, queue and log", "Open or close the bottom panel."),
    row(Command::Generate, MenuGroup::Run, Some(keys(CTRL, Key::Enter)), "Generate", "Make a 3D object from the pictures."),
    row(Command::Cancel, MenuGroup::Run, Some(keys(NONE, Key::Escape)), "Cancel", "Stop the job that runs."),
    row(Command::ClearEndedJobs, MenuGroup::Run, None, "Clear ended jobs", "Take jobs that have ended off the queue."),
    row(Command::SetModal(Some(Modal::Python)), MenuGroup::Run, None, "Python pipelines…", "Set up upstream's own pipelines in a Python environment."),
    row(Command::RefreshLibrary, MenuGroup::Run, Some(keys(NONE, Key::F5)), "Refresh library", "List the saved results afresh."),
    row(Command::ShowPalette, MenuGroup::Help, Some(keys(CTRL, Key::K)), "All commands…", "Find a command by its name."),
    row(Command::ShowShortcuts, MenuGroup::Help, Some(keys(NONE, Key::F1)), "Keys…", "Show the list of keys."),
    row(Command::CopyLog, MenuGroup::Help, None, "Copy log", "Put the log on the clipboard, for a report."),
    row(Command::ShowAbout, MenuGroup::Help, None, "About Bozzetto…", "Version and licences."),
];

/// Further keys for actions that have one already.
pub static MORE_SHORTCUTS: [(KeyboardShortcut, Command); 1] = [(KeyboardShortcut::new(CTRL, Key::Y), Command::Redo)];

impl Command {
    /// The command's row in the table, when it has one.
    pub fn info(&self) -> Option<&'static CommandInfo> {
        ACTIONS.iter().find(|info| info.command == *self)
    }

    /// Its keys as the platform writes them, as in `Ctrl+E`.
    pub fn shortcut_text(&self, ctx: &egui::Context) -> Option<String> {
        let navigation = Navigation::of(ctx);
        let own = navigation.eye_keys().iter().find(|key| key.command == *self);
        let shortcut = match own {
            Some(key) => key.shortcut,
            None => navigation.adapted(self.info()?.shortcut?),
        };
        Some(ctx.format_shortcut(&shortcut))
    }
}

/// Takes commands from panels; clones feed the same queue.
#[derive(Clone, Debug, Default)]
pub struct CommandSender(Arc<Mutex<Vec<Command>>>);

impl CommandSender {
    /// Queues a command for the next frame's beginning.
    pub fn send(&self, command: Command) {
        self.0.lock().push(command);
    }

    /// Whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Everything queued so far, in order.
    pub fn drain(&self) -> Vec<Command> {
        std::mem::take(&mut self.0.lock())
    }
}

/// Notes at the end of a frame whether a text field has the keyboard, for [`pressed_commands`] of the next: egui takes the
/// keyboard away from the field before a frame in which Esc was pressed.
pub fn note_typing(ctx: &egui::Context) {
    let is_typing = ctx.text_edit_focused();
    ctx.data_mut(|data| data.insert_temp(typing_id(), is_typing));
}

fn typing_id() -> egui::Id {
    egui::Id::unique("a text field had the keyboard")
}

/// Commands whose keys were pressed in this frame.
///
/// Keys without Ctrl or Alt are left alone while a text field has the keyboard, where they write letters and Esc leaves the
/// field; so is Ctrl with the letters that text fields use themselves. Esc closes an open menu and nothing else.
pub fn pressed_commands(ctx: &egui::Context) -> Vec<Command> {
    let was_typing = ctx.data(|data| data.get_temp(typing_id()).unwrap_or(false));
    let is_typing = was_typing || ctx.text_edit_focused();
    let is_menu_open = egui::Popup::is_any_open(ctx);
    let mut all: Vec<_> = shortcuts_of(Navigation::of(ctx)).collect();
    // Longer combinations first: egui lets Ctrl+Shift+Z match Ctrl+Z as well.
    all.sort_by_key(|(KeyboardShortcut { modifiers, .. }, _)| {
        std::cmp::Reverse(u8::from(modifiers.shift) + u8::from(modifiers.alt) + u8::from(modifiers.command))
    });
    ctx.input_mut(|input| {
        all.into_iter()
            .filter(|(shortcut, _)| !(is_typing && belongs_to_text(*shortcut)))
            .filter(|(shortcut, _)| !(is_menu_open && shortcut.logical_key == Key::Escape))
            .filter(|(shortcut, _)| input.consume_shortcut(shortcut))
            .map(|(_, command)| command.clone())
            .collect()
    })
}

/// All keys and what they do, under these habits.
fn shortcuts_of(navigation: Navigation) -> impl Iterator<Item = (KeyboardShortcut, &'static Command)> {
    let rows = ACTIONS
        .iter()
        .filter_map(move |info| Some((navigation.adapted(info.shortcut?), &info.command)));
    let more = MORE_SHORTCUTS.iter().map(|(shortcut, command)| (*shortcut, command));
    let of_eye = navigation.eye_keys().iter().map(|key| (key.shortcut, &key.command));
    rows.chain(more).chain(of_eye)
}

/// Whether a text field would want these keys.
fn belongs_to_text(shortcut: KeyboardShortcut) -> bool {
    let has_ctrl = shortcut.modifiers.command || shortcut.modifiers.ctrl || shortcut.modifiers.alt;
    let edits_text = matches!(shortcut.logical_key, Key::Z | Key::Y | Key::V | Key::K | Key::E);
    let is_function_key = matches!(shortcut.logical_key, Key::F1 | Key::F5 | Key::F12);
    // Ctrl with Alt is AltGr on Windows, which writes signs on digits; Alt alone writes signs by their numbers.
    let writes_sign = shortcut.modifiers.alt && navigation::is_digit(shortcut.logical_key);
    if has_ctrl {
        edits_text || writes_sign
    } else {
        !is_function_key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_actions_share_their_keys() {
        for navigation in Navigation::ALL {
            let mut all: Vec<_> = shortcuts_of(navigation).collect();
            while let Some((shortcut, command)) = all.pop() {
                let clash = all.iter().find(|(other, _)| *other == shortcut);
                assert!(clash.is_none(), "{navigation:?}: {command:?} and {clash:?}");
            }
        }
    }

    #[test]
    fn every_action_is_named_once_and_explained() {
        for (index, info) in ACTIONS.iter().enumerate() {
            assert!(!info.name.is_empty() && info.tooltip.ends_with('.'), "{info:?}");
            assert!(
                ACTIONS[..index].iter().all(|other| other.name != info.name),
                "{}",
                info.name
            );
            assert!(
                ACTIONS[..index].iter().all(|other| other.command != info.command),
                "{}",
                info.name
            );
        }
    }

    fn pressed(key: Key, modifiers: Modifiers, types_in_a_field: bool) -> Vec<Command> {
        pressed_in(Navigation::Web, key, modifiers, types_in_a_field)
    }

    fn pressed_in(navigation: Navigation, key: Key, modifiers: Modifiers, types_in_a_field: bool) -> Vec<Command> {
        let ctx = egui::Context::default();
        navigation.remember_in(&ctx);
        let mut found = Vec::new();
        let mut text = String::new();
        for frame in 0..2 {
            let events = if frame == 1 {
                vec![egui::Event::Key {
                    key,
                    physical_key: None,
                    pressed: true,
                    repeat: false,
                    modifiers,
                }]
            } else {
                vec![]
            };
            let input = egui::RawInput {
                events,
                ..Default::default()
            };
            let mut output = ctx.run_ui(input, |ui| {
                found = pressed_commands(ui.ctx());
                let field = ui.text_edit_singleline(&mut text);
                if types_in_a_field {
                    field.request_focus();
                }
                note_typing(ui.ctx());
            });
            // Nobody draws here; egui insists that somebody says so.
            output.textures_delta.clear();
        }
        found
    }

    #[test]
    fn keys_without_ctrl_are_silent_while_a_text_field_has_the_keyboard() {
        for (key, command) in [
            (Key::F, Command::FrameAll),
            (Key::Escape, Command::Cancel),
            (Key::Num2, Command::SetViewportMode(ViewportMode::Splats)),
        ] {
            assert_eq!(pressed(key, NONE, false), [command]);
            assert_eq!(pressed(key, NONE, true), []);
        }
        assert_eq!(
            pressed(Key::Enter, Modifiers::CTRL | Modifiers::COMMAND, true),
            [Command::Generate]
        );
        assert_eq!(pressed(Key::Z, Modifiers::CTRL | Modifiers::COMMAND, true), []);
    }

    #[test]
    fn digits_look_along_axes_as_in_blender_and_alt_chooses_modes() {
        let pressed = |modifiers| pressed_in(Navigation::Blender, Key::Num1, modifiers, false);
        assert_eq!(pressed(NONE), [Command::LookFrom(Direction::Front)]);
        assert_eq!(
            pressed(Modifiers::CTRL | Modifiers::COMMAND),
            [Command::LookFrom(Direction::Back)]
        );
        assert_eq!(pressed(Modifiers::ALT), [Command::SetViewportMode(ViewportMode::Mesh)]);
        for modifiers in [
            NONE,
            Modifiers::ALT,
            Modifiers::ALT | Modifiers::CTRL | Modifiers::COMMAND,
        ] {
            assert_eq!(
                pressed_in(Navigation::Blender, Key::Num2, modifiers, true),
                [],
                "a sign is written"
            );
        }
    }

    #[test]
    fn shift_tells_redo_from_undo() {
        let ctrl = Modifiers::CTRL | Modifiers::COMMAND;
        assert_eq!(pressed(Key::Z, ctrl, false), [Command::Undo]);
        assert_eq!(pressed(Key::Z, ctrl | Modifiers::SHIFT, false), [Command::Redo]);
        assert_eq!(pressed(Key::Y, ctrl, false), [Command::Redo]);
    }
}
