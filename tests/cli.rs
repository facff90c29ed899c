//! The command line as a person uses it: real processes, real files.

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use bozzetto_asset::formats::ply;
use bozzetto_asset::{LengthUnit, TexturedMesh};
use bozzetto_mesh::shapes;
use common::{bozzetto, decode_meshopt, example_views, native_worker, validate_glb};
use image::AnimationDecoder as _;

fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    assert!(
        output.status.success(),
        "{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("standard output is text")
}

/// Settings that keep a run short; what they make is still a whole asset.
const QUICK: [&str; 4] = ["--faces", "5000", "--texture", "512"];

#[test]
fn pictures_become_a_valid_glb_splats_and_a_preview() {
    let folder = tempfile::tempdir().expect("a folder");
    let [glb, ply, png] = ["owl.glb", "owl.ply", "owl.png"].map(|name| folder.path().join(name));
    let output = succeed(
        bozzetto()
            .arg("generate")
            .arg(example_views())
            .args(QUICK)
            .args(["--set", "carve.resolution=96", "--json", "-o"])
            .arg(&glb)
            .arg("--ply")
            .arg(&ply)
            .arg("--preview")
            .arg(&png),
    );
    let events: Vec<serde_json::Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).expect("one JSON object a line"))
        .collect();
    let done = events.last().expect("events");
    assert_eq!(done["event"], "done");
    assert!(done["faces"].as_u64().expect("a count") <= 5000);
    assert_eq!(done["provenance"]["engine"], "hull");
    let stages: Vec<_> = events.iter().filter(|event| event["event"] == "stage").collect();
    assert!(stages.len() >= 5, "all stages are told: {stages:?}");

    validate_glb(&glb);
    let textured = bozzetto_asset::formats::glb::read(&glb).expect("the GLB reads back");
    assert_eq!(textured.provenance.views.len(), 8);
    assert_eq!(textured.material.base_color.width(), 512);
    let splats = ply::read(&ply).expect("the PLY reads back");
    assert!(splats.len() > 1000);
    let preview = image::open(&png).expect("the preview is a picture").to_rgb8();
    let (first, distinct) = (
        preview.get_pixel(0, 0),
        preview.pixels().collect::<std::collections::HashSet<_>>().len(),
    );
    assert!(
        distinct > 500,
        "the preview shows something: {distinct} colours, corner {first:?}"
    );
}

#[test]
fn colours_from_the_pictures_are_finer_than_generated_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    // The layout is the same both times, so the textures can be compared as pictures.
    let fineness = |source: &str| {
        let glb = folder.path().join(source).with_extension("glb");
        succeed(
            bozzetto()
                .arg("generate")
                .arg(example_views())
                .args(QUICK)
                .args(["--set", "carve.resolution=64", "--colors", source, "-o"])
                .arg(&glb),
        );
        let textured = bozzetto_asset::formats::glb::read(&glb).expect("the GLB reads back");
        let texels = textured.material.base_color.as_raw();
        let steps = texels.chunks_exact(4).zip(texels.chunks_exact(4).skip(1));
        let step = |(a, b): (&[u8], &[u8])| {
            (0..3)
                .map(|channel| u64::from(a[channel].abs_diff(b[channel])))
                .sum::<u64>()
        };
        steps.map(step).sum::<u64>() as f64
    };
    let (generated, pictures) = (fineness("generated"), fineness("pictures"));
    assert!(pictures > generated * 1.2, "{pictures} against {generated}");
}

/// Where the native neural engine was built too, it lies beside the program, which finds it there.
#[test]
fn the_native_engine_makes_a_valid_glb_from_tiny_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let (weights, glb) = (folder.path().join("weights"), folder.path().join("tiny.glb"));
    if native_worker(&weights).is_none() {
        return;
    }
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/examples/owl/owl_az000_el10.png");
    let few = [
        "shape.pipeline_type=512",
        "structure.steps=1",
        "shape.steps=1",
        "material.steps=1",
    ];
    succeed(
        bozzetto()
            .env("BOZZETTO_TRELLIS_WEIGHTS", &weights)
            .arg("generate")
            .arg(picture)
            .args(QUICK)
            .args(["--engine", "trellis2", "-o"])
            .arg(&glb)
            .args(few.iter().flat_map(|set| ["--set", set])),
    );
    validate_glb(&glb);
    let textured = bozzetto_asset::formats::glb::read(&glb).expect("the GLB reads back");
    assert_eq!(textured.provenance.engine, "trellis2");
    assert!(!textured.provenance.weights.is_empty());
}

#[test]
fn weights_that_are_not_there_or_not_needed_are_refused_before_any_work() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let refused = |engine: &str, weights: &Path| {
        let output = bozzetto()
            .arg("generate")
            .arg(example_views())
            .args(["--engine", engine, "--weights"])
            .arg(weights)
            .arg("-o")
            .arg(folder.path().join("x.glb"))
            .output()
            .expect("the program starts");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = refused("trellis2-python", &folder.path().join("nothing"));
    assert!(said.contains("There are no weights at"), "{said}");
    let said = refused("trellis2", Path::new("owner/name"));
    assert!(said.contains("There are no weights at"), "{said}");
    let said = refused("hull", folder.path());
    assert!(said.contains("has no weights"), "{said}");
}

#[test]
fn the_same_job_gives_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let make = |name: &str, threads: &str| {
        let [glb, ply] = ["glb", "ply"].map(|ending| folder.path().join(name).with_extension(ending));
        succeed(
            bozzetto()
                .env("RAYON_NUM_THREADS", threads)
                .arg("generate")
                .arg(example_views())
                .args([
                    "--set",
                    "carve.resolution=64",
                    "--faces",
                    "2000",
                    "--texture",
                    "256",
                    "-o",
                ])
                .arg(&glb)
                .arg("--ply")
                .arg(&ply),
        );
        [glb, ply].map(|path| std::fs::read(path).expect("it was written"))
    };
    let ([one, splats_of_one], [three, splats_of_three]) = (make("one", "1"), make("three", "3"));
    assert!(
        splats_of_one == splats_of_three,
        "splats differ between one and three threads"
    );
    // When it was made, and how long that took, is told in the description before the data.
    let data = |glb: &[u8]| {
        let json_bytes = u32::from_le_bytes(glb[12..16].try_into().expect("four bytes"));
        glb[20 + json_bytes as usize..].to_vec()
    };
    assert!(data(&one).len() > 10_000);
    assert!(
        data(&one) == data(&three),
        "meshes or textures differ between one and three threads"
    );
}

#[test]
fn a_large_layout_is_the_same_on_one_thread_and_three() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("torus.ply");
    let torus = TexturedMesh {
        mesh: Arc::new(shapes::torus(0.3, 0.1, 480, 140)),
        ..TexturedMesh::default()
    };
    ply::write_mesh(&path, &torus, LengthUnit::Metre).expect("it is written");
    let measured = |threads: &str| {
        let mut bench = bozzetto();
        bench.env("RAYON_NUM_THREADS", threads).args(["bench", "unwrap"]);
        let text = succeed(bench.arg(&path).args(["--texture", "1024", "--json"]));
        let told: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        (told["faces"].clone(), told["quality"].clone())
    };
    let (faces, quality) = measured("1");
    assert_eq!(faces, 134_400);
    assert!(
        quality["num_charts"].as_u64().is_some_and(|count| count > 1),
        "{quality}"
    );
    assert_eq!((faces, quality), measured("3"));
}

#[test]
fn every_format_is_exported_and_inspected() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    succeed(
        bozzetto()
            .arg("generate")
            .arg(example_views())
            .args(QUICK)
            .args(["--set", "carve.resolution=64", "-o"])
            .arg(at("a.glb"))
            .arg("--ply")
            .arg(at("a.ply")),
    );
    for (from, to) in [
        ("a.glb", "b.obj"),
        ("a.glb", "b.stl"),
        ("a.glb", "b.glb"),
        ("a.glb", "b.ply"),
        ("a.ply", "b.spz"),
        ("b.obj", "c.stl"),
    ] {
        succeed(bozzetto().arg("export").arg(at(from)).arg("-o").arg(at(to)));
        let facts = inspected(&at(to));
        let count = &facts["mesh"]["health"]["num_faces"];
        let count = if count.is_null() {
            &facts["splats"]["count"]
        } else {
            count
        };
        assert!(count.as_u64().is_some_and(|count| count > 500), "{to}: {facts}");
    }
    every_kind_of_glb_is_valid_and_tells_what_it_is(&at("a.glb"), &at("w.glb"));
    a_print_has_its_size_and_stands_on_the_bed(&at("a.glb"), folder.path());
    for format in ["a.glb", "a.ply", "b.ply", "b.stl", "w.glb"] {
        let png = at("r.png");
        succeed(
            bozzetto()
                .arg("render")
                .arg(at(format))
                .args(["--size", "200", "100", "--transparent", "-o"])
                .arg(&png),
        );
        let picture = image::open(&png).expect("a picture").to_rgba8();
        assert_eq!(picture.dimensions(), (200, 100));
        assert_eq!(picture.get_pixel(0, 0)[3], 0, "{format}: the background is clear");
        assert!(
            picture.pixels().any(|pixel| pixel[3] > 200),
            "{format}: the object is there"
        );
    }
    an_object_turns_once_round_in_a_gif(&at("a.glb"), &at("r.gif"));
}

fn inspected(path: &Path) -> serde_json::Value {
    let facts = succeed(bozzetto().arg("inspect").arg(path).arg("--json"));
    serde_json::from_str(&facts).expect("JSON")
}

/// Leaves the smallest kind, the one for the web, in `small`.
fn every_kind_of_glb_is_valid_and_tells_what_it_is(glb: &Path, small: &Path) {
    let before = inspected(glb);
    let health = &before["health_when_written"];
    let found = &before["mesh"]["health"];
    for told in [
        "num_faces",
        "num_inner_shells",
        "self_intersections",
        "uv_overlap",
        "file_bytes",
    ] {
        assert_eq!(health[told], found[told], "{told}");
    }
    assert_eq!(found["uv_overlap"], 0.0);
    assert!(
        health["texels_per_metre"].as_f64().is_some_and(|texels| texels > 10.0),
        "{health}"
    );
    let (webp, bits, packed) = ("EXT_texture_webp", "KHR_mesh_quantization", "EXT_meshopt_compression");
    for (words, kind, extensions) in [
        ("--texture-format webp", "image/webp", &[webp][..]),
        ("--texture-format jpeg", "image/jpeg", &[]),
        ("--quantize", "image/png", &[bits]),
        ("--meshopt", "image/png", &[packed]),
        ("--preset web", "image/jpeg", &[bits, packed]),
    ] {
        succeed(
            bozzetto()
                .arg("export")
                .arg(glb)
                .args(words.split(' '))
                .arg("-o")
                .arg(small),
        );
        validate_glb(small);
        let facts = inspected(small);
        assert_eq!(facts["extensions"], serde_json::json!(extensions), "{words}");
        assert_eq!(facts["textures"][0]["mime_type"], kind, "{words}");
        let (now, then) = (&facts["mesh"]["health"], &before["mesh"]["health"]);
        if extensions.contains(&packed) {
            decode_meshopt(small, now["num_faces"].as_u64().expect("a count"));
        }
        assert_eq!(
            (&now["num_faces"], &now["num_draw_calls"]),
            (&then["num_faces"], &1.into()),
            "{words}"
        );
        assert_eq!(now["file_bytes"], small.metadata().expect("there").len(), "{words}");
        for told in ["num_faces", "self_intersections", "uv_overlap", "file_bytes"] {
            assert_eq!(facts["health_when_written"][told], now[told], "{words}: {told}");
        }
        assert_eq!(facts["provenance"], before["provenance"], "{words}");
        let size = |facts: &serde_json::Value| facts["mesh"]["health"]["file_bytes"].as_u64().expect("a size");
        assert!(
            size(&facts) < size(&before),
            "{words}: {} of {}",
            size(&facts),
            size(&before)
        );
    }
}

fn a_print_has_its_size_and_stands_on_the_bed(glb: &Path, folder: &Path) {
    let [package, stl] = ["p.3mf", "p.stl"].map(|name| folder.join(name));
    for (output, words) in [(&package, &[][..]), (&stl, &["--size", "0.04"])] {
        let mut export = bozzetto();
        export.arg("export").arg(glb).args(["--preset", "print"]).args(words);
        succeed(export.arg("-o").arg(output));
    }
    assert!(std::fs::read(&package).expect("written").starts_with(b"PK"), "a ZIP");
    let bounds = &inspected(&stl)["mesh"]["bounds"];
    let side = |axis: usize| bounds[1][axis].as_f64().expect("a number") - bounds[0][axis].as_f64().expect("a number");
    let longest = (0..3).map(side).fold(0.0, f64::max);
    assert!((longest - 40.0).abs() < 1e-3, "{longest} mm");
    assert!(
        bounds[0][1].as_f64().is_some_and(|ground| ground.abs() < 1e-3),
        "{bounds}"
    );
}

fn an_object_turns_once_round_in_a_gif(glb: &Path, gif: &Path) {
    let look = [
        "--frames",
        "4",
        "--seconds",
        "2",
        "--light",
        "daylight",
        "--tone-mapping",
        "agx",
    ];
    succeed(
        bozzetto()
            .arg("render")
            .arg(glb)
            .args(look)
            .args(["--size", "80", "60", "-o"])
            .arg(gif),
    );
    let file = std::io::BufReader::new(std::fs::File::open(gif).expect("written"));
    let frames = image::codecs::gif::GifDecoder::new(file).expect("a GIF").into_frames();
    let frames = frames.collect_frames().expect("whole");
    assert_eq!(frames.len(), 4);
    for frame in &frames {
        assert_eq!(frame.buffer().dimensions(), (80, 60));
        assert_eq!(frame.delay().numer_denom_ms(), (500, 1));
    }
    assert_ne!(frames[0].buffer().as_raw(), frames[1].buffer().as_raw(), "it turns");
}

#[test]
fn who_stops_reading_is_no_failure() {
    let mut program = bozzetto();
    let mut child = program
        .args(["engines", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !told.contains("panicked"), "{told}");
}

#[test]
fn wrong_input_ends_with_a_sentence_and_its_exit_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.png");
    std::fs::write(&broken, b"\x89PNG\r\n\x1a\nnot really").expect("written");
    let out = folder.path().join("out.glb");
    let cases: [(&[&str], i32, &str); 7] = [
        (&["generate", "no-such.png", "-o", "OUT"], 2, "no-such.png"),
        (&["generate", "BROKEN", "-o", "OUT"], 3, "broken.png"),
        (
            &["generate", "BROKEN", "--set", "carve.resolutoin=64", "-o", "OUT"],
            2,
            "carve.resolution",
        ),
        (
            &["generate", "BROKEN", "-o", "/no/such/folder/out.glb"],
            2,
            "Make it first",
        ),
        (&["inspect", "BROKEN"], 2, "broken.png"),
        (&["generate", "BROKEN", "-o", "out.usdz"], 2, "must end in .glb"),
        (&["generate", "BROKEN", "--size", "0", "-o", "OUT"], 2, "is not between"),
    ];
    for (arguments, code, wanted) in cases {
        let mut command = bozzetto();
        for argument in arguments {
            match *argument {
                "BROKEN" => command.arg(&broken),
                "OUT" => command.arg(&out),
                other => command.arg(other),
            };
        }
        let output = command.output().expect("the program starts");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(
            text.contains(wanted) && text.contains("error:"),
            "{arguments:?}: {text}"
        );
        assert!(!text.contains("panicked"), "{text}");
    }
    assert!(!out.exists());
}

#[test]
fn parameters_are_listed_with_their_ranges() {
    let text = succeed(bozzetto().arg("engines"));
    assert!(text.contains("carve.resolution") && text.contains("default"), "{text}");
    let engines: serde_json::Value =
        serde_json::from_str(&succeed(bozzetto().args(["engines", "--json"]))).expect("JSON");
    assert_eq!(engines[0]["id"], "hull");
}

#[test]
fn finishing_and_layouts_are_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let [bare, laid_out] = ["bare.obj", "laid_out.obj"].map(|name| folder.path().join(name));
    let quick = [
        "--level",
        "5",
        "--voxels",
        "64",
        "--faces",
        "2000",
        "--texture",
        "128",
        "--fidelity",
    ];
    let told = succeed(bozzetto().args(["bench", "finish"]).args(quick));
    for line in [
        "Simplifying",
        "TRELLIS.2 took",
        "Distance: 0.",
        "base colour",
        "Normals: ",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }

    let unwrap = |arguments: &[&str]| {
        let told = succeed(bozzetto().args(["bench", "unwrap", "--json"]).args(arguments));
        serde_json::from_str::<serde_json::Value>(&told).expect("JSON")
    };
    let told = unwrap(&[
        "--faces",
        "2000",
        "--texture",
        "256",
        "--bare",
        bare.to_str().expect("text"),
    ]);
    let stretch = told["quality"]["stretch"].as_f64().expect("a number");
    assert!(
        (1.0..1.5).contains(&stretch) && told["secs"].as_f64() > Some(0.0),
        "{told}"
    );
    let again = unwrap(&[bare.to_str().expect("text"), "--texture", "256"]);
    assert_eq!(again["quality"], told["quality"], "it is the mesh that was laid out");
    // Two triangles of a square, each in a corner of its own.
    let square = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt .4 0\nvt .4 .4\nvt .6 .6\nvt 1 1\nvt .6 1\n";
    let faces = "f 1/1 2/2 3/3\nf 1/4 3/5 4/6\n";
    std::fs::write(&laid_out, format!("{square}{faces}")).expect("written");
    let told = unwrap(&["--as-it-is", laid_out.to_str().expect("text")]);
    assert_eq!(told["quality"]["num_charts"], 2, "{told}");
    assert!(
        (told["quality"]["coverage"].as_f64().expect("a number") - 0.16).abs() < 1e-6,
        "{told}"
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_cancels_and_leaves_no_partial_file() {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;

    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.glb");
    let mut child = bozzetto()
        .arg("generate")
        .arg(example_views())
        .args(["--set", "carve.resolution=320", "--json", "-o"])
        .arg(&out)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stdout = child.stdout.take().expect("piped");
    let mut lines = BufReader::new(stdout).lines();
    let started = lines
        .by_ref()
        .map_while(Result::ok)
        .any(|line| line.contains("\"stage\":\"fit\""));
    assert!(started, "the run reached its second stage");
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(killed.success());
    for _ in lines.map_while(Result::ok) {}
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("readable").collect();
    assert!(left.is_empty(), "{left:?}");
}
