"""Upstream's own `run` or `run_multi_image` on a job: python reference_trellis.py SOURCE WEIGHTS OUT JSON PICTURE...

JSON gives `seed` and other arguments by upstream's names. Saved are `vertices`, `faces`, `vertex_attrs` of the mesh,
and the Gaussians as upstream's own `save_ply` writes them without a turn.
"""

import json
import os
import sys

import numpy as np


def run(pipeline, images, options):
    pipeline.cuda()
    way = pipeline.run if len(images) == 1 else pipeline.run_multi_image
    return way(images if len(images) > 1 else images[0], formats=["gaussian", "mesh"], **options)


def run_vggt(kind, pretend_card, weights, images, options):
    """As ReconViaGen's demo does."""
    import torch

    pretend_card.stand_in_for_reconviagens_encoders()
    pipeline = kind.from_pretrained(weights)
    pipeline._device = torch.device("cuda")
    pipeline.low_vram = True
    prepared = [pipeline.preprocess_image(image) for image in images]
    made, _, _ = pipeline.run(prepared, formats=["gaussian", "mesh"], preprocess_image=False, **options)
    return made


def main() -> None:
    source, weights, out, options, *pictures = sys.argv[1:]
    options = json.loads(options)
    sys.path.insert(0, source)
    import pretend_card
    from bozzetto_bridge import attention
    from bozzetto_bridge.adapters.reconviagen.environment import importing
    from PIL import Image

    if not os.environ.get("WITH_CARD"):
        pretend_card.install()
        pretend_card.add_bias_outside_spconv()
    images = [Image.open(picture) for picture in pictures]
    with importing(), attention.importable():
        from trellis import pipelines

        if hasattr(pipelines, "TrellisVGGTTo3DPipeline"):
            made = run_vggt(pipelines.TrellisVGGTTo3DPipeline, pretend_card, weights, images, options)
        else:
            made = run(pipelines.TrellisImageTo3DPipeline.from_pretrained(weights), images, options)
    (gaussians,), (mesh,) = made["gaussian"], made["mesh"]
    arrays = {
        "vertices": mesh.vertices,
        "faces": mesh.faces,
        "vertex_attrs": mesh.vertex_attrs,
        "xyz": gaussians.get_xyz,
        "features_dc": gaussians._features_dc,
        "scaling": gaussians.get_scaling,
        "rotation": gaussians._rotation + gaussians.rots_bias,
        "opacity": gaussians.get_opacity,
    }
    np.savez(out, **{name: array.detach().float().cpu().numpy() for name, array in arrays.items()})


if __name__ == "__main__":
    main()
