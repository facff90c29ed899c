//! Eight known views to a painted solid at the default grid.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Duration;

use common::scene::Scene;
use common::{generate, params};
use criterion::{Criterion, criterion_group, criterion_main};

fn eight_views(criterion: &mut Criterion) {
    let views = Scene::synthetic().turntable(8, &[20.0, -15.0], 1024);
    let mut group = criterion.benchmark_group("generate");
    group.sample_size(10).measurement_time(Duration::from_mins(1));
    group.bench_function("eight views", |bencher| bencher.iter(|| generate(&views, &params(&[]))));
    group.finish();
}

criterion_group!(benches, eight_views);
criterion_main!(benches);
