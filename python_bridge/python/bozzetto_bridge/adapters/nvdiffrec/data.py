"""What upstream reads and writes: pictures with cameras, a mesh, a configuration, and a mesh with textures again."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from bozzetto_bridge._native import Asset, read_mesh
from bozzetto_bridge.adapter import Job
from bozzetto_bridge.adapters.given_mesh import GivenMesh
from bozzetto_bridge.adapters.nvdiffrec.cameras import as_one_lens, cameras_of, field_of_view, z_up_from_view
from bozzetto_bridge.adapters.pictures import open_picture
from bozzetto_bridge.errors import BadView, NoResult

OPAQUE = 255

_START = """newmtl start
bsdf pbr
Kd 0.5 0.5 0.5
Ks 0 0.6 0
"""


def write_pictures(job: Job, folder: Path) -> None:
    """Write the pictures and their cameras as NeRF's synthetic scenes have them; the alpha is the mask."""
    pictures = []
    for view in job.views:
        picture = open_picture(view)
        if picture.mode != "RGBA" or picture.getchannel("A").getextrema()[0] == OPAQUE:
            raise BadView(name=view.name, reason="it is not cut out: nvdiffrec tells the object by its transparency")
        pictures.append(picture)
    cameras = cameras_of(job.views, job.mesh)
    fields = [field_of_view(view, camera) for view, camera in zip(job.views, cameras, strict=True)]
    squares, angle = as_one_lens(pictures, fields, job.params["refine.picture_px"])
    frames = []
    for index, (square, camera) in enumerate(zip(squares, cameras, strict=True)):
        square.save(folder / f"view_{index:04}.png")
        frames.append({"file_path": f"view_{index:04}", "transform_matrix": z_up_from_view(camera).tolist()})
    for name, kept in (("transforms_train.json", frames), ("transforms_test.json", frames[:1])):
        (folder / name).write_text(json.dumps({"camera_angle_x": angle, "frames": kept}))


def write_mesh(mesh: GivenMesh, path: Path) -> None:
    """Write the mesh to start from, with UVs: its own, or new ones."""
    positions, triangles, uvs = mesh.positions, mesh.triangles, mesh.uvs
    if uvs is None:
        positions, triangles, uvs = _unwrapped(positions, triangles)
    path.with_suffix(".mtl").write_text(_START)
    with path.open("w", encoding="utf-8") as file:
        file.write(f"mtllib {path.stem}.mtl\nusemtl start\n")
        np.savetxt(file, positions, "v %.9g %.9g %.9g")
        # OBJ counts rows of texels from the bottom.
        np.savetxt(file, uvs * [1, -1] + [0, 1], "vt %.9g %.9g")
        corners = np.repeat(triangles + 1, 2, axis=1)
        np.savetxt(file, corners, "f %d/%d/ %d/%d/ %d/%d/")


def _unwrapped(positions: Any, triangles: Any) -> tuple[Any, Any, Any]:
    try:
        import xatlas
    except ImportError:
        raise NoResult(
            reason="The mesh has no UVs",
            advice="Finish it first, or install xatlas into the engine's Python environment.",
        ) from None
    sources, corners, uvs = xatlas.parametrize(positions, triangles.astype(np.uint32))
    return positions[sources], corners.astype(np.int32), uvs * [1, -1] + [0, 1]


def write_config(job: Job, folder: Path, mesh: Path, out_name: str) -> Path:
    """Write what upstream is to do: the second of its passes, from a mesh that is there."""
    params = job.params
    size, texture = params["refine.picture_px"], int(params["refine.texture_px"])
    config = {
        "ref_mesh": str(folder),
        "base_mesh": str(mesh),
        "out_dir": out_name,
        "random_textures": False,
        "iter": params["refine.iterations"],
        "save_interval": 0,
        "display_interval": 0,
        "train_res": [size, size],
        "texture_res": [texture, texture],
        "batch": params["refine.batch"],
        "learning_rate": [params["refine.position_rate"], params["refine.material_rate"]],
        "ks_min": [0, params["refine.least_roughness"], 0],
        "laplace_scale": 3000,
        "layers": 1,
        "background": "white",
        "lock_pos": not params["refine.moves_vertices"],
        "validate": False,
    }
    path = folder / "config.json"
    path.write_text(json.dumps(config, indent=1))
    return path


def read_result(folder: Path) -> Asset:
    """Read the refined mesh with its textures.

    Upstream's specular texture has roughness in its green and metallic in its blue channel, as glTF has; what red holds
    is how much light is kept away, and not glTF's occlusion. Its normals have +Y up.
    """
    try:
        positions, triangles, uvs = read_mesh(str(folder / "mesh.obj"))
        color = _pixels(folder / "texture_kd.png", "RGBA")
        specular = _pixels(folder / "texture_ks.png", "RGB")
        normal = _pixels(folder / "texture_n.png", "RGB") if (folder / "texture_n.png").is_file() else None
    except (OSError, ValueError) as error:
        raise NoResult(
            reason=f"nvdiffrec left no mesh with textures behind ({error})".rstrip("."),
            advice="Look into the log for what it said.",
        ) from None
    specular[..., 0] = OPAQUE
    asset = Asset()
    asset.set_mesh(positions, triangles, "model", uvs=uvs)
    asset.set_material(color, orm=specular, normal=normal)
    return asset


def _pixels(path: Path, mode: str) -> Any:
    from PIL import Image

    with Image.open(path) as picture:
        return np.array(picture.convert(mode))
