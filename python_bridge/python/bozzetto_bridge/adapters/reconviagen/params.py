"""Stages and parameters: defaults and ranges of upstream's apps."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from bozzetto_bridge.adapters import upstream_glb
from bozzetto_bridge.adapters.trellis.params import CUT_OUT, FORMATS
from bozzetto_bridge.adapters.trellis.params import sampler_arguments as trellis_arguments
from bozzetto_bridge.adapters.trellis.params import sampler_params as trellis_params
from bozzetto_bridge.adapters.trellis2.params import sampler_params as trellis2_params
from bozzetto_bridge.params import ParamSpec, StageInfo, choice, number, switch, whole

STAGES = (
    StageInfo("prepare", "Cutting out the object"),
    StageInfo("structure", "Finding the structure"),
    StageInfo("latent", "Forming shape and colours"),
    StageInfo("refine", "Finding the cameras and refining"),
    StageInfo("decode", "Handing over the result"),
)

_WEAKEST = "1 takes half the time, 0 ignores the pictures"
_LOW_VRAM = ParamSpec(
    "prepare.low_vram",
    "Save graphics memory",
    "prepare",
    switch(True),
    "Keeps each model on the graphics card only while it works. Off is faster and needs more than 24 GB.",
    advanced=True,
)


def _sampler(stage: str, name: str, steps: int, rescale: float, rescale_t: float) -> tuple[ParamSpec, ...]:
    given = trellis_params(stage, name, steps, 7.5, 0.6, rescale_t, _WEAKEST, rescale)
    # One call of upstream's makes structure and latent: a change of either starts with the structure.
    return tuple(dataclasses.replace(each, stage="structure") for each in given)


def _rate(key: str, label: str, minimum: float, default: float, step: float, text: str) -> ParamSpec:
    return ParamSpec(key, label, "refine", number(minimum, 1, default, step), text, advanced=True)


PARAMS = (
    CUT_OUT,
    _LOW_VRAM,
    *_sampler("structure", "Structure", 30, 0.7, 5.0),
    *_sampler("latent", "Shape and colour", 12, 0.5, 3.0),
    ParamSpec(
        "refine.mode",
        "Refinement",
        "refine",
        choice({"off": "Off", "cameras": "Find the cameras only", "refine": "Find cameras and refine"}, "off"),
        "Lines the pictures up with the result and tunes it until it looks like them. It takes minutes, and needs "
        "packages whose licences do not permit commercial use.",
    ),
    ParamSpec(
        "refine.structure",
        "Refine the structure",
        "refine",
        choice({"No": "Keep it", "noise": "Tune its noise", "deltav": "Tune its flow"}, "No"),
        "Whether the structure is tuned to the points that are seen in the pictures.",
        advanced=True,
    ),
    ParamSpec(
        "refine.num_frames",
        "Views to compare with",
        "refine",
        whole(10, 50, 20),
        "Pictures of the first result among which each camera is looked for. More find it more surely.",
        advanced=True,
    ),
    _rate("refine.structure_rate", "Structure learning rate", 1e-4, 0.1, 5e-4, "How far each step moves."),
    _rate("refine.structure_start", "Structure start T", 0, 0.5, 0.01, "Noise level from which it is tuned."),
    _rate("refine.latent_rate", "Shape and colour learning rate", 1e-4, 0.1, 5e-4, "How far each step moves."),
    _rate("refine.latent_start", "Shape and colour start T", 0, 0.5, 0.01, "Noise level from which it is tuned."),
    *FORMATS,
)

HYBRID_STAGES = (
    StageInfo("prepare", "Cutting out the object"),
    StageInfo("generate", "Forming shape and materials"),
    StageInfo("decode", "Handing over the result"),
)

HYBRID_PARAMS = tuple(
    dataclasses.replace(spec, stage=spec.stage if spec.stage in ("prepare", "decode") else "generate")
    for spec in (
        CUT_OUT,
        ParamSpec(
            "generate.pipeline_type",
            "Resolution",
            "generate",
            choice(
                {"512": "512", "1024_cascade": "1024", "1536_cascade": "1536", "1024": "1024 without a coarse step"},
                "1024_cascade",
            ),
            "Voxels along the longest axis. Finer shapes take longer and need more graphics memory.",
        ),
        ParamSpec(
            "generate.structure_from",
            "Structure from",
            "generate",
            choice(
                {
                    "direct": "ReconViaGen's structure",
                    "mesh": "ReconViaGen's whole mesh",
                    "mvtrellis2": "TRELLIS.2",
                },
                "mesh",
            ),
            "What tells where the shape is. The whole mesh is the truest and takes the longest.",
        ),
        ParamSpec(
            "generate.strategy",
            "Several pictures",
            "generate",
            choice(
                {
                    "adaptive_guidance_weight": "Adaptive guidance",
                    "fixed_guidance_rescale": "Fixed guidance rescale",
                    "average_right": "Average of the guided",
                    "average": "Average",
                    "weighted_average": "Weighted average",
                    "sequential": "One after the other",
                },
                "adaptive_guidance_weight",
            ),
            "How the details of more than one picture are brought together.",
        ),
        ParamSpec(
            "generate.max_num_tokens",
            "Most tokens",
            "generate",
            whole(8192, 131072, 49152, 1024),
            "Intricate shapes are made at a lower resolution than 1536 when they would need more.",
            advanced=True,
        ),
        *_sampler("structure", "Structure", 12, 0.7, 5.0),
        *_sampler("latent", "Coarse shape", 12, 0.5, 3.0),
        *trellis2_params("shape", "Shape", 7.5, 0.5, 1.0, 3.0),
        *trellis2_params("material", "Material", 1.0, 0.0, 0.9, 3.0),
        upstream_glb.PARAM,
    )
)


def sampler_arguments(params: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """Give a stage's parameters as upstream's samplers take them."""
    return {**trellis_arguments(params, stage), "guidance_rescale": params[f"{stage}.guidance_rescale"]}
