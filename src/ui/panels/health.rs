//! What is sound and what is broken about the mesh, with a button that mends it where the finish can.
//!
//! A fix is a finish setting: the button switches it on and the mesh is finished again. The settings show a switch for
//! each fix that is on, so that it can be taken back.

use bozzetto_mesh::{FinishSettings, MeshHealth};
use egui::accesskit::Role;
use egui::{Align, Layout, Ui, WidgetInfo, vec2};

use super::finish::Switch;
use crate::app::state::AppState;
use crate::app::{Command, CommandSender};
use crate::ui::format;
use crate::ui::theme::{size, space};
use crate::ui::widgets::{Button, ButtonKind, Tone, chip_ui, tooltip};

type Fix = (&'static str, &'static str, Switch);

const CLOSE_ALL_HOLES: Fix = (
    "Close all holes",
    "Closes holes of any size; flat sheets that enclose nothing go.",
    |s| &mut s.closes_all_holes,
);
const REMOVE_INNER_SHELLS: Fix = ("Remove inner shells", "Drops pieces that lie inside others.", |s| {
    &mut s.removes_inner_shells
});
const PART_TOUCHING: Fix = (
    "Part what touches",
    "Moves parts that touch in a point or an edge a hair's breadth apart.",
    |s| &mut s.parts_touching,
);

/// Its switch is among the settings that are always shown.
const REBUILD: Fix = (
    "Rebuild surface",
    "Makes one closed surface of it that looks outwards everywhere, and joins parts that cross. Far fewer faces may \
     let a few cross anew.",
    |s| &mut s.remeshes,
);

/// A switch for each fix that is on and not among the settings anyway.
pub(super) fn fixes_that_are_on(settings: &FinishSettings) -> impl Iterator<Item = Fix> {
    let mut settings = settings.clone();
    let fixes = [CLOSE_ALL_HOLES, REMOVE_INNER_SHELLS, PART_TOUCHING];
    fixes.into_iter().filter(move |(_, _, field)| *field(&mut settings))
}

struct Fault {
    label: String,
    sentence: &'static str,
    fix: Option<Fix>,
}

/// Chips for what is fine, then a row for each fault.
pub(super) fn health_ui(ui: &mut Ui, state: &AppState, health: &MeshHealth, commands: &CommandSender) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(space::XS + 2.0, space::XS + 2.0);
        let mut fact = |label: &str, tone: Tone, sentence: &str| {
            let chip = chip_ui(ui, Some(tone.icon()), label, tone);
            tooltip(chip, label, None, sentence);
        };
        if health.is_watertight {
            fact(
                "Watertight",
                Tone::Ok,
                "The surface is closed everywhere, fit for printing.",
            );
        }
        let (pieces, tone) = match health.num_components {
            0 | 1 => ("One piece".to_owned(), Tone::Ok),
            many => (format!("{} pieces", format::count(many)), Tone::Neutral),
        };
        fact(&pieces, tone, "How many separate parts the surface has.");
        if let Some(density) = health.texels_per_metre {
            let density = format!("{} texels/m", format::count(density.round() as usize));
            fact(
                &density,
                Tone::Neutral,
                "How fine the texture is: texels along a metre of the surface.",
            );
        }
        match health.uv_overlap {
            Some(0.0) => fact(
                "No UV overlap",
                Tone::Ok,
                "Every place of the texture belongs to one face.",
            ),
            Some(share) => {
                let overlap = format!("{:.1} % UV overlap", share * 100.0);
                let sentence = "Faces share places of the texture: painting one paints the other. Nothing that is laid \
                                out here does; another program may have meant it.";
                fact(&overlap, Tone::Warning, sentence);
            }
            None => {}
        }
    });
    for fault in faults(health) {
        fault_ui(ui, state, &fault, commands);
    }
}

/// What is broken, the worst first.
fn faults(health: &MeshHealth) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut add = |count: usize, one: &str, many: &str, sentence: &'static str, fix: Option<Fix>| {
        if count > 0 {
            let noun = if count == 1 { one } else { many };
            let label = format!("{} {noun}", format::count(count));
            faults.push(Fault { label, sentence, fix });
        }
    };
    add(
        health.num_boundary_edges,
        "open edge",
        "open edges",
        "The surface has holes: it can't be printed, and light falls in.",
        Some(CLOSE_ALL_HOLES),
    );
    add(
        health.num_non_manifold_edges,
        "non-manifold edge",
        "non-manifold edges",
        "More than two faces meet there. Printing and some modifiers may stumble.",
        Some(PART_TOUCHING),
    );
    add(
        health.num_inconsistent_edges,
        "contradicting edge",
        "contradicting edges",
        "The faces on both sides disagree which side is outside, as on a Möbius strip.",
        Some(REBUILD),
    );
    add(
        health.num_touching_vertices,
        "touching point",
        "touching points",
        "Parts of the surface meet in a single point there. Printing may stumble.",
        Some(PART_TOUCHING),
    );
    add(
        health.num_inner_shells,
        "inner shell",
        "inner shells",
        "Pieces that lie inside others: never seen, but stored, and printed as cavities or waste.",
        Some(REMOVE_INNER_SHELLS),
    );
    add(
        health.num_flipped_faces,
        "flipped face",
        "flipped faces",
        "They look inwards and vanish where only front sides are drawn. Finishing turns those that have an outside.",
        Some(REBUILD),
    );
    let crossing = health.self_intersections.unwrap_or_default();
    let (one, many) = if crossing.is_estimate {
        ("self-intersection, estimated", "self-intersections, estimated")
    } else {
        ("self-intersection", "self-intersections")
    };
    add(
        crossing.count as usize,
        one,
        many,
        "Pairs of faces that pass through each other. Printing and physics may stumble.",
        Some(REBUILD),
    );
    add(
        health.num_degenerate_faces,
        "face without area",
        "faces without area",
        "They do not show, but shading may flicker there.",
        Some(REBUILD),
    );
    faults
}

/// The fault as a chip, and at the column's edge what mends it, unless that is on already.
fn fault_ui(ui: &mut Ui, state: &AppState, fault: &Fault, commands: &CommandSender) {
    let row = vec2(ui.available_width(), size::CONTROL);
    ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
        let chip = chip_ui(ui, Some(Tone::Warning.icon()), &fault.label, Tone::Warning);
        tooltip(chip, &fault.label, None, fault.sentence);
        let can_finish = state.result.as_ref().is_some_and(|result| result.can_finish);
        let Some((name, help, field)) = fault.fix.filter(|_| can_finish) else {
            return;
        };
        let mut settings = state.finish.settings.clone();
        let switch = field(&mut settings);
        if *switch {
            return;
        }
        *switch = true;
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let button = Button::new("Fix").kind(ButtonKind::Quiet).height(size::CONTROL);
            let response = ui.add(button);
            // Several rows have one: each is told apart by its fault.
            let spoken = format!("Fix {}", fault.label);
            response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), &spoken));
            let response = tooltip(response, name, None, help);
            if response.clicked() {
                commands.send(Command::SetFinish {
                    settings,
                    is_final: true,
                });
            }
        });
    });
}
