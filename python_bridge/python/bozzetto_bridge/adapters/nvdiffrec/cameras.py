"""Cameras of a job's pictures, and pictures as one lens would have taken them all."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bozzetto_bridge.adapter import View
from bozzetto_bridge.errors import BadView, NoResult

_HEADER_LIMIT = 100_000_000


def cameras_of(views: tuple[View, ...], mesh: Path | None) -> list[Mapping[str, Any]]:
    """Give each view's own camera, or else those that the result has which the mesh is from."""
    if all(view.camera is not None for view in views):
        return [view.camera for view in views if view.camera is not None]
    found = _cameras_in(mesh) if mesh is not None and mesh.suffix == ".safetensors" else []
    if len(found) != len(views):
        raise NoResult(
            reason=f"{len(views)} pictures and {len(found)} cameras: where they were taken from is not known",
            advice="Use pictures from a transforms.json, or a result of ReconViaGen with its cameras.",
        )
    return found


def _cameras_in(path: Path) -> list[Mapping[str, Any]]:
    """Read the cameras of a result's file, whose notes are JSON in its header."""
    try:
        with path.open("rb") as file:
            length = min(int.from_bytes(file.read(8), "little"), _HEADER_LIMIT)
            header = json.loads(file.read(length))
        return list(json.loads(header["__metadata__"]["bozzetto"]).get("cameras", []))
    except (OSError, KeyError, TypeError, ValueError):
        return []


def z_up_from_view(camera: Mapping[str, Any]) -> NDArray[np.float64]:
    """Give the matrix that takes OpenGL's view space to a z-up world, as NeRF's files have it.

    It is the model frame turned by (x, y, z) -> (x, -z, y), which upstream turns back.
    """
    columns = np.asarray(camera["world_from_view"], dtype=np.float64).reshape(4, 3)
    matrix = np.eye(4)
    matrix[:3] = columns.T[[0, 2, 1]] * np.array([[1], [-1], [1]])
    return matrix


def field_of_view(view: View, camera: Mapping[str, Any]) -> float:
    """Give a camera's vertical field of view in radians."""
    projection = camera["projection"]
    if projection["kind"] != "perspective":
        raise BadView(name=view.name, reason="its camera has parallel rays, which nvdiffrec does not know")
    return float(projection["fov_y_rad"])


def as_one_lens(pictures: list[Any], fields: list[float], size_px: int) -> tuple[list[Any], float]:
    """Give the pictures as squares with one field of view, which is also given: upstream knows one lens for all.

    The widest is kept whole; others are set in transparent space. Every lens has its centre in the picture's.
    """
    from PIL import Image

    # Half of the longer side at a distance of 1.
    halves = [
        math.tan(angle / 2) * max(picture.size) / picture.height
        for picture, angle in zip(pictures, fields, strict=True)
    ]
    widest = max(halves)
    squares = []
    for picture, half in zip(pictures, halves, strict=True):
        scale = size_px * half / widest / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        square = Image.new("RGBA", (size_px, size_px))
        square.paste(
            picture.resize(size, Image.Resampling.LANCZOS), ((size_px - size[0]) // 2, (size_px - size[1]) // 2)
        )
        squares.append(square)
    return squares, 2 * math.atan(widest)
