//! Times the window's frames while it generates, without a screen: the real application, drawn into a texture.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bozzetto_engine::ParamValues;
use bozzetto_mesh::FinishSettings;
use egui_wgpu::{RenderState, RendererOptions, ScreenDescriptor, wgpu};
use parking_lot::{Condvar, Mutex};

use super::options::{AppOptions, Folders};
use super::state::{FinishStatus, GpuStatus};
use super::{BozzettoApp, Command, log, platform};

const SIZE_PX: [u32; 2] = [1440, 900];
const GIVE_UP: Duration = Duration::from_mins(10);
/// What a frame may take, so that nothing feels held up.
const BUDGET: Duration = Duration::from_millis(33);

/// Generates from the given pictures (the example when there are none) with these parameters, drags the number of faces,
/// and tells how long the frames took meanwhile.
///
/// # Errors
///
/// Where there is no graphics adapter, the run fails or takes too long, or the window never comes to rest.
pub fn bench_window(files: Vec<PathBuf>, params: ParamValues) -> anyhow::Result<String> {
    log::install();
    platform::let_work_yield();
    let folder = tempfile::tempdir().context("a folder for temporary files is needed")?;
    let options = AppOptions {
        folders: Folders::within(folder.path()),
        ..AppOptions::native(files)
    };
    let mut screen = Screen::open()?;
    let mut app = BozzettoApp::start(&screen.ctx, Some(screen.render_state.clone()), options);
    let deadline = Instant::now() + GIVE_UP;
    let mut run_until =
        |app: &mut BozzettoApp, done: &dyn Fn(&BozzettoApp) -> bool| -> anyhow::Result<Vec<FrameTime>> {
            let mut frames = Vec::new();
            while !done(app) {
                screen.clock.wait_for(FrameClock::PATIENCE);
                frames.push(screen.frame(app));
                anyhow::ensure!(
                    Instant::now() < deadline,
                    "the window did not finish within {} s",
                    GIVE_UP.as_secs()
                );
            }
            Ok(frames)
        };
    run_until(&mut app, &|app| {
        let state = app.state();
        let is_drawable = !matches!(state.viewport.gpu, GpuStatus::Starting);
        is_drawable && !state.views.items.is_empty() && state.views.num_decoding() == 0
    })?;
    let num_views = app.state().views.num_enabled();
    for (key, value) in params.0 {
        app.commands().send(Command::SetParam {
            key,
            value,
            is_final: true,
        });
    }
    app.commands().send(Command::Generate);
    let began = Instant::now();
    let mut frames = run_until(&mut app, &|app| {
        app.state().jobs.items.last().is_some_and(|job| !job.is_active())
    })?;
    let generated = began.elapsed();
    anyhow::ensure!(
        app.state().result.is_some(),
        "no result: {:?}",
        app.state().jobs.items.last()
    );
    frames.extend(run_until(&mut app, &|app| {
        !matches!(app.state().finish.status, FinishStatus::Working { .. })
    })?);
    let finished = began.elapsed();
    for frame in &mut frames {
        frame.at = frame.at.saturating_sub(began.saturating_duration_since(screen.began));
    }
    let mut text = report(num_views, generated, finished, &frames, &screen.adapter);
    text += &drag(&mut screen, &mut app);
    text += &rest(&mut screen, &mut app)?;
    Ok(text)
}

/// How long the slider for the number of faces is dragged.
const DRAGGED: Duration = Duration::from_secs(5);

/// Drags the slider for the number of faces from a hundredth of the surface to all of it, and tells what frames take
/// meanwhile and how many meshes are seen.
fn drag(screen: &mut Screen, app: &mut BozzettoApp) -> String {
    let num_faces = |app: &BozzettoApp| {
        let mesh = app
            .state()
            .result
            .as_ref()
            .and_then(|result| result.asset.mesh.as_ref());
        mesh.map_or(0, |mesh| mesh.triangles.len())
    };
    let shown = |app: &BozzettoApp| {
        let result = app.state().result.as_ref();
        result.and_then(|result| result.simplified.clone())
    };
    let began = Instant::now();
    let mut frames = Vec::new();
    let mut last = None;
    let mut num_meshes = 0;
    while began.elapsed() < DRAGGED {
        let share = (began.elapsed().as_secs_f64() / DRAGGED.as_secs_f64()).max(0.01);
        let settings = FinishSettings {
            target_faces: (num_faces(app) as f64 * share) as u32,
            ..app.state().finish.settings.clone()
        };
        app.commands().send(Command::SetFinish {
            settings,
            is_final: false,
        });
        screen.clock.ask(Duration::ZERO);
        screen.clock.wait_for(FrameClock::PATIENCE);
        frames.push(screen.frame(app));
        let mesh = shown(app);
        let is_new = match (&mesh, &last) {
            (Some(mesh), Some(last)) => !Arc::ptr_eq(mesh, last),
            (mesh, last) => mesh.is_some() != last.is_some(),
        };
        num_meshes += usize::from(is_new);
        last = mesh;
    }
    let mut times: Vec<Duration> = frames.iter().map(FrameTime::own).collect();
    times.sort_unstable();
    format!(
        "\nwhile the faces of {} are dragged: {num_meshes} meshes in {} s; the window's own work takes {:.1} ms, {:.1} at most, \
         and more than {} in {} of {} frames",
        num_faces(app),
        DRAGGED.as_secs(),
        quantile_ms(&times, 0.5),
        quantile_ms(&times, 1.0),
        BUDGET.as_millis(),
        times.iter().filter(|time| **time > BUDGET).count(),
        frames.len(),
    )
}

/// How long nothing must happen until the window is said to rest, and how long it is watched then.
const REST: Duration = Duration::from_secs(3);
const WATCHED: Duration = Duration::from_secs(5);

/// Waits until the last notice is gone and the last file is written, then tells what a window costs that nobody touches.
fn rest(screen: &mut Screen, app: &mut BozzettoApp) -> anyhow::Result<String> {
    let deadline = Instant::now() + Duration::from_mins(1);
    while screen.clock.wait_for(REST) {
        screen.frame(app);
        anyhow::ensure!(Instant::now() < deadline, "the window never comes to rest");
    }
    let busy_before = platform::processor_time();
    let end = Instant::now() + WATCHED;
    let mut num_frames = 0;
    while screen.clock.wait_for(end.saturating_duration_since(Instant::now())) {
        screen.frame(app);
        num_frames += 1;
    }
    let busy = busy_before.zip(platform::processor_time());
    let busy = busy.map_or(String::new(), |(before, after)| {
        format!(", {} ms of the processor", after.saturating_sub(before).as_millis())
    });
    Ok(format!(
        "\nat rest: {num_frames} frames in {} s{busy}",
        WATCHED.as_secs()
    ))
}

/// A part of a frame's time.
type Part = fn(&FrameTime) -> Duration;

/// What the window's thread did in a frame.
#[derive(Clone, Copy, Debug, Default)]
struct FrameTime {
    /// When it began, since the screen was opened.
    at: Duration,
    /// Applying messages and commands.
    logic: Duration,
    /// Laying out and tessellating the panels.
    draw: Duration,
    /// Recording it for the graphics driver, uploads and the stage included.
    record: Duration,
    /// Inside the graphics driver. A real one returns at once; a software one draws here, on this thread.
    driver: Duration,
}

impl FrameTime {
    /// What the window itself answers for.
    fn own(&self) -> Duration {
        self.logic + self.draw + self.record
    }

    fn total(&self) -> Duration {
        self.own() + self.driver
    }
}

fn report(num_views: usize, generated: Duration, finished: Duration, frames: &[FrameTime], adapter: &str) -> String {
    let num_late = |time: Part| frames.iter().filter(|frame| time(frame) > BUDGET).count();
    let mut text = format!(
        "{num_views} views on {adapter}: result after {:.1} s, textures after {:.1} s\n\
         {} frames of {} x {} meanwhile; over {} ms: {} by the window's own work, {} with the driver's\n\
         milliseconds              median   95 % under   longest",
        generated.as_secs_f64(),
        finished.as_secs_f64(),
        frames.len(),
        SIZE_PX[0],
        SIZE_PX[1],
        BUDGET.as_millis(),
        num_late(FrameTime::own),
        num_late(FrameTime::total),
    );
    let parts: [(&str, Part); 6] = [
        ("applying what happened", |frame| frame.logic),
        ("drawing panels", |frame| frame.draw),
        ("recording the picture", |frame| frame.record),
        ("the window's own work", FrameTime::own),
        ("graphics driver", |frame| frame.driver),
        ("whole frame", FrameTime::total),
    ];
    for (name, part) in parts {
        let mut times: Vec<_> = frames.iter().map(part).collect();
        times.sort_unstable();
        let [median, most, longest] = [0.5, 0.95, 1.0].map(|share| quantile_ms(&times, share));
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{name:<24}{median:>8.1}{most:>13.1}{longest:>10.1}");
    }
    if let Some(longest) = frames.iter().max_by_key(|frame| frame.own()) {
        let (at, millis) = (longest.at.as_secs_f64(), longest.own().as_secs_f64() * 1000.0);
        let _ = write!(
            text,
            "\nthe window worked longest, {millis:.1} ms, {at:.2} s after the start"
        );
    }
    text
}

fn quantile_ms(sorted: &[Duration], share: f64) -> f64 {
    let index = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

/// Tells the time since it was last asked.
struct Stopwatch(Instant);

impl Stopwatch {
    fn lap(&mut self) -> Duration {
        let time = self.0.elapsed();
        self.0 += time;
        time
    }
}

/// Knows when the next frame is due, as a window's event loop does: frames that nobody asked for are not drawn.
#[derive(Default)]
struct FrameClock {
    due: Mutex<Option<Instant>>,
    changed: Condvar,
}

impl FrameClock {
    /// Frames are no closer than on a screen of 60 a second.
    const INTERVAL: Duration = Duration::from_micros(16_667);
    /// Whoever waits looks round this often without being asked.
    const PATIENCE: Duration = Duration::from_secs(1);

    fn ask(&self, delay: Duration) {
        if let Some(time) = Instant::now().checked_add(delay) {
            let mut due = self.due.lock();
            *due = Some(due.map_or(time, |earlier| earlier.min(time)));
            self.changed.notify_one();
        }
    }

    /// Waits until a frame is due, or else for as long as this; says whether one is.
    fn wait_for(&self, patience: Duration) -> bool {
        let (earliest, latest) = (Instant::now() + Self::INTERVAL, Instant::now() + patience);
        let mut due = self.due.lock();
        loop {
            let now = Instant::now();
            if due.is_some_and(|due| due.max(earliest) <= now) {
                *due = None;
                return true;
            }
            if now >= latest {
                return false;
            }
            let until = due.map_or(latest, |due| due.max(earliest).min(latest));
            self.changed.wait_until(&mut due, until);
        }
    }
}

/// A window's worth of texture, drawn to as eframe draws to the screen.
struct Screen {
    ctx: egui::Context,
    clock: Arc<FrameClock>,
    render_state: RenderState,
    adapter: String,
    target: wgpu::Texture,
    began: Instant,
}

impl Screen {
    fn open() -> anyhow::Result<Self> {
        let configuration = platform::wgpu_configuration();
        let instance = pollster::block_on(configuration.wgpu_setup.new_instance());
        let render_state = RenderState::create(&configuration, &instance, None, RendererOptions::default());
        let render_state = pollster::block_on(render_state).map_err(|_| bozzetto_viewport::GpuError::NoAdapter)?;
        let target = render_state.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("bench window"),
            size: wgpu::Extent3d {
                width: SIZE_PX[0],
                height: SIZE_PX[1],
                depth_or_array_layers: 1,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: render_state.target_format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
            view_formats: &[],
        });
        let ctx = egui::Context::default();
        let clock = Arc::new(FrameClock::default());
        let asked = Arc::clone(&clock);
        ctx.set_request_repaint_callback(move |wish| asked.ask(wish.delay));
        Ok(Self {
            ctx,
            clock,
            adapter: render_state.adapter.get_info().name,
            render_state,
            target,
            began: Instant::now(),
        })
    }

    /// One frame from input to submitted commands.
    fn frame(&mut self, app: &mut BozzettoApp) -> FrameTime {
        let size = egui::vec2(SIZE_PX[0] as f32, SIZE_PX[1] as f32);
        let input = egui::RawInput {
            screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, size)),
            time: Some(self.began.elapsed().as_secs_f64()),
            ..egui::RawInput::default()
        };
        let mut time = FrameTime {
            at: self.began.elapsed(),
            ..FrameTime::default()
        };
        let mut watch = Stopwatch(Instant::now());
        let output = self.ctx.run_ui(input, |ui| {
            app.tick(None);
            time.logic = watch.lap();
            app.draw(ui);
        });
        for viewport in output.viewport_output.values() {
            self.clock.ask(viewport.repaint_delay);
        }
        let shapes = self.ctx.tessellate(output.shapes, output.pixels_per_point);
        time.draw = watch.lap();
        let commands = self.record(&shapes, output.pixels_per_point, output.textures_delta);
        time.record = watch.lap();
        self.render_state.queue.submit(commands);
        time.driver = watch.lap();
        time
    }

    fn record(
        &self,
        shapes: &[egui::ClippedPrimitive],
        pixels_per_point: f32,
        mut textures: egui::TexturesDelta,
    ) -> Vec<wgpu::CommandBuffer> {
        let RenderState {
            device,
            queue,
            renderer,
            ..
        } = &self.render_state;
        let screen = ScreenDescriptor {
            size_in_pixels: SIZE_PX,
            pixels_per_point,
        };
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("bench") });
        let mut renderer = renderer.write();
        for (id, deltas) in textures.set.drain() {
            for delta in deltas {
                renderer.update_texture(device, queue, id, &delta);
            }
        }
        let mut commands = renderer.update_buffers(device, queue, &mut encoder, shapes, &screen);
        let view = self.target.create_view(&wgpu::TextureViewDescriptor::default());
        {
            let pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("bench"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &view,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations::default(),
                })],
                ..wgpu::RenderPassDescriptor::default()
            });
            renderer.render(&mut pass.forget_lifetime(), shapes, &screen);
        }
        commands.push(encoder.finish());
        for id in textures.free.drain() {
            renderer.free_texture(&id);
        }
        commands
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_counts_late_frames_and_finds_the_longest() {
        let frame = |millis| FrameTime {
            at: Duration::from_secs(if millis == 40 { 7 } else { 1 }),
            draw: Duration::from_millis(millis),
            ..FrameTime::default()
        };
        let frames = [5, 40, 10, 20].map(frame);
        let text = report(8, Duration::from_secs(2), Duration::from_secs(3), &frames, "test");
        assert!(
            text.contains("4 frames of 1440 x 900 meanwhile; over 33 ms: 1 by the window's own work"),
            "{text}"
        );
        let lines: Vec<&str> = text.lines().collect();
        let [.., whole, longest] = lines.as_slice() else {
            panic!("{text}");
        };
        assert_eq!(*longest, "the window worked longest, 40.0 ms, 7.00 s after the start");
        assert_eq!(
            whole.split_whitespace().collect::<Vec<_>>(),
            ["whole", "frame", "20.0", "40.0", "40.0"]
        );
        assert!(text.starts_with("8 views on test: result after 2.0 s"), "{text}");
    }
}
