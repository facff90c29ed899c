"""Upstream's own `run` or `run_multi_image` on a job: python reference_trellis.py SOURCE WEIGHTS OUT JSON PICTURE...

JSON gives `seed` and other arguments by upstream's names. Saved are `vertices`, `faces`, `vertex_attrs` of the mesh,
and the Gaussians as upstream's own `save_ply` writes them without a turn.
"""

import json
import sys

import numpy as np


def main() -> None:
    source, weights, out, options, *pictures = sys.argv[1:]
    options = json.loads(options)
    sys.path.insert(0, source)
    import pretend_card
    from bozzetto_bridge import attention
    from bozzetto_bridge.adapters.trellis.environment import importing
    from PIL import Image

    pretend_card.install()
    pretend_card.add_bias_outside_spconv()
    with importing(), attention.importable():
        from trellis.pipelines import TrellisImageTo3DPipeline

        pipeline = TrellisImageTo3DPipeline.from_pretrained(weights)
    pipeline.cuda()
    images = [Image.open(picture) for picture in pictures]
    run = pipeline.run if len(images) == 1 else pipeline.run_multi_image
    made = run(images if len(images) > 1 else images[0], formats=["gaussian", "mesh"], **options)
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
