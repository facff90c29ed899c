//! `bozzetto-trellis bench`: how long the released networks take, with weights drawn at random, beside the arithmetic floor.

use std::time::Instant;

use tch::{Cuda, Device, Kind, Tensor};

use crate::flow::{FlowConfig, FlowTransformer, SlatFlow, StructureFlow};
use crate::layers::{Precision, can_compute_in_eight_bits};
use crate::torch::{cuda_memory, load_cuda, reset_peak_cuda_memory};
use crate::weights::Weights;
use crate::{Result, TrellisError};

/// Rate of the floor: what an H200 reaches in bf16 products.
const OPERATIONS_PER_SEC: f64 = 790e12;
/// Runs of which the median is told, after one that is not.
const NUM_RUNS: usize = 7;
/// Tokens of a latent and of the picture's features, as upstream was measured with.
const LATENTS: [(i64, i64); 4] = [(3_032, 1_029), (13_688, 4_101), (31_064, 4_101), (51_760, 4_101)];
/// Where a processor computes, what can be waited for.
const SMALL: (i64, i64) = (256, 65);

/// A line of the table.
struct Row {
    what: String,
    num_tokens: i64,
    num_condition_tokens: i64,
    /// Evaluations in one run.
    num_evaluations: f64,
    secs: f64,
    peak_bytes: u64,
}

/// Measures one evaluation of the flows and gives the lines of a table, the first of which says on what.
pub fn run() -> Result<Vec<String>> {
    let _no_gradients = tch::no_grad_guard();
    let device = load_cuda();
    let kind = if device.is_cuda() { Kind::BFloat16 } else { Kind::Float };
    let mut rows = Vec::new();
    structure(device, kind, &mut rows)?;
    latents(device, kind.into(), &mut rows)?;
    if can_compute_in_eight_bits(device) {
        latents(device, Precision::eight_bit(kind), &mut rows)?;
    }
    let flow = FlowConfig::released(32, 32);
    let header =
        format!("{device:?}, {kind:?}, median of {NUM_RUNS}; floor: operations at 790 TFLOP/s, whatever the bits");
    let columns = "what | tokens | condition | ms | floor ms | times the floor | peak GiB".to_owned();
    Ok([header, columns]
        .into_iter()
        .chain(rows.iter().map(|row| line(row, &flow)))
        .collect())
}

fn line(row: &Row, flow: &FlowConfig) -> String {
    let (tokens, condition) = (row.num_tokens as f64, row.num_condition_tokens as f64);
    let floor = row.num_evaluations * flow.operations(tokens, condition) / OPERATIONS_PER_SEC;
    format!(
        "{} | {} | {} | {:.1} | {:.1} | {:.2} | {:.2}",
        row.what,
        row.num_tokens,
        row.num_condition_tokens,
        row.secs * 1e3,
        floor * 1e3,
        row.secs / floor,
        row.peak_bytes as f64 / f64::from(1 << 30)
    )
}

fn structure(device: Device, kind: Kind, rows: &mut Vec<Row>) -> Result<()> {
    let config = if device.is_cuda() {
        FlowConfig::released(8, 8)
    } else {
        FlowConfig {
            resolution: 6,
            ..FlowConfig::released(8, 8)
        }
    };
    let flow = StructureFlow::new(&Weights::drawn(device), &config, kind)?;
    let x = Tensor::f_randn(flow.noise_shape(), (Kind::Float, device))?;
    let num_condition_tokens = if device.is_cuda() { LATENTS[0].1 } else { SMALL.1 };
    let with = flow
        .transformer()
        .condition(&features(&config, num_condition_tokens, device)?)?;
    let without = flow.transformer().no_condition()?;
    for (what, conditions) in [
        ("structure flow", vec![&with]),
        ("structure flow, guided", vec![&with, &without]),
    ] {
        let (secs, peak_bytes) = measured(device, || flow.forward(&x, 0.7, &conditions))?;
        rows.push(Row {
            what: what.to_owned(),
            num_tokens: config.resolution.pow(3),
            num_condition_tokens,
            num_evaluations: conditions.len() as f64,
            secs,
            peak_bytes,
        });
    }
    Ok(())
}

fn latents(device: Device, precision: Precision, rows: &mut Vec<Row>) -> Result<()> {
    let config = FlowConfig::released(32, 32);
    let flow = SlatFlow::new(&Weights::drawn(device), &config, precision)?;
    let bits = if precision.has_eight_bit_linears {
        ", 8-bit layers"
    } else {
        ""
    };
    let sizes = if device.is_cuda() {
        LATENTS.to_vec()
    } else {
        vec![SMALL]
    };
    for (num_tokens, num_condition_tokens) in sizes {
        let float = (Kind::Float, device);
        let x = Tensor::f_randn([num_tokens, config.in_channels], float)?;
        let coords = Tensor::f_randint(64, [num_tokens, 3], (Kind::Int64, device))?;
        let tokens = flow.tokens(&coords, None)?;
        let transformer: &FlowTransformer = flow.transformer();
        let with = transformer.condition(&features(&config, num_condition_tokens, device)?)?;
        let without = transformer.no_condition()?;
        // Without the picture there is nothing to attend to.
        let cases = [
            ("", &with, num_condition_tokens),
            (", without the picture", &without, 0),
        ];
        for (seen, condition, num_condition_tokens) in cases {
            let (secs, peak_bytes) = measured(device, || flow.forward(&x, &tokens, 0.7, &[condition]))?;
            rows.push(Row {
                what: format!("latent flow{seen}{bits}"),
                num_tokens,
                num_condition_tokens,
                num_evaluations: 1.0,
                secs,
                peak_bytes,
            });
        }
    }
    Ok(())
}

fn features(config: &FlowConfig, num_tokens: i64, device: Device) -> Result<Tensor> {
    Ok(Tensor::f_randn(
        [1, num_tokens, config.cond_channels],
        (Kind::Float, device),
    )?)
}

/// Median time of a computation, and the most memory that tensors took during it.
fn measured(device: Device, mut compute: impl FnMut() -> Result<Vec<Tensor>>) -> Result<(f64, u64)> {
    if let Device::Cuda(index) = device {
        reset_peak_cuda_memory(index)?;
    }
    let mut secs = Vec::with_capacity(NUM_RUNS);
    for run in 0..=NUM_RUNS {
        wait_for(device);
        let started = Instant::now();
        let made = compute()?;
        wait_for(device);
        let is_warm = run > 0;
        if is_warm {
            secs.push(started.elapsed().as_secs_f64());
        } else if !bool::try_from(made[0].f_isfinite()?.f_all()?)? {
            return Err(TrellisError::Invalid(
                "The computation gave numbers that are none".to_owned(),
            ));
        }
    }
    secs.sort_by(f64::total_cmp);
    let peak_bytes = match device {
        Device::Cuda(index) => cuda_memory(index)?.peak,
        _ => 0,
    };
    Ok((secs[NUM_RUNS / 2], peak_bytes))
}

fn wait_for(device: Device) {
    if let Device::Cuda(index) = device {
        Cuda::synchronize(index as i64);
    }
}
