"""nvdiffrec's own script through the worker, on a card: the colour of a ball is found from pictures of it."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import job_for, read_safetensors
from PIL import Image

from upstream.conftest import checkout, environment

RADIUS, DISTANCE, FOV = 0.4, 2.0, 0.7
COLOR = (210, 80, 40)


@pytest.fixture(autouse=True)
def card() -> None:
    """Skips where upstream cannot draw."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("nvdiffrast", exc_type=ImportError)
    pytest.importorskip("imageio")
    if not torch.cuda.is_available():
        pytest.skip("there is no graphics card")


def ball(path: Path, rows: int = 16, columns: int = 32) -> Path:
    """A sphere with UVs, corners outwards."""
    v, u = np.mgrid[0 : 1 : (rows + 1) * 1j, 0 : 1 : (columns + 1) * 1j]
    polar, around = v * math.pi, u * 2 * math.pi
    points = RADIUS * np.stack([np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], axis=-1)
    index = np.arange((rows + 1) * (columns + 1)).reshape(rows + 1, columns + 1) + 1
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    faces = np.concatenate([np.stack([a, b, c], axis=-1).reshape(-1, 3), np.stack([a, c, d], axis=-1).reshape(-1, 3)])
    with path.open("w") as file:
        np.savetxt(file, points.reshape(-1, 3), "v %f %f %f")
        np.savetxt(file, np.stack([u, 1 - v], axis=-1).reshape(-1, 2), "vt %f %f")
        np.savetxt(file, np.repeat(faces, 2, axis=1), "f %d/%d %d/%d %d/%d")
    return path


def views(folder: Path, count: int = 8, size: int = 256) -> list[dict[str, Any]]:
    """What cameras around see: a disc."""
    seen = math.tan(math.asin(RADIUS / DISTANCE)) / math.tan(FOV / 2)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    pixels = np.zeros((size, size, 4), dtype=np.uint8)
    pixels[x**2 + y**2 < seen**2] = (*COLOR, 255)
    made = []
    for index in range(count):
        path = folder / f"view{index}.png"
        Image.fromarray(pixels).save(path)
        (view,) = job_for("", path)["views"]
        sin, cos = math.sin(index * 2 * math.pi / count), math.cos(index * 2 * math.pi / count)
        camera = {
            "world_from_view": [cos, 0, -sin, 0, 1, 0, sin, 0, cos, DISTANCE * sin, 0, DISTANCE * cos],
            "projection": {"kind": "perspective", "fov_y_rad": FOV},
            "aspect": 1.0,
        }
        made.append({**view, "camera": camera})
    return made


def test_the_colour_of_a_ball_is_found(start_worker, tmp_path) -> None:
    arguments = ["-m", "bozzetto_bridge", "nvdiffrec-python", "--source", str(checkout("nvdiffrec"))]
    worker = start_worker(arguments, environment())
    worker.patience_secs = 300
    worker.next()
    job = job_for("nvdiffrec-python", tmp_path, **{"refine.iterations": 200, "refine.picture_px": 256})
    job |= {"views": views(tmp_path), "mesh": str(ball(tmp_path / "ball.obj"))}
    job["params"]["refine.texture_px"] = "512"
    messages = worker.run(job, tmp_path / "job")
    assert messages[-1]["event"] == "done", (messages[-1], worker.errors[-4000:].decode())
    asset = read_safetensors(tmp_path / "job" / "asset.safetensors")
    color = asset["material.base_color"][..., :3].reshape(-1, 3).mean(axis=0)
    print("base colour", color, json.dumps(messages[-2]))
    positions = asset["mesh.positions"]
    assert np.allclose(np.linalg.norm(positions, axis=1), RADIUS, atol=1e-3), "vertices are left where they are"
    assert color[0] > 1.3 * color[1] > 1.3 * color[2], "red, less green, least blue, as in the pictures"
