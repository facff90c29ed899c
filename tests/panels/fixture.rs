//! States of the window as plain data.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bozzetto::app::Command;
use bozzetto::app::state::{
    AppState, BottomTab, Compared, Comparison, ComparisonLayout, EngineState, ExportStatus, FinishStatus, GpuStatus,
    JobItem, JobStatus, LibraryEntry, LibraryStatus, LogLine, MattePreview, NoticeLevel, Preset, Problem, PythonStatus,
    ResultState, Telemetry, Toast, ViewId, ViewItem, ViewStatus, ViewportMode,
};
use bozzetto::engines::{EngineReport, Fault, PythonEnvironment, Report};
use bozzetto::export::ExportPreset;
use bozzetto_asset::{Asset, Direction, GaussianSplats, TriMesh, View};
use bozzetto_engine::{EngineInfo, ParamKind, ParamSpec, ParamValue, ParamValues, PartLicence, StageInfo};
use bozzetto_mesh::{MeshHealth, SelfIntersections};
use glam::Vec3;

use super::pictures::{CLAY, Look, figure};

fn stage(id: &str, label: &str) -> StageInfo {
    StageInfo {
        id: id.into(),
        label: label.into(),
    }
}

fn spec(key: &str, label: &str, kind: ParamKind, unit: &str) -> ParamSpec {
    ParamSpec {
        key: key.into(),
        label: label.into(),
        stage: key.split('.').next().expect("a stage").into(),
        kind,
        unit: unit.into(),
        help: "More of it shows finer detail and takes longer.".into(),
        advanced: false,
    }
}

fn float(min: f64, max: f64, step: f64, default: f64) -> ParamKind {
    ParamKind::Float {
        min,
        max,
        step,
        default,
    }
}

fn engine_info() -> EngineInfo {
    let choice = ParamKind::Choice {
        options: vec![
            ("perspective".into(), "Perspective".into()),
            ("orthographic".into(), "Parallel".into()),
        ],
        default: "perspective".into(),
    };
    let resolution = ParamKind::Int {
        min: 64,
        max: 512,
        step: 32,
        default: 192,
    };
    EngineInfo {
        id: "hull".into(),
        label: "Visual hull".into(),
        summary: "Carves the shape from silhouettes. Works on every computer.".into(),
        stages: vec![
            stage("fit", "Lining up the views"),
            stage("carve", "Carving the shape"),
            stage("surface", "Smoothing the surface"),
            stage("color", "Colouring"),
        ],
        params: vec![
            spec("fit.projection", "Lens", choice, ""),
            spec("fit.field_of_view", "Field of view", float(5.0, 90.0, 1.0, 35.0), "°"),
            spec("carve.resolution", "Resolution", resolution, ""),
            spec("carve.rounding", "Rounding", float(0.0, 1.0, 0.05, 0.5), ""),
            spec("surface.smoothing", "Smoothing", float(0.0, 1.0, 0.05, 0.3), ""),
            spec("surface.relief", "Relief from shading", float(0.0, 2.0, 0.05, 0.6), ""),
            spec(
                "color.fills_back",
                "Fill the back",
                ParamKind::Bool { default: true },
                "",
            ),
        ],
        max_views: None,
        uses_seed: true,
        device: "8 processor threads".into(),
        licences: Vec::new(),
        needs_mesh: false,
    }
}

fn engine() -> EngineState {
    let info = engine_info();
    let mut values = ParamValues::default()
        .validated(&info.params)
        .expect("defaults are valid");
    let preset = |name: &str, params: ParamValues| Preset {
        name: name.into(),
        engine: "hull".into(),
        params,
        is_built_in: true,
    };
    let presets = vec![preset("Standard", values.clone())];
    values.0.insert("carve.resolution".into(), ParamValue::Int(256));
    values.0.insert("surface.relief".into(), ParamValue::Float(0.85));
    EngineState {
        engines: vec![info],
        selected: "hull".into(),
        values,
        seed: 7,
        is_seed_locked: true,
        presets,
        undo_label: Some("Relief from shading".into()),
        redo_label: None,
    }
}

/// Nothing but the engine.
pub fn empty(_ctx: &egui::Context) -> AppState {
    let mut state = AppState {
        engine: engine(),
        status: "Ready".into(),
        ..AppState::default()
    };
    state.viewport.gpu = GpuStatus::Ready {
        adapter: "NVIDIA GeForce RTX 4070".into(),
        is_software: false,
    };
    state.library.status = LibraryStatus::Ready;
    state
}

fn view_item(ctx: &egui::Context, id: u64, name: &str, azimuth: f32, proposed: Option<Direction>) -> ViewItem {
    let look = |ground| Look {
        azimuth,
        tint: CLAY,
        ground,
    };
    ViewItem {
        id: ViewId(id),
        view: View::new(format!("/pictures/{name}")),
        name: name.into(),
        status: ViewStatus::Ready,
        size_px: Some([1024, 1024]),
        thumbnail: Some(figure(ctx, name, [144, 144], look(Some(214)))),
        photo: None,
        matte: Some(MattePreview {
            cutout: figure(ctx, name, [144, 144], look(None)),
            coverage: 0.3,
        }),
        is_matte_updating: false,
        proposed_direction: proposed,
    }
}

/// Four pictures, one of them left out, one with its side still open.
pub fn with_views(ctx: &egui::Context) -> AppState {
    let mut state = empty(ctx);
    let quarter = std::f32::consts::FRAC_PI_2;
    state.views.items = vec![
        view_item(ctx, 1, "bear_front.png", 0.0, Some(Direction::Front)),
        view_item(ctx, 2, "bear_left.png", quarter, Some(Direction::Left)),
        view_item(ctx, 3, "bear_back.png", 2.0 * quarter, Some(Direction::Back)),
        view_item(ctx, 4, "IMG_20261103_143022.jpg", 0.7, None),
    ];
    state.views.items[3].view.enabled = false;
    state.telemetry = Some(Telemetry {
        gpu_name: "NVIDIA GeForce RTX 4070".into(),
        memory_used: 3_400_000_000,
        memory_total: 12_000_000_000,
        load_percent: Some(12),
    });
    state
}

/// The first picture's details open.
pub fn with_details(ctx: &egui::Context) -> AppState {
    let mut state = with_views(ctx);
    state.views.selected = Some(ViewId(1));
    state
}

fn job(id: u64, name: &str, status: JobStatus) -> JobItem {
    JobItem {
        id,
        name: name.into(),
        engine_label: "Visual hull".into(),
        num_views: 3,
        status,
        ..JobItem::default()
    }
}

/// A job half way, one waiting, one done.
pub fn running(ctx: &egui::Context) -> AppState {
    let mut state = with_views(ctx);
    state.jobs.items = vec![
        JobItem {
            elapsed: Duration::from_millis(6_840),
            num_reused_stages: 2,
            progress: 1.0,
            ..job(1, "bear_front", JobStatus::Done)
        },
        JobItem {
            stage_label: "Carving the shape".into(),
            stage_index: 1,
            stage_count: 4,
            stage_progress: Some(0.62),
            progress: 0.46,
            elapsed: Duration::from_millis(3_200),
            eta: Some(Duration::from_secs(4)),
            ..job(2, "bear_front", JobStatus::Running)
        },
        job(3, "lantern", JobStatus::Queued),
    ];
    state.jobs.is_preview_shown = true;
    state.viewport.has_content = true;
    state.layout.bottom_tab = BottomTab::Queue;
    state.status = "Carving the shape of bear_front".into();
    state
}

fn library_entry(ctx: &egui::Context, id: &str, name: &str, age: &str, azimuth: f32, tint: Vec3) -> LibraryEntry {
    LibraryEntry {
        id: id.into(),
        name: name.into(),
        thumbnail: Some(figure(
            ctx,
            id,
            [160, 136],
            Look {
                azimuth,
                tint,
                ground: Some(46),
            },
        )),
        created_unix_secs: 1_790_000_000,
        age: age.into(),
        engine_label: "Visual hull".into(),
        num_views: 3,
        problem: None,
    }
}

/// A result on the stage, exported, with a library.
pub fn finished(ctx: &egui::Context) -> AppState {
    let mut state = with_views(ctx);
    state.viewport.has_content = true;
    state.viewport.wireframe = false;
    state.result = Some(ResultState {
        name: "bear_front".into(),
        library_id: Some("a".into()),
        engine_label: "Visual hull".into(),
        duration: Duration::from_millis(6_840),
        asset: Asset {
            mesh: Some(Arc::new(TriMesh::default())),
            splats: Some(Arc::new(GaussianSplats::default())),
            ..Asset::default()
        },
        finished: None,
        simplified: None,
        counts: bozzetto::app::state::Counts {
            num_faces: 49_998,
            num_vertices: 25_613,
            num_source_faces: 412_780,
            num_texels: 2048 * 2048,
            num_splats: 186_204,
            longest_side: 0.94,
        },
        health: Some(MeshHealth {
            num_faces: 49_998,
            num_components: 1,
            is_watertight: true,
            num_draw_calls: 1,
            ..MeshHealth::default()
        }),
        is_outdated: false,
        can_finish: true,
        views: Vec::new(),
    });
    state.finish.status = FinishStatus::Ready;
    state.finish.settings.texture_px = 4096;
    state.export.settings.format = bozzetto::app::state::ExportFormat::Stl;
    state.export.size = Some(12_480_000);
    state.export.status = ExportStatus::Done {
        path: "/home/ada/Models/bear_front.stl".into(),
        num_bytes: 12_480_000,
    };
    let gray = Vec3::new(0.62, 0.64, 0.66);
    let moss = Vec3::new(0.42, 0.5, 0.34);
    state.library.entries = vec![
        library_entry(ctx, "a", "bear_front", "just now", 0.5, CLAY),
        library_entry(ctx, "b", "bear_front", "5 min ago", -0.4, gray),
        library_entry(ctx, "c", "bear, draft without relief", "2 h ago", 0.2, gray),
        library_entry(ctx, "d", "moss bear", "yesterday", 0.9, moss),
        library_entry(ctx, "e", "lantern", "3 Nov 2026", 0.0, CLAY),
    ];
    state.library.entries[4].thumbnail = None;
    state.status = "Saved bear_front.stl, 12.5 MB".into();
    state
}

fn log_line(id: u64, level: NoticeLevel, secs: u64, text: &str, hint: Option<&str>) -> LogLine {
    LogLine {
        id,
        level,
        text: text.into(),
        hint: hint.map(Into::into),
        at: SystemTime::UNIX_EPOCH,
        age: Duration::from_secs(secs),
    }
}

/// A picture that cannot be read, a failed job, a failed finish, a notice, and the log open.
pub fn error(ctx: &egui::Context) -> AppState {
    let mut state = finished(ctx);
    let unreadable = Problem::with_hint("The file ends in the middle of the picture.", "Save it again as PNG.");
    state.views.items[1].status = ViewStatus::Failed(unreadable);
    state.views.items[1].thumbnail = None;
    state.views.items[1].matte = None;
    let died = Problem::with_hint(
        "The engine's process ended unexpectedly (signal 9).",
        "Nothing is lost: try again, the engine starts afresh.",
    );
    state.jobs.items = vec![JobItem {
        elapsed: Duration::from_secs(75),
        ..job(4, "bear_front", JobStatus::Failed(died.clone()))
    }];
    state.finish.status = FinishStatus::Failed(Problem::with_hint(
        "The mesh could not be unwrapped: 12 faces have no area.",
        "Lower the face count a little.",
    ));
    state.result.as_mut().expect("a result").health = Some(MeshHealth {
        num_boundary_edges: 124,
        num_non_manifold_edges: 3,
        num_components: 7,
        ..MeshHealth::default()
    });
    state.toasts = vec![Toast {
        id: 9,
        level: NoticeLevel::Error,
        text: died.sentence.clone(),
        hint: died.hint.clone(),
        action: Some(("Try again".into(), Command::Generate)),
        age: Duration::from_secs(1),
        lifetime: None,
    }];
    state.log.lines = [
        log_line(1, NoticeLevel::Info, 190, "Visual hull started with 3 pictures", None),
        log_line(2, NoticeLevel::Debug, 189, "fit: views agree to 0.4 %", None),
        log_line(
            3,
            NoticeLevel::Warning,
            184,
            "bear_back.png is darker than the others; its colours were matched",
            None,
        ),
        log_line(4, NoticeLevel::Success, 120, "Saved to the library as bear_front", None),
        log_line(5, NoticeLevel::Error, 2, &died.sentence, died.hint.as_deref()),
    ]
    .into();
    state.log.num_unread_errors = 1;
    state.layout.bottom_tab = BottomTab::Log;
    state.status = died.sentence;
    state
}

/// A result beside itself as clay.
pub fn comparing(ctx: &egui::Context) -> AppState {
    let mut state = finished(ctx);
    let with = Compared::Mode(ViewportMode::Clay);
    state.viewport.comparison = Some(Comparison::new(with, ComparisonLayout::Wipe).with_divider(0.4));
    state
}

/// A result whose mesh is open and touches itself.
pub fn flawed(ctx: &egui::Context) -> AppState {
    let mut state = finished(ctx);
    if let Some(result) = &mut state.result {
        result.health = Some(MeshHealth {
            num_faces: 49_998,
            num_components: 3,
            num_boundary_edges: 214,
            num_non_manifold_edges: 6,
            ..MeshHealth::default()
        });
    }
    state
}

/// A result with one fault of each kind.
pub fn with_every_fault(ctx: &egui::Context) -> AppState {
    let mut state = finished(ctx);
    if let Some(result) = &mut state.result {
        result.health = Some(MeshHealth {
            num_faces: 49_998,
            num_components: 3,
            num_boundary_edges: 1,
            num_non_manifold_edges: 1,
            num_inconsistent_edges: 1,
            num_touching_vertices: 1,
            num_inner_shells: 1,
            num_flipped_faces: 1,
            num_degenerate_faces: 1,
            self_intersections: Some(SelfIntersections {
                count: 1,
                is_estimate: false,
            }),
            uv_overlap: Some(0.021),
            texels_per_metre: Some(612.3),
            ..MeshHealth::default()
        });
    }
    state
}

/// A result that is set up to be exported for the web.
pub fn for_the_web(ctx: &egui::Context) -> AppState {
    let mut state = finished(ctx);
    let web = ExportPreset::of_id("web").expect("a preset");
    state.export.settings = web.settings;
    state.export.size = Some(1_840_000);
    state.export.status = ExportStatus::Idle;
    state
}

/// A Python environment that lacks a package for one of two pipelines.
pub fn add_python(state: &mut AppState) {
    let fault = Fault {
        package: "flash-attn".into(),
        problem: "is not installed".into(),
        advice: "Install it into this environment as the pipeline's own instructions say.".into(),
    };
    let lacks = |problems: Vec<Fault>, weights: Option<&str>| EngineReport {
        can_run: problems.is_empty(),
        weights: weights.map(str::to_owned),
        problems,
    };
    state.python.environment = Some(PythonEnvironment {
        interpreter: "/home/ada/miniconda3/envs/trellis2/bin/python3".into(),
        sources: vec!["/home/ada/TRELLIS.2".into()],
        weights: [("trellis2-python".into(), "/media/models/trellis2".into())].into(),
        runnable: vec!["trellis2-python".into()],
    });
    state.python.status = PythonStatus::Examined(Report {
        python: "3.10.14".into(),
        bridge: Some("0.1.0".into()),
        graphics_card: "NVIDIA GeForce RTX 4070".into(),
        engines: [
            ("nvdiffrec-python".into(), lacks(Vec::new(), None)),
            (
                "trellis-python".into(),
                lacks(vec![fault], Some("microsoft/TRELLIS-image-large")),
            ),
            (
                "trellis2-python".into(),
                lacks(Vec::new(), Some("microsoft/TRELLIS.2-4B")),
            ),
        ]
        .into(),
    });
}

/// An engine that uses parts under other licences.
pub fn add_licences(state: &mut AppState) {
    let licence = |part: &str, licence: &str, permits_commercial_use: bool| PartLicence {
        part: part.into(),
        licence: licence.into(),
        permits_commercial_use,
        page: "https://example.org".into(),
    };
    state.engine.engines[0].licences = vec![
        licence("TRELLIS.2", "MIT", true),
        licence("nvdiffrast", "NVIDIA Source Code License", false),
    ];
}
