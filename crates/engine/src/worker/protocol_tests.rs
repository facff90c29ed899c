use bozzetto_asset::{Camera, Direction, MatteSettings, Projection, View};
use proptest::prelude::*;

use super::*;
use crate::{Engine as _, ParamError, ParamValue, ParamValues};

fn bodies() -> Vec<MessageBody> {
    let projection = Projection::Orthographic { height: 1.2 };
    vec![
        MessageBody::Hello {
            protocol: PROTOCOL_VERSION,
            engine: Box::new(crate::test_support::TestEngine::new("test", |_, _| Err(EngineError::NoViews)).info()),
        },
        MessageBody::Heartbeat,
        MessageBody::Stage {
            stage: "carve".into(),
            label: "Carving the shape".into(),
            index: 2,
            count: 5,
        },
        MessageBody::Progress {
            stage: "carve".into(),
            done: u64::MAX - 1,
            total: u64::MAX,
        },
        MessageBody::Reused { stage: "matte".into() },
        MessageBody::Preview {
            content: PreviewContent::Views,
            artifact: "preview-1.safetensors".into(),
        },
        MessageBody::Cameras {
            cameras: vec![Camera::orbit(0.1, 0.2, 2.3, projection, 1.7)],
        },
        MessageBody::Memory { used: 1, total: 2 },
        MessageBody::Log {
            level: LogLevel::Warning,
            message: "Line\nbreaks and \"quotes\"".into(),
        },
        MessageBody::Done {
            artifact: "asset.safetensors".into(),
        },
        MessageBody::Cancelled,
    ]
}

fn errors() -> Vec<EngineError> {
    let text = || "why".to_owned();
    vec![
        EngineError::Cancelled,
        EngineError::UnknownEngine {
            id: text(),
            known: vec![text()],
        },
        EngineError::TooManyViews { given: 3, max: 2 },
        EngineError::Params(ParamError::Unknown {
            key: text(),
            nearest: Some(text()),
        }),
        EngineError::NoResult {
            reason: text(),
            advice: text(),
        },
        EngineError::MissingFile {
            what: text(),
            path: "model.safetensors".into(),
        },
        EngineError::GatedWeights {
            what: text(),
            page: text(),
        },
        EngineError::WrongCuda { reason: text() },
        EngineError::MissingPackage {
            package: text(),
            problem: text(),
            advice: text(),
        },
        EngineError::DeviceLost { reason: text() },
        EngineError::WorkerDied {
            status: text(),
            last_lines: vec![text()],
        },
        EngineError::WorkerHung { secs: 3 },
        EngineError::Other,
    ]
}

#[test]
fn messages_are_single_lines_that_survive_the_journey() {
    let failures = errors().into_iter().map(|error| MessageBody::Failed { error });
    for body in bodies().into_iter().chain(failures) {
        for id in [None, Some(u64::MAX)] {
            let message = Message { id, body: body.clone() };
            let line = serde_json::to_string(&message).expect("JSON");
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(parse(line.as_bytes()), Parsed::Message(Box::new(message)), "{line}");
        }
    }
}

#[test]
fn the_format_is_what_the_documentation_shows() {
    let message = Message {
        id: Some(1),
        body: MessageBody::Progress {
            stage: "carve".into(),
            done: 3,
            total: 192,
        },
    };
    let line = serde_json::to_value(&message).expect("JSON");
    let wanted = serde_json::json!({"event": "progress", "id": 1, "stage": "carve", "done": 3, "total": 192});
    assert_eq!(line, wanted);
    let request: Request = serde_json::from_str("{\"request\":\"cancel\",\"id\":7}").expect("a request");
    assert_eq!(request, Request::Cancel { id: 7 });
}

#[test]
fn rubbish_is_told_from_broken_messages() {
    for rubbish in [
        "",
        "Loading weights: 40%",
        "{}",
        "[1]",
        "\"done\"",
        "{\"event\":\"user logged in\"}",
        "{\"event\":\"done\"",
    ] {
        assert_eq!(parse(rubbish.as_bytes()), Parsed::Rubbish, "{rubbish}");
    }
    for (broken, wanted) in [
        ("{\"event\":\"done\",\"id\":1}", "'done'"),
        (
            "{\"event\":\"failed\",\"id\":1,\"error\":{\"kind\":\"internal\"}}",
            "reason",
        ),
        ("{\"event\":\"hello\",\"protocol\":99,\"engine\":3}", "version 99"),
    ] {
        let Parsed::Malformed(reason) = parse(broken.as_bytes()) else {
            panic!("{broken} must be noticed");
        };
        assert!(reason.contains(wanted), "{reason}");
    }
}

#[test]
fn a_greeting_may_name_licences() {
    let mut engine = crate::test_support::TestEngine::new("test", |_, _| Err(EngineError::NoViews)).info();
    engine.licences.push(crate::PartLicence {
        part: "nvdiffrast".into(),
        licence: "NVIDIA Source Code License".into(),
        permits_commercial_use: false,
        page: "https://github.com/NVlabs/nvdiffrast/blob/main/LICENSE.txt".into(),
    });
    let mut told = serde_json::to_value(&engine).expect("JSON");
    assert_eq!(told["licences"][0]["permits_commercial_use"], false);
    assert_eq!(
        serde_json::from_value::<EngineInfo>(told.clone()).expect("an engine"),
        engine
    );
    told.as_object_mut().expect("an object").remove("licences");
    let older: EngineInfo = serde_json::from_value(told).expect("an older worker's engine");
    assert!(older.licences.is_empty());
}

#[test]
fn an_error_of_a_newer_worker_still_ends_the_job() {
    let line = r#"{"event":"failed","id":1,"error":{"kind":"headache","side":"left"}}"#;
    let Parsed::Message(message) = parse(line.as_bytes()) else {
        panic!("it must be understood");
    };
    let error = EngineError::Other;
    assert_eq!(message.body, MessageBody::Failed { error });
}

#[test]
fn workers_of_the_versions_before_are_still_understood() {
    let understood: Vec<u64> = (0..5).filter(|version| is_understood(*version)).collect();
    assert_eq!(understood, [1, 2, 3]);
}

fn value() -> impl Strategy<Value = ParamValue> {
    prop_oneof![
        any::<bool>().prop_map(ParamValue::Bool),
        any::<i64>().prop_map(ParamValue::Int),
        prop::num::f64::NORMAL.prop_map(ParamValue::Float),
        ".*".prop_map(ParamValue::Choice),
    ]
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![
        Just(Direction::Front),
        Just(Direction::Bottom),
        (-360.0_f32..360.0, -90.0_f32..=90.0).prop_map(|(azimuth_deg, elevation_deg)| Direction::Free {
            azimuth_deg,
            elevation_deg
        }),
    ]
}

fn view() -> impl Strategy<Value = View> {
    let camera =
        (-9.0_f32..9.0, -1.5_f32..1.5, 0.1_f32..9.0, 0.1_f32..3.0).prop_map(|(azimuth, elevation, far, fov_y_rad)| {
            Camera::orbit(azimuth, elevation, far, Projection::Perspective { fov_y_rad }, far)
        });
    let matte =
        (0.0_f32..=1.0, any::<bool>(), any::<bool>()).prop_map(|(threshold, inverted, ignores_alpha)| MatteSettings {
            threshold,
            inverted,
            ignores_alpha,
        });
    (
        ".*",
        prop::option::of(direction()),
        prop::option::of(camera),
        0.0_f32..1e6,
        matte,
        any::<bool>(),
    )
        .prop_map(|(path, direction, camera, weight, matte, enabled)| View {
            path: path.into(),
            direction,
            camera,
            weight,
            matte,
            enabled,
        })
}

proptest! {
    #[test]
    fn jobs_survive_json(
        engine in ".*",
        params in prop::collection::btree_map(".*", value(), 0..5),
        views in prop::collection::vec(view(), 0..4),
        seed in any::<u64>(),
    ) {
        let job = Job { engine, params: ParamValues(params), views, seed };
        let request = Request::Run { id: seed, job: Box::new(job), folder: "folder".into() };
        let line = serde_json::to_string(&request).expect("JSON");
        prop_assert!(!line.contains('\n'));
        prop_assert_eq!(serde_json::from_str::<Request>(&line).expect("a request"), request);
    }

    #[test]
    fn no_line_upsets_the_reader(line in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(parse(&line), Parsed::Rubbish);
    }
}
