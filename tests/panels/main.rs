//! Snapshots of the window's panels in every state they know, and clicks by accessible name.

mod clicks;
mod fixture;
mod pictures;
mod snapshots;

use bozzetto::app::CommandSender;
use bozzetto::app::state::{AppState, Picture, ThemeChoice};
use bozzetto::ui;
use egui_kittest::Harness;

/// The window with a state that stays as it is.
struct Window {
    state: AppState,
    commands: CommandSender,
    stage: Picture,
}

impl eframe::App for Window {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let paint_stage = |ui: &egui::Ui, rect: egui::Rect| {
            ui::widgets::paint_picture(ui, rect, &self.stage, ui::widgets::Fit::Contain, 0);
        };
        ui::draw(ui, &self.state, &self.commands, &paint_stage);
    }
}

/// The whole window with a state made by `make`, of a size in points.
fn window(
    size: [f32; 2],
    pixels_per_point: f32,
    theme: ThemeChoice,
    commands: CommandSender,
    make: impl Fn(&egui::Context) -> AppState + 'static,
) -> Harness<'static, Window> {
    Harness::builder()
        .with_size(size)
        .with_pixels_per_point(pixels_per_point)
        .with_max_steps(8)
        .wgpu()
        .build_eframe(move |creation| {
            ui::install(&creation.egui_ctx);
            let mut state = make(&creation.egui_ctx);
            state.layout.theme = theme;
            let stage = pictures::stage(&creation.egui_ctx);
            Window { state, commands, stage }
        })
}
