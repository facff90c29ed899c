"""Materials for a mesh that is given, after a picture.

Follows `trellis2/pipelines/trellis2_texturing.py` of microsoft/TRELLIS.2 at 5565d240 up to the voxels of materials.
Baking them into textures is the program's own finishing, so that the mesh keeps what it has.
"""

from typing import Any

import numpy as np

from bozzetto_bridge import licences
from bozzetto_bridge._native import Asset
from bozzetto_bridge.adapter import Job, JobContext
from bozzetto_bridge.adapters.given_mesh import GivenMesh
from bozzetto_bridge.adapters.trellis2.environment import TEXTURING_REQUIREMENTS
from bozzetto_bridge.adapters.trellis2.models import Trellis2Models
from bozzetto_bridge.adapters.trellis2.params import TEXTURING_PARAMS, TEXTURING_STAGES, sampler_arguments
from bozzetto_bridge.adapters.trellis2.volume import set_volume
from bozzetto_bridge.params import EngineInfo
from bozzetto_bridge.probe import graphics_card
from bozzetto_bridge.stages import stage_key


class Trellis2TexturingAdapter(Trellis2Models):
    """Upstream's texturing pipeline, stage by stage."""

    ID = "trellis2-texturing-python"
    PIPELINE = "Trellis2TexturingPipeline"
    CONFIG_FILE = "texturing_pipeline.json"
    REQUIREMENTS = TEXTURING_REQUIREMENTS
    NEEDED_MODELS = ("shape_slat_encoder", "tex_slat_decoder", "tex_slat_flow_model_512", "tex_slat_flow_model_1024")

    def info(self) -> EngineInfo:
        """Say what it is and what can be set."""
        return EngineInfo(
            id=self.ID,
            label="TRELLIS.2 texturing (Python)",
            summary="Gives a mesh materials after one picture, with Microsoft's own pipeline.",
            stages=TEXTURING_STAGES,
            params=TEXTURING_PARAMS,
            device=graphics_card() or "Graphics card",
            max_views=1,
            needs_mesh=True,
            licences=(licences.TRELLIS2, licences.DINOV3, licences.RMBG, licences.BIREFNET, licences.NVDIFFRAST),
        )

    def run(self, job: Job, context: JobContext) -> Asset:
        """Make a volume of materials about the given mesh, which is moved into the unit cube."""
        import torch

        self.context = context
        self.use_memory(job.params["prepare.low_vram"])
        given = GivenMesh.read(job.mesh)
        with torch.no_grad():
            image = self.prepare(job, context)
            mesh = self._placed(given)
            resolution = int(job.params["shape.resolution"])
            shape_key, shape = self._shape(given, mesh, resolution, context)
            # Upstream does so before it looks at the mesh, which takes no random numbers and is kept for other seeds.
            self.seed(job.seed)
            material = self._material(job, context, shape_key, image, shape, resolution)
            torch.cuda.empty_cache()
            context.stage("decode")
            context.progress(0, 1)
            voxels = self._pipeline.decode_tex_slat(material)
            context.progress(1, 1)
        asset = Asset()
        positions = np.ascontiguousarray(mesh.vertices, dtype=np.float32)
        asset.set_mesh(positions, given.triangles, "z_up", uvs=given.uvs)
        set_volume(asset, voxels.coords[:, 1:], voxels.feats, self._pipeline.pbr_attr_layout, resolution)
        self.remember_weights(asset)
        return asset

    def _placed(self, given: GivenMesh) -> Any:
        """Give the mesh in upstream's frame and cube, with its vertices in their order."""
        import trimesh

        # In double precision, as upstream's own reading has it.
        positions = given.positions.astype(np.float64)
        return self._pipeline.preprocess_mesh(trimesh.Trimesh(positions, given.triangles, process=False))

    def _shape(self, given: GivenMesh, mesh: Any, resolution: int, context: JobContext) -> tuple[str, Any]:
        key = stage_key("shape", given.content_hash, resolution)
        shape = self.cache.get_or_run("shape", key, context, lambda: self._pipeline.encode_shape_slat(mesh, resolution))
        return key, shape

    def _material(
        self, job: Job, context: JobContext, shape_key: str, image: tuple[str, Any], shape: Any, resolution: int
    ) -> Any:
        size = 512 if resolution == 512 else 1024  # noqa: PLR2004, upstream's models know no others
        params = sampler_arguments(job.params, "material")
        return self.stage(
            "material",
            stage_key("material", shape_key, image[0], job.seed, params),
            params["steps"],
            context,
            lambda: self._pipeline.sample_tex_slat(
                self.condition(image, size), self._pipeline.models[f"tex_slat_flow_model_{size}"], shape, params
            ),
        )
