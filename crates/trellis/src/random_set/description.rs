use serde_json::{Value, json};

pub(super) const STRUCTURE_FLOW: &str = "ckpts/ss_flow_img_dit_1_3B_64_bf16";
pub(super) const SHAPE_FLOW_512: &str = "ckpts/slat_flow_img2shape_dit_1_3B_512_bf16";
pub(super) const SHAPE_FLOW_1024: &str = "ckpts/slat_flow_img2shape_dit_1_3B_1024_bf16";
pub(super) const MATERIAL_FLOW_512: &str = "ckpts/slat_flow_imgshape2tex_dit_1_3B_512_bf16";
pub(super) const MATERIAL_FLOW_1024: &str = "ckpts/slat_flow_imgshape2tex_dit_1_3B_1024_bf16";
pub(super) const SHAPE_DECODER: &str = "ckpts/shape_dec_next_dc_f16c32_fp16";
pub(super) const MATERIAL_DECODER: &str = "ckpts/tex_dec_next_dc_f16c32_fp16";
/// In another repository.
pub(super) const STRUCTURE_DECODER: &str = "microsoft/TRELLIS-image-large/ckpts/ss_dec_conv3d_16l8_fp16";
/// The repository that anyone may fetch from.
pub(super) const DINO: &str = "timm/vit_large_patch16_dinov3.lvd1689m";
pub(super) const BIREFNET: &str = "ZhengPeng7/BiRefNet";

/// What the released `pipeline.json` says, for latents of so many channels.
pub(super) fn pipeline(latent_channels: usize) -> Value {
    let spread = |from: f32, to: f32| -> Vec<f32> {
        let last = latent_channels.saturating_sub(1).max(1) as f32;
        (0..latent_channels)
            .map(|channel| from + (to - from) * channel as f32 / last)
            .collect()
    };
    json!({
        "name": "Trellis2ImageTo3DPipeline",
        "args": {
            "models": {
                "sparse_structure_flow_model": STRUCTURE_FLOW,
                "sparse_structure_decoder": STRUCTURE_DECODER,
                "shape_slat_flow_model_512": SHAPE_FLOW_512,
                "shape_slat_flow_model_1024": SHAPE_FLOW_1024,
                "shape_slat_decoder": SHAPE_DECODER,
                "tex_slat_flow_model_512": MATERIAL_FLOW_512,
                "tex_slat_flow_model_1024": MATERIAL_FLOW_1024,
                "tex_slat_decoder": MATERIAL_DECODER,
            },
            "sparse_structure_sampler": sampler(7.5, 0.7, [0.6, 1.0], 5.0),
            "shape_slat_sampler": sampler(7.5, 0.5, [0.6, 1.0], 3.0),
            "tex_slat_sampler": sampler(1.0, 0.0, [0.6, 0.9], 3.0),
            "shape_slat_normalization": { "mean": spread(-0.5, 0.5), "std": spread(0.8, 1.3) },
            "tex_slat_normalization": { "mean": spread(0.3, -0.2), "std": spread(1.2, 0.95) },
            "image_cond_model": {
                "name": "DinoV3FeatureExtractor",
                "args": { "model_name": "facebook/dinov3-vitl16-pretrain-lvd1689m" },
            },
            "rembg_model": { "name": "BiRefNet", "args": { "model_name": BIREFNET } },
            "default_pipeline_type": "1024_cascade",
        },
    })
}

fn sampler(strength: f64, rescale: f64, interval: [f64; 2], rescale_t: f64) -> Value {
    json!({
        "name": "FlowEulerGuidanceIntervalSampler",
        "args": { "sigma_min": 1e-5 },
        "params": {
            "steps": 12,
            "guidance_strength": strength,
            "guidance_rescale": rescale,
            "guidance_interval": interval,
            "rescale_t": rescale_t,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::Size;
    use super::*;
    use crate::networks::PipelineDescription;

    #[test]
    fn latents_of_every_size_can_be_normalized() {
        for size in [Size::Tiny, Size::Released] {
            let channels = size.latent_channels() as usize;
            let pipeline: PipelineDescription =
                serde_json::from_value(pipeline(channels)["args"].take()).expect("a description");
            for latent in [pipeline.shape_slat_normalization, pipeline.tex_slat_normalization] {
                assert_eq!((latent.mean.len(), latent.std.len()), (channels, channels));
                assert!(latent.std.iter().all(|&deviation| deviation > 0.5), "{latent:?}");
            }
        }
    }
}
