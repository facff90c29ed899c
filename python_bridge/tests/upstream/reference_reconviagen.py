"""ReconViaGen's own run on a job: python reference_reconviagen.py v0.2|v0.5 SOURCE WEIGHTS OUT JSON PICTURE...

Of v0.2 the first pass, or all that its demo does before it draws a film when JSON has `refine`, by the demo's names. Of
v0.5 the hybrid's `run_multi_image`, with the weights of TRELLIS.2 in `microsoft/TRELLIS.2-4B` of the working folder.
"""

import contextlib
import importlib
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np


def first_pass(weights, out, options, images):
    """As the demo does without refinement."""
    made, _, _ = load(weights).run(images, formats=["gaussian", "mesh"], preprocess_image=False, **options)
    save_splats(out, made)


def load(weights):
    import torch
    from trellis.pipelines import TrellisVGGTTo3DPipeline

    pipeline = TrellisVGGTTo3DPipeline.from_pretrained(weights)
    pipeline._device = torch.device("cuda")
    pipeline.low_vram = True
    return pipeline


def refined(source, weights, out, options, images):
    """The demo's own function, up to its film, and its result without tuning."""
    import torch
    from bozzetto_bridge.adapters.reconviagen.refinement import inside

    sys.modules.update(gradio=MagicMock(), gradio_litmodel3d=MagicMock())
    with inside(Path(source)):
        app = importlib.import_module("app_fine")
    # Its imports allow this. Without refinement, the other demo runs the same first pass without.
    torch.backends.cuda.matmul.allow_tf32 = False
    app.pipeline = load(weights)
    app.mast3r_model = app.AsymmetricMASt3R.from_pretrained("naver/MASt3R").eval()
    run_refine = app.pipeline.run_refine
    kept = {}

    def watched(**arguments):
        kept.update({name: arguments[name] for name in ("extrinsics", "intrinsics")})
        kept["made"] = run_refine(**arguments)
        if arguments["ss_refine_type"] == "No":
            untuned = run_refine(**{**arguments, "apperance_learning_rate": 0.0})
            kept["untuned"] = untuned["gaussian"][0].get_xyz
        return kept["made"]

    def enough(*arguments, **options):
        raise StopIteration

    app.pipeline.run_refine = watched
    app.render_utils.render_video = enough
    gallery = [(image, str(number)) for number, image in enumerate(images)]
    request = SimpleNamespace(session_hash="nobody")
    # It prints what goes wrong in the refinement, and goes on.
    with contextlib.suppress(StopIteration), contextlib.redirect_stdout(sys.stderr):
        app.generate_and_extract_glb(gallery, req=request, **options)
    save_splats(out, kept.pop("made"), **kept)


def hybrid(weights, out, options, images):
    """As the demo of v0.5 does."""
    from trellis.pipelines import TrellisHybridPipeline
    from trellis2.pipelines import Trellis2ImageTo3DPipeline, rembg

    rembg.BiRefNet = reference_trellis2().NoMatting
    structure = load(weights)
    structure.cuda()
    structure.VGGT_model.cuda()
    del structure.models["slat_decoder_gs"]
    shape = Trellis2ImageTo3DPipeline.from_pretrained("microsoft/TRELLIS.2-4B")
    reference_trellis2().open_layers(shape)
    shape.cuda()
    pipeline = TrellisHybridPipeline(structure, shape, low_vram=True)
    options |= {"preprocess_image": False, "return_latent": True}
    (made,), (_, _, resolution) = pipeline.run_multi_image(images, **options)
    arrays = {name: getattr(made, name).float().cpu().numpy() for name in ("vertices", "faces", "coords", "attrs")}
    np.savez(out, resolution=resolution, **arrays)


def reference_trellis2():
    return importlib.import_module("reference_trellis2")


def save_splats(out, made, **others):
    importlib.import_module("reference_trellis").save(out, made, **others)


def main() -> None:
    release, source, weights, out, options, *pictures = sys.argv[1:]
    options = json.loads(options)
    sys.path.insert(0, source)
    import pretend_card
    from bozzetto_bridge import attention
    from bozzetto_bridge.adapters.reconviagen.environment import importing
    from bozzetto_bridge.adapters.reconviagen.refinement import inside
    from PIL import Image

    if not os.environ.get("WITH_CARD"):
        pretend_card.install()
        pretend_card.add_bias_outside_spconv()
    pretend_card.shrink_reconviagens_encoders()
    sys.modules["flash_attn"] = attention
    # Upstream's own code is found from where it is started.
    with inside(Path(source)), importing():
        import trellis.pipelines

        importlib.import_module("trellis.utils.postprocessing_utils")
    images = [Image.open(picture) for picture in pictures]
    if release == "v0.5":
        pretend_card.leave_meshes_whole()
        preprocess = trellis.pipelines.TrellisHybridPipeline.preprocess_image
        nobody = SimpleNamespace(trellis2_pipeline=None)
        return hybrid(weights, out, options, [preprocess(nobody, image) for image in images])
    preprocess = trellis.pipelines.TrellisVGGTTo3DPipeline.preprocess_image
    images = [preprocess(None, image) for image in images]
    if "refine" in options:
        return refined(source, weights, out, options, images)
    return first_pass(weights, out, options, images)


if __name__ == "__main__":
    main()
