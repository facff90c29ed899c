//! The tiny set of weights has the released layout, loads whole, and makes a small something of every seed.

use std::collections::BTreeSet;
use std::path::Path;

use bozzetto_trellis::networks::{Network, Networks, TRELLIS2};
use bozzetto_trellis::pipeline::{self, FlowSize};
use bozzetto_trellis::preprocess::prepare;
use bozzetto_trellis::random_set::{self, Size};
use bozzetto_trellis::sampler::SamplerParams;
use bozzetto_trellis::sparse::ScratchMemory;
use bozzetto_trellis::torch::RandomState;
use bozzetto_trellis::weights::Library;
use image::{DynamicImage, RgbImage};
use tch::Device;

fn networks(folder: &Path) -> Networks {
    random_set::make(folder, Size::Tiny).expect("written");
    let library = Library::new(TRELLIS2, Some(folder.to_owned())).with_hub(folder.join("no-cache"));
    Networks::new(library, Device::Cpu).expect("a pipeline")
}

fn picture() -> RgbImage {
    RgbImage::from_fn(90, 60, |x, y| image::Rgb([(2 * x) as u8, (4 * y) as u8, 60]))
}

#[test]
fn every_network_loads() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut networks = networks(folder.path());
    networks.check(&Network::ALL).expect("all are there");
    for network in Network::ALL {
        networks
            .load(&[network])
            .unwrap_or_else(|error| panic!("{network:?}: {error}"));
    }
    let bytes = num_bytes(folder.path());
    assert!(bytes < 4 << 20, "{bytes} bytes are not tiny");
}

fn num_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let size = |path: &Path| {
        if path.is_dir() {
            num_bytes(path)
        } else {
            path.metadata().expect("a file").len()
        }
    };
    entries.map(|entry| size(&entry.expect("an entry").path())).sum()
}

#[test]
fn every_seed_makes_another_small_surface() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut networks = networks(folder.path());
    let cut_out = prepare(&DynamicImage::ImageRgb8(picture()), |picture| {
        pipeline::matte(&mut networks, picture)
    });
    let features = pipeline::features(&mut networks, &cut_out.expect("an object"), 512).expect("features");
    let params: SamplerParams = serde_json::from_value(serde_json::json!({
        "steps": 3, "rescale_t": 3.0, "guidance_strength": 3.0, "guidance_rescale": 0.5, "guidance_interval": [0.6, 1.0]
    }))
    .expect("parameters");
    let (size, scratch) = (FlowSize::Flow512, ScratchMemory::bytes(1 << 26));
    let mut structures = BTreeSet::new();
    for seed in 1..=3 {
        tch::manual_seed(seed);
        let random = RandomState::current().expect("a generator");
        let structure =
            pipeline::structure(&mut networks, &features, &params, &random, &mut |_| Ok(())).expect("voxels");
        let coords = structure.coords(32).expect("voxels");
        assert!((10..300).contains(&coords.len()), "{} voxels", coords.len());
        let mut keep_on = |_, _| Ok(());
        let shape = pipeline::shape(
            &mut networks,
            size,
            &features,
            &coords,
            &params,
            &structure.random,
            &mut keep_on,
        );
        let shape = shape.expect("a shape");
        let material = pipeline::material(
            &mut networks,
            size,
            &features,
            &shape,
            &params,
            &shape.random,
            &mut keep_on,
        );
        let material = material.expect("a material");
        let decoded =
            pipeline::decode(&mut networks, &shape, &material, 512, scratch, &mut keep_on).expect("a surface");
        assert!(
            decoded.mesh.triangles.len() > 100,
            "{} triangles",
            decoded.mesh.triangles.len()
        );
        assert!(
            decoded.mesh.positions.len() < 30_000,
            "{} vertices",
            decoded.mesh.positions.len()
        );
        assert_eq!(decoded.mesh.positions.len(), decoded.volume.coords.len());
        println!(
            "{} voxels, {} vertices, {} triangles",
            coords.len(),
            decoded.mesh.positions.len(),
            decoded.mesh.triangles.len()
        );
        structures.insert(coords.data);
    }
    assert_eq!(structures.len(), 3, "the structure depends on the seed");
}
