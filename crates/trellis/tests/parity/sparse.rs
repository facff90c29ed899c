//! Sparse operations do what upstream's do.

use crate::support::{Fixture, assert_close, assert_same};
use bozzetto_trellis::sparse::{
    Level, NeighbourMap, ScratchMemory, SubmanifoldConv, VoxelTree, padded, spatial_to_channel,
};
use bozzetto_trellis::weights::Weights;
use tch::{Device, Kind, Tensor};

/// Chunks of a single voxel, of a few, and all at once.
const SCRATCH: [usize; 3] = [1, 20_000, 1 << 30];

#[test]
fn a_convolution_gives_upstreams_numbers() {
    let fixture = Fixture::open("sparse");
    let level = Level::new(fixture.tensor("coords")).expect("voxels");
    let conv = fixture.part(|weights| SubmanifoldConv::new(&weights.at("conv"), 16, 5, Kind::Float));
    for bytes in SCRATCH {
        let features = padded(&fixture.tensor("features")).expect("a row more");
        let found = Tensor::full([level.num_voxels(), 5], f64::NAN, (Kind::Float, Device::Cpu));
        conv.forward_into(&found, &features, level.neighbours(), None, ScratchMemory::bytes(bytes))
            .expect("numbers");
        assert_close(&found, &fixture.tensor("conv"), "convolution");
    }
}

#[test]
fn children_and_parents_are_upstreams() {
    let fixture = Fixture::open("sparse");
    let (coords, features) = (fixture.tensor("coords"), fixture.tensor("features"));
    for bytes in SCRATCH {
        let mut tree = VoxelTree::new(coords.shallow_clone()).expect("voxels");
        tree.subdivide(&fixture.tensor("subdivision"), ScratchMemory::bytes(bytes))
            .expect("children");
        assert_same(
            tree.finest().coords(),
            &fixture.tensor("children.coords"),
            "coordinates of children",
        );
        let children = tree.subdivisions()[0].channel_to_spatial(&features).expect("features");
        assert!(children.equal(&fixture.tensor("children.features")));
        let searched = NeighbourMap::search(tree.finest().coords()).expect("neighbours");
        assert!(tree.finest().neighbours().rows().equal(searched.rows()));
    }

    let parents = spatial_to_channel(&coords, &features).expect("parents");
    assert_same(
        &parents.coords,
        &fixture.tensor("parents.coords"),
        "coordinates of parents",
    );
    assert!(parents.features.equal(&fixture.tensor("parents.features")));
    // Each child finds its features again.
    let again = parents
        .features
        .view([-1, features.size()[1]])
        .index_select(0, &parents.places);
    assert!(again.equal(&features));
    assert_eq!(parents.coords.kind(), Kind::Int);
}

#[test]
fn a_convolution_asks_for_the_checkpoints_shapes() {
    let load = |weights: &Weights<'_>| SubmanifoldConv::new(&weights.at("blocks.0.4.conv1"), 1024, 4096, Kind::Half);
    let asked = bozzetto_trellis::weights::record(load).expect("no file is needed");
    assert_eq!(asked["blocks.0.4.conv1.weight"].shape, [4096, 3, 3, 3, 1024]);
    assert_eq!(asked["blocks.0.4.conv1.bias"].shape, [4096]);
}
