"""TRELLIS-VGGT of ReconViaGen v0.2: splats, a coloured mesh and the pictures' cameras.

Follows `app_fine.py` and `trellis/pipelines/trellis_image_to_3d.py` of GAP-LAB-CUHK-SZ/ReconViaGen at f672092. Its
`run` takes `coords`, `preprocess_image` and `mode` and passes over them: they are not offered. Its guidance is the
usual one, where 1 is none. The fork at estheryang11/ReconViaGen has that of TRELLIS, where 0 is none, and knows no
rescale: it is told by that, and asked in its own terms.
"""

import importlib
import inspect
import os
from typing import Any

import numpy as np

from bozzetto_bridge import attention, licences
from bozzetto_bridge._native import Asset
from bozzetto_bridge.adapter import Job, JobContext, Requirement
from bozzetto_bridge.adapters import upstream_glb
from bozzetto_bridge.adapters.pictures_prepared import prepare
from bozzetto_bridge.adapters.reconviagen import refinement
from bozzetto_bridge.adapters.reconviagen.environment import REQUIREMENTS, importing
from bozzetto_bridge.adapters.reconviagen.params import PARAMS, STAGES, sampler_arguments
from bozzetto_bridge.adapters.staged import StagedAdapter, is_folder, is_lost, require, require_card
from bozzetto_bridge.adapters.trellis import NEEDED_MODELS, asset_of, identity, show_structure
from bozzetto_bridge.adapters.trellis.environment import environment_variables
from bozzetto_bridge.adapters.trellis.params import wanted_formats
from bozzetto_bridge.errors import NoResult
from bozzetto_bridge.params import EngineInfo
from bozzetto_bridge.probe import graphics_card, has_module
from bozzetto_bridge.stages import stage_key
from bozzetto_bridge.weights import check_folder

FORMATS = ["gaussian", "mesh"]


class ReconViaGenAdapter(StagedAdapter):
    """Upstream's TRELLIS-VGGT, with the refinement of its demo."""

    ID = "reconviagen-python"
    DEFAULT_WEIGHTS = "Stable-X/trellis-vggt-v0-2"

    def __init__(self, weights: str | None = None) -> None:
        super().__init__(weights)
        self._app: Any = None

    def info(self) -> EngineInfo:
        """Say what it is and what can be set."""
        return EngineInfo(
            id=self.ID,
            label="ReconViaGen v0.2 (Python)",
            summary="Makes splats and a coloured mesh that keep to several pictures, and finds their cameras.",
            stages=STAGES,
            params=PARAMS,
            device=graphics_card() or "Graphics card",
            licences=(
                licences.RECONVIAGEN,
                licences.TRELLIS,
                licences.VGGT,
                licences.DINOV2,
                licences.BIREFNET,
                licences.OLD_FLEXICUBES,
                licences.MAST3R,
                licences.GAUSSIAN_RASTERIZER,
            ),
        )

    def requirements(self) -> tuple[Requirement, ...]:
        """Name the modules that upstream uses on the way to a result without refinement."""
        return REQUIREMENTS

    def load(self, context: JobContext) -> None:
        """Import upstream and load all of its models."""
        context.stage("prepare")
        require(REQUIREMENTS)
        os.environ.update(environment_variables(has_module, os.environ))
        require_card()
        if is_folder(self._weights):
            check_folder(self._weights, "pipeline.json", NEEDED_MODELS)
        context.log("Loading the models of ReconViaGen. The first time they are downloaded, about 10 GB.")
        self._pipeline = load_pipeline(self._weights)
        context.check()
        samplers = (self._pipeline.sparse_structure_sampler, self._pipeline.slat_sampler)
        self.watch(samplers, self._pipeline.models.values())
        self._announce_latent()
        self.hash_weights(self._weights, list(self._pipeline._pretrained_args["models"].values()))

    def run(self, job: Job, context: JobContext) -> Asset:
        """Make splats and a mesh, and find the cameras where that is wanted."""
        self.context = context
        formats = wanted_formats(job.params)
        if not formats:
            raise NoResult(reason="Neither splats nor a mesh are wanted", advice="Switch one of them on.")
        self._use_memory(job.params["prepare.low_vram"])
        preprocess = self._pipeline.preprocess_image if job.params["prepare.cut_out"] else None
        images_key, pictures = prepare(job, context, self.cache, preprocess)
        samplers = {stage: self._arguments(job, stage) for stage in ("structure", "latent")}
        key = stage_key("structure", images_key, job.seed, samplers)
        self.seed(job.seed)
        num_steps = sum(each["steps"] for each in samplers.values())
        made, coords, noise = self.stage(
            "structure", key, num_steps, context, lambda: self._first_pass(pictures, job.seed, samplers)
        )
        show_structure(coords, context)
        refined = refinement.Refined()
        if job.params["refine.mode"] != "off":
            context.stage("refine")
            refined = self._refine(job, pictures, (made, coords, noise))
            # Upstream swallows a cancel like any other exception.
            context.check()
            self._report(job, refined, context)
        context.stage("decode")
        outputs = refined.outputs or made
        asset = asset_of({name: outputs[name] for name in formats})
        if job.params["decode.upstream_glb"]:
            upstream_glb.painted_from_splats(outputs, context)
        if refined.view_from_world is not None:
            cameras = cameras_of(refined)
            asset.set_cameras(*cameras)
            context.preview_cameras(*cameras)
        self.remember_weights(asset)
        return asset

    def release_scratch(self) -> None:
        """Take the models that a stopped stage left there off the graphics card again."""
        import torch

        if self._pipeline is None or is_lost(torch):
            return
        if self._pipeline.low_vram:
            self._move_models("cpu")
        torch.cuda.empty_cache()

    def _first_pass(self, pictures: list[Any], seed: int, samplers: dict[str, dict[str, Any]]) -> Any:
        import torch

        with torch.no_grad():
            return self._pipeline.run(
                pictures,
                seed=seed,
                formats=FORMATS,
                sparse_structure_sampler_params=samplers["structure"],
                slat_sampler_params=samplers["latent"],
            )

    def _arguments(self, job: Job, stage: str) -> dict[str, Any]:
        arguments = sampler_arguments(job.params, stage)
        if not knows_rescale(self._pipeline.sparse_structure_sampler):
            del arguments["guidance_rescale"]
            arguments["cfg_strength"] -= 1
        return arguments

    def _announce_latent(self) -> None:
        """Upstream's one call makes structure and latent: the second sampler tells where the latent begins."""
        sample = self._pipeline.slat_sampler.sample

        def announced(*arguments: Any, **options: Any) -> Any:
            if self.context is not None and self.context.current_stage == "structure":
                self.context.stage("latent")
            return sample(*arguments, **options)

        self._pipeline.slat_sampler.sample = announced

    def _refine(self, job: Job, pictures: list[Any], first: tuple[Any, Any, Any]) -> refinement.Refined:
        params = job.params
        if self._app is None:
            self._app = refinement.load_app(self._pipeline, identity.package_folder().parent)
        names = {"structure": "ss", "latent": "slat"}
        arguments: dict[str, Any] = {"seed": job.seed, "low_vram": params["prepare.low_vram"]}
        for stage, name in names.items():
            arguments |= {
                f"{name}_guidance_strength": params[f"{stage}.guidance_strength"],
                f"{name}_sampling_steps": params[f"{stage}.steps"],
                f"{name}_guidance_rescale": params[f"{stage}.guidance_rescale"],
                f"{name}_rescale_t": params[f"{stage}.rescale_t"],
            }
        arguments |= {
            "ss_refine": params["refine.structure"],
            "registration_num_frames": params["refine.num_frames"],
            "trellis_stage1_lr": params["refine.structure_rate"],
            "trellis_stage1_start_t": params["refine.structure_start"],
            "trellis_stage2_lr": params["refine.latent_rate"],
            "trellis_stage2_start_t": params["refine.latent_start"],
        }
        cameras_only = params["refine.mode"] == "cameras"
        # Upstream's demo has loaded all of its models before the first of them.
        self.go_on_with_random_numbers()
        return refinement.refine(self._app, lambda *_, **__: first, pictures, arguments, cameras_only)

    def _report(self, job: Job, refined: refinement.Refined, context: JobContext) -> None:
        if refined.view_from_world is None:
            wanted = "The cameras were not found"
        elif refined.outputs is None and job.params["refine.mode"] == "refine":
            wanted = "The refinement did not come to its end"
        else:
            return
        why = f": {refined.complaints[-1]}" if refined.complaints else ""
        context.log(f"{wanted}, and the first result is kept{why}.", "warning")

    def _use_memory(self, saves_memory: bool) -> None:
        if self._pipeline.low_vram != saves_memory:
            self._move_models("cpu" if saves_memory else "cuda")
            self._pipeline.low_vram = saves_memory

    def _move_models(self, device: str) -> None:
        others = (self._pipeline.VGGT_model, self._pipeline.sparse_structure_vggt_cond, self._pipeline.slat_vggt_cond)
        for model in (*self._pipeline.models.values(), *others, self._pipeline.dreamsim_model):
            model.to(device)


def load_pipeline(weights: str) -> Any:
    """Import upstream and load its pipeline as its demo does: on the card, one model at a time."""
    importlib.import_module("transformers")  # before it can mistake a deferred module for an installed one
    import torch

    # It keeps some of its weights in the folder where it is started.
    with refinement.inside(identity.package_folder().parent), importing(), attention.importable():
        pipelines = importlib.import_module("trellis.pipelines")
        pipeline = pipelines.TrellisVGGTTo3DPipeline.from_pretrained(weights)
    pipeline._device = torch.device("cuda")
    pipeline.low_vram = True
    pipeline.birefnet_model.cuda()
    return pipeline


def knows_rescale(sampler: Any) -> bool:
    """Whether a sampler's guidance is that of ReconViaGen, and not that of TRELLIS."""
    # One of the classes that it is mixed of has it.
    steps = [vars(kind).get("_inference_model") for kind in type(sampler).__mro__]
    return any("guidance_rescale" in inspect.signature(step).parameters for step in steps if step is not None)


def cameras_of(refined: refinement.Refined) -> tuple[Any, Any, Any, str]:
    """Give upstream's cameras as the program takes them: matrices, vertical fields of view, widths over heights.

    Prepared pictures are square, and upstream's lenses have their centre in the picture's.
    """
    matrices = refined.view_from_world.detach().float().cpu().numpy()
    focal = refined.intrinsics.detach().float().cpu().numpy()[:, 1, 1]
    fov_y = 2 * np.arctan(0.5 / focal)
    return matrices, fov_y.astype(np.float32), np.ones(len(focal), dtype=np.float32), "z_up"
