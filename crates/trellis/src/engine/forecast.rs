use crate::flow::FlowConfig;
use crate::params::Settings;
use crate::pipeline::FlowSize;
use crate::sampler::SamplerParams;

/// Tokens of the finer latent for each of the coarse one, at 1024: a surface has four times as many voxels at twice the
/// resolution, and a little more.
const FINER_TOKENS_AT_1024: f64 = 4.1;
/// Voxels of the result for each token.
const VOXELS_PER_TOKEN: f64 = 250.0;
/// Bytes that a voxel of the result takes while it is decoded: its features, those of its parents, its neighbours; 540 to 590
/// were seen on an H200.
const BYTES_PER_VOXEL: f64 = 600.0;
/// Numbers that a token takes while a flow computes, in multiples of its width; seen on an H200 between 31,064 and 51,760 tokens.
/// The feed-forward network's inside is most of it.
const NUMBERS_PER_TOKEN: f64 = 12.5;
/// Tokens of the features that are not patches.
const PREFIX_TOKENS: f64 = 5.0;
/// Pixels of a patch's edge.
const PATCH_PX: f64 = 16.0;

/// What the rest of a run is going to take, from the structure's voxels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Tokens of the final latent.
    pub num_tokens: f64,
    /// Operations of all flows from the shape on.
    pub operations: f64,
    /// Most bytes on the device at once.
    pub peak_bytes: f64,
}

/// What the forecast has to know of the networks.
#[derive(Clone, Copy, Debug)]
pub struct NetworkSizes<'a> {
    /// Sizes of a flow; all have about the same.
    pub flow: &'a FlowConfig,
    /// Bytes of a flow's weights on the device.
    pub flow_bytes: f64,
    /// Bytes of a decoder's.
    pub decoder_bytes: f64,
    /// Bytes of a number that the flows compute with.
    pub number_bytes: f64,
}

impl Forecast {
    /// For a structure of `num_coarse` voxels.
    pub fn new(num_coarse: usize, settings: &Settings, sizes: &NetworkSizes<'_>) -> Self {
        let coarse = num_coarse as f64;
        let kind = settings.kind;
        let finer = |resolution: f64| coarse * FINER_TOKENS_AT_1024 * (resolution / 1024.0).powi(2);
        let num_tokens = if kind.is_cascade() {
            let least = finer(1024.0);
            finer(f64::from(kind.resolution())).min(least.max(settings.max_num_tokens as f64))
        } else {
            coarse
        };
        let flow = |num_tokens: f64, size: FlowSize, params: &SamplerParams| {
            params.num_evaluations() as f64 * sizes.flow.operations(num_tokens, condition_tokens(size))
        };
        let coarse_flow = if kind.is_cascade() {
            flow(coarse, FlowSize::Flow512, &settings.shape)
        } else {
            0.0
        };
        let (shape, material) = (&settings.shape, &settings.material);
        let operations = coarse_flow + flow(num_tokens, kind.size(), shape) + flow(num_tokens, kind.size(), material);
        let num_condition = condition_tokens(kind.size());
        let of_flow = flow_peak_bytes(
            sizes.flow,
            sizes.flow_bytes,
            sizes.number_bytes,
            num_tokens,
            num_condition,
        );
        let of_decoder = sizes.decoder_bytes + num_tokens * VOXELS_PER_TOKEN * BYTES_PER_VOXEL;
        Self {
            num_tokens,
            operations,
            peak_bytes: of_flow.max(of_decoder),
        }
    }

    /// The forecast as a line for the log. `secs_per_operation` is measured on this device, if it could be.
    pub fn sentence(&self, secs_per_operation: Option<f64>) -> String {
        let tokens = self.num_tokens / 1000.0;
        let gigabytes = self.peak_bytes / f64::from(1 << 30);
        let start = format!("About {tokens:.1} thousand tokens are expected, {gigabytes:.1} GiB at the peak");
        match secs_per_operation {
            Some(secs) => format!("{start} and {:.0} s to go.", (self.operations * secs).max(1.0)),
            None => format!("{start}."),
        }
    }
}

/// Most bytes while a flow computes: its weights, keys and values of the picture for every block, and what tokens take.
fn flow_peak_bytes(flow: &FlowConfig, weights: f64, number: f64, num_tokens: f64, num_condition_tokens: f64) -> f64 {
    let width = flow.model_channels as f64;
    let condition = 2.0 * width * num_condition_tokens * flow.num_blocks as f64;
    weights + number * (width * NUMBERS_PER_TOKEN * num_tokens + condition)
}

/// Tokens of a picture's features.
pub(super) fn condition_tokens(size: FlowSize) -> f64 {
    PREFIX_TOKENS + (f64::from(size.picture_px()) / PATCH_PX).powi(2)
}

#[cfg(test)]
mod tests {
    use bozzetto_engine::{ParamValue, ParamValues};

    use super::*;

    fn forecast(kind: &str, num_coarse: usize) -> Forecast {
        let values = [("shape.pipeline_type".to_owned(), ParamValue::Choice(kind.to_owned()))];
        let settings = Settings::from_values(&ParamValues(values.into()));
        let flow = FlowConfig::released(32, 32);
        let sizes = NetworkSizes {
            flow: &flow,
            flow_bytes: 2.6e9,
            decoder_bytes: 0.95e9,
            number_bytes: 2.0,
        };
        Forecast::new(num_coarse, &settings, &sizes)
    }

    #[test]
    fn operations_are_those_of_the_arithmetic_floor() {
        // Tokens and condition of the structure and of the largest latent that upstream was measured with, and 790 TFLOP/s.
        let flow = FlowConfig::released(32, 32);
        for (tokens, condition, floor_ms) in [(4096.0, 1029.0, 18.0), (51_760.0, 4101.0, 843.0)] {
            let ms = flow.operations(tokens, condition) / 790e12 * 1e3;
            assert!((ms / floor_ms - 1.0).abs() < 0.06, "{tokens}: {ms:.1} ms");
        }
    }

    #[test]
    fn the_peak_is_what_was_seen() {
        // Of a flow, `bozzetto-trellis bench` on an H200.
        let flow_bytes = 2.58e9;
        for (num_tokens, gibibytes) in [(13_688.0, 3.69), (31_064.0, 4.31), (51_760.0, 5.05)] {
            let found = flow_peak_bytes(&FlowConfig::released(32, 32), flow_bytes, 2.0, num_tokens, 4101.0);
            let found = found / f64::from(1 << 30);
            assert!((found / gibibytes - 1.0).abs() < 0.06, "{num_tokens}: {found:.2} GiB");
        }
    }

    #[test]
    fn finer_results_take_more_up_to_the_limit() {
        let [small, medium, large] = ["512", "1024_cascade", "1536_cascade"].map(|kind| forecast(kind, 3032));
        assert_eq!(small.num_tokens, 3032.0);
        assert!((medium.num_tokens - 12_431.0).abs() < 1.0);
        assert!(small.operations < medium.operations && medium.operations < large.operations);
        assert!(small.peak_bytes < medium.peak_bytes && medium.peak_bytes < large.peak_bytes);
        assert_eq!(forecast("1536_cascade", 8000).num_tokens, 49_152.0);
        let unlimited = forecast("1536_cascade", 15_000).num_tokens;
        assert!((unlimited - 61_500.0).abs() < 1.0, "at 1024 there is no limit");
    }

    #[test]
    fn the_sentence_names_tokens_memory_and_time() {
        let sentence = forecast("1024_cascade", 3032).sentence(Some(1e-14));
        assert!(
            sentence.starts_with("About 12.4 thousand tokens") && sentence.contains("GiB"),
            "{sentence}"
        );
        assert!(sentence.ends_with("s to go."), "{sentence}");
        assert!(!forecast("512", 100).sentence(None).contains(" s "));
    }
}
