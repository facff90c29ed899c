"""The native engine `trellis2` beside upstream's own code: one checkpoint, picture, seed and set of parameters.

`BOZZETTO_TRELLIS` names the native worker, as for the program.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import job_for, read_safetensors

from upstream.conftest import KERNELS, environment, run_script, upstream
from upstream.test_trellis2_upstream import start as start_python

CLOSE = 1e-5
"""Largest difference of positions as a share of the largest, as in the native engine's own tests."""
CLOSE_VOXELS = 1e-3
"""The same in voxels: most of a position is its voxel's, and the networks only say where in it the corner lies."""
CLOSE_MATERIALS = 3e-4
"""Random networks magnify the last bit of f32: upstream's own code differs from itself by up to 1.1e-4 between two
kinds of vector instructions (`ATEN_CPU_CAPABILITY`), and from the native engine by up to 1.4e-4."""
CLOSE_MATERIALS_MEAN = 2e-6
"""On average; those two are 5e-7 and 4e-7."""

SAMPLERS = {
    "structure.steps": 4,
    "structure.guidance_strength": 5.5,
    "shape.steps": 3,
    "shape.guidance_rescale": 0.4,
    "material.steps": 3,
    "material.guidance_strength": 2.0,
}
"""Both call them alike and mean the same by them."""


@pytest.fixture(scope="module")
def native() -> str:
    """The program `bozzetto-trellis`; tests are skipped where there is none."""
    program = os.environ.get("BOZZETTO_TRELLIS", "")
    if not program:
        pytest.skip("BOZZETTO_TRELLIS names no native worker")
    return program


@pytest.fixture(scope="module")
def checkpoints(native: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder that both read. The native engine looks for DINOv3 by its repository, upstream by its folder."""
    source = upstream("TRELLIS.2")
    folder = tmp_path_factory.mktemp("trellis2")
    run_script("make_trellis2.py", source, folder, env=environment(KERNELS))
    shutil.copytree(folder / "dinov3", folder / "timm" / "vit_large_patch16_dinov3.lvd1689m")
    return folder


def start_native(start_worker: Any, native: str, checkpoints: Path) -> Any:
    worker = start_worker(["worker", "--weights", str(checkpoints)], environment(), program=native)
    worker.patience_secs = 300
    return worker


def made(worker: Any, job: dict[str, Any], folder: Path, number: int) -> dict[str, np.ndarray]:
    """The asset, and `structure`: the voxels that the structure stage ended with."""
    messages = worker.run(job, folder, number)
    assert messages[-1]["event"] == "done", (messages[-1], worker.errors[-2000:])
    asset = read_safetensors(folder / "asset.safetensors")
    shape_begins = next(index for index, message in enumerate(messages) if message.get("stage") == "shape")
    previews = [
        message
        for message in messages[:shape_begins]
        if message["event"] == "preview" and message["content"] == "structure"
    ]
    voxels = read_safetensors(folder / previews[-1]["artifact"])["structure.coords"]
    return {**asset, "structure": voxels[np.lexsort(voxels.T)]}


@pytest.mark.parametrize("cuts_out", [True, False], ids=["cut_out", "as_it_is"])
def test_both_make_the_same_structure_and_the_same_mesh(
    start_worker, native, checkpoints, cut_out, tmp_path, cuts_out
) -> None:
    workers = {
        "trellis2": start_native(start_worker, native, checkpoints),
        "trellis2-python": start_python(start_worker, "trellis2-python", checkpoints),
    }
    first_stage = {"trellis2": "features", "trellis2-python": "prepare"}
    kind_key = {"trellis2": "shape.pipeline_type", "trellis2-python": "structure.pipeline_type"}
    for engine, worker in workers.items():
        assert worker.next()["engine"]["id"] == engine
    for number, (kind, resolution) in enumerate([("512", 512), ("1024_cascade", 1024)], start=1):
        ours, theirs = (
            made(
                worker,
                job_for(
                    engine, cut_out, **{kind_key[engine]: kind, f"{first_stage[engine]}.cut_out": cuts_out, **SAMPLERS}
                ),
                tmp_path / engine,
                number,
            )
            for engine, worker in workers.items()
        )
        assert ours.keys() == theirs.keys()
        assert len(ours["structure"]) > 20
        assert len(ours["mesh.triangles"]) > 100
        for name in ("structure", "volume.coords", "mesh.triangles"):
            assert np.array_equal(ours[name], theirs[name]), name
        difference = np.abs(ours["mesh.positions"] - theirs["mesh.positions"]).max()
        assert difference < CLOSE * np.abs(theirs["mesh.positions"]).max()
        assert difference * resolution < CLOSE_VOXELS
        assert np.ptp(theirs["volume.samples"], axis=0).min() > 0.01, "all alike would prove nothing"
        differences = np.abs(ours["volume.samples"] - theirs["volume.samples"])
        assert differences.max() < CLOSE_MATERIALS
        assert differences.mean() < CLOSE_MATERIALS_MEAN
