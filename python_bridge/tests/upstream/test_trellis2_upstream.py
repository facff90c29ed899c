"""The TRELLIS.2 adapters in the worker against upstream's own `run`, from the same random checkpoints."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import job_for, read_safetensors

from upstream.conftest import HERE, KERNELS, environment, run_script, upstream

STEPS = 3
SEED = 7  # job_for's


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = upstream("TRELLIS.2")
    folder = tmp_path_factory.mktemp("trellis2")
    run_script("make_trellis2.py", source, folder, env=environment(KERNELS))
    return folder


def reference(kind: dict, checkpoints: Path, picture: Path, folder: Path, *mesh: Path) -> dict[str, np.ndarray]:
    out = folder / "reference.npz"
    env = environment(KERNELS)
    source = upstream("TRELLIS.2")
    run_script("reference_trellis2.py", source, checkpoints, picture, out, json.dumps(kind), *mesh, env=env)
    with np.load(out) as arrays:
        return dict(arrays)


def start(start_worker: Any, engine: str, checkpoints: Path) -> Any:
    sources = [argument for folder in (KERNELS, upstream("TRELLIS.2")) for argument in ("--source", str(folder))]
    arguments = [str(HERE / "worker_without_card.py"), engine, *sources, "--weights", str(checkpoints)]
    worker = start_worker(arguments, environment())
    worker.patience_secs = 300
    return worker


def y_up(points: np.ndarray) -> np.ndarray:
    return points[:, [0, 2, 1]] * np.array([1, 1, -1], dtype=np.float32)


def linear(srgb: np.ndarray) -> np.ndarray:
    srgb = srgb.clip(0, 1)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def check_volume(asset: dict[str, np.ndarray], wanted: dict[str, np.ndarray], resolution: int) -> None:
    x, y, z = wanted["coords"].astype(int).T
    assert np.array_equal(asset["volume.coords"], np.stack([x, z, resolution - 1 - y], axis=1))
    attrs = wanted["attrs"]
    samples = np.concatenate([linear(attrs[:, :3]), attrs[:, 5:6].clip(0, 1), attrs[:, 3:5].clip(0, 1)], axis=1)
    assert np.ptp(samples, axis=0).min() > 0.01, "all alike would prove nothing"
    np.testing.assert_allclose(asset["volume.samples"], samples, atol=1e-5)


STEP_PARAMS = {f"{stage}.steps": STEPS for stage in ("structure", "shape", "material")}
STEP_OPTIONS = {f"{stage}_sampler_params": {"steps": STEPS} for stage in ("sparse_structure", "shape_slat", "tex_slat")}


def test_meshes_and_materials_are_upstreams(start_worker, checkpoints, cut_out, tmp_path) -> None:
    worker = start(start_worker, "trellis2-python", checkpoints)
    assert worker.next()["event"] == "hello"
    for number, (kind, resolution) in enumerate([("512", 512), ("1024_cascade", 1024)], start=1):
        wanted = reference({"seed": SEED, "pipeline_type": kind, **STEP_OPTIONS}, checkpoints, cut_out, tmp_path)
        assert len(wanted["coords"]) > 500
        assert len(wanted["faces"]) > 100
        job = job_for("trellis2-python", cut_out, **{"structure.pipeline_type": kind, **STEP_PARAMS})
        messages = worker.run(job, tmp_path / "job", number)
        assert messages[-1]["event"] == "done", (messages[-1], worker.errors[-2000:])
        asset = read_safetensors(tmp_path / "job" / "asset.safetensors")
        np.testing.assert_allclose(asset["mesh.positions"], y_up(wanted["vertices"]), atol=1e-6)
        assert np.array_equal(asset["mesh.triangles"], wanted["faces"].astype(int))
        check_volume(asset, wanted, resolution)
    # The structure of the second kind was kept: it starts in the middle and goes on with the same random numbers.
    assert [message["stage"] for message in messages if message["event"] == "reused"] == ["prepare", "structure"]


def given_ball(folder: Path) -> Path:
    trimesh = pytest.importorskip("trimesh")
    ball = trimesh.creation.icosphere(subdivisions=3, radius=2.0)
    ball.apply_scale([1, 0.6, 0.8]).apply_translation([3, 1, -2])
    ball.export(folder / "ball.glb")
    return folder / "ball.glb"


def test_materials_for_a_given_mesh_are_upstreams(start_worker, checkpoints, cut_out, tmp_path) -> None:
    path = given_ball(tmp_path)
    options = {"seed": SEED, "resolution": 512, "tex_slat_sampler_params": {"steps": STEPS}}
    wanted = reference(options, checkpoints, cut_out, tmp_path, path)
    worker = start(start_worker, "trellis2-texturing-python", checkpoints)
    hello = worker.next()
    assert hello["engine"]["needs_mesh"]
    job = job_for("trellis2-texturing-python", cut_out, **{"shape.resolution": "512", "material.steps": STEPS})
    refused = worker.run(job, tmp_path / "job", 1)
    assert refused[-1]["error"]["kind"] == "no_result"
    # Another seed first: what is kept of the mesh must not bring its random numbers along.
    for number, seed in enumerate((SEED + 1, SEED), start=2):
        messages = worker.run({**job, "mesh": str(path), "seed": seed}, tmp_path / "job", number)
        assert messages[-1]["event"] == "done", messages[-1]
    assert [message["stage"] for message in messages if message["event"] == "reused"] == ["prepare", "shape"]
    asset = read_safetensors(tmp_path / "job" / "asset.safetensors")
    np.testing.assert_allclose(asset["mesh.positions"], y_up(wanted["vertices"]), atol=1e-6)
    assert np.ptp(asset["mesh.positions"][:, 0]) > 0.99, "the longest axis fills the cube"
    check_volume(asset, wanted, 512)
