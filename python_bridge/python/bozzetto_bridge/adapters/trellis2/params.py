"""Stages and parameters: defaults of upstream's `pipeline.json`, ranges of its app."""

from collections.abc import Mapping
from typing import Any

from bozzetto_bridge.adapters import samplers, upstream_glb
from bozzetto_bridge.params import ParamSpec, StageInfo, choice, switch, whole

STAGES = (
    StageInfo("prepare", "Cutting out the object"),
    StageInfo("structure", "Finding the structure"),
    StageInfo("shape", "Forming the shape"),
    StageInfo("material", "Finding the materials"),
    StageInfo("decode", "Building the surface"),
)


def sampler_params(
    stage: str, name: str, strength: float, rescale: float, until: float, rescale_t: float
) -> tuple[ParamSpec, ...]:
    """Give the parameters that every sampler has: the defaults are upstream's `pipeline.json`, the ranges its app's."""
    text = "How closely the picture is followed. Too much hardens and overdraws; 1 takes half the time."
    return samplers.sampler_params(
        stage,
        name,
        steps=12,
        guidance=samplers.guidance_param(stage, name, 1, strength, text),
        guidance_from=0.6,
        guidance_to=until,
        guidance_rescale=rescale,
        rescale_t=rescale_t,
    )


PARAMS = (
    ParamSpec(
        "prepare.cut_out",
        "Cut out the object",
        "prepare",
        switch(True),
        "Removes the background where the picture has no transparency, and fills the frame with the object. Off takes "
        "the picture as it is: square, on black.",
    ),
    ParamSpec(
        "prepare.low_vram",
        "Save graphics memory",
        "prepare",
        switch(True),
        "Keeps each model on the graphics card only while it works. Off is faster and needs more than 24 GB.",
        advanced=True,
    ),
    ParamSpec(
        "structure.pipeline_type",
        "Resolution",
        "structure",
        choice(
            {"512": "512", "1024_cascade": "1024", "1536_cascade": "1536", "1024": "1024 without a coarse step"},
            "1024_cascade",
        ),
        "Voxels along the longest axis. Finer shapes take longer and need more graphics memory.",
    ),
    *sampler_params("structure", "Structure", 7.5, 0.7, 1.0, 5.0),
    ParamSpec(
        "shape.max_num_tokens",
        "Most tokens",
        "shape",
        whole(8192, 131072, 49152, 1024),
        "Intricate shapes are made at a lower resolution than 1536 when they would need more. More need more memory.",
        advanced=True,
    ),
    *sampler_params("shape", "Shape", 7.5, 0.5, 1.0, 3.0),
    *sampler_params("material", "Material", 1.0, 0.0, 0.9, 3.0),
    upstream_glb.PARAM,
)

TEXTURING_STAGES = (
    StageInfo("prepare", "Cutting out the object"),
    StageInfo("shape", "Looking at the mesh"),
    StageInfo("material", "Finding the materials"),
    StageInfo("decode", "Building the materials"),
)

TEXTURING_PARAMS = (
    *PARAMS[:2],
    ParamSpec(
        "shape.resolution",
        "Resolution",
        "shape",
        choice({"512": "512", "1024": "1024", "1536": "1536"}, "1024"),
        "Voxels along the longest axis. Finer materials take longer and need more graphics memory.",
    ),
    *sampler_params("material", "Material", 1.0, 0.0, 0.9, 3.0),
)
"""Defaults of upstream's app for texturing."""


def sampler_arguments(params: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """Give a stage's parameters as upstream's samplers take them."""
    return {
        "steps": params[f"{stage}.steps"],
        "guidance_strength": params[f"{stage}.guidance_strength"],
        "guidance_rescale": params[f"{stage}.guidance_rescale"],
        "guidance_interval": [params[f"{stage}.guidance_from"], params[f"{stage}.guidance_to"]],
        "rescale_t": params[f"{stage}.rescale_t"],
    }
