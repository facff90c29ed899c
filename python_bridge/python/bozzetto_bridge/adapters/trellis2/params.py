"""Stages and parameters: defaults of upstream's `pipeline.json`, ranges of its app."""

from collections.abc import Mapping
from typing import Any

from bozzetto_bridge.params import ParamSpec, StageInfo, choice, number, switch, whole

STAGES = (
    StageInfo("prepare", "Cutting out the object"),
    StageInfo("structure", "Finding the structure"),
    StageInfo("shape", "Forming the shape"),
    StageInfo("material", "Finding the materials"),
    StageInfo("decode", "Building the surface"),
)


def sampler_params(stage: str, name: str, strength: float, rescale: float, until: float, rescale_t: float) -> tuple:
    """Give the parameters that every sampler has: the defaults are upstream's `pipeline.json`, the ranges its app's."""
    return (
        ParamSpec(
            f"{stage}.steps",
            f"{name} steps",
            stage,
            whole(1, 50, 12),
            "More steps follow the model more closely and take longer; beyond 25 little changes.",
        ),
        ParamSpec(
            f"{stage}.guidance_strength",
            f"{name} guidance strength",
            stage,
            number(1, 10, strength, 0.1),
            "How closely the picture is followed. Too much hardens and overdraws; 1 takes half the time.",
        ),
        ParamSpec(
            f"{stage}.guidance_rescale",
            f"{name} guidance rescale",
            stage,
            number(0, 1, rescale, 0.01),
            "Takes back the contrast that guidance adds: 0 keeps all of it, 1 takes all of it back.",
            advanced=True,
        ),
        ParamSpec(
            f"{stage}.guidance_from",
            f"{name} guidance from",
            stage,
            number(0, 1, 0.6, 0.05),
            "Noise level down to which guidance acts. Lower guides longer, into the fine steps, and takes more time.",
            advanced=True,
        ),
        ParamSpec(
            f"{stage}.guidance_to",
            f"{name} guidance to",
            stage,
            number(0, 1, until, 0.05),
            "Noise level from which guidance acts; 1 guides from the first step on.",
            advanced=True,
        ),
        ParamSpec(
            f"{stage}.rescale_t",
            f"{name} rescale T",
            stage,
            number(1, 6, rescale_t, 0.1),
            "Higher values spend more of the steps on the coarse form, lower ones more on the details.",
            advanced=True,
        ),
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
