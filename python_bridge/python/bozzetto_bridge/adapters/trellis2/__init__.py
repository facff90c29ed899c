"""TRELLIS.2: one picture to a mesh with materials.

Follows `trellis2/pipelines/trellis2_image_to_3d.py` of microsoft/TRELLIS.2 at 5565d240: the same calls in the same
order with the same random numbers as `Trellis2ImageTo3DPipeline.run`, but stage by stage, so that what did not change
is kept.

Upstream draws its noise on the processor from the global generator. The generator's state is kept beside each stage's
output, so that a run that starts in the middle goes on exactly as a whole one would.
"""

import importlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from bozzetto_bridge import attention
from bozzetto_bridge._native import Asset
from bozzetto_bridge.adapter import Adapter, Job, JobContext, Requirement
from bozzetto_bridge.adapters.pictures import content_hash, open_picture
from bozzetto_bridge.adapters.trellis2.environment import REQUIREMENTS, cuda_problem, environment_variables, is_lost
from bozzetto_bridge.adapters.trellis2.matting import FREE_MODEL, LazyMatting
from bozzetto_bridge.adapters.trellis2.params import PARAMS, STAGES, sampler_arguments
from bozzetto_bridge.errors import MissingPackage, NoResult, WrongCuda
from bozzetto_bridge.params import EngineInfo
from bozzetto_bridge.probe import graphics_card, has_module, version
from bozzetto_bridge.stages import StageCache, stage_key
from bozzetto_bridge.weights import check_folder, weight_hashes

Output = TypeVar("Output")

_STRUCTURE_RESOLUTION = {"512": 32, "1024": 64, "1024_cascade": 32, "1536_cascade": 32}
"""Voxels along an axis of the sparse structure, by type of pipeline."""

_MODELS = {
    "512": ("shape_slat_flow_model_512", "tex_slat_flow_model_512"),
    "1024": ("shape_slat_flow_model_1024", "tex_slat_flow_model_1024"),
}
"""Flow models for shape and material, by the resolution of their condition."""

NEEDED_MODELS = (
    "sparse_structure_flow_model",
    "sparse_structure_decoder",
    "shape_slat_flow_model_512",
    "shape_slat_flow_model_1024",
    "shape_slat_decoder",
    "tex_slat_flow_model_512",
    "tex_slat_flow_model_1024",
    "tex_slat_decoder",
)


class Trellis2Adapter(Adapter):
    """Upstream's image-to-3D pipeline, stage by stage."""

    ID = "trellis2-python"
    DEFAULT_WEIGHTS = "microsoft/TRELLIS.2-4B"

    def __init__(self, weights: str = DEFAULT_WEIGHTS) -> None:
        self._weights = weights
        self._pipeline: Any = None
        self._cache = StageCache()
        self._conditions: dict[tuple[str, int], Any] = {}
        self._context: JobContext | None = None
        self._steps_done = 0
        self._steps_total = 0
        self._random_state: Any = None
        self._hashes: dict[str, str] = {}
        self._hashing: threading.Thread | None = None

    def info(self) -> EngineInfo:
        """Say what it is and what can be set."""
        return EngineInfo(
            id=self.ID,
            label="TRELLIS.2 (Python)",
            summary="Makes a detailed mesh with materials from one picture, with Microsoft's own pipeline.",
            stages=STAGES,
            params=PARAMS,
            device=graphics_card() or "Graphics card",
            max_views=1,
        )

    def requirements(self) -> tuple[Requirement, ...]:
        """Name the modules that upstream imports on the way to a mesh."""
        return REQUIREMENTS

    def load(self, context: JobContext) -> None:
        """Import upstream and load all of its models."""
        context.stage("prepare")
        for need in REQUIREMENTS:
            if not has_module(need.module):
                raise MissingPackage(package=need.package, problem="is not installed", advice=need.advice)
        os.environ.update(environment_variables(has_module, "rocm" in (version("torch") or ""), os.environ))
        import torch

        if not torch.cuda.is_available():
            raise WrongCuda(reason=cuda_problem(torch))
        if Path(self._weights).is_dir():
            check_folder(Path(self._weights), "pipeline.json", NEEDED_MODELS)
        context.log("Loading the models of TRELLIS.2. The first time they are downloaded, about 15 GB.")
        self._pipeline = self._load_pipeline(context)
        self._pipeline.cuda()
        self._watch()
        stems = list(self._pipeline._pretrained_args["models"].values())
        self._hashing = threading.Thread(target=self._hash_weights, args=(stems,), name="weight-hashes", daemon=True)
        self._hashing.start()

    def run(self, job: Job, context: JobContext) -> Asset:
        """Make a mesh and a volume of materials."""
        import torch

        self._context = context
        self._use_memory(job.params["prepare.low_vram"])
        with torch.no_grad():
            image_key, image = self._prepare(job, context)
            # Here and not before, as upstream does.
            torch.manual_seed(job.seed)
            self._random_state = torch.get_rng_state()
            structure_key, coords = self._structure(job, context, image_key, image)
            shape_key, (shape, resolution) = self._shape(job, context, structure_key, (image_key, image), coords)
            material = self._material(job, context, shape_key, (image_key, image), shape)
            torch.cuda.empty_cache()
            context.stage("decode")
            context.progress(0, 1)
            mesh = self._pipeline.decode_latent(shape, material, resolution)[0]
            context.progress(1, 1)
        return self._asset(mesh, resolution)

    def release_scratch(self) -> None:
        """Take the models that a stopped stage left there off the graphics card again."""
        self._conditions.clear()
        if self._pipeline is None:
            return
        import torch

        if is_lost(torch):
            return
        if self._pipeline.low_vram:
            self._move_models("cpu")
        torch.cuda.empty_cache()

    def _load_pipeline(self, context: JobContext) -> Any:
        from trellis2.pipelines import Trellis2ImageTo3DPipeline, rembg

        is_of_another = os.environ["SPARSE_ATTN_BACKEND"] in ("flash_attn_3", "xformers")
        if not is_of_another and not has_module("flash_attn"):
            # Given to upstream alone: other libraries ask whether `flash_attn` is installed and expect all of it.
            importlib.import_module("trellis2.modules.sparse.attention.full_attn").flash_attn = attention
        # Upstream loads its matting model even when no picture needs one, and that one is gated.
        made_by_upstream = rembg.BiRefNet

        def matting(model_name: str = FREE_MODEL) -> LazyMatting:
            return LazyMatting(made_by_upstream, model_name, lambda: self._context)

        rembg.BiRefNet = matting
        try:
            pipeline = Trellis2ImageTo3DPipeline.from_pretrained(self._weights)
        finally:
            rembg.BiRefNet = made_by_upstream
        context.check()
        encoder = pipeline.image_cond_model.model
        if not hasattr(encoder, "layer") and hasattr(encoder, "model"):
            # transformers 5 moved the layers that upstream walks through.
            encoder.layer = encoder.model.layer
        return pipeline

    def _watch(self) -> None:
        """Let every sampler tell its steps, and every model look for a cancel before it starts."""
        pipeline = self._pipeline
        samplers = (pipeline.sparse_structure_sampler, pipeline.shape_slat_sampler, pipeline.tex_slat_sampler)
        for sampler in samplers:
            sampler.sample_once = self._counted(sampler.sample_once)
        for model in pipeline.models.values():
            model.register_forward_pre_hook(lambda *_: self._check())

    def _check(self) -> None:
        if self._context is not None:
            self._context.check()

    def _counted(self, sample_once: Callable[..., Output]) -> Callable[..., Output]:
        def counted(*args: Any, **kwargs: Any) -> Output:
            import torch

            self._check()
            step = sample_once(*args, **kwargs)
            # Otherwise the steps would be told when they are queued, not when they are done.
            torch.cuda.synchronize()
            self._steps_done += 1
            if self._context is not None:
                self._context.progress(self._steps_done, self._steps_total)
                free, total = torch.cuda.mem_get_info()
                self._context.memory(total - free, total)
            return step

        return counted

    def _stage(self, stage: str, key: str, num_steps: int, context: JobContext, make: Callable[[], Output]) -> Output:
        """Keep or make a stage's output, with the random numbers that come after it."""
        import torch

        def made() -> tuple[Output, Any]:
            torch.set_rng_state(self._random_state)
            self._steps_done, self._steps_total = 0, num_steps
            return make(), torch.get_rng_state()

        output, self._random_state = self._cache.get_or_run(stage, key, context, made)
        return output

    def _prepare(self, job: Job, context: JobContext) -> tuple[str, Any]:
        view = job.views[0]
        is_cut_out = job.params["prepare.cut_out"]
        key = stage_key("prepare", content_hash(view), view.is_inverted, view.ignores_alpha, is_cut_out)

        def make() -> Any:
            picture = open_picture(view)
            if not is_cut_out:
                return picture.convert("RGB")
            try:
                return self._pipeline.preprocess_image(picture)
            except ValueError as error:
                # Upstream asks for the smallest of no pixels.
                if "zero-size array" not in str(error):
                    raise
                raise NoResult(
                    reason="There is no object to be seen in the picture",
                    advice="Use a picture that shows one object clearly, or cut it out by hand.",
                ) from None

        image = self._cache.get_or_run("prepare", key, context, make)
        color = np.asarray(image)
        # Upstream has cut it out already and put it on black.
        context.preview_views([(view.name, color, np.full(color.shape[:2], 255, dtype=np.uint8))])
        return key, image

    def _condition(self, image: tuple[str, Any], resolution: int) -> Any:
        """Give what the models see of the picture. It takes no random numbers, so it may be made at any time."""
        image_key, picture = image
        wanted = (image_key, resolution)
        if wanted not in self._conditions:
            self._conditions = {key: value for key, value in self._conditions.items() if key[0] == image_key}
            self._conditions[wanted] = self._pipeline.get_cond([picture], resolution)
        return self._conditions[wanted]

    def _structure(self, job: Job, context: JobContext, image_key: str, image: Any) -> tuple[str, Any]:
        resolution = _STRUCTURE_RESOLUTION[job.params["structure.pipeline_type"]]
        params = sampler_arguments(job.params, "structure")
        key = stage_key("structure", image_key, job.seed, resolution, params)
        coords = self._stage(
            "structure",
            key,
            params["steps"],
            context,
            lambda: self._pipeline.sample_sparse_structure(
                self._condition((image_key, image), 512), resolution, 1, params
            ),
        )
        if coords.shape[0] == 0:
            raise NoResult(
                reason="The model found no shape in the picture",
                advice="Try another seed, or a picture that shows the whole object on a plain background.",
            )
        context.preview_structure(coords[:, 1:].cpu().numpy(), resolution, "z_up")
        return key, coords

    def _shape(
        self, job: Job, context: JobContext, structure_key: str, image: tuple[str, Any], coords: Any
    ) -> tuple[str, tuple[Any, int]]:
        kind = job.params["structure.pipeline_type"]
        size, _, cascade = kind.partition("_")
        params = sampler_arguments(job.params, "shape")
        most_tokens = job.params["shape.max_num_tokens"] if cascade else None
        key = stage_key("shape", structure_key, kind, most_tokens, params)
        models = self._pipeline.models

        def make() -> tuple[Any, int]:
            if not cascade:
                condition = self._condition(image, int(size))
                model = models[_MODELS[size][0]]
                return self._pipeline.sample_shape_slat(condition, model, coords, params), int(size)
            return self._pipeline.sample_shape_slat_cascade(
                self._condition(image, 512),
                self._condition(image, 1024),
                models[_MODELS["512"][0]],
                models[_MODELS["1024"][0]],
                512,
                int(size),
                coords,
                params,
                most_tokens,
            )

        num_steps = params["steps"] * (2 if cascade else 1)
        shape, resolution = self._stage("shape", key, num_steps, context, make)
        if resolution != int(size):
            context.log(
                f"The shape is too intricate for {size} and was made at {resolution}. Raise 'Most tokens' if there is "
                "graphics memory left.",
                "warning",
            )
        return key, (shape, resolution)

    def _material(self, job: Job, context: JobContext, shape_key: str, image: tuple[str, Any], shape: Any) -> Any:
        size = "512" if job.params["structure.pipeline_type"] == "512" else "1024"
        params = sampler_arguments(job.params, "material")
        return self._stage(
            "material",
            stage_key("material", shape_key, params),
            params["steps"],
            context,
            lambda: self._pipeline.sample_tex_slat(
                self._condition(image, int(size)), self._pipeline.models[_MODELS[size][1]], shape, params
            ),
        )

    def _asset(self, mesh: Any, resolution: int) -> Asset:
        if mesh.faces.shape[0] == 0:
            raise NoResult(reason="The shape has no surface", advice="Try another seed or more shape steps.")
        asset = Asset()
        asset.set_mesh(mesh.vertices.cpu().numpy(), mesh.faces.cpu().numpy(), "z_up")
        samples = mesh.attrs.float().cpu().numpy()
        layout = mesh.layout
        asset.set_volume(
            mesh.coords.int().cpu().numpy(),
            base_color=samples[:, layout["base_color"]],
            alpha=samples[:, layout["alpha"]][:, 0],
            metallic=samples[:, layout["metallic"]][:, 0],
            roughness=samples[:, layout["roughness"]][:, 0],
            resolution=resolution,
            frame="z_up",
        )
        if self._hashing is not None:
            self._hashing.join()
        asset.set_weights(self._hashes)
        return asset

    def _hash_weights(self, stems: list[str]) -> None:
        try:
            self._hashes = weight_hashes(self._weights, stems)
        except OSError as error:
            print(f"The weights could not be hashed: {error}")

    def _use_memory(self, saves_memory: bool) -> None:
        """Keep all models on the graphics card, or each only while it works."""
        if self._pipeline.low_vram != saves_memory:
            self._move_models("cpu" if saves_memory else "cuda")
            self._pipeline.low_vram = saves_memory

    def _move_models(self, device: str) -> None:
        for model in (*self._pipeline.models.values(), self._pipeline.image_cond_model, self._pipeline.rembg_model):
            model.to(device)
