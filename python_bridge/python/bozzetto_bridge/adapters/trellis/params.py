"""Stages and parameters of the TRELLIS family: defaults and ranges of upstream's apps."""

from collections.abc import Mapping
from typing import Any

from bozzetto_bridge.adapters import samplers, upstream_glb
from bozzetto_bridge.params import ParamSpec, StageInfo, choice, switch

STAGES = (
    StageInfo("prepare", "Cutting out the object"),
    StageInfo("structure", "Finding the structure"),
    StageInfo("latent", "Forming shape and colours"),
    StageInfo("decode", "Building splats and surface"),
)

CUT_OUT = ParamSpec(
    "prepare.cut_out",
    "Cut out the object",
    "prepare",
    switch(True),
    "Removes the background where a picture has no transparency, and centres the object. Off takes pictures as they "
    "are: square, on black.",
)

FORMATS = (
    ParamSpec("decode.splats", "Splats", "decode", switch(True), "Makes Gaussian splats: they look best."),
    ParamSpec("decode.mesh", "Mesh", "decode", switch(True), "Makes a surface with a colour at each vertex."),
    upstream_glb.PARAM,
)


def sampler_params(
    stage: str,
    name: str,
    steps: int,
    strength: float,
    guidance_from: float,
    rescale_t: float,
    weakest: str,
    guidance_rescale: float | None = None,
) -> tuple[ParamSpec, ...]:
    """Give the parameters that every sampler has; `weakest` says from where on guidance does something."""
    text = f"How closely the pictures are followed. Too much hardens and overdraws; {weakest}."
    return samplers.sampler_params(
        stage,
        name,
        steps=steps,
        guidance=samplers.guidance_param(stage, name, 0, strength, text),
        guidance_from=guidance_from,
        guidance_rescale=guidance_rescale,
        rescale_t=rescale_t,
    )


_WEAKEST = "0 takes half the time"
PARAMS = (
    CUT_OUT,
    ParamSpec(
        "structure.multi_image",
        "Several pictures",
        "structure",
        choice({"stochastic": "One after the other", "multidiffusion": "All at every step"}, "stochastic"),
        "How more than one picture is followed. All at every step is steadier and takes as many times longer.",
    ),
    *sampler_params("structure", "Structure", 12, 7.5, 0.5, 3.0, _WEAKEST),
    *sampler_params("latent", "Shape and colour", 12, 3.0, 0.5, 3.0, _WEAKEST),
    *FORMATS,
)


def sampler_arguments(params: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """Give a stage's parameters as upstream's samplers take them."""
    return {
        "steps": params[f"{stage}.steps"],
        "cfg_strength": params[f"{stage}.guidance_strength"],
        "cfg_interval": [params[f"{stage}.guidance_from"], params[f"{stage}.guidance_to"]],
        "rescale_t": params[f"{stage}.rescale_t"],
    }


def wanted_formats(params: Mapping[str, Any]) -> list[str]:
    """Give the outputs that are wanted, by upstream's names."""
    names = {"decode.splats": "gaussian", "decode.mesh": "mesh"}
    return [name for key, name in names.items() if params[key]]
