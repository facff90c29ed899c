use std::path::{Path, PathBuf};
use std::sync::Arc;

use bozzetto::app::Command;
use bozzetto::app::state::{NoticeLevel, ViewItem, ViewStatus};
use bozzetto_asset::{Direction, MatteSettings};
use egui_kittest::kittest::Queryable as _;

use super::{TestWindow, egg_pictures, ellipse, home};

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

pub fn drop_files(window: &mut TestWindow, files: &[PathBuf]) {
    for file in files {
        window
            .harness
            .input_mut()
            .dropped_files
            .push(Arc::new(Dropped(file.clone())));
    }
    window.harness.step();
}

#[test]
fn dropped_pictures_are_cut_out_and_know_their_sides() {
    let home = home();
    let mut window = TestWindow::open(home.path(), &[]);
    let mut files = egg_pictures(home.path());
    let broken = home.path().join("broken.png");
    std::fs::write(&broken, b"\x89PNG\r\n\x1a\n and nothing more").expect("can be written");
    files.push(broken);
    let notes = home.path().join("notes.txt");
    std::fs::write(&notes, "no picture").expect("can be written");
    files.push(notes);
    drop_files(&mut window, &files);
    window.until("all pictures are looked at", |state| {
        state.views.items.len() == 4 && state.views.num_decoding() == 0
    });

    let items = &window.state().views.items;
    let sides: Vec<_> = items.iter().take(3).map(ViewItem::direction).collect();
    assert_eq!(sides, [Direction::Front, Direction::Left, Direction::Back].map(Some));
    for item in items.iter().take(3) {
        assert_eq!((item.status.clone(), item.size_px), (ViewStatus::Ready, Some([96, 96])));
        let coverage = item.matte.as_ref().expect("cut out").coverage;
        assert!((0.2..0.5).contains(&coverage), "{coverage}");
    }
    let ViewStatus::Failed(problem) = &items[3].status else {
        panic!("{:?}", items[3].status)
    };
    assert!(
        problem.sentence.contains("broken.png") && problem.hint.is_some(),
        "{problem:?}"
    );
    let told = window.notices(NoticeLevel::Warning);
    assert!(told.iter().any(|text| text.contains("notes.txt")), "{told:?}");
    assert_eq!(
        window.state().generate_obstacle(),
        Some("One of the pictures cannot be read. Remove it or switch it off.")
    );
    window.harness.get_by_label("egg_left.png");
}

#[test]
fn files_held_over_the_window_are_noticed() {
    let home = home();
    let mut window = TestWindow::open(home.path(), &[]);
    window
        .harness
        .input_mut()
        .hovered_files
        .push(egui::HoveredFile::default());
    window.until("the drop zone opens", |state| state.drop.num_hovering == 1);
    window.harness.input_mut().hovered_files.clear();
    window.until("the drop zone closes", |state| state.drop.num_hovering == 0);
}

#[test]
fn the_dialog_the_clipboard_and_copied_files_add_pictures_too() {
    let home = home();
    let mut window = TestWindow::open(home.path(), &[]);
    let files = egg_pictures(home.path());
    *window.desktop.pictures.lock() = files[..1].to_vec();
    window.send(Command::AddPictures);
    window.until("the chosen picture is there", |state| state.views.items.len() == 1);

    window.send(Command::PasteImage);
    window.until("the empty clipboard is told", |state| !state.toasts.is_empty());
    *window.desktop.clipboard.lock() = Some(ellipse(0.2, 0.2, [9, 9, 200]));
    window.send(Command::PasteImage);
    window.until("the pasted picture is there", |state| state.views.items.len() == 2);

    let image = egui::ColorImage::filled([32, 32], egui::Color32::LIGHT_RED);
    window.harness.event(egui::Event::PasteImage(Arc::new(image)));
    window.until("the second pasted picture is there", |state| {
        state.views.items.len() == 3
    });
    let pasted = &window.state().views.items[2].view.path;
    assert!(
        pasted.starts_with(home.path().join("data/pasted")),
        "{}",
        pasted.display()
    );
    let saved = image::open(pasted).expect("was saved").to_rgba8();
    assert_eq!(saved.get_pixel(3, 3).0, egui::Color32::LIGHT_RED.to_array());

    window.harness.event(egui::Event::Paste(files[1].display().to_string()));
    window.until("the copied file is there", |state| state.views.items.len() == 4);
}

#[test]
fn views_can_be_ordered_switched_turned_and_removed() {
    let home = home();
    let files = egg_pictures(home.path());
    let mut window = TestWindow::with_pictures(home.path(), &files);
    let ids: Vec<_> = window.state().views.items.iter().map(|item| item.id).collect();
    window.send(Command::MoveView {
        view: ids[0],
        to_index: 2,
    });
    window.send(Command::SetViewEnabled(ids[1], false));
    window.send(Command::SetViewDirection(ids[2], Some(Direction::Top)));
    window.send(Command::SelectView(Some(ids[2])));
    window.until("the order is new", |state| state.views.items[2].id == ids[0]);
    assert_eq!(window.state().views.num_enabled(), 2);
    assert_eq!(
        window.state().views.get(ids[2]).and_then(ViewItem::direction),
        Some(Direction::Top)
    );
    window.harness.key_press(egui::Key::Delete);
    window.until("the selected picture is gone", |state| state.views.items.len() == 2);
    assert_eq!(window.state().views.selected, Some(ids[0]), "its neighbour is selected");
    window.harness.get_by_label("Remove egg_left.png").click();
    window.until("the other picture is gone", |state| state.views.items.len() == 1);
}

#[test]
fn an_inverted_matte_takes_the_other_part() {
    let home = home();
    let files = egg_pictures(home.path());
    let mut window = TestWindow::with_pictures(home.path(), &files[..1]);
    let item = &window.state().views.items[0];
    let (id, before) = (item.id, item.matte.as_ref().expect("cut out").coverage);
    // Two changes at once: the older one is stopped, the newer one counts.
    for inverted in [false, true] {
        window.send(Command::SetMatte(
            id,
            MatteSettings {
                inverted,
                threshold: 0.4,
                ..MatteSettings::default()
            },
        ));
    }
    window.until("the cut-out follows", |state| {
        let item = &state.views.items[0];
        !item.is_matte_updating && item.matte.as_ref().is_some_and(|matte| matte.coverage > 0.5)
    });
    let after = window.state().views.items[0].matte.as_ref().expect("cut out").coverage;
    assert!((before + after - 1.0).abs() < 0.05, "{before} and {after}");
}
