"""Writes small random checkpoints of TRELLIS or ReconViaGen v0.2 in the layout of the released ones.

    python make_trellis.py SOURCE FOLDER

The picture's encoder, which upstream fetches through `torch.hub`, becomes a small stand-in in a hub of its own,
FOLDER/hub, for the variable TORCH_HOME.
"""

import json
import sys
from pathlib import Path

CONDITION = 1024
"""Channels that upstream names by a number in its code."""

GAUSSIANS = {
    "lr": {"_xyz": 1.0, "_features_dc": 1.0, "_opacity": 1.0, "_scaling": 1.0, "_rotation": 0.1},
    "perturb_offset": True,
    "voxel_size": 1.5,
    "num_gaussians": 32,
    "2d_filter_kernel_size": 0.1,
    "3d_filter_kernel_size": 9e-4,
    "scaling_bias": 4e-3,
    "opacity_bias": 0.1,
    "scaling_activation": "softplus",
}

ENCODER = '''"""The interface of DINOv2, as far as TRELLIS calls it."""

dependencies = ["torch"]


def dinov2_vitl14_reg(pretrained=True):
    import torch

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.patches = torch.nn.Conv2d(3, 1024, 14, 14)
            generator = torch.Generator().manual_seed(4)
            self.patches.weight.data.copy_(torch.randn(self.patches.weight.shape, generator=generator) * 0.02)
            self.patches.bias.data.copy_(torch.randn(1024, generator=generator))

        def forward(self, pictures, is_training):
            tokens = self.patches(pictures).flatten(2).transpose(1, 2)
            return {"x_prenorm": torch.cat([tokens[:, :5] * 2, tokens], dim=1)}

    return Encoder()
'''


def pipelines_of(source: str) -> str:
    """Give upstream's pipelines as text."""
    return Path(source, "trellis", "pipelines", "trellis_image_to_3d.py").read_text()


def main() -> None:
    source, folder = sys.argv[1], Path(sys.argv[2])
    sys.path.insert(0, source)
    import pretend_card
    from bozzetto_bridge import attention
    from bozzetto_bridge.adapters.reconviagen.environment import importing
    from random_weights import draw, save, thin_out

    pretend_card.install()
    with importing(), attention.importable():
        from trellis import models

        def made(stem, kind, arguments, change=None):
            model = getattr(models, kind)(**arguments)
            draw(model)
            if change is not None:
                change(model)
            return save(folder, stem, kind, arguments, model)

        flow = {
            "model_channels": 32,
            "cond_channels": CONDITION,
            "num_blocks": 2,
            "num_heads": 2,
            "mlp_ratio": 4,
            "pe_mode": "ape",
            "qk_rms_norm": True,
            "use_fp16": False,
        }
        codec = {
            "resolution": 64,
            "model_channels": 64,
            "latent_channels": 8,
            "num_blocks": 2,
            "num_heads": 2,
            "mlp_ratio": 4,
            "attn_mode": "swin",
            "window_size": 8,
            "use_fp16": False,
        }
        structure = {"resolution": 16, "in_channels": 8, "out_channels": 8, "patch_size": 1, **flow}
        latent = {
            "resolution": 64,
            "in_channels": 8,
            "out_channels": 8,
            "patch_size": 2,
            "num_io_res_blocks": 2,
            "io_block_channels": [32],
            **flow,
        }
        decoder = {
            "out_channels": 1,
            "latent_channels": 8,
            "num_res_blocks": 1,
            "num_res_blocks_middle": 1,
            "channels": [16, 8, 4],
            "norm_type": "layer",
            "use_fp16": False,
        }
        mesh = {**codec, "model_channels": 256, "representation_config": {"use_color": True}}
        stems = {
            "sparse_structure_flow_model": made("ss_flow", "SparseStructureFlowModel", structure),
            "sparse_structure_decoder": made(
                "ss_dec", "SparseStructureDecoder", decoder, lambda model: thin_out(model, 0.0003)
            ),
            "slat_flow_model": made("slat_flow", "SLatFlowModel", latent),
            "slat_decoder_gs": made("dec_gs", "SLatGaussianDecoder", {**codec, "representation_config": GAUSSIANS}),
            "slat_decoder_mesh": made("dec_mesh", "SLatMeshDecoder", mesh),
        }

        if "TrellisVGGTTo3DPipeline" in pipelines_of(source):
            joint = {"channels": CONDITION, "ctx_channels": 3072, "num_heads": 16, "num_init_tokens": 64}
            each = {"channels": CONDITION, "ctx_channels": 3072}
            stems["sparse_structure_vggt_cond"] = made("ss_cond", "ModulatedMultiViewCond", joint)
            stems["slat_vggt_cond"] = made("slat_cond", "ModulatedSLATMultiViewCond", each)

    def sampler(steps, strength):
        return {
            "name": "FlowEulerGuidanceIntervalSampler",
            "args": {"sigma_min": 1e-5},
            "params": {"steps": steps, "cfg_strength": strength, "cfg_interval": [0.5, 1.0], "rescale_t": 3.0},
        }

    arguments = {
        "models": stems,
        "sparse_structure_sampler": sampler(25, 5.0),
        "slat_sampler": sampler(25, 5.0),
        "slat_normalization": {"mean": [0.1 * n for n in range(8)], "std": [1 + 0.1 * n for n in range(8)]},
        "image_cond_model": "dinov2_vitl14_reg",
    }
    text = json.dumps({"name": "TrellisImageTo3DPipeline", "args": arguments}, indent=1)
    (folder / "pipeline.json").write_text(text)
    hub = folder / "hub" / "hub" / "facebookresearch_dinov2_main"
    hub.mkdir(parents=True)
    (hub / "hubconf.py").write_text(ENCODER)


if __name__ == "__main__":
    main()
