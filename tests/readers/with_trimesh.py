"""Opens 3D files with trimesh and prints, a line of JSON for each, what it has found.

usage: with_trimesh.py FILE...
"""

import json
import sys

import numpy as np
import trimesh


def color_facts(visual):
    """The mean colour of a mesh' vertices or of its picture, `[0, 1]`, encoded."""
    if visual.kind == "vertex":
        return {"vertex_color": (visual.vertex_colors[:, :3].mean(0) / 255).tolist()}
    material = getattr(visual, "material", None)
    picture = getattr(material, "image", None) or getattr(material, "baseColorTexture", None)
    if picture is None:
        return {}
    pixels = np.asarray(picture.convert("RGB"), np.float64) / 255
    return {"picture": {"size": list(picture.size), "color": pixels.mean((0, 1)).tolist()}}


def facts(path):
    thing = trimesh.load(path)
    if isinstance(thing, trimesh.Scene):
        thing = thing.to_mesh()
    found = {"kind": type(thing).__name__, "low": thing.bounds[0].tolist(), "high": thing.bounds[1].tolist()}
    found["vertices"] = len(thing.vertices)
    if not isinstance(thing, trimesh.Trimesh):
        return found
    uvs = getattr(thing.visual, "uv", None)
    found |= color_facts(thing.visual)
    found["faces"] = len(thing.faces)
    found["uvs"] = 0 if uvs is None else len(uvs)
    # Seams of the texture, where vertices lie at one place, are no holes.
    thing.merge_vertices(merge_tex=True, merge_norm=True)
    found["is_watertight"] = bool(thing.is_watertight)
    found["volume"] = float(thing.volume)
    return found


for argument in sys.argv[1:]:
    print(json.dumps(facts(argument)), flush=True)
