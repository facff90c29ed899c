use std::time::{Duration, Instant};

use bozzetto::app::Command;
use bozzetto::app::state::{
    Compared, Comparison, ComparisonLayout, FinishStatus, JobStatus, OtherResult, ViewportMode,
};
use egui::Key;
use egui_kittest::kittest::Queryable as _;
use image::Rgba;

use super::generate::generated;
use super::{TestWindow, home};

/// Draws frames until the stage shows the egg in the right colours at both sides of its middle.
fn until_seen(window: &mut TestWindow, what: &str, holds: impl Fn(Rgba<u8>, Rgba<u8>) -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        window.harness.run_steps(2);
        let stage = window.harness.get_by_label("Stage").rect();
        let picture = window.harness.render().expect("can be drawn");
        let at = |share: f32| {
            let place = stage.left_top() + stage.size() * egui::vec2(share, 0.45);
            *picture.get_pixel(place.x as u32, place.y as u32)
        };
        let (left, right) = (at(0.44), at(0.56));
        if holds(left, right) {
            return;
        }
        assert!(Instant::now() < deadline, "never: {what}, but {left:?} and {right:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn compare(window: &mut TestWindow, with: Compared, layout: ComparisonLayout) {
    window.send(Command::Compare(Some(Comparison::new(with, layout))));
    window.harness.run_steps(2);
}

fn spread(color: Rgba<u8>) -> u8 {
    let channels = [color[0], color[1], color[2]];
    channels.into_iter().max().unwrap_or(0) - channels.into_iter().min().unwrap_or(0)
}

fn is_clay(color: Rgba<u8>) -> bool {
    spread(color) < 24 && color[0] > 80
}

fn is_painted(color: Rgba<u8>) -> bool {
    spread(color) > 60
}

fn is_ground(color: Rgba<u8>) -> bool {
    spread(color) < 24 && color[0] < 60
}

#[test]
fn the_line_parts_the_stage_and_can_be_moved() {
    let home = home();
    let (mut window, _) = generated(home.path());
    window.send(Command::LookFrom(bozzetto_asset::Direction::Front));
    until_seen(&mut window, "the egg", |left, right| {
        is_painted(left) && is_painted(right)
    });

    compare(&mut window, Compared::Mode(ViewportMode::Clay), ComparisonLayout::Wipe);
    until_seen(&mut window, "clay at the right", |left, right| {
        is_painted(left) && is_clay(right)
    });

    let line = window.harness.get_by_label("Divider").rect().center();
    window.harness.drag_at(line);
    window.harness.step();
    window.harness.hover_at(line - egui::vec2(200.0, 0.0));
    window.harness.step();
    window.harness.drop_at(line - egui::vec2(200.0, 0.0));
    until_seen(&mut window, "clay at both sides", |left, right| {
        is_clay(left) && is_clay(right)
    });

    window.harness.get_by_label("End the comparison").click();
    window.until("nothing is compared", |state| state.viewport.comparison.is_none());
    until_seen(&mut window, "the egg again", |left, right| {
        is_painted(left) && is_painted(right)
    });
}

#[test]
fn the_result_before_and_saved_ones_stand_beside_the_new_one() {
    let home = home();
    let (mut window, _) = generated(home.path());
    window.set_resolution(96);
    window.harness.get_by_label("Generate").click();
    window.until("there is a second result", |state| {
        let is_done = |job: &bozzetto::app::state::JobItem| job.status == JobStatus::Done;
        state.jobs.items.iter().filter(|job| is_done(job)).count() == 2
            && state.finish.status == FinishStatus::Ready
            && state.library.entries.len() == 2
    });

    window.harness.key_press(Key::B);
    window.until("the result before is beside it", |state| {
        let comparison = state.viewport.comparison.as_ref();
        comparison.is_some_and(|comparison| comparison.with == Compared::Previous)
            && matches!(&state.viewport.other, OtherResult::Shown { name, .. } if name == "egg")
    });
    window.harness.key_press(Key::B);
    window.until("it is gone", |state| {
        state.viewport.comparison.is_none() && state.viewport.other == OtherResult::None
    });

    let on_stage = window
        .state()
        .result
        .as_ref()
        .and_then(|result| result.library_id.clone());
    let saved = window
        .state()
        .library
        .entries
        .iter()
        .find(|entry| Some(&entry.id) != on_stage.as_ref());
    let saved = saved.expect("the first one").id.clone();
    compare(&mut window, Compared::Saved(saved), ComparisonLayout::SideBySide);
    window.until("the saved result has its textures", |state| {
        matches!(
            &state.viewport.other,
            OtherResult::Shown {
                is_finishing: false,
                ..
            }
        )
    });
    // Beside each other, the middle of the stage lies between them.
    until_seen(&mut window, "two of them", |left, right| {
        is_ground(left) && is_ground(right)
    });
    assert_eq!(
        window
            .state()
            .result
            .as_ref()
            .and_then(|result| result.library_id.clone()),
        on_stage,
        "what is worked on stays"
    );
}

#[test]
fn a_picture_is_compared_from_where_it_was_taken_until_it_is_removed() {
    let home = home();
    let (mut window, _) = generated(home.path());
    let back = window.state().views.items[2].id;
    compare(&mut window, Compared::Photo(back), ComparisonLayout::Wipe);
    let forward = window.state().viewport.orbit.camera(1.0).forward();
    assert!(forward.z > 0.9, "seen from the back: {forward}");
    let is_blue = |color: Rgba<u8>| color[2] > color[0] + 40;
    until_seen(&mut window, "the blue side, twice", |left, right| {
        is_blue(left) && is_blue(right)
    });
    window.send(Command::RemoveView(back));
    window.until("nothing is compared", |state| state.viewport.comparison.is_none());
}
