"""Writes random checkpoints of TRELLIS.2 in the layout of the released ones.

    python make_trellis2.py SOURCE FOLDER [--width 48 --blocks 2 --dtype float32]

Small ones run on a processor; with `--width 1536 --heads 12 --blocks 30 --codec 64 --condition 1024 --dtype bfloat16`
they are as large as the released ones.
"""

import argparse
import json
import sys
from pathlib import Path

FLOWS = {
    "sparse_structure_flow_model": ("SparseStructureFlowModel", 16, 8, 8),
    "shape_slat_flow_model_512": ("SLatFlowModel", 32, 32, 32),
    "shape_slat_flow_model_1024": ("SLatFlowModel", 64, 32, 32),
    "tex_slat_flow_model_512": ("SLatFlowModel", 32, 64, 32),
    "tex_slat_flow_model_1024": ("SLatFlowModel", 64, 64, 32),
}
"""Class, resolution, channels in and out."""


def flow_arguments(resolution, channels_in, channels_out, options):
    return {
        "resolution": resolution,
        "in_channels": channels_in,
        "out_channels": channels_out,
        "model_channels": options.width,
        "cond_channels": options.condition,
        "num_blocks": options.blocks,
        "num_heads": options.heads,
        "mlp_ratio": 5.3334,
        "pe_mode": "rope",
        "share_mod": True,
        "initialization": "scaled",
        "qk_rms_norm": True,
        "qk_rms_norm_cross": True,
        "dtype": options.dtype,
    }


def codec_arguments(options, is_decoder):
    channels = [options.codec * factor for factor in (16, 8, 4, 2, 1)]
    blocks = [1, 1, 1, 1, 0] if options.blocks < 30 else [4, 16, 8, 4, 0]
    arguments = {
        "model_channels": channels if is_decoder else channels[::-1],
        "latent_channels": 32,
        "num_blocks": blocks if is_decoder else blocks[::-1],
        "block_type": ["SparseConvNeXtBlock3d"] * 5,
        "block_args": [{"use_checkpoint": False}] * 5,
        "use_fp16": options.dtype != "float32",
    }
    name = "up_block_type" if is_decoder else "down_block_type"
    arguments[name] = ["SparseResBlockC2S3d" if is_decoder else "SparseResBlockS2C3d"] * 4
    return arguments


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--width", type=int, default=48)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--blocks", type=int, default=2)
    parser.add_argument("--codec", type=int, default=4, help="channels of the finest level")
    parser.add_argument("--condition", type=int, default=32)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--share", type=float, default=0.0001, help="share of 64^3 voxels that the structure takes")
    parser.add_argument("--children", type=float, default=0.5, help="bias of subdivision: lower gives fewer voxels")
    options = parser.parse_args()
    sys.path.insert(0, options.source)
    import torch
    from random_weights import draw, thin_out
    from random_weights import save as save_model
    from transformers import DINOv3ViTConfig, DINOv3ViTModel
    from trellis2 import models

    def save(stem, kind, arguments, change=None):
        with torch.device("cpu"):
            model = getattr(models, kind)(**arguments)
        draw(model)
        if change is not None:
            change(model)
        return save_model(options.folder, stem, kind, arguments, model)

    def few_children(model):
        for name, parameter in model.named_parameters():
            if name.endswith("to_subdiv.bias"):
                parameter.data.fill_(options.children)

    stems = {}
    for name, (kind, resolution, channels_in, channels_out) in FLOWS.items():
        stems[name] = save(name, kind, flow_arguments(resolution, channels_in, channels_out, options))
    is_small = options.blocks < 30
    structure = {
        "out_channels": 1,
        "latent_channels": 8,
        "num_res_blocks": 1 if is_small else 2,
        "num_res_blocks_middle": 1 if is_small else 2,
        "channels": [16, 8, 4] if is_small else [512, 128, 32],
        "norm_type": "layer",
        "use_fp16": False,
    }
    stems["sparse_structure_decoder"] = save(
        "ss_dec", "SparseStructureDecoder", structure, lambda model: thin_out(model, options.share)
    )
    shape = {"resolution": 256, "voxel_margin": 0.5, **codec_arguments(options, is_decoder=True)}
    stems["shape_slat_decoder"] = save("shape_dec", "FlexiDualGridVaeDecoder", shape, few_children)
    texture = {"out_channels": 6, "pred_subdiv": False, **codec_arguments(options, is_decoder=True)}
    stems["tex_slat_decoder"] = save("tex_dec", "SparseUnetVaeDecoder", texture)
    encoder = codec_arguments(options, is_decoder=False)
    stems["shape_slat_encoder"] = save("shape_enc", "FlexiDualGridVaeEncoder", encoder)

    config = DINOv3ViTConfig(
        hidden_size=options.condition,
        intermediate_size=4 * options.condition,
        num_hidden_layers=2 if is_small else 24,
        num_attention_heads=options.condition // 16 if is_small else 16,
        num_register_tokens=4,
        patch_size=16,
        image_size=512,
    )
    seen = DINOv3ViTModel(config)
    draw(seen)
    seen.save_pretrained(options.folder / "dinov3")

    def sampler(steps, strength, rescale, until, rescale_t):
        return {
            "name": "FlowEulerGuidanceIntervalSampler",
            "args": {"sigma_min": 1e-5},
            "params": {
                "steps": steps,
                "guidance_strength": strength,
                "guidance_rescale": rescale,
                "guidance_interval": [0.6, until],
                "rescale_t": rescale_t,
            },
        }

    numbers = torch.Generator().manual_seed(3)
    shape_mean, tex_mean = torch.randn(2, 32, generator=numbers).tolist()
    shape_std, tex_std = (0.5 + torch.rand(2, 32, generator=numbers)).tolist()
    common = {
        "tex_slat_sampler": sampler(12, 1.0, 0.0, 0.9, 3.0),
        "shape_slat_normalization": {"mean": shape_mean, "std": shape_std},
        "tex_slat_normalization": {"mean": tex_mean, "std": tex_std},
        "image_cond_model": {
            "name": "DinoV3FeatureExtractor",
            "args": {"model_name": str((options.folder / "dinov3").resolve())},
        },
        "rembg_model": {"name": "BiRefNet", "args": {"model_name": "briaai/RMBG-2.0"}},
    }
    image = {
        "models": {name: stem for name, stem in stems.items() if name != "shape_slat_encoder"},
        "sparse_structure_sampler": sampler(12, 7.5, 0.7, 1.0, 5.0),
        "shape_slat_sampler": sampler(12, 7.5, 0.5, 1.0, 3.0),
        "default_pipeline_type": "1024_cascade",
        **common,
    }
    wanted = ("shape_slat_encoder", "tex_slat_decoder", "tex_slat_flow_model_512", "tex_slat_flow_model_1024")
    texturing = {"models": {name: stems[name] for name in wanted}, **common}
    for file, arguments in (("pipeline.json", image), ("texturing_pipeline.json", texturing)):
        text = json.dumps({"name": "Trellis2Pipeline", "args": arguments}, indent=1)
        (options.folder / file).write_text(text)


if __name__ == "__main__":
    main()
