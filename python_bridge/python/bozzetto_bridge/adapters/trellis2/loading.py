"""Loading upstream's pipelines as this environment can run them."""

import importlib
import os
from collections.abc import Callable
from typing import Any

from bozzetto_bridge import attention
from bozzetto_bridge.adapter import JobContext
from bozzetto_bridge.adapters.trellis2.matting import FREE_MODEL, LazyMatting
from bozzetto_bridge.probe import has_module


def load_upstream(name: str, weights: str, config_file: str, context: Callable[[], JobContext | None]) -> Any:
    """Load one of upstream's pipelines by its name; `context` gives the job that runs when a picture is cut out."""
    pipelines = importlib.import_module("trellis2.pipelines")
    made = getattr(pipelines, name)
    is_of_another = os.environ["SPARSE_ATTN_BACKEND"] in ("flash_attn_3", "xformers")
    if not is_of_another and not has_module("flash_attn"):
        importlib.import_module("trellis2.modules.sparse.attention")
        attention.lend_to("trellis2.modules.sparse", "sparse_scaled_dot_product_attention")
    # Upstream loads its matting model even when no picture needs one, and that one is gated.
    rembg = importlib.import_module("trellis2.pipelines.rembg")
    made_by_upstream = rembg.BiRefNet

    def matting(model_name: str = FREE_MODEL) -> LazyMatting:
        return LazyMatting(made_by_upstream, model_name, context)

    rembg.BiRefNet = matting
    try:
        pipeline = made.from_pretrained(weights, config_file)
    finally:
        rembg.BiRefNet = made_by_upstream
    encoder = pipeline.image_cond_model.model
    if not hasattr(encoder, "layer") and hasattr(encoder, "model"):
        # transformers 5 moved the layers that upstream walks through.
        encoder.layer = encoder.model.layer
    return pipeline
