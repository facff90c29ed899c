"""The TRELLIS adapter in the worker against upstream's own two ways to run, from the same random weights."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import job_for, read_safetensors

from upstream import own_glb
from upstream.conftest import HERE, environment, run_script, upstream
from upstream.test_trellis2_upstream import linear, y_up

STEPS = 4
SEED = 7  # job_for's
TURN = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=np.float64)
"""Upstream's frame to the model frame."""


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("spconv")
    folder = tmp_path_factory.mktemp("trellis")
    run_script("make_trellis.py", upstream("TRELLIS"), folder, env=environment())
    return folder


def env_with_hub(checkpoints: Path) -> dict[str, str]:
    return {**environment(), "TORCH_HOME": str(checkpoints / "hub"), "SPCONV_ALGO": "native"}


def covariances(rotations: np.ndarray, scales: np.ndarray) -> np.ndarray:
    w, x, y, z = (rotations / np.linalg.norm(rotations, axis=1, keepdims=True)).astype(np.float64).T
    axes = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)
    return (axes * scales[:, None, :] ** 2) @ axes.transpose(0, 2, 1)


def check(asset: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    np.testing.assert_allclose(asset["mesh.positions"], y_up(wanted["vertices"]), atol=1e-5)
    assert np.array_equal(asset["mesh.triangles"], wanted["faces"].astype(int))
    np.testing.assert_allclose(asset["mesh.colors"], linear(wanted["vertex_attrs"][:, :3]), atol=1e-4)
    np.testing.assert_allclose(asset["splats.positions"], y_up(wanted["xyz"]), atol=1e-5)
    np.testing.assert_allclose(asset["splats.opacities"], wanted["opacity"][:, 0], atol=1e-5)
    np.testing.assert_allclose(asset["splats.sh"], wanted["features_dc"], atol=1e-4)
    turned = TURN @ covariances(wanted["rotation"], wanted["scaling"]) @ TURN.T
    found = covariances(asset["splats.rotations"], np.exp(asset["splats.log_scales"].astype(np.float64)))
    np.testing.assert_allclose(found, turned, rtol=1e-3, atol=1e-8)


def start(start_worker: Any, source: Path, checkpoints: Path) -> Any:
    arguments = [str(HERE / "worker_without_card.py"), "trellis-python", "--source", str(source)]
    worker = start_worker([*arguments, "--weights", str(checkpoints)], env_with_hub(checkpoints))
    worker.patience_secs = 300
    assert worker.next()["event"] == "hello"
    return worker


STEP_PARAMS = {"structure.steps": STEPS, "latent.steps": STEPS}


def test_splats_and_meshes_are_upstreams(start_worker, checkpoints, cut_out, second_picture, tmp_path) -> None:
    env = env_with_hub(checkpoints)
    source = upstream("TRELLIS")
    worker = start(start_worker, source, checkpoints)
    upstreams: dict[str, Any] = {
        "sparse_structure_sampler_params": {"steps": STEPS, "cfg_strength": 7.5},
        "slat_sampler_params": {"steps": STEPS, "cfg_strength": 3.0},
    }
    cases = [([cut_out], {}), ([cut_out, second_picture], {"mode": "stochastic"})]
    if "BOZZETTO_TEST_ALL" in os.environ:
        cases.append(([cut_out, second_picture], {"mode": "multidiffusion"}))
    shapes = set()
    for number, (pictures, mode) in enumerate(cases, start=1):
        out = tmp_path / "reference.npz"
        options = json.dumps({"seed": SEED, **upstreams, **mode})
        run_script("reference_trellis.py", source, checkpoints, out, options, *pictures, env=env)
        with np.load(out) as arrays:
            wanted = dict(arrays)
        job = job_for("trellis-python", cut_out, **STEP_PARAMS)
        job["views"] = [{**job["views"][0], "path": str(path)} for path in pictures]
        job["params"]["structure.multi_image"] = mode.get("mode", "stochastic")
        messages = worker.run(job, tmp_path / "job", number)
        assert messages[-1]["event"] == "done", (messages[-1], worker.errors[-3000:])
        check(read_safetensors(tmp_path / "job" / "asset.safetensors"), wanted)
        shapes.add(wanted["vertices"].shape)
    assert len(shapes) == len(cases), "each of the pictures and ways matters"
    notes = (tmp_path / "job" / "asset.safetensors").read_bytes()[:4000]
    assert b"splat_filter" in notes and b"mip" in notes


@own_glb.ON_A_CARD
def test_upstreams_own_glb_shows_the_same(start_worker, checkpoints, cut_out, tmp_path, monkeypatch) -> None:
    asked = own_glb.asked_for(own_glb.FOR_SPLATS, tmp_path, monkeypatch)
    worker = start(start_worker, upstream("TRELLIS"), checkpoints)
    messages = worker.run(job_for("trellis-python", cut_out, **STEP_PARAMS, **asked), tmp_path / "job")
    assert messages[-1]["event"] == "done", (messages[-1], worker.errors[-3000:])
    own_glb.check(messages, tmp_path / "job", texture_px=1024)
