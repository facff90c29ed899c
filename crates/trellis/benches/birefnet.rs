//! How long it takes to cut an object out of a picture, with weights at random: the released BiRefNet at 1024 pixels.
//!
//! ```text
//! cargo bench -p bozzetto-trellis --bench birefnet [-- PIXELS_ALONG_AN_EDGE]
//! ```
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use std::time::Instant;

use bozzetto_trellis::Result;
use bozzetto_trellis::birefnet::{BiRefNet, BiRefNetConfig, SIDE_PX};
use bozzetto_trellis::torch::{cuda_memory, load_cuda, reset_peak_cuda_memory};
use bozzetto_trellis::weights::Weights;
use tch::{Device, Kind, Tensor};

const RUNS: usize = 5;

fn main() -> Result<()> {
    let device = load_cuda();
    let side = std::env::args().skip(1).find_map(|text| text.parse::<i64>().ok());
    // `cargo test` runs this too, to see that it works.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let num_runs = if is_bench || side.is_some() { RUNS } else { 1 };
    let side = side.unwrap_or(if is_bench { i64::from(SIDE_PX) } else { 64 });
    let _guard = tch::no_grad_guard();
    for kind in [Kind::Float, Kind::Half] {
        if kind == Kind::Half && device == Device::Cpu {
            continue;
        }
        let network = BiRefNet::new(&Weights::drawn(device), &BiRefNetConfig::released(), kind)?;
        let picture = Tensor::f_randn([1, 3, side, side], (Kind::Float, device))?;
        if let Device::Cuda(card) = device {
            reset_peak_cuda_memory(card)?;
        }
        let mut times = Vec::new();
        for _ in 0..num_runs {
            let start = Instant::now();
            let logits = network.forward(&picture)?;
            // Reading a number waits for the device.
            assert!(bool::try_from(logits.isfinite().f_all()?)?, "numbers that are none");
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_unstable_by(f64::total_cmp);
        println!(
            "{device:?} {kind:?} {side} pixels: median of {num_runs} {:.1} ms",
            times[num_runs / 2]
        );
        if let Device::Cuda(card) = device {
            println!(
                "peak memory: {:.2} GiB",
                cuda_memory(card)?.peak as f64 / f64::from(1 << 30)
            );
        }
    }
    Ok(())
}
