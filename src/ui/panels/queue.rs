use egui::{Align, Layout, Margin, Rect, ScrollArea, Sense, Ui, pos2, vec2};

use crate::app::state::{AppState, JobItem, JobStatus};
use crate::app::{Command, CommandSender};
use crate::ui::format;
use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, radius, size, space, text};
use crate::ui::widgets::{IconButton, Tone, empty_state_ui, place_ui, progress_bar_ui, spinner_ui, tooltip};

const ROW: f32 = 40.0;

/// What ending a job that is stopping comes to.
pub(super) const END_AT_ONCE: &str =
    "It stops after its step. Ended before, it loses the models that it has loaded and the stages that it kept.";

/// Jobs that run, wait or have ended, newest first.
pub fn queue_ui(ui: &mut Ui, state: &AppState, commands: &CommandSender) {
    if state.jobs.items.is_empty() {
        ui.add_space((ui.available_height() - 96.0).max(0.0) * 0.5);
        ui.vertical_centered(|ui| {
            empty_state_ui(
                ui,
                Icon::Queue,
                "Nothing is running",
                "You can queue several runs; they follow one another.",
                |_| {},
            );
        });
        return;
    }
    let margin = Margin {
        left: space::S as i8,
        right: space::S as i8,
        top: space::XS as i8,
        bottom: space::S as i8,
    };
    ScrollArea::vertical()
        .id_salt("queue")
        .auto_shrink(false)
        .content_margin(margin)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            for job in state.jobs.items.iter().rev() {
                job_ui(ui, job, commands);
            }
        });
}

fn job_ui(ui: &mut Ui, job: &JobItem, commands: &CommandSender) {
    let palette = Palette::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    if matches!(job.status, JobStatus::Running | JobStatus::Stopping) {
        ui.painter().rect_filled(rect, radius::CARD, palette.raised);
    } else if response.contains_pointer() {
        ui.painter()
            .rect_filled(rect, radius::CARD, palette.hover.gamma_multiply(0.5));
    }
    let inner = rect.shrink2(vec2(space::S, 0.0));
    let column = |from: f32, to: f32| {
        Rect::from_min_max(
            pos2(inner.left() + from, rect.top()),
            pos2(inner.left() + to, rect.bottom()),
        )
    };
    let cell = |ui: &mut Ui, rect: Rect, layout: Layout, content: &mut dyn FnMut(&mut Ui)| {
        place_ui(ui, rect, layout, content);
    };
    let left = Layout::left_to_right(Align::Center);
    let right = Layout::right_to_left(Align::Center);
    cell(ui, column(0.0, 20.0), left, &mut |ui| status_icon_ui(ui, job));
    let name_end = 28.0 + (inner.width() * 0.3).clamp(120.0, 260.0);
    cell(ui, column(28.0, name_end), Layout::top_down(Align::Min), &mut |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.add_space(5.0);
        ui.add(egui::Label::new(&job.name).truncate());
        let note = format!("{}, {}", job.engine_label, super::num_frames(job.num_views));
        ui.add(egui::Label::new(text::faint(ui, note)).truncate());
    });
    cell(ui, column(inner.width() - 28.0, inner.width()), right, &mut |ui| {
        cancel_ui(ui, job, commands);
    });
    let time_start = inner.width() - 28.0 - 156.0;
    cell(ui, column(time_start, inner.width() - 40.0), right, &mut |ui| {
        times_ui(ui, job);
    });
    let middle = column(name_end + space::L, time_start - space::M);
    if middle.width() > 40.0 {
        cell(ui, middle, Layout::top_down(Align::Min), &mut |ui| {
            ui.spacing_mut().item_spacing.y = space::XS;
            stage_ui(ui, job);
        });
    }
}

fn status_icon_ui(ui: &mut Ui, job: &JobItem) {
    let palette = Palette::of(ui);
    let (icon, color) = match &job.status {
        JobStatus::Queued => (Icon::Clock, palette.text_faint),
        JobStatus::Running | JobStatus::Stopping => {
            spinner_ui(ui, size::ICON);
            return;
        }
        JobStatus::Done => (Icon::Ok, palette.ok),
        JobStatus::Failed(_) => (Icon::Error, palette.error),
        JobStatus::Cancelled => (Icon::Stop, palette.text_faint),
    };
    let (rect, _) = ui.allocate_exact_size(vec2(size::ICON, ROW), Sense::hover());
    icon.paint(ui, rect, size::ICON, color);
}

/// The stage with its bar while it runs, else one sentence.
fn stage_ui(ui: &mut Ui, job: &JobItem) {
    let palette = Palette::of(ui);
    let line = |ui: &mut Ui, line: &str, color: egui::Color32| {
        ui.add_space((ROW - 16.0) * 0.5);
        let rich = egui::RichText::new(line).text_style(text::caption()).color(color);
        ui.add(egui::Label::new(rich).truncate())
    };
    match &job.status {
        JobStatus::Running | JobStatus::Stopping => {
            ui.add_space(8.0);
            let stage = match (&job.status, job.stage_label.as_str()) {
                (JobStatus::Stopping, _) => "Stopping",
                (_, "") => "Starting",
                (_, label) => label,
            };
            let note = if job.stage_count > 0 {
                format!("{stage}, stage {} of {}", job.stage_index + 1, job.stage_count)
            } else {
                stage.to_owned()
            };
            ui.add(egui::Label::new(text::faint(ui, note)).truncate());
            let width = ui.available_width();
            progress_bar_ui(ui, "Progress of the job", Some(job.progress), width, palette.accent);
        }
        JobStatus::Queued => {
            line(ui, "Waits for its turn", palette.text_faint);
        }
        JobStatus::Done if job.num_reused_stages > 0 => {
            line(
                ui,
                &format!("Done, {} stages taken from the last run", job.num_reused_stages),
                palette.text_faint,
            );
        }
        JobStatus::Done => {
            line(ui, "Done", palette.text_faint);
        }
        JobStatus::Cancelled => {
            line(ui, "Cancelled", palette.text_faint);
        }
        JobStatus::Failed(problem) => {
            let label = line(ui, &problem.sentence, Tone::Error.color(palette));
            tooltip(
                label,
                &problem.sentence,
                None,
                problem.hint.as_deref().unwrap_or_default(),
            );
        }
    }
}

fn times_ui(ui: &mut Ui, job: &JobItem) {
    if job.status == JobStatus::Queued {
        return;
    }
    ui.spacing_mut().item_spacing.x = space::S;
    ui.label(text::muted(ui, format::duration(job.elapsed)).text_style(text::caption()));
    if let Some(eta) = job.eta.filter(|_| job.is_active()) {
        ui.label(text::faint(ui, format::remaining(eta)));
    }
}

fn cancel_ui(ui: &mut Ui, job: &JobItem, commands: &CommandSender) {
    if !job.is_active() {
        return;
    }
    let (name, sentence) = match job.status {
        JobStatus::Stopping => (format!("End {} at once", job.name), END_AT_ONCE),
        _ => (format!("Cancel {}", job.name), ""),
    };
    let button = IconButton::new(Icon::Close, &name)
        .sentence(sentence)
        .side(24.0)
        .enabled(job.can_be_stopped());
    if ui.add(button).clicked() {
        commands.send(Command::CancelJob(job.id));
    }
}
