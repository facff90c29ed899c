"""ReconViaGen v0.5: its structure, and shape and materials of TRELLIS.2.

Follows `app_v05.py` and `trellis/pipelines/trellis_hybrid_pipeline.py` of GAP-LAB-CUHK-SZ/ReconViaGen, branch v0.5. It
has no refinement and tells no cameras.
"""

import importlib
import os
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from bozzetto_bridge import attention, licences
from bozzetto_bridge._native import Asset
from bozzetto_bridge.adapter import Job, JobContext, Requirement
from bozzetto_bridge.adapters import upstream_glb
from bozzetto_bridge.adapters.pictures_prepared import prepare
from bozzetto_bridge.adapters.reconviagen.environment import (
    HYBRID_REQUIREMENTS,
    WHOLE_MESH_REQUIREMENTS,
    importing,
)
from bozzetto_bridge.adapters.reconviagen.params import HYBRID_PARAMS, HYBRID_STAGES, sampler_arguments
from bozzetto_bridge.adapters.reconviagen.vggt import ReconViaGenAdapter, load_pipeline
from bozzetto_bridge.adapters.staged import StagedAdapter, is_lost, require, require_card
from bozzetto_bridge.adapters.trellis.environment import environment_variables
from bozzetto_bridge.adapters.trellis2.environment import environment_variables as trellis2_variables
from bozzetto_bridge.adapters.trellis2.loading import load_upstream
from bozzetto_bridge.adapters.trellis2.models import DEFAULT_WEIGHTS as TRELLIS2_WEIGHTS
from bozzetto_bridge.adapters.trellis2.params import sampler_arguments as trellis2_arguments
from bozzetto_bridge.adapters.trellis2.volume import asset_of
from bozzetto_bridge.params import EngineInfo
from bozzetto_bridge.probe import graphics_card, has_module, version
from bozzetto_bridge.stages import stage_key

Step = TypeVar("Step")


class ReconViaGenHybridAdapter(StagedAdapter):
    """Upstream's hybrid of two pipelines, in one call."""

    ID = "reconviagen-v05-python"
    DEFAULT_WEIGHTS = ReconViaGenAdapter.DEFAULT_WEIGHTS

    def __init__(self, weights: str | None = None) -> None:
        super().__init__(weights)
        self._is_fusing = False

    def info(self) -> EngineInfo:
        """Say what it is and what can be set."""
        return EngineInfo(
            id=self.ID,
            label="ReconViaGen v0.5 (Python)",
            summary="Makes a detailed mesh with materials that keeps to several pictures.",
            stages=HYBRID_STAGES,
            params=HYBRID_PARAMS,
            device=graphics_card() or "Graphics card",
            licences=(
                licences.RECONVIAGEN,
                licences.TRELLIS2,
                licences.VGGT,
                licences.DINOV2,
                licences.DINOV3,
                licences.RMBG,
                licences.BIREFNET,
                licences.OLD_FLEXICUBES,
                licences.NVDIFFRAST,
            ),
        )

    def requirements(self) -> tuple[Requirement, ...]:
        """Name the modules that upstream uses on the way to a result."""
        return HYBRID_REQUIREMENTS

    def load(self, context: JobContext) -> None:
        """Import both of upstream's pipelines and load their models."""
        context.stage("prepare")
        require(HYBRID_REQUIREMENTS)
        variables = trellis2_variables(has_module, "rocm" in (version("torch") or ""), os.environ)
        os.environ.update({**variables, **environment_variables(has_module, os.environ), "XFORMERS_DISABLED": "1"})
        require_card()
        context.log("Loading the models of ReconViaGen and TRELLIS.2. The first time they are downloaded, about 25 GB.")
        structure = load_pipeline(self._weights)
        context.check()
        with importing(), attention.importable():
            # It puts its own copy of TRELLIS.2 on the path.
            hybrid = importlib.import_module("trellis.pipelines.trellis_hybrid_pipeline")
            # Most of what it imports is for upstream's own export.
            importlib.import_module("trellis.utils.postprocessing_utils")
        with importing():
            # It looks for `flash_attn` itself, and must not take our stand-in for it.
            shape = load_upstream("Trellis2ImageTo3DPipeline", TRELLIS2_WEIGHTS, "pipeline.json", lambda: self.context)
        shape.cuda()
        # Its splats are not used.
        structure.models.pop("slat_decoder_gs", None)
        for model in (structure.VGGT_model, *structure.models.values()):
            model.cpu()
        self._pipeline = hybrid.TrellisHybridPipeline(structure, shape, low_vram=True)
        samplers = [
            value for part in (structure, shape) for name, value in vars(part).items() if name.endswith("_sampler")
        ]
        self.watch(samplers, [*structure.models.values(), *shape.models.values()])
        importlib.import_module("trellis2.pipelines.trellis2_image_to_3d")._tqdm = self._fused
        self.hash_weights(self._weights, list(structure._pretrained_args["models"].values()))

    def run(self, job: Job, context: JobContext) -> Asset:
        """Make a mesh and a volume of materials."""
        self.context = context
        self._is_fusing = False  # a stage that was stopped may have left it
        params = job.params
        if params["generate.structure_from"] == "mesh":
            require(WHOLE_MESH_REQUIREMENTS)
        preprocess = self._pipeline.preprocess_image if params["prepare.cut_out"] else None
        images_key, pictures = prepare(job, context, self.cache, preprocess)
        self.seed(job.seed)
        arguments = {
            "strategy": params["generate.strategy"],
            "ss_sampler_params": sampler_arguments(params, "structure"),
            "slat_sampler_params": sampler_arguments(params, "latent"),
            "shape_slat_sampler_params": trellis2_arguments(params, "shape"),
            "tex_slat_sampler_params": trellis2_arguments(params, "material"),
            "pipeline_type": params["generate.pipeline_type"],
            "max_num_tokens": params["generate.max_num_tokens"],
            "ss_source": params["generate.structure_from"],
        }
        meshes, (_, _, resolution) = self.stage(
            "generate",
            stage_key("generate", images_key, job.seed, arguments),
            _num_steps(arguments),
            context,
            lambda: self._pipeline.run_multi_image(
                [picture.convert("RGB") for picture in pictures],
                seed=job.seed,
                preprocess_image=False,
                return_latent=True,
                **arguments,
            ),
        )
        context.stage("decode")
        layout = self._pipeline.pbr_attr_layout
        asset = asset_of(meshes[0], layout, resolution)
        if params["decode.upstream_glb"]:
            upstream_glb.with_materials(meshes[0], layout, resolution, context)
        self.remember_weights(asset)
        return asset

    def step_done(self) -> None:
        """Tell a step, but for the parts of one that brings several pictures together."""
        if not self._is_fusing:
            super().step_done()

    def _fused(self, steps: Iterable[Step], **options: Any) -> Iterator[Step]:
        """Count the steps of several pictures.

        In place of upstream's progress bar: a step goes past `sample_once`, or takes it once for each picture.
        """
        del options
        for step in steps:
            self._is_fusing = True
            try:
                yield step
            finally:
                self._is_fusing = False
            self.step_done()

    def release_scratch(self) -> None:
        """Take the models that a stopped stage left there off the graphics card again."""
        import torch

        if self._pipeline is None or is_lost(torch):
            return
        self._pipeline._vggt_models_to("cpu")
        for model in self._pipeline.trellis2_pipeline.models.values():
            model.cpu()
        torch.cuda.empty_cache()


def _num_steps(arguments: dict[str, Any]) -> int:
    """Count the steps that will be told."""
    steps = {name: value["steps"] for name, value in arguments.items() if name.endswith("_sampler_params")}
    total = steps["ss_sampler_params"] + steps["shape_slat_sampler_params"] + steps["tex_slat_sampler_params"]
    if arguments["ss_source"] == "mesh":
        total += steps["slat_sampler_params"]
    if arguments["pipeline_type"].endswith("_cascade"):
        total += steps["shape_slat_sampler_params"]
    return total
