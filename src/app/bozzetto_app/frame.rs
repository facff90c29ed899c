use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::super::command::{Command, pressed_commands};
use super::super::mailbox::Message;
use super::super::state::{AppState, CaptureStatus, ExportStatus, FinishStatus, LibraryStatus, NoticeLevel};
use super::super::viewport_host::ViewportHost;
use super::BozzettoApp;

/// How often times are brought up to date while something runs.
const TICK: Duration = Duration::from_millis(100);

impl BozzettoApp {
    pub(super) fn apply_messages(&mut self) {
        let messages: Vec<_> = self.inbox.try_iter().collect();
        for message in messages {
            self.apply_message(message);
        }
    }

    pub(super) fn apply_message(&mut self, message: Message) {
        match message {
            Message::Import(imported) => self.apply_imported(imported),
            Message::Finish(event) => self.apply_finish(event),
            Message::Export(event) => self.apply_export(event),
            Message::ExportSize(size) => self.apply_export_size(&size),
            Message::Capture(event) => self.apply_capture(event),
            Message::Library(event) => self.apply_library(event),
            Message::Python(event) => self.apply_python(event),
            Message::Picked(picked) => self.apply_picked(picked),
            Message::Stage(content) => self.apply_stage(content),
            Message::SettingsNotSaved(problem) => self.say(NoticeLevel::Warning, &problem),
            Message::Telemetry(reading) => self.state.telemetry = reading,
        }
    }

    /// Keys, drops and pastes. Read in the drawing half: while the window is hidden the input stays that of the last shown
    /// frame and would be taken again and again.
    pub(super) fn take_input(&mut self, ctx: &egui::Context) {
        for command in pressed_commands(ctx) {
            self.commands.send(command);
        }
        let is_typing = ctx.text_edit_focused();
        let (dropped, num_hovering, pasted, text) = ctx.input(|input| {
            let dropped: Vec<PathBuf> = input
                .raw
                .dropped_files
                .iter()
                .map(|file| file.path().to_owned())
                .collect();
            let pasted = input.events.iter().find_map(|event| match event {
                egui::Event::PasteImage(image) => Some(image.clone()),
                _ => None,
            });
            let text = input.events.iter().find_map(|event| match event {
                egui::Event::Paste(text) if !is_typing => Some(text.clone()),
                _ => None,
            });
            (dropped, input.raw.hovered_files.len(), pasted, text)
        });
        self.state.drop.num_hovering = num_hovering;
        if !dropped.is_empty() {
            self.commands.send(Command::AddPaths(dropped));
        }
        if let Some(image) = pasted {
            self.paste_picture(&image);
        }
        let paths = text.map(|text| paths_in_text(&text)).unwrap_or_default();
        if !paths.is_empty() {
            self.commands.send(Command::AddPaths(paths));
        }
    }

    pub(super) fn update_status(&mut self) {
        self.state.status = status_of(&self.state);
    }

    /// Has the card's load told while something works on it.
    pub(super) fn follow_load(&self) {
        if let Some(telemetry) = &self.telemetry {
            let is_drawing = matches!(self.state.capture.status, CaptureStatus::Drawing { .. });
            telemetry.tell_load(self.state.jobs.running().is_some() || self.is_finishing || is_drawing);
        }
    }

    pub(super) fn schedule_next_frame(&self) {
        let ctx = &self.ctx;
        let draws_in_software = self.viewport.as_ref().is_some_and(ViewportHost::draws_in_software);
        let pause = pause_between_news(draws_in_software, self.state.jobs.running().is_some());
        self.waker.set_pause(pause);
        if self.glide.is_some() {
            ctx.request_repaint();
        } else if self.state.jobs.running().is_some() {
            ctx.request_repaint_after(TICK);
        }
        let next_toast = self
            .state
            .toasts
            .iter()
            .filter_map(|toast| Some(toast.lifetime?.saturating_sub(toast.age)));
        if let Some(remaining) = next_toast.min() {
            ctx.request_repaint_after(remaining.max(Duration::from_millis(1)));
        }
        if self.settings_changed.is_some() {
            ctx.request_repaint_after(super::session::SETTLE_TIME);
        }
    }
}

/// How long news from other threads may wait for a frame. Frames at every piece of news would take the card from an engine
/// that works on it, and, where the processor draws, the processor from everybody.
fn pause_between_news(draws_in_software: bool, is_engine_working: bool) -> Duration {
    match (draws_in_software, is_engine_working) {
        (true, _) => Duration::from_millis(150),
        (false, true) => Duration::from_millis(50),
        (false, false) => Duration::ZERO,
    }
}

pub(super) fn now_unix_secs() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}

/// Files that were copied in a file program arrive as text on Linux: one path or `file://` address a line. Told by their
/// form alone: whether they are there is for a background thread to find out, since a network drive may take its time.
fn paths_in_text(text: &str) -> Vec<PathBuf> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let paths: Vec<_> = lines
        .map(|line| match line.strip_prefix("file://") {
            Some(address) => PathBuf::from(decoded(address)),
            None => PathBuf::from(line),
        })
        .collect();
    let are_paths = paths.iter().all(|path| path.is_absolute());
    if are_paths { paths } else { Vec::new() }
}

/// Undoes the `%20` of addresses; text that is no valid address stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let byte = code
            .filter(|_| first == b'%')
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// One line on what goes on, or what can be done next.
fn status_of(state: &AppState) -> String {
    if let Some(job) = state.jobs.running() {
        let waiting = match state.jobs.num_queued() {
            0 => String::new(),
            num => format!(", {num} waiting"),
        };
        let stage = if job.stage_label.is_empty() {
            "Starting the engine"
        } else {
            &job.stage_label
        };
        return format!("{stage}{waiting}");
    }
    if let ExportStatus::Writing { path } | ExportStatus::Waiting { path } = &state.export.status {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        return format!("Writing {name}");
    }
    if let CaptureStatus::Drawing { path, done, total } = &state.capture.status {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        return match total {
            0 => format!("Drawing {name}"),
            _ => format!("Drawing {name}, {done} of {total}"),
        };
    }
    if let FinishStatus::Working { label, .. } = &state.finish.status {
        return label.clone();
    }
    if state.library.is_saving {
        return "Saving to the library".to_owned();
    }
    if state.library.opening.is_some() || (state.library.status == LibraryStatus::Loading && state.result.is_none()) {
        return "Reading the library".to_owned();
    }
    if state.views.num_decoding() > 0 {
        return "Reading pictures".to_owned();
    }
    match (&state.result, state.views.num_enabled()) {
        (Some(result), _) if result.is_outdated => "Settings have changed since this result".to_owned(),
        (Some(_), _) => "Ready".to_owned(),
        (None, 0) => "Add pictures of one object to begin".to_owned(),
        (None, _) => "Ready to generate".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copied_files_are_told_from_other_text() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let file = path("a b.png");
        let plain = file.display().to_string();
        let address = format!("file://{}", plain.replace(' ', "%20"));
        assert_eq!(paths_in_text(&plain), std::slice::from_ref(&file));
        assert_eq!(paths_in_text(&format!("{address}\r\n{plain}\n")), [file.clone(), file]);
        assert!(paths_in_text("a picture of a chair").is_empty());
        assert!(paths_in_text(&format!("{plain}\na picture of a chair")).is_empty());
        let percent = path("50%20off.png");
        assert_eq!(
            paths_in_text(&percent.display().to_string()),
            [percent],
            "only addresses are encoded"
        );
        let missing = path("no/such/file");
        assert_eq!(
            paths_in_text(&missing.display().to_string()),
            [missing],
            "reported by who opens it"
        );
    }

    #[test]
    fn the_status_line_leads_on() {
        let mut state = AppState::default();
        state.library.status = LibraryStatus::Ready;
        assert_eq!(status_of(&state), "Add pictures of one object to begin");
        state.finish.status = FinishStatus::Working {
            label: "Baking textures".into(),
            progress: 0.5,
        };
        assert_eq!(status_of(&state), "Baking textures");
    }
}
