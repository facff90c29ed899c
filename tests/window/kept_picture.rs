//! Where the processor draws, only what changed is drawn again: pixel for pixel the same as drawing everything.

use std::path::Path;

use bozzetto::app::state::{BottomTab, GpuStatus, ThemeChoice};
use bozzetto::app::{Command, state::AppState};
use image::RgbaImage;

use super::{TestWindow, egg_pictures, home};

/// Knows its command once it sees the window.
type Change = Box<dyn Fn(&AppState) -> Command>;

fn picture(window: &mut TestWindow) -> RgbaImage {
    window.harness.run_steps(4);
    window.harness.render().expect("drawn")
}

fn select(index: usize) -> impl Fn(&AppState) -> Command {
    move |state| Command::SelectView(state.views.items.get(index).map(|item| item.id))
}

#[test]
fn changes_look_as_if_everything_were_drawn() {
    let home = home();
    let mut window = TestWindow::with_pictures(home.path(), &egg_pictures(home.path()));
    window.until("the stage can be drawn", |state| {
        matches!(state.viewport.gpu, GpuStatus::Ready { .. })
    });
    let set = |command: Command| move |_: &AppState| command.clone();
    let changes: Vec<Change> = vec![
        Box::new(select(1)),
        Box::new(set(Command::SetBottomTab(BottomTab::Queue))),
        Box::new(set(Command::ShowPalette)),
        Box::new(set(Command::SetModal(None))),
        Box::new(set(Command::ToggleRightPanel)),
        Box::new(select(0)),
        Box::new(set(Command::SetBottomTab(BottomTab::Library))),
        Box::new(set(Command::ToggleRightPanel)),
        Box::new(set(Command::SelectView(None))),
    ];
    picture(&mut window);
    for change in changes {
        let command = change(window.state());
        window.send(command.clone());
        let kept = picture(&mut window);
        // Another ground under everything, and the first again: nothing kept can be used.
        window.send(Command::SetTheme(ThemeChoice::Light));
        let light = picture(&mut window);
        window.send(Command::SetTheme(ThemeChoice::Dark));
        let whole = picture(&mut window);
        assert_ne!(light.as_raw(), whole.as_raw());
        let differing = kept.pixels().zip(whole.pixels()).filter(|(a, b)| a != b).count();
        if differing > 0 {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
            let saved = [("kept.png", &kept), ("whole.png", &whole)].map(|(name, image)| image.save(folder.join(name)));
            panic!(
                "{differing} pixels differ after {command:?}: {saved:?} in {}",
                folder.display()
            );
        }
    }
}
