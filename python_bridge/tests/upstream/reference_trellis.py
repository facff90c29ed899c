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


def main() -> None:
    source, weights, out, options, *pictures = sys.argv[1:]
    options = json.loads(options)
    sys.path.insert(0, source)
    import pretend_card
    from bozzetto_bridge import attention
    from bozzetto_bridge.adapters.trellis.environment import importing
    from PIL import Image

    if not os.environ.get("WITH_CARD"):
        pretend_card.install()
        pretend_card.add_bias_outside_spconv()
    images = [Image.open(picture) for picture in pictures]
    with importing(), attention.importable():
        from trellis import pipelines

        made = run(pipelines.TrellisImageTo3DPipeline.from_pretrained(weights), images, options)
    save(out, made)


def save(out, made, **others):
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
        **others,
    }
    np.savez(out, **{name: array.detach().float().cpu().numpy() for name, array in arrays.items()})


if __name__ == "__main__":
    main()
