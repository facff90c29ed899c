//! The decoders give upstream's voxels, numbers and surface, whatever memory they may use.

use crate::released::{assert_asks_for, keys};
use crate::support::{Fixture, assert_close, assert_same, relative_error};
use bozzetto_trellis::TrellisError;
use bozzetto_trellis::decoder::{DecoderConfig, MaterialDecoder, ShapeDecoder, ShapeVoxels};
use bozzetto_trellis::dual_grid::{DualGrid, material_volume};
use bozzetto_trellis::sparse::{Level, ScratchMemory, VoxelTree};
use bozzetto_trellis::weights::record;
use glam::{IVec3, Vec3};
use tch::{Kind, Tensor};

const AMPLE: usize = 1 << 30;
/// Less than a single voxel's share at the coarsest level, some voxels', and a few hundred voxels'.
const SCARCE: [usize; 3] = [1, 50_000, 1_000_000];
const RESOLUTION: u32 = 64;

fn shape_decoder(fixture: &Fixture) -> ShapeDecoder {
    fixture
        .load(|weights| ShapeDecoder::new(weights, &DecoderConfig::tiny(), Kind::Float))
        .expect("a decoder")
}

fn decoded(fixture: &Fixture, scratch: usize) -> ShapeVoxels {
    let (coords, latent) = (fixture.tensor("latent.coords"), fixture.tensor("latent.features"));
    shape_decoder(fixture)
        .decode(&coords, &latent, ScratchMemory::bytes(scratch), &mut |_, _| Ok(()))
        .expect("voxels")
}

#[test]
fn the_shape_decoder_gives_upstreams_voxels() {
    let fixture = Fixture::open("shape_decoder");
    let ample = decoded(&fixture, AMPLE);
    assert_same(
        ample.tree.finest().coords(),
        &fixture.tensor("voxels.coords"),
        "coordinates",
    );
    assert_close(&ample.features, &fixture.tensor("voxels.features"), "features");
    for (index, subdivision) in ample.tree.subdivisions().iter().enumerate() {
        let expected = fixture.tensor(&format!("subdivision.{index}")).gt(0.0);
        let expected_children = i64::try_from(expected.sum(Kind::Int64)).expect("a count");
        assert_eq!(subdivision.num_children(), expected_children, "level {index}");
    }
    for bytes in SCARCE {
        let scarce = decoded(&fixture, bytes);
        assert_same(
            scarce.tree.finest().coords(),
            ample.tree.finest().coords(),
            "coordinates",
        );
        let error = relative_error(&scarce.features, &ample.features);
        assert!(error < 2e-6, "{bytes} bytes: {error:e}");
    }
}

#[test]
fn upsampling_gives_the_voxels_of_the_cascade() {
    let fixture = Fixture::open("shape_decoder");
    let decoder = shape_decoder(&fixture);
    let (coords, latent) = (fixture.tensor("latent.coords"), fixture.tensor("latent.features"));
    let upsample = |num_levels| {
        decoder.upsample(
            &coords,
            &latent,
            num_levels,
            ScratchMemory::bytes(AMPLE),
            &mut |_, _| Ok(()),
        )
    };
    assert_same(
        &upsample(4).expect("voxels"),
        &fixture.tensor("upsampled.coords"),
        "four levels",
    );
    assert_same(
        &upsample(2).expect("voxels"),
        &fixture.tensor("upsampled_twice.coords"),
        "two levels",
    );
    assert_same(&upsample(0).expect("voxels"), &coords, "no level");
    assert!(upsample(5).is_err());
}

#[test]
fn the_material_decoder_follows_the_shape() {
    let fixture = Fixture::open("material_decoder");
    let decoder = fixture
        .load(|weights| MaterialDecoder::new(weights, &DecoderConfig::tiny(), Kind::Float))
        .expect("a decoder");
    for bytes in [AMPLE].into_iter().chain(SCARCE) {
        let scratch = ScratchMemory::bytes(bytes);
        let mut tree = VoxelTree::new(fixture.tensor("latent.coords")).expect("voxels");
        for level in 0..4 {
            let logits = fixture.tensor(&format!("subdivision.{level}"));
            tree.subdivide(&logits.gt(0.0), scratch).expect("children");
        }
        let found = decoder.decode(&fixture.tensor("latent.features"), &tree, scratch, &mut |_, _| Ok(()));
        assert_same(tree.finest().coords(), &fixture.tensor("voxels.coords"), "coordinates");
        assert_close(&found.expect("materials"), &fixture.tensor("attributes"), "materials");
    }
    let other = VoxelTree::new(fixture.tensor("latent.coords")).expect("voxels");
    let found = decoder.decode(
        &fixture.tensor("latent.features"),
        &other,
        ScratchMemory::bytes(AMPLE),
        &mut |_, _| Ok(()),
    );
    assert!(found.is_err(), "a tree of one level");
}

#[test]
fn the_surface_is_upstreams() {
    let fixture = Fixture::open("shape_decoder");
    let voxels = decoded(&fixture, AMPLE);
    let mesh = DualGrid::from_features(&voxels.features)
        .and_then(|grid| grid.mesh(voxels.tree.finest(), RESOLUTION))
        .expect("a surface");
    assert_surface(&mesh, &fixture.tensor("mesh.vertices"), &fixture.tensor("mesh.faces"));
}

#[test]
fn quads_are_cut_and_left_out_as_upstream_does() {
    let fixture = Fixture::open("dual_grid");
    let level = Level::new(fixture.tensor("coords").constant_pad_nd([1, 0])).expect("voxels");
    let grid = DualGrid {
        offsets: fixture.tensor("offsets"),
        intersected: fixture.tensor("intersected"),
        split_weights: fixture.tensor("split_weights").squeeze_dim(1),
    };
    let mesh = grid.mesh(&level, 12).expect("a surface");
    assert_surface(&mesh, &fixture.tensor("vertices"), &fixture.tensor("faces"));
}

/// Upstream's mesh is z-up.
fn assert_surface(mesh: &bozzetto_asset::TriMesh, vertices: &Tensor, faces: &Tensor) {
    assert!(mesh.is_consistent());
    let positions: Vec<f32> = mesh.positions.iter().flat_map(|p| [p.x, -p.z, p.y]).collect();
    assert_close(&Tensor::from_slice(&positions).view([-1, 3]), vertices, "vertices");
    let corners: Vec<i64> = mesh
        .triangles
        .iter()
        .flatten()
        .map(|&corner| i64::from(corner))
        .collect();
    assert_same(&Tensor::from_slice(&corners).view([-1, 3]), faces, "faces");
}

#[test]
fn materials_lie_where_the_surface_does() {
    let coords = Tensor::from_slice(&[0, 1, 2, 3, 0, 7, 0, 5])
        .view([2, 4])
        .to_kind(Kind::Int);
    let level = Level::new(coords).expect("voxels");
    let attributes = Tensor::from_slice(&[0.5_f32, 0.25, 0.75, 0.1, 0.2, 0.3, -0.5, 1.5, 0.0, -1.0, 2.0, 1.0]);
    let volume = material_volume(&level, &attributes.view([2, 6]), 8).expect("a volume");
    assert_eq!(volume.coords, [IVec3::new(1, 3, 5), IVec3::new(7, 5, 7)]);
    let sample = volume.samples[0];
    assert!(
        (sample.base_color[0] - 0.214_041).abs() < 1e-5,
        "sRGB 0.5 is {}",
        sample.base_color[0]
    );
    assert_eq!((sample.metallic, sample.roughness, sample.alpha), (0.1, 0.2, 0.3));
    assert_eq!(volume.samples[1].base_color, [0.0, 1.0, 0.0]);
    assert_eq!((volume.samples[1].metallic, volume.samples[1].roughness), (0.0, 1.0));
    // A vertex in the middle of a voxel is the middle of the voxel's material.
    let grid = DualGrid {
        offsets: Tensor::full([2, 3], 0.5, (Kind::Float, tch::Device::Cpu)),
        intersected: Tensor::zeros([2, 3], (Kind::Bool, tch::Device::Cpu)),
        split_weights: Tensor::ones([2], (Kind::Float, tch::Device::Cpu)),
    };
    let mesh = grid.mesh(&level, 8).expect("vertices");
    for index in 0..2 {
        assert!(
            mesh.positions[index].abs_diff_eq(volume.center(index), 1e-6),
            "{:?}",
            mesh.positions[index]
        );
    }
    assert!(mesh.triangles.is_empty());
    assert!(mesh.positions[0].abs_diff_eq(Vec3::new(-0.3125, -0.0625, 0.1875), 1e-6));

    let nan = attributes.view([2, 6]) * f64::NAN;
    assert!(material_volume(&level, &nan, 8).is_err(), "no number");
    assert!(
        material_volume(&level, &attributes.view([2, 6]), 6).is_err(),
        "outside the grid"
    );
}

#[test]
fn progress_is_told_and_an_error_of_it_ends_the_work() {
    let fixture = Fixture::open("shape_decoder");
    let decoder = shape_decoder(&fixture);
    let (coords, latent) = (fixture.tensor("latent.coords"), fixture.tensor("latent.features"));
    let mut told = Vec::new();
    let mut run = |stop_at: usize| {
        decoder.decode(&coords, &latent, ScratchMemory::bytes(AMPLE), &mut |done, total| {
            told.push((done, total));
            let stops = done == stop_at;
            if stops {
                Err(TrellisError::Invalid("stop".to_owned()))
            } else {
                Ok(())
            }
        })
    };
    assert!(run(usize::MAX).is_ok());
    assert_eq!(run(3).expect_err("it is stopped").to_string(), "stop.");
    let all: Vec<_> = (0..9).map(|done| (done, 9)).collect();
    assert_eq!(told[..9], all);
    assert_eq!(told[9..], all[..4]);
}

#[test]
fn released_checkpoints_fit_key_by_key() {
    let config = DecoderConfig::released();
    let shape = record(|weights| ShapeDecoder::new(weights, &config, Kind::Half));
    assert_asks_for(shape, &keys("shape_decoder"));
    let material = record(|weights| MaterialDecoder::new(weights, &config, Kind::Half));
    assert_asks_for(material, &keys("material_decoder"));
}
