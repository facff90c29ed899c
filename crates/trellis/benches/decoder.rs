//! How long the released shape decoder takes, with weights at random, for the voxels of a ball's surface at 1024.
//!
//! ```text
//! cargo bench -p bozzetto-trellis --bench decoder [-- TOKENS_ALONG_AN_EDGE [MEBIBYTES_OF_SCRATCH]]
//! ```
//!
//! A graphics card is used where there is one. `decoder_upstream.py` times upstream's decoder on the same voxels. Which children
//! voxels have is given: the decoder's own word is a linear layer of eight channels, 0.02 % of the work.
//!
//! The floor is arithmetic alone: products with neighbours that are there, and linear layers, at 790 TFLOP/s (an H200's f16).
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use std::time::{Duration, Instant};

use bozzetto_trellis::Result;
use bozzetto_trellis::decoder::{DecoderConfig, MaterialDecoder};
use bozzetto_trellis::dual_grid::{DualGrid, material_volume};
use bozzetto_trellis::sparse::{Level, ScratchMemory, VoxelTree};
use bozzetto_trellis::torch::{cuda_memory, load_cuda, reset_peak_cuda_memory};
use bozzetto_trellis::weights::Weights;
use tch::{Cuda, Device, Kind, Tensor};

const RUNS: usize = 9;
const FLOPS_PER_SECOND: f64 = 790e12;
/// The ball's radius, in lengths of the cube's edge.
const RADIUS: f64 = 26.0 / 64.0;

fn main() -> Result<()> {
    let numbers: Vec<i64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let device = load_cuda();
    // `cargo test` runs this too, to see that it works.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let default_side = match (is_bench, device) {
        (true, Device::Cuda(_)) => 64,
        (true, _) => 8,
        (false, _) => 2,
    };
    let num_runs = if is_bench || !numbers.is_empty() { RUNS } else { 1 };
    let side = numbers.first().copied().unwrap_or(default_side);
    let scratch = ScratchMemory::bytes(numbers.get(1).map_or(1 << 30, |&mebibytes| (mebibytes as usize) << 20));
    let kind = if device.is_cuda() { Kind::Half } else { Kind::Float };
    let _guard = tch::no_grad_guard();

    let config = DecoderConfig::released();
    let decoder = MaterialDecoder::new(&Weights::drawn(device), &config, kind)?;
    let (coords, masks) = ball(side, config.channels.len() - 1, device)?;
    let latent = Tensor::f_randn([coords.size()[0], config.latent_channels], (Kind::Float, device))?;
    let tree_of = || -> Result<VoxelTree> {
        let mut tree = VoxelTree::new(coords.shallow_clone())?;
        for mask in &masks {
            tree.subdivide(mask, scratch)?;
        }
        Ok(tree)
    };

    let tree = tree_of()?;
    let counts: Vec<i64> = tree.levels().iter().map(Level::num_voxels).collect();
    let flops = num_flops(&config, &tree)?;
    println!("{device:?}, {counts:?} voxels, {:.1} TFLOP of work", flops / 1e12);
    drop(tree);

    let mut times = Vec::new();
    for _ in 0..num_runs {
        if let Device::Cuda(card) = device {
            reset_peak_cuda_memory(card)?;
        }
        let start = now(device);
        let tree = tree_of()?;
        let after_tree = now(device);
        let attributes = decoder.decode(&latent, &tree, scratch, &mut |_, _| Ok(()))?;
        let end = now(device);
        assert!(bool::try_from(attributes.isfinite().f_all()?)?, "numbers that are none");
        times.push((end - start, after_tree - start));
    }
    times.sort_unstable();
    let (median, tree_time) = times[num_runs / 2];
    println!(
        "median of {num_runs}: {:.1} ms, of which {:.1} ms for who neighbours whom; fastest {:.1} ms, slowest {:.1} ms",
        millis(median),
        millis(tree_time),
        millis(times[0].0),
        millis(times[num_runs - 1].0)
    );
    let tree = tree_of()?;
    let mut starts = Vec::new();
    let attributes = decoder.decode(&latent, &tree, scratch, &mut |_, _| {
        starts.push(now(device));
        Ok(())
    })?;
    starts.push(now(device));
    print_levels(&config, &starts);
    let features = Tensor::f_randn([attributes.size()[0], 7], (Kind::Float, device))?;
    let resolution = (side << (config.channels.len() - 1)) as u32;
    let mut surface_times = Vec::new();
    for _ in 0..num_runs {
        let start = now(device);
        let mesh = DualGrid::from_features(&features)?.mesh(tree.finest(), resolution)?;
        let after_mesh = now(device);
        let volume = material_volume(tree.finest(), &attributes, resolution)?;
        let times = (after_mesh - start, after_mesh.elapsed());
        surface_times.push((times, mesh.triangles.len(), volume.coords.len()));
    }
    surface_times.sort_unstable();
    let ((mesh_time, volume_time), num_triangles, num_voxels) = surface_times[num_runs / 2];
    println!(
        "surface of {num_triangles} triangles in host memory: {:.1} ms; materials of {num_voxels} voxels: {:.1} ms",
        millis(mesh_time),
        millis(volume_time)
    );
    println!("floor: {:.1} ms at 790 TFLOP/s", flops / FLOPS_PER_SECOND * 1e3);
    if let Device::Cuda(card) = device {
        println!(
            "peak memory: {:.2} GiB",
            cuda_memory(card)?.peak as f64 / f64::from(1 << 30)
        );
    }
    Ok(())
}

/// From the times at which blocks began, in order, and the end: what levels take when the device is waited for after each
/// block. The first block of a level also sorts its voxels; the last one of all leaves the network as well.
fn print_levels(config: &DecoderConfig, starts: &[Instant]) {
    let times: Vec<f64> = starts.windows(2).map(|pair| millis(pair[1] - pair[0])).collect();
    let mut first = 0;
    for (level, &num_blocks) in config.num_blocks.iter().enumerate() {
        let blocks: Vec<String> = times[first..first + num_blocks]
            .iter()
            .map(|time| format!("{time:.2}"))
            .collect();
        first += num_blocks;
        if let Some(up) = times.get(first) {
            println!(
                "level {level}: blocks of {} ms, to the next level {up:.2} ms",
                blocks.join(" + ")
            );
            first += 1;
        }
    }
}

/// Voxels of a grid that the ball's surface runs through, and which of their children it runs through, level by level.
fn ball(side: i64, num_levels: usize, device: Device) -> Result<(Tensor, Vec<Tensor>)> {
    let ramp = Tensor::f_arange(side, (Kind::Int, device))?;
    let grid = Tensor::f_meshgrid_indexing(&[&ramp, &ramp, &ramp], "ij")?;
    let all = Tensor::f_stack(&grid, -1)?.f_view([-1, 3])?;
    let mut voxels = all.f_index_select(0, &surface(&all, side)?.f_nonzero()?.f_squeeze_dim(1)?)?;
    let coords = voxels.f_constant_pad_nd([1, 0])?;
    let numbers = Tensor::f_arange(8, (Kind::Int, device))?;
    let steps: Vec<Tensor> = (0..3)
        .map(|axis| numbers.bitwise_right_shift_tensor_scalar(axis).bitwise_and(1))
        .collect();
    let steps = Tensor::f_stack(&steps, -1)?; // [8, 3]
    let mut masks = Vec::new();
    for level in 0..num_levels {
        let children = voxels.f_mul_scalar(2)?.f_unsqueeze(1)?.f_add(&steps)?.f_view([-1, 3])?;
        let is_there = surface(&children, side << (level + 1))?;
        voxels = children.f_index_select(0, &is_there.f_nonzero()?.f_squeeze_dim(1)?)?;
        masks.push(is_there.f_view([-1, 8])?);
    }
    Ok((coords, masks))
}

/// Whether the nearest point of a voxel lies within the ball and the farthest outside.
fn surface(voxels: &Tensor, side: i64) -> Result<Tensor> {
    let low = voxels.f_to_kind(Kind::Float)?.f_sub_scalar(side as f64 / 2.0)?;
    let high = low.f_add_scalar(1.0)?;
    let farthest = low.f_abs()?.f_maximum(&high.f_abs()?)?;
    // Voxels touch the planes through the centre and never cross them.
    let nearest = low.f_abs()?.f_minimum(&high.f_abs()?)?;
    let length = |x: &Tensor| x.f_norm_scalaropt_dim(2.0, [1], false);
    let radius = RADIUS * side as f64;
    Ok(length(&nearest)?
        .f_le(radius)?
        .f_logical_and(&length(&farthest)?.f_ge(radius)?)?)
}

/// Two for each product of a number with a weight that has to be made.
fn num_flops(config: &DecoderConfig, tree: &VoxelTree) -> Result<f64> {
    let mut products = 0.0;
    for (index, level) in tree.levels().iter().enumerate() {
        let num_voxels = level.num_voxels();
        let pairs = i64::try_from(level.neighbours().rows().f_lt(num_voxels)?.f_sum(Kind::Int64)?)? as f64;
        let channels = config.channels[index] as f64;
        let num_blocks = config.num_blocks[index] as f64;
        products += num_blocks * (pairs * channels * channels + num_voxels as f64 * 8.0 * channels * channels);
        if index > 0 {
            products += pairs * channels * channels;
        }
        if let Some(subdivision) = tree.subdivisions().get(index) {
            let children = subdivision.num_children() as f64;
            products += children * pairs / num_voxels as f64 * channels * config.channels[index + 1] as f64;
        }
    }
    Ok(2.0 * products)
}

fn now(device: Device) -> Instant {
    if let Device::Cuda(card) = device {
        Cuda::synchronize(card as i64);
    }
    Instant::now()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
