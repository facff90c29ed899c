//! Compares the latent flow in bf16 with upstream's: see `compare_flow.py`, which runs this.
//!
//! ```text
//! compare_flow WEIGHTS INPUTS_AND_OUTPUTS
//! ```
#![expect(clippy::print_stdout, reason = "it says how close the two are")]

use std::path::Path;

use bozzetto_trellis::Result;
use bozzetto_trellis::flow::{FlowConfig, SlatFlow};
use bozzetto_trellis::layers::Precision;
use bozzetto_trellis::torch::load_cuda;
use bozzetto_trellis::weights::Checkpoint;
use tch::{Kind, Tensor};

fn main() -> Result<()> {
    let files: Vec<_> = std::env::args().skip(1).collect();
    let [weights, run] = files.as_slice() else {
        println!("usage: compare_flow WEIGHTS INPUTS_AND_OUTPUTS");
        return Ok(());
    };
    let device = load_cuda();
    let _no_gradients = tch::no_grad_guard();
    let run = Checkpoint::open(Path::new(run))?;
    let tensor = |key: &str| run.tensor(key, device, Kind::Float);
    let t: f64 = run.metadata("t").and_then(|t| t.parse().ok()).unwrap_or(1.0);
    let config = run.metadata("config").and_then(|text| serde_json::from_str(text).ok());
    let config = config.unwrap_or_else(|| FlowConfig::released(32, 32));
    let weights = Checkpoint::open(Path::new(weights))?;
    let load = |precision: Precision| weights.load(device, |weights| SlatFlow::new(weights, &config, precision));
    let flow = load(Kind::BFloat16.into())?;
    let eight_bit_flow = load(Precision::eight_bit(Kind::BFloat16))?;
    let tokens = flow.tokens(&tensor("coords")?.f_narrow(1, 1, 3)?, None)?;
    let x = tensor("x")?;
    let with = flow.transformer().condition(&tensor("cond")?)?;
    let without = flow.transformer().no_condition()?;
    // Keys and values are prepared in full precision anyway; what comes out of nothing is not.
    let eight_bit_without = eight_bit_flow.transformer().no_condition()?;
    for (name, condition, eight_bit_condition, suffix) in [
        ("with the picture", &with, &with, ""),
        ("without it", &without, &eight_bit_without, ".zeros"),
    ] {
        let ours = flow.forward(&x, &tokens, t, &[condition])?.remove(0);
        let in_eight_bits = eight_bit_flow
            .forward(&x, &tokens, t, &[eight_bit_condition])?
            .remove(0);
        let theirs = |backend: &str| tensor(&format!("{backend}{suffix}"));
        let (exact, first, second) = (theirs("f32")?, theirs("first")?, theirs("second")?);
        println!("{name}: relative root mean square difference");
        println!(
            "  upstream's two kernels of attention:  {:.2e}",
            difference(&first, &second)?
        );
        println!(
            "  upstream with the first, and in f32:  {:.2e}",
            difference(&first, &exact)?
        );
        println!(
            "  upstream with the second, and in f32: {:.2e}",
            difference(&second, &exact)?
        );
        println!(
            "  ours, and upstream with the first:    {:.2e}",
            difference(&ours, &first)?
        );
        println!(
            "  ours, and upstream with the second:   {:.2e}",
            difference(&ours, &second)?
        );
        println!(
            "  ours, and upstream in f32:            {:.2e}",
            difference(&ours, &exact)?
        );
        println!(
            "  ours in 8 bits, and upstream in f32:  {:.2e}",
            difference(&in_eight_bits, &exact)?
        );
    }
    Ok(())
}

fn difference(a: &Tensor, b: &Tensor) -> Result<f64> {
    let norm = |x: &Tensor| -> Result<f64> { Ok(f64::try_from(x.f_norm()?)?) };
    Ok(norm(&a.f_sub(b)?)? / norm(b)?)
}
