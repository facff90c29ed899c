"""Upstream's own `run` on a job, for comparison: python reference_trellis2.py SOURCE WEIGHTS PICTURE OUT JSON [MESH]

JSON gives `seed`, `pipeline_type` or `resolution`, and parameters of samplers by upstream's names. What comes out is
saved as arrays: `vertices`, `faces`, `coords`, `attrs` in upstream's frame.
"""

import json
import os
import sys

import numpy as np


class NoMatting:
    """Pictures with transparency need none, and upstream loads one all the same."""

    def __init__(self, model_name=""):
        pass

    def to(self, device):
        pass

    def cpu(self):
        pass


def main():
    source, weights, picture, out, options, *mesh = sys.argv[1:]
    options = json.loads(options)
    sys.path.insert(0, source)
    if not os.environ.get("WITH_CARD"):
        import pretend_card

        pretend_card.install()
    import torch
    from bozzetto_bridge import attention
    from PIL import Image
    from trellis2 import pipelines
    from trellis2.pipelines import rembg

    sys.modules["flash_attn"] = attention
    rembg.BiRefNet = NoMatting
    seed = options.pop("seed")
    if mesh:
        made = texture(pipelines, torch, weights, Image.open(picture), mesh[0], seed, options)
    else:
        pipeline = pipelines.Trellis2ImageTo3DPipeline.from_pretrained(weights)
        open_layers(pipeline)
        pipeline.cuda()
        (made,) = pipeline.run(Image.open(picture), seed=seed, **options)
        made = {name: getattr(made, name) for name in ("vertices", "faces", "coords", "attrs")}
    np.savez(out, **{name: array.float().cpu().numpy() for name, array in made.items()})


def open_layers(pipeline):
    encoder = pipeline.image_cond_model.model
    if not hasattr(encoder, "layer"):
        encoder.layer = encoder.model.layer


def texture(pipelines, torch, weights, picture, mesh, seed, options):
    """Upstream's `run` up to its own baking."""
    import trimesh

    pipeline = pipelines.Trellis2TexturingPipeline.from_pretrained(weights, config_file="texturing_pipeline.json")
    open_layers(pipeline)
    pipeline.cuda()
    kept = {}

    def keep(mesh, voxels, resolution, texture_size):
        kept.update(vertices=torch.tensor(mesh.vertices), faces=torch.tensor(mesh.faces))
        kept.update(coords=voxels.coords[:, 1:], attrs=voxels.feats)

    pipeline.postprocess_mesh = keep
    pipeline.run(trimesh.load(mesh, force="mesh", process=False), picture, seed=seed, **options)
    return kept


if __name__ == "__main__":
    main()
