"""Imports GLBs into an empty scene of Blender and prints, a line of JSON for each, what has arrived.

usage: with_blender.py FILE.glb...
"""

import contextlib
import json
import os
import re
import sys
import tempfile

import bpy
import numpy as np
from mathutils import Matrix

# What the importer prints when all is well.
HARMLESS = re.compile(r"(\d\d:\d\d:\d\d \| INFO: .*)?$")


@contextlib.contextmanager
def captured_output():
    """What is written to standard output and error, by Python or by C, as a list of lines, filled at the end."""
    lines = []
    saved = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryFile() as file:
        try:
            for number in (1, 2):
                os.dup2(file.fileno(), number)
            yield lines
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, copy in zip((1, 2), saved):
                os.dup2(copy, number)
                os.close(copy)
            file.seek(0)
            lines.extend(file.read().decode(errors="replace").splitlines())


def values(collection, attribute, width, kind=np.float32):
    """An attribute of all elements of a collection: `[N, width]`."""
    flat = np.empty(len(collection) * width, kind)
    collection.foreach_get(attribute, flat)
    return flat.reshape(-1, width)


def volume(positions, corners):
    """What faces enclose that look outwards, in cubic metres."""
    a, b, c = positions.astype(np.float64)[corners.reshape(-1, 3)].transpose(1, 0, 2)
    return np.einsum("ij,ij->", a, np.cross(b, c)) / 6


def mesh_facts(thing):
    mesh = thing.data
    positions = values(mesh.vertices, "co", 3)
    uvs = values(mesh.uv_layers[0].uv, "vector", 2) if mesh.uv_layers else np.zeros((1, 2))
    lengths = np.linalg.norm(values(mesh.corner_normals, "vector", 3), axis=1)
    return {
        "is_at_origin": thing.matrix_world == Matrix.Identity(4),
        "vertices": len(mesh.vertices),
        "faces": len(mesh.polygons),
        "low": positions.min(0).tolist(),
        "high": positions.max(0).tolist(),
        "mean": positions.mean(0, np.float64).tolist(),
        "volume": volume(positions, values(mesh.loops, "vertex_index", 1, np.int32)),
        "uv_maps": len(mesh.uv_layers),
        "uv_range": [float(uvs.min()), float(uvs.max())],
        "normal_length_range": [float(lengths.min()), float(lengths.max())],
        "needed_repair": mesh.validate(verbose=False),
    }


def picture_facts(image):
    pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return {
        "name": image.name,
        "size": list(image.size),
        "color_space": image.colorspace_settings.name,
        "is_packed": image.packed_file is not None,
        "spread": float(pixels.reshape(-1, 4)[:, :3].std(0).max()),
    }


def input_facts(socket):
    """The nodes that feed an input, from the last to the first, and the picture at the end; its number where none does."""
    if not socket.is_linked:
        value = socket.default_value
        return {"value": value if isinstance(value, (int, float)) else list(value)}
    through = []
    picture = None
    while socket is not None and socket.is_linked:
        source = socket.links[0].from_socket
        through.append(f"{source.node.type}.{source.name}")
        if source.node.type == "TEX_IMAGE":
            picture = picture_facts(source.node.image)
            break
        socket = next((entry for entry in source.node.inputs if entry.name == "Color"), None)
    return {"through": through, "picture": picture}


def material_facts(material):
    nodes = material.node_tree.nodes
    shaders = [node for node in nodes if node.type == "BSDF_PRINCIPLED"]
    surface = material.node_tree.get_output_node("ALL").inputs["Surface"]
    return {
        "principled": len(shaders),
        "is_shown": surface.is_linked and surface.links[0].from_node in shaders,
        "inputs": {
            name: input_facts(shaders[0].inputs[name])
            for name in ("Base Color", "Metallic", "Roughness", "Normal", "Alpha")
        }
        if shaders
        else {},
    }


def facts(path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    problem = None
    with captured_output() as lines:
        try:
            bpy.ops.import_scene.gltf(filepath=os.path.abspath(path))
        except RuntimeError as error:
            problem = str(error).strip()
    things = list(bpy.data.objects)
    return {
        "complaints": [line for line in [*lines, problem] if line and not HARMLESS.match(line)],
        "objects": [thing.type for thing in things],
        "meshes": [mesh_facts(thing) for thing in things if thing.type == "MESH"],
        "materials": [material_facts(material) for material in bpy.data.materials],
    }


for argument in sys.argv[1:]:
    print(json.dumps(facts(argument)), flush=True)
