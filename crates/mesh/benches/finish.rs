//! Each step of the chain on a noisy sphere of 328 k faces.

use std::hint::black_box;

use bozzetto_asset::PbrSample;
use bozzetto_mesh::bake::{self, BakeOptions, Surface};
use bozzetto_mesh::nearest::SearchTree;
use bozzetto_mesh::{
    Control, RemeshSettings, Simplifier, compute_tangents, drop_bad_faces, fill_holes, orient_outward, remesh,
    remove_small_components, shapes, simplify, split_non_manifold, unwrap, weld,
};
use criterion::{Criterion, criterion_group, criterion_main};

const TARGET_FACES: usize = 50_000;
const TEXTURE_PX: u32 = 2048;

fn steps(criterion: &mut Criterion) {
    let control = Control::silent();
    let raw = shapes::noisy_sphere(7, 0.02, 40.0, 0.0005);
    let simplifier = Simplifier::new(&raw);
    let source = simplifier.source().clone();
    let tree = SearchTree::new(&source);
    let coarse = simplifier.simplified(TARGET_FACES);
    let unwrapped = unwrap(&coarse, TEXTURE_PX, 4, &control).map_or_else(|error| panic!("{error}"), |done| done.mesh);
    let target = compute_tangents(&unwrapped, &control).unwrap_or_else(|error| panic!("{error}"));
    let volume = shapes::shell(&raw, 256, &|point| PbrSample {
        base_color: (point + 0.5).to_array(),
        alpha: 1.0,
        metallic: 0.0,
        roughness: point.x + 0.5,
    });
    let surface = Surface {
        mesh: &source,
        tree: &tree,
        occlusion: None,
    };
    let options = BakeOptions {
        texture_px: TEXTURE_PX,
        has_normal_map: true,
        has_orm: true,
    };

    let mut group = criterion.benchmark_group("finish");
    group.sample_size(10);
    group.bench_function("weld", |b| b.iter(|| weld(black_box(&raw), 1e-6, &control)));
    group.bench_function("clean", |b| b.iter(|| drop_bad_faces(black_box(&raw), &control)));
    group.bench_function("orient", |b| b.iter(|| orient_outward(black_box(&raw), &control)));
    group.bench_function("split", |b| b.iter(|| split_non_manifold(black_box(&raw), &control)));
    group.bench_function("remove specks", |b| {
        b.iter(|| remove_small_components(black_box(&raw), 1e-4, &control));
    });
    group.bench_function("fill holes", |b| b.iter(|| fill_holes(black_box(&raw), 0.25, &control)));
    for resolution in [256, 512] {
        let settings = RemeshSettings {
            resolution,
            ..RemeshSettings::default()
        };
        group.bench_function(format!("remesh at {resolution}"), |b| {
            b.iter(|| remesh(black_box(&raw), &settings, &control));
        });
    }
    group.bench_function("index", |b| b.iter(|| SearchTree::new(black_box(&source))));
    group.bench_function("simplify at once", |b| {
        b.iter(|| simplify(black_box(&source), TARGET_FACES, &control));
    });
    let million = Simplifier::new(&shapes::torus(0.3, 0.12, 1000, 500));
    for target in [950_000, 500_000, 100_000, 10_000] {
        group.bench_function(format!("slider at {target} of a million"), |b| {
            b.iter(|| million.simplified(target));
        });
    }
    group.bench_function("unwrap", |b| {
        b.iter(|| unwrap(black_box(&coarse), TEXTURE_PX, 4, &control));
    });
    group.bench_function("tangents", |b| {
        b.iter(|| compute_tangents(black_box(&unwrapped), &control));
    });
    group.bench_function("occlusion", |b| {
        b.iter(|| bake::vertex_occlusion(&source, &tree, 0.1, &control));
    });
    group.bench_function("bake", |b| {
        b.iter(|| bake::from_volume(surface, &target, &volume, options, &control));
    });
    group.bench_function("bake and dilate", |b| {
        b.iter(|| {
            let mut baked = bake::from_volume(surface, &target, &volume, options, &control)?;
            baked.dilate(&control)?;
            Ok::<_, bozzetto_mesh::MeshError>(baked.into_material())
        });
    });
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
