"""One picture to a mesh with materials.

Follows `trellis2/pipelines/trellis2_image_to_3d.py` of microsoft/TRELLIS.2 at 5565d240: the same calls in the same
order with the same random numbers as `Trellis2ImageTo3DPipeline.run`, but stage by stage, so that what did not change
is kept.
"""

from typing import Any

from bozzetto_bridge import licences
from bozzetto_bridge._native import Asset
from bozzetto_bridge.adapter import Job, JobContext
from bozzetto_bridge.adapters import upstream_glb
from bozzetto_bridge.adapters.trellis2.environment import REQUIREMENTS
from bozzetto_bridge.adapters.trellis2.models import Trellis2Models
from bozzetto_bridge.adapters.trellis2.params import PARAMS, STAGES, sampler_arguments
from bozzetto_bridge.adapters.trellis2.volume import asset_of
from bozzetto_bridge.errors import NoResult
from bozzetto_bridge.params import EngineInfo
from bozzetto_bridge.probe import graphics_card
from bozzetto_bridge.stages import stage_key

_STRUCTURE_RESOLUTION = {"512": 32, "1024": 64, "1024_cascade": 32, "1536_cascade": 32}
"""Voxels along an axis of the sparse structure, by type of pipeline."""

_MODELS = {
    "512": ("shape_slat_flow_model_512", "tex_slat_flow_model_512"),
    "1024": ("shape_slat_flow_model_1024", "tex_slat_flow_model_1024"),
}
"""Flow models for shape and material, by the resolution of their condition."""


class Trellis2Adapter(Trellis2Models):
    """Upstream's image-to-3D pipeline, stage by stage."""

    ID = "trellis2-python"
    PIPELINE = "Trellis2ImageTo3DPipeline"
    CONFIG_FILE = "pipeline.json"
    REQUIREMENTS = REQUIREMENTS
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
            licences=(licences.TRELLIS2, licences.DINOV3, licences.RMBG, licences.BIREFNET, licences.NVDIFFRAST),
        )

    def run(self, job: Job, context: JobContext) -> Asset:
        """Make a mesh and a volume of materials."""
        import torch

        self.context = context
        self.use_memory(job.params["prepare.low_vram"])
        with torch.no_grad():
            image = self.prepare(job, context)
            # Here and not before, as upstream does.
            self.seed(job.seed)
            structure_key, coords = self._structure(job, context, image)
            shape_key, (shape, resolution) = self._shape(job, context, structure_key, image, coords)
            material = self._material(job, context, shape_key, image, shape)
            torch.cuda.empty_cache()
            context.stage("decode")
            context.progress(0, 1)
            mesh = self._pipeline.decode_latent(shape, material, resolution)[0]
            context.progress(1, 1)
        layout = self._pipeline.pbr_attr_layout
        asset = asset_of(mesh, layout, resolution)
        if job.params["decode.upstream_glb"]:
            upstream_glb.with_materials(mesh, layout, resolution, context)
        self.remember_weights(asset)
        return asset

    def _structure(self, job: Job, context: JobContext, image: tuple[str, Any]) -> tuple[str, Any]:
        resolution = _STRUCTURE_RESOLUTION[job.params["structure.pipeline_type"]]
        params = sampler_arguments(job.params, "structure")
        key = stage_key("structure", image[0], job.seed, resolution, params)
        coords = self.stage(
            "structure",
            key,
            params["steps"],
            context,
            lambda: self._pipeline.sample_sparse_structure(self.condition(image, 512), resolution, 1, params),
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
                condition = self.condition(image, int(size))
                model = models[_MODELS[size][0]]
                return self._pipeline.sample_shape_slat(condition, model, coords, params), int(size)
            return self._pipeline.sample_shape_slat_cascade(
                self.condition(image, 512),
                self.condition(image, 1024),
                models[_MODELS["512"][0]],
                models[_MODELS["1024"][0]],
                512,
                int(size),
                coords,
                params,
                most_tokens,
            )

        num_steps = params["steps"] * (2 if cascade else 1)
        shape, resolution = self.stage("shape", key, num_steps, context, make)
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
        return self.stage(
            "material",
            stage_key("material", shape_key, params),
            params["steps"],
            context,
            lambda: self._pipeline.sample_tex_slat(
                self.condition(image, int(size)), self._pipeline.models[_MODELS[size][1]], shape, params
            ),
        )
