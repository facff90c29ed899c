"""Upstream's own GLB beside the worker's result of the same job. Upstream exports on a card and nowhere else."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import read_safetensors, upstreams_glb

ON_A_CARD = pytest.mark.skipif("WITH_CARD" not in os.environ, reason="upstream exports on a graphics card alone")

FOR_MATERIALS = ("cumesh", "nvdiffrast", "o_voxel.postprocess")
FOR_SPLATS = ("diff_gaussian_rasterization", "igraph", "nvdiffrast", "pymeshfix", "pyvista", "utils3d", "xatlas")
"""What its two kinds of export need besides what generates."""

NEAR = 0.02
"""In edges of the cube: upstream rebuilds the surface from voxels, or keeps a twentieth of its faces."""


def asked_for(packages: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """The parameter that asks workers started from now on for the GLB, which goes below `folder`."""
    for package in ("scipy", "trimesh", *packages):
        pytest.importorskip(package, exc_type=ImportError)
    monkeypatch.setenv("TMPDIR", str(folder))
    return {"decode.upstream_glb": True}


def check(messages: list[dict[str, Any]], folder: Path, texture_px: int) -> None:
    """It has a texture, and its surface lies where the result's does, the same way round."""
    import trimesh
    from scipy.spatial import cKDTree

    told = (message["message"] for message in messages if message["event"] == "log")
    theirs = trimesh.load(upstreams_glb(told), force="mesh")
    assert theirs.visual.material.baseColorTexture.size == (texture_px, texture_px)
    assert len(theirs.visual.uv) == len(theirs.vertices)
    ours = read_safetensors(folder / "asset.safetensors")["mesh.positions"]
    print(f"upstream's own GLB: {len(theirs.faces)} faces")

    def distances(to: np.ndarray, points: np.ndarray) -> np.ndarray:
        return cKDTree(to).query(points)[0]

    assert distances(ours, theirs.vertices).max() < NEAR
    # It leaves out what it takes for hidden.
    assert np.quantile(distances(theirs.vertices, ours), 0.95) < NEAR
    half_turned = theirs.vertices * [-1, 1, -1]
    assert np.median(distances(ours, half_turned)) > NEAR, "an object that looks the same would prove nothing"
