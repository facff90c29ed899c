//! The flow models, their blocks and the samplers give upstream's numbers.

use crate::released::{assert_asks_for, keys};
use crate::support::{Fixture, assert_close};
use bozzetto_trellis::Result;
use bozzetto_trellis::flow::{FlowConfig, FlowTransformer, PreparedCondition, SlatFlow, SlatTokens, StructureFlow};
use bozzetto_trellis::layers::{
    CrossAttention, FeedForward, MultiHeadRmsNorm, Rotation, SelfAttention, TimestepEmbedding, TokenRows,
};
use bozzetto_trellis::sampler::{Guidance, SamplerParams, Spread, Step, Velocity, sample, schedule};
use bozzetto_trellis::weights::record;
use tch::{Device, Kind, Tensor};

/// Noise levels of the fixtures.
const TIMES: [f64; 3] = [1.0, 0.6, 0.137];
const CHANNELS: i64 = 64;
const HEADS: i64 = 2;

fn config(in_channels: i64, out_channels: i64) -> FlowConfig {
    serde_json::from_value(serde_json::json!({
        "resolution": 4, "in_channels": in_channels, "out_channels": out_channels, "model_channels": CHANNELS,
        "cond_channels": 24, "num_blocks": 2, "num_heads": HEADS, "mlp_ratio": 5.3334, "pe_mode": "rope",
        "share_mod": true, "qk_rms_norm": true, "qk_rms_norm_cross": true
    }))
    .expect("a description")
}

fn structure_flow(fixture: &Fixture) -> StructureFlow {
    let build = fixture.load(|weights| StructureFlow::new(weights, &config(8, 8), Kind::Float));
    build.expect("a flow")
}

fn slat_flow(fixture: &Fixture) -> (SlatFlow, SlatTokens) {
    let build = fixture.load(|weights| SlatFlow::new(weights, &config(12, 6), Kind::Float));
    let flow = build.expect("a flow");
    let coords = fixture.tensor("coords").narrow(1, 1, 3);
    let tokens = flow.tokens(&coords, Some(&fixture.tensor("beside"))).expect("tokens");
    (flow, tokens)
}

/// The fixture's picture, and none.
fn conditions(transformer: &FlowTransformer, fixture: &Fixture) -> (PreparedCondition, PreparedCondition) {
    let with = transformer.condition(&fixture.tensor("cond")).expect("a condition");
    (with, transformer.no_condition().expect("a condition"))
}

#[test]
fn every_block_gives_upstreams_numbers() {
    let fixture = Fixture::open("structure_flow");
    let hidden = fixture.tensor("hidden");
    let head_dim = CHANNELS / HEADS;
    let rotation = Rotation::of_cube(4, head_dim, (1.0, 10_000.0), Device::Cpu).expect("a rotation");

    let timestep = fixture.part(|weights| TimestepEmbedding::new(&weights.at("t_embedder"), CHANNELS));
    for (index, t) in TIMES.into_iter().enumerate() {
        let expected = fixture.tensor("timestep").narrow(0, index as i64, 1);
        assert_close(&timestep.forward(t).expect("a vector"), &expected, "timestep");
    }

    let norm = fixture
        .part(|weights| MultiHeadRmsNorm::new(&weights.at("blocks.0.self_attn").at("k_rms_norm"), HEADS, head_dim));
    let heads = hidden.view([1, 64, HEADS, head_dim]);
    assert_close(
        &norm.forward(&heads).expect("heads"),
        &fixture.tensor("out.key_norm"),
        "norm of keys",
    );

    let rows = TokenRows::Full(hidden);
    let attention = fixture
        .part(|weights| SelfAttention::new(&weights.at("blocks.0.self_attn"), CHANNELS, HEADS, true, Kind::Float));
    let turned = attention.forward(&rows, Some(&rotation)).expect("tokens");
    assert_close(&turned, &fixture.tensor("out.self_attention"), "self-attention");
    let unturned = attention.forward(&rows, None).expect("tokens");
    assert_close(
        &unturned,
        &fixture.tensor("out.self_attention.unturned"),
        "self-attention without places",
    );

    let attention = fixture.part(|weights| {
        CrossAttention::new(
            &weights.at("blocks.0.cross_attn"),
            CHANNELS,
            24,
            HEADS,
            true,
            Kind::Float,
        )
    });
    let condition = attention.condition(&fixture.tensor("cond")).expect("a condition");
    let attended = attention.forward(&rows, &condition).expect("tokens");
    assert_close(&attended, &fixture.tensor("out.cross_attention"), "cross-attention");

    let feed_forward =
        fixture.part(|weights| FeedForward::new(&weights.at("blocks.0.mlp"), CHANNELS, 341, Kind::Float));
    let out = feed_forward.forward(&rows).expect("tokens");
    assert_close(&out, &fixture.tensor("out.feed_forward"), "feed-forward network");
}

#[test]
fn attention_to_nothing_is_attention_to_zeros() {
    let fixture = Fixture::open("structure_flow");
    let attention = fixture.part(|weights| {
        CrossAttention::new(
            &weights.at("blocks.0.cross_attn"),
            CHANNELS,
            24,
            HEADS,
            true,
            Kind::Float,
        )
    });
    let rows = TokenRows::Full(fixture.tensor("hidden"));
    let zeros = attention
        .condition(&fixture.tensor("cond").zeros_like())
        .expect("a condition");
    let expected = attention.forward(&rows, &zeros).expect("tokens");
    let nothing = attention.no_condition().expect("a condition");
    let found = attention.forward(&rows, &nothing).expect("one token");
    assert_close(&found.expand_as(&expected), &expected, "attention to nothing");
}

#[test]
fn the_structure_flow_gives_upstreams_velocities() {
    let fixture = Fixture::open("structure_flow");
    let flow = structure_flow(&fixture);
    assert_eq!(flow.noise_shape(), [1, 8, 4, 4, 4]);
    let (with, without) = conditions(flow.transformer(), &fixture);
    let x = fixture.tensor("x");
    for (index, t) in TIMES.into_iter().enumerate() {
        let expected = fixture.tensor(&format!("out.{index}"));
        let unguided = fixture.tensor(&format!("out.{index}.no_condition"));
        let alone = flow.forward(&x, t, &[&with]).expect("a velocity");
        assert_close(&alone[0], &expected, "with the picture");
        let both = flow.forward(&x, t, &[&with, &without]).expect("velocities");
        assert_close(&both[0], &expected, "with the picture, beside");
        assert_close(&both[1], &unguided, "without the picture");
    }
}

#[test]
fn the_slat_flow_gives_upstreams_velocities() {
    let fixture = Fixture::open("slat_flow");
    let (flow, tokens) = slat_flow(&fixture);
    let (with, without) = conditions(flow.transformer(), &fixture);
    let x = fixture.tensor("x");
    for (index, t) in TIMES.into_iter().enumerate() {
        let velocities = flow.forward(&x, &tokens, t, &[&with, &without]).expect("velocities");
        assert_close(
            &velocities[0],
            &fixture.tensor(&format!("out.{index}")),
            "with the picture",
        );
        assert_close(
            &velocities[1],
            &fixture.tensor(&format!("out.{index}.no_condition")),
            "without the picture",
        );
    }
}

#[test]
fn features_of_another_model_are_refused() {
    let fixture = Fixture::open("structure_flow");
    let flow = structure_flow(&fixture);
    let error = flow
        .transformer()
        .condition(&Tensor::zeros([1, 5, 25], (Kind::Float, Device::Cpu)))
        .err();
    assert!(error.expect("25 are not 24").to_string().contains("24 channels"));
}

struct Dense {
    flow: StructureFlow,
    with: PreparedCondition,
    without: PreparedCondition,
}

impl Velocity for Dense {
    fn with_condition(&self, x: &Tensor, t: f64) -> Result<Tensor> {
        Ok(self.flow.forward(x, t, &[&self.with])?.remove(0))
    }

    fn without_condition(&self, x: &Tensor, t: f64) -> Result<Tensor> {
        Ok(self.flow.forward(x, t, &[&self.without])?.remove(0))
    }
}

struct Sparse {
    flow: SlatFlow,
    tokens: SlatTokens,
    with: PreparedCondition,
    without: PreparedCondition,
}

impl Velocity for Sparse {
    fn with_condition(&self, x: &Tensor, t: f64) -> Result<Tensor> {
        Ok(self.flow.forward(x, &self.tokens, t, &[&self.with])?.remove(0))
    }

    fn without_condition(&self, x: &Tensor, t: f64) -> Result<Tensor> {
        Ok(self.flow.forward(x, &self.tokens, t, &[&self.without])?.remove(0))
    }
}

/// The settings of `SAMPLERS` in `make_flows.py`.
fn samplers() -> [(&'static str, SamplerParams); 5] {
    let params = |steps, rescale_t, strength, rescale, interval| SamplerParams {
        steps,
        rescale_t,
        guidance: Guidance {
            strength,
            rescale,
            interval,
        },
    };
    [
        ("structure", params(12, 5.0, 7.5, 0.7, (0.6, 1.0))),
        ("shape", params(12, 3.0, 7.5, 0.5, (0.6, 1.0))),
        ("material", params(12, 3.0, 1.0, 0.0, (0.6, 0.9))),
        ("unguided", params(5, 1.0, 0.0, 0.3, (0.0, 1.0))),
        ("plain", params(4, 1.0, 3.0, 0.0, (0.0, 1.0))),
    ]
}

fn check_sampler(model: &impl Velocity, noise: &Tensor, spread: Spread, kind: &str) {
    let fixture = Fixture::open("samplers");
    for (name, params) in samplers() {
        let expected = |part: &str| fixture.tensor(&format!("{name}.{kind}{part}"));
        let mut num_steps = 0;
        let after_step = |step: &Step<'_>| {
            num_steps += 1;
            assert_eq!((step.done, step.total), (num_steps, params.steps));
            match step.done {
                1 => assert_close(step.x, &expected(".first"), name),
                2 => assert_close(step.estimate, &expected(".estimate"), name),
                _ => {}
            }
            Ok(())
        };
        let sampled = sample(model, noise.shallow_clone(), &params, spread, after_step).expect("a sample");
        assert_eq!(num_steps, params.steps);
        assert_close(&sampled, &expected(""), name);
    }
}

#[test]
fn schedules_are_upstreams_to_the_last_bit() {
    let fixture = Fixture::open("samplers");
    for (name, params) in samplers() {
        let expected = fixture.tensor(&format!("{name}.times"));
        let found = schedule(params.steps, params.rescale_t);
        assert_eq!(found, Vec::<f64>::try_from(expected).expect("numbers"), "{name}");
    }
}

#[test]
fn every_sampler_gives_upstreams_cube() {
    let fixture = Fixture::open("structure_flow");
    let flow = structure_flow(&fixture);
    let (with, without) = conditions(flow.transformer(), &fixture);
    let model = Dense { flow, with, without };
    check_sampler(&model, &fixture.tensor("x"), Spread::Dense, "dense");
}

#[test]
fn every_sampler_gives_upstreams_latent() {
    let fixture = Fixture::open("slat_flow");
    let (flow, tokens) = slat_flow(&fixture);
    let (with, without) = conditions(flow.transformer(), &fixture);
    let model = Sparse {
        flow,
        tokens,
        with,
        without,
    };
    check_sampler(&model, &fixture.tensor("x"), Spread::Sparse, "sparse");
}

#[test]
fn released_flows_fit_key_by_key() {
    for (list, in_channels, out_channels) in [
        ("structure_flow", 8, 8),
        ("shape_flow", 32, 32),
        ("material_flow", 64, 32),
    ] {
        let config = FlowConfig::released(in_channels, out_channels);
        let expected = keys(list);
        assert_asks_for(
            record(|weights| SlatFlow::new(weights, &config, Kind::BFloat16)),
            &expected,
        );
        if list == "structure_flow" {
            assert_asks_for(
                record(|weights| StructureFlow::new(weights, &config, Kind::BFloat16)),
                &expected,
            );
        }
    }
}
