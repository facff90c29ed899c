//! The whole pipeline gives upstream's voxels, latents, surface and materials, for all four kinds, from files in the released
//! layout; and random numbers are upstream's.

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "parity/support.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use bozzetto_asset::color::linear_from_srgb;
use bozzetto_trellis::networks::{Networks, TRELLIS2};
use bozzetto_trellis::pipeline::{self, FlowSize, HostTensor, Latent, PipelineKind};
use bozzetto_trellis::sampler::SamplerParams;
use bozzetto_trellis::sparse::ScratchMemory;
use bozzetto_trellis::torch::RandomState;
use bozzetto_trellis::weights::Library;
use safetensors::SafeTensors;
use safetensors::tensor::serialize_to_file;
use serde_json::{Value, json};
use support::{Fixture, assert_close, assert_same};
use tch::{Device, Kind, Tensor};

const AMPLE: ScratchMemory = ScratchMemory::bytes(1 << 28);

/// Random numbers come from one generator a process: one test at a time may draw them.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The fixture's networks, laid out as they are released.
struct Released {
    folder: tempfile::TempDir,
    samplers: Value,
    seed: i64,
}

static RELEASED: LazyLock<Released> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pipeline.safetensors");
    let bytes = fs::read(path).expect("a fixture");
    let (_, header) = SafeTensors::read_metadata(&bytes).expect("a fixture");
    let facts = header.metadata().clone().expect("facts");
    let fact = |key: &str| -> Value { serde_json::from_str(&facts[key]).expect("JSON") };
    let folder = tempfile::tempdir().expect("a folder");
    let ckpts = folder.path().join("ckpts");
    fs::create_dir_all(&ckpts).expect("a folder");
    let tensors = SafeTensors::deserialize(&bytes).expect("a fixture");
    let networks = fact("networks");
    let networks = networks.as_object().expect("networks by name");
    for (name, description) in networks {
        fs::write(ckpts.join(format!("{name}.json")), description.to_string()).expect("written");
        let prefix = format!("{name}.");
        let own = tensors
            .iter()
            .filter_map(|(key, view)| Some((key.strip_prefix(&prefix)?, view)));
        serialize_to_file(own, None, &ckpts.join(format!("{name}.safetensors"))).expect("written");
    }
    let models: serde_json::Map<_, _> = networks
        .keys()
        .map(|name| (name.clone(), json!(format!("ckpts/{name}"))))
        .collect();
    let pipeline = json!({"name": "Trellis2ImageTo3DPipeline", "args": {
        "models": models,
        "shape_slat_normalization": fact("shape_slat_normalization"),
        "tex_slat_normalization": fact("tex_slat_normalization"),
    }});
    fs::write(folder.path().join("pipeline.json"), pipeline.to_string()).expect("written");
    Released {
        folder,
        samplers: fact("samplers"),
        seed: facts["seed"].parse().expect("a number"),
    }
});

impl Released {
    fn networks(&self) -> Networks {
        let library = Library::new(TRELLIS2, Some(self.folder.path().to_owned()));
        Networks::new(library.with_hub(self.folder.path().join("no-cache")), Device::Cpu).expect("a pipeline")
    }

    fn sampler(&self, stage: &str) -> SamplerParams {
        serde_json::from_value(self.samplers[stage].clone()).expect("parameters")
    }
}

fn features(fixture: &Fixture, size: FlowSize) -> HostTensor {
    HostTensor::of(&fixture.tensor(&format!("features.{}", size.picture_px()))).expect("features")
}

/// Runs the stages that a kind consists of and compares what each makes.
fn compare(kind: PipelineKind) {
    let _alone = alone();
    let (released, fixture) = (&*RELEASED, Fixture::open("pipeline"));
    let id = kind.id();
    let expected = |part: &str| fixture.tensor(&format!("{id}.{part}"));
    let mut networks = released.networks();
    let close = [FlowSize::Flow512, FlowSize::Flow1024].map(|size| features(&fixture, size));
    let seen = |size| &close[usize::from(size == FlowSize::Flow1024)];
    tch::manual_seed(released.seed);
    let random = RandomState::current().expect("a generator");

    let params = released.sampler("structure");
    let structure = pipeline::structure(
        &mut networks,
        seen(FlowSize::Flow512),
        &params,
        &random,
        &mut |_| Ok(()),
    );
    let structure = structure.expect("a structure");
    let coords = structure.coords(kind.structure_resolution()).expect("voxels");

    let params = released.sampler("shape");
    let sample = |networks: &mut Networks, size: FlowSize, coords: &HostTensor<i32>, random: &RandomState| -> Latent {
        pipeline::shape(networks, size, seen(size), coords, &params, random, &mut |_, _| Ok(())).expect("a latent")
    };
    let (shape, resolution) = if kind.is_cascade() {
        let coarse = sample(&mut networks, FlowSize::Flow512, &coords, &structure.random);
        let finer = pipeline::finer_voxels(&mut networks, &coarse, AMPLE, &mut |_, _| Ok(())).expect("voxels");
        let limit = i64::try_from(expected("limit")).expect("a number") as usize;
        let (coords, resolution) = finer.at(kind.resolution(), limit).expect("voxels");
        (
            sample(&mut networks, FlowSize::Flow1024, &coords, &coarse.random),
            resolution,
        )
    } else {
        (
            sample(&mut networks, kind.size(), &coords, &structure.random),
            kind.resolution(),
        )
    };
    let on_processor = |tensor: &HostTensor| tensor.on(Device::Cpu).expect("a tensor");
    assert_eq!(
        i64::from(resolution),
        i64::try_from(expected("resolution")).expect("a number")
    );
    assert_same(
        &shape.coords.on(Device::Cpu).expect("a tensor"),
        &expected("coords"),
        "voxels of the latent",
    );
    assert_close(&on_processor(&shape.features), &expected("shape"), "shape");

    let params = released.sampler("material");
    let size = kind.size();
    let material = pipeline::material(
        &mut networks,
        size,
        seen(size),
        &shape,
        &params,
        &shape.random,
        &mut |_, _| Ok(()),
    );
    let material = material.expect("a latent");
    assert_close(&on_processor(&material.features), &expected("material"), "material");

    let decoded = pipeline::decode(&mut networks, &shape, &material, resolution, AMPLE, &mut |_, _| Ok(()));
    let decoded = decoded.expect("a surface");
    let positions: Vec<f32> = decoded.mesh.positions.iter().flat_map(glam::Vec3::to_array).collect();
    let upright = expected("vertices").index_select(1, &Tensor::from_slice(&[0_i64, 2, 1]));
    let upright = upright * Tensor::from_slice(&[1.0_f32, 1.0, -1.0]);
    assert_close(&Tensor::from_slice(&positions).view([-1, 3]), &upright, "vertices");
    let triangles: Vec<i64> = decoded
        .mesh
        .triangles
        .iter()
        .flatten()
        .map(|&corner| i64::from(corner))
        .collect();
    assert_same(
        &Tensor::from_slice(&triangles).view([-1, 3]),
        &expected("faces"),
        "faces",
    );
    let attributes = Vec::<Vec<f32>>::try_from(expected("attributes").clamp(0.0, 1.0)).expect("numbers");
    assert_eq!(decoded.volume.samples.len(), attributes.len());
    for (sample, attributes) in decoded.volume.samples.iter().zip(attributes) {
        let color = [0, 1, 2].map(|channel| linear_from_srgb(attributes[channel]));
        let found = [
            sample.base_color.as_slice(),
            &[sample.metallic, sample.roughness, sample.alpha],
        ]
        .concat();
        let expected = [color.as_slice(), &attributes[3..]].concat();
        assert!(
            found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4),
            "{found:?} {expected:?}"
        );
    }
}

#[test]
fn at_512_everything_is_upstreams() {
    compare(PipelineKind::Direct512);
}

#[test]
fn at_1024_everything_is_upstreams() {
    compare(PipelineKind::Direct1024);
}

#[test]
fn a_cascade_to_1024_is_upstreams() {
    compare(PipelineKind::Cascade1024);
}

#[test]
fn a_cascade_that_has_to_lower_its_resolution_is_upstreams() {
    compare(PipelineKind::Cascade1536);
}

#[test]
fn a_seed_gives_upstreams_noise() {
    let _alone = alone();
    let fixture = Fixture::open("samplers");
    tch::manual_seed(42);
    let shapes: [&[i64]; 3] = [&[1, 2, 3, 3, 3], &[21, 4], &[5, 2]];
    for (index, shape) in shapes.into_iter().enumerate() {
        let noise = Tensor::randn(shape, (Kind::Float, Device::Cpu));
        assert!(noise.equal(&fixture.tensor(&format!("noise.{index}"))), "noise {index}");
    }
}

#[test]
fn a_restored_generator_goes_on_as_before() {
    let _alone = alone();
    tch::manual_seed(7);
    let state = RandomState::current().expect("a generator");
    let numbers = || Vec::<f32>::try_from(Tensor::randn([40], (Kind::Float, Device::Cpu))).expect("floats");
    let first = numbers();
    assert_ne!(first, numbers());
    state.restore().expect("its own state");
    assert_eq!(first, numbers());
}
