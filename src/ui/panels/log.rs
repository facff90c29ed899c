use egui::{Margin, RichText, ScrollArea, Ui, vec2};

use super::tone_of;
use crate::app::CommandSender;
use crate::app::state::{AppState, LogLine, NoticeLevel};
use crate::ui::format;
use crate::ui::icons::Icon;
use crate::ui::theme::{Palette, space, text};
use crate::ui::widgets::{Tone, empty_state_ui};

/// What happened, line by line, newest at the foot.
pub fn log_ui(ui: &mut Ui, state: &AppState, _commands: &CommandSender) {
    if state.log.lines.is_empty() {
        ui.add_space((ui.available_height() - 96.0).max(0.0) * 0.5);
        ui.vertical_centered(|ui| {
            empty_state_ui(
                ui,
                Icon::Log,
                "Nothing to report",
                "What happens is written down here.",
                |_| {},
            );
        });
        return;
    }
    let margin = Margin {
        left: space::L as i8,
        right: space::L as i8,
        top: space::XS as i8,
        bottom: space::S as i8,
    };
    ScrollArea::vertical()
        .id_salt("log")
        .auto_shrink(false)
        .stick_to_bottom(true)
        .content_margin(margin)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 3.0;
            for line in &state.log.lines {
                line_ui(ui, line);
            }
        });
}

fn line_ui(ui: &mut Ui, line: &LogLine) {
    let palette = Palette::of(ui);
    let tone = tone_of(line.level);
    let color = match line.level {
        NoticeLevel::Debug => palette.text_faint,
        NoticeLevel::Info | NoticeLevel::Success => palette.text_muted,
        NoticeLevel::Warning | NoticeLevel::Error => palette.text,
    };
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        ui.spacing_mut().interact_size.y = 16.0;
        let (time_rect, _) = ui.allocate_exact_size(vec2(44.0, 16.0), egui::Sense::hover());
        let font = text::caption().resolve(ui.style());
        ui.painter().text(
            time_rect.right_center(),
            egui::Align2::RIGHT_CENTER,
            age(line),
            font,
            palette.text_faint,
        );
        let (icon_rect, _) = ui.allocate_exact_size(vec2(16.0, 16.0), egui::Sense::hover());
        if tone == Tone::Neutral {
            ui.painter().circle_filled(icon_rect.center(), 1.5, palette.text_faint);
        } else {
            tone.icon().paint(ui, icon_rect, 14.0, tone.color(palette));
        }
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            let words = RichText::new(&line.text).text_style(text::caption()).color(color);
            ui.add(egui::Label::new(words).wrap().selectable(true));
            if let Some(hint) = &line.hint {
                ui.add(egui::Label::new(text::faint(ui, hint)).wrap().selectable(true));
            }
        });
    });
}

/// How long ago, in the fewest letters.
fn age(line: &LogLine) -> String {
    match line.age.as_secs() {
        0 => "now".to_owned(),
        secs @ 1..=59 => format!("{secs} s"),
        secs @ 60..=3599 => format!("{} min", secs / 60),
        secs => format::duration(std::time::Duration::from_secs(secs)),
    }
}
