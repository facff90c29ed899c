"""Arrays of upstream pipelines as parts of an asset."""

import numpy as np
import pytest
from bozzetto_bridge._native import Asset, read_mesh

SPLATS = {
    "scales": np.full((2, 3), 0.1, dtype=np.float32),
    "rotations": np.array([[2, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float32),
    "opacities": np.array([0.25, 1], dtype=np.float32),
    "sh": np.zeros((2, 1, 3), dtype=np.float32),
    "filter": "mip",
    "frame": "z_up",
}
POINTS = np.zeros((2, 3), dtype=np.float32)


def look(view_from_world: np.ndarray, **changes) -> tuple:
    lens = {"fov_y_rad": np.array([0.7], dtype=np.float32), "aspect": np.ones(1, dtype=np.float32), **changes}
    return view_from_world[None].astype(np.float32), lens["fov_y_rad"], lens["aspect"], "z_up"


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"scales": np.zeros((2, 3), dtype=np.float32)}, "no splat can have"),
        ({"rotations": np.zeros((2, 4), dtype=np.float32)}, "no splat can have"),
        ({"opacities": np.array([0, 1.5], dtype=np.float32)}, "no splat can have"),
        ({"opacities": np.zeros(3, dtype=np.float32)}, "no splat can have"),
        ({"sh": np.full((2, 1, 3), np.nan, dtype=np.float32)}, "no splat can have"),
        ({"sh": np.zeros((2, 5, 3), dtype=np.float32)}, "has the shape"),
        ({"sh": np.zeros((2, 4, 3), dtype=np.float32)}, "in the model frame"),
        ({"filter": "soft"}, "no filter"),
        ({"rotations": np.zeros((2, 3), dtype=np.float32)}, "has the shape"),
    ],
)
def test_broken_splats_are_refused(change, wanted) -> None:
    with pytest.raises(ValueError, match=wanted):
        Asset().set_splats(POINTS, **{**SPLATS, **change})


def test_splats_may_lie_anyhow_in_memory() -> None:
    strided = np.zeros((3, 4), dtype=np.float32).T[::2]
    Asset().set_splats(strided, **SPLATS)


@pytest.mark.parametrize(
    "arguments",
    [
        look(np.zeros((4, 4))),
        look(np.diag([1.0, 1, 2, 1])),
        look(np.diag([1.0, 1, -1, 1])),
        look(np.eye(4), fov_y_rad=np.array([4], dtype=np.float32)),
        look(np.eye(4), aspect=np.array([0], dtype=np.float32)),
        look(np.eye(3)),
    ],
)
def test_broken_cameras_are_refused(arguments) -> None:
    with pytest.raises(ValueError, match=r"[Cc]amera"):
        Asset().set_cameras(*arguments)


def test_broken_textures_are_refused() -> None:
    with pytest.raises(ValueError, match="channels"):
        Asset().set_material(np.zeros((2, 2, 3), dtype=np.uint8))


def test_meshes_are_read_as_they_are(tmp_path) -> None:
    path = tmp_path / "triangle.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 2 0\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\n")
    positions, triangles, uvs = read_mesh(str(path))
    assert positions.tolist() == [[0, 0, 0], [1, 0, 0], [0, 2, 0]]
    assert triangles.tolist() == [[0, 1, 2]]
    assert uvs.tolist() == [[0, 1], [1, 1], [0, 0]], "the origin is at the top left"
    path.write_text("nothing")
    with pytest.raises(ValueError, match=r"triangle\.obj"):
        read_mesh(str(path))
