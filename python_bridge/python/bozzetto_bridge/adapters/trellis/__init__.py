"""TRELLIS: pictures to splats and a coloured mesh.

Follows `trellis/pipelines/trellis_image_to_3d.py` of microsoft/TRELLIS at 6b0d647: the same calls in the same order
with the same random numbers as `run` and `run_multi_image`, but stage by stage, so that what did not change is kept.
"""

import importlib
import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from bozzetto_bridge import attention, licences
from bozzetto_bridge._native import Asset
from bozzetto_bridge.adapter import Job, JobContext, Requirement
from bozzetto_bridge.adapters import upstream_glb
from bozzetto_bridge.adapters.pictures_prepared import prepare
from bozzetto_bridge.adapters.staged import StagedAdapter, is_folder, is_lost, require, require_card
from bozzetto_bridge.adapters.trellis import outputs
from bozzetto_bridge.adapters.trellis.environment import REQUIREMENTS, environment_variables, importing
from bozzetto_bridge.adapters.trellis.params import PARAMS, STAGES, sampler_arguments, wanted_formats
from bozzetto_bridge.errors import NoResult
from bozzetto_bridge.params import EngineInfo
from bozzetto_bridge.probe import graphics_card, has_module
from bozzetto_bridge.stages import stage_key
from bozzetto_bridge.weights import check_folder

STRUCTURE_RESOLUTION = 64
NEEDED_MODELS = (
    "sparse_structure_flow_model",
    "sparse_structure_decoder",
    "slat_flow_model",
    "slat_decoder_gs",
    "slat_decoder_mesh",
)


class TrellisAdapter(StagedAdapter):
    """Upstream's image-to-3D pipeline, stage by stage."""

    ID = "trellis-python"
    DEFAULT_WEIGHTS = "microsoft/TRELLIS-image-large"

    def info(self) -> EngineInfo:
        """Say what it is and what can be set."""
        return EngineInfo(
            id=self.ID,
            label="TRELLIS (Python)",
            summary="Makes splats and a coloured mesh from one or several pictures, with Microsoft's own pipeline.",
            stages=STAGES,
            params=PARAMS,
            device=graphics_card() or "Graphics card",
            licences=(licences.TRELLIS, licences.DINOV2, licences.U2NET, licences.FLEXICUBES),
        )

    def requirements(self) -> tuple[Requirement, ...]:
        """Name the modules that upstream uses on the way to a result."""
        return REQUIREMENTS

    def load(self, context: JobContext) -> None:
        """Import upstream and load all of its models."""
        context.stage("prepare")
        require(REQUIREMENTS)
        os.environ.update(environment_variables(has_module, os.environ))
        require_card()
        if is_folder(self._weights):
            check_folder(self._weights, "pipeline.json", NEEDED_MODELS)
        context.log("Loading the models of TRELLIS. The first time they are downloaded, about 5 GB.")
        importlib.import_module("transformers")  # before it can mistake a deferred module for an installed one
        with importing(), attention.importable():
            pipelines = importlib.import_module("trellis.pipelines")
            # Its attention modules import their library when the first model needs them.
            self._pipeline = pipelines.TrellisImageTo3DPipeline.from_pretrained(self._weights)
        context.check()
        self._pipeline.cuda()
        samplers = (self._pipeline.sparse_structure_sampler, self._pipeline.slat_sampler)
        self.watch(samplers, self._pipeline.models.values())
        self.hash_weights(self._weights, list(self._pipeline._pretrained_args["models"].values()))

    def run(self, job: Job, context: JobContext) -> Asset:
        """Make splats and a mesh."""
        import torch

        self.context = context
        formats = wanted_formats(job.params)
        if not formats:
            raise NoResult(reason="Neither splats nor a mesh are wanted", advice="Switch one of them on.")
        with torch.no_grad():
            preprocess = self._pipeline.preprocess_image if job.params["prepare.cut_out"] else None
            images_key, pictures = prepare(job, context, self.cache, preprocess)
            condition = self._condition(pictures)
            # Here and not before, as upstream does.
            self.seed(job.seed)
            structure_key, coords = self._structure(job, context, images_key, condition)
            latent = self._latent(job, context, structure_key, condition, coords)
            made = decode(self._pipeline, latent, formats, context)
        asset = asset_of(made)
        if job.params["decode.upstream_glb"]:
            upstream_glb.painted_from_splats(made, context)
        self.remember_weights(asset)
        return asset

    def release_scratch(self) -> None:
        """Give cached device memory back."""
        import torch

        if not is_lost(torch):
            torch.cuda.empty_cache()

    def _condition(self, pictures: list[Any]) -> dict[str, Any]:
        condition = self._pipeline.get_cond([picture.convert("RGB") for picture in pictures])
        if len(pictures) > 1:
            condition["neg_cond"] = condition["neg_cond"][:1]
        return condition

    def _structure(self, job: Job, context: JobContext, images_key: str, condition: Any) -> tuple[str, Any]:
        params = sampler_arguments(job.params, "structure")
        mode = job.params["structure.multi_image"]
        key = stage_key("structure", images_key, job.seed, mode, params)

        def make() -> Any:
            with self._several("sparse_structure_sampler", condition, params["steps"], mode):
                return self._pipeline.sample_sparse_structure(condition, 1, params)

        coords = self.stage("structure", key, params["steps"], context, make)
        show_structure(coords, context)
        return key, coords

    def _latent(self, job: Job, context: JobContext, structure_key: str, condition: Any, coords: Any) -> Any:
        params = sampler_arguments(job.params, "latent")
        mode = job.params["structure.multi_image"]

        def make() -> Any:
            with self._several("slat_sampler", condition, params["steps"], mode):
                return self._pipeline.sample_slat(condition, coords, params)

        return self.stage("latent", stage_key("latent", structure_key, params), params["steps"], context, make)

    def _several(self, sampler: str, condition: Any, steps: int, mode: str) -> AbstractContextManager[Any]:
        count = len(condition["cond"])
        if count == 1:
            return nullcontext()
        return self._pipeline.inject_sampler_multi_image(sampler, count, steps, mode=mode)


def show_structure(coords: Any, context: JobContext) -> None:
    """Show the voxels `[N, 4]` that a structure consists of, or raise `NoResult` where there is none."""
    if coords.shape[0] == 0:
        raise NoResult(
            reason="The model found no shape in the pictures",
            advice="Try another seed, or pictures that show the whole object on a plain background.",
        )
    context.preview_structure(coords[:, 1:].cpu().numpy(), STRUCTURE_RESOLUTION, "z_up")


def decode(pipeline: Any, latent: Any, formats: list[str], context: JobContext) -> dict[str, Any]:
    """Give the wanted outputs of a latent, one after the other."""
    context.stage("decode")
    made: dict[str, Any] = {}
    for done, name in enumerate(formats):
        context.progress(done, len(formats))
        made |= pipeline.decode_slat(latent, [name])
    context.progress(len(formats), len(formats))
    return made


def asset_of(made: dict[str, Any]) -> Asset:
    """Give upstream's outputs as an asset."""
    asset = Asset()
    gaussians, meshes = made.get("gaussian"), made.get("mesh")
    if gaussians is not None:
        outputs.set_gaussians(asset, gaussians[0])
    if meshes is not None and meshes[0].success:
        outputs.set_mesh(asset, meshes[0])
    elif gaussians is None:
        raise NoResult(reason="The shape has no surface", advice="Try another seed or more steps.")
    return asset
