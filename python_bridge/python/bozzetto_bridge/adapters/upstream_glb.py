"""The GLB that upstream's own demos export, beside the program's and to compare with it."""

import importlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bozzetto_bridge.adapter import JobContext
from bozzetto_bridge.adapters.staged import is_lost
from bozzetto_bridge.errors import MissingPackage
from bozzetto_bridge.params import ParamSpec, switch

PARAM = ParamSpec(
    "decode.upstream_glb",
    "Upstream's GLB too",
    "decode",
    switch(False),
    "Also writes the GLB that upstream's own demo would export, to compare the two. It can take minutes, and needs "
    "the packages of that export. The log says where the file is.",
    advanced=True,
)


def with_materials(mesh: Any, layout: dict[str, slice], resolution: int, context: JobContext) -> None:
    """Write a mesh with its voxels as `app.py` of TRELLIS.2 does where nothing is changed there."""

    def make() -> Any:
        return importlib.import_module("o_voxel.postprocess").to_glb(
            vertices=mesh.vertices,
            faces=mesh.faces,
            attr_volume=mesh.attrs,
            coords=mesh.coords,
            attr_layout=layout,
            grid_size=resolution,
            aabb=[[-0.5, -0.5, -0.5], [0.5, 0.5, 0.5]],
            decimation_target=500_000,
            texture_size=2048,
            remesh=True,
            remesh_band=1,
            remesh_project=0,
        )

    _write(make, context, extension_webp=True)


def painted_from_splats(made: dict[str, Any], context: JobContext) -> None:
    """Write a mesh that is painted from renderings of splats, as `app.py` of TRELLIS does where nothing is changed."""
    if not made.keys() >= {"gaussian", "mesh"} or not made["mesh"][0].success:
        context.log("Upstream's own GLB was not made: it needs splats and a mesh.", "warning")
        return

    def make() -> Any:
        tools = importlib.import_module("trellis.utils.postprocessing_utils")
        return tools.to_glb(made["gaussian"][0], made["mesh"][0], simplify=0.95, texture_size=1024, verbose=False)

    _write(make, context)


def _write(make: Callable[[], Any], context: JobContext, **options: Any) -> None:
    """Make and write it. Whatever goes wrong, the result is there already and is not lost for it."""
    import torch

    context.log("Making upstream's own GLB.")
    try:
        made = make()
        folder = Path(tempfile.mkdtemp(prefix="bozzetto-upstream-"))
        unfinished, path = folder / "unfinished.glb", folder / "upstream.glb"
        made.export(str(unfinished), **options)
        unfinished.replace(path)
    except Exception as error:
        if is_lost(torch):
            raise
        context.log(f"Upstream's own GLB could not be made: {_reason(error)}", "warning")
        return
    context.log(f"Upstream's own GLB is {path}.")


def _reason(error: Exception) -> str:
    if isinstance(error, MissingPackage):
        return f"{error.package} {error.problem}. {error.advice}"
    return f"{type(error).__name__}: {str(error).strip()}"
