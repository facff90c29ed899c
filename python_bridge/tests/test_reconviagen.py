"""The ReconViaGen adapter against stand-ins for upstream: what it asks, and what becomes of the refinement."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import STAND_INS, job_for, read_safetensors, upstreams_glb

UPSTREAM = STAND_INS.with_name("stand_ins_reconviagen")
STEPS = {"structure.steps": 3, "latent.steps": 2}


def start(start_worker: Any, weights: Path, **variables: str) -> Any:
    sources = [argument for folder in (UPSTREAM, STAND_INS) for argument in ("--source", str(folder))]
    arguments = ["-m", "bozzetto_bridge", "reconviagen-python", *sources, "--weights", str(weights)]
    worker = start_worker(arguments, {**os.environ, **variables})
    worker.next()
    return worker


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    from bozzetto_bridge.adapters.trellis import NEEDED_MODELS

    folder = tmp_path / "weights"
    folder.mkdir()
    for name in NEEDED_MODELS:
        (folder / f"{name}.json").write_text("{}")
        (folder / f"{name}.safetensors").touch()
    models = {name: name for name in NEEDED_MODELS}
    (folder / "pipeline.json").write_text(json.dumps({"args": {"models": models}}))
    return folder


def warnings(messages: list[dict[str, Any]]) -> list[str]:
    return [message["message"] for message in messages if message["event"] == "log" and message["level"] == "warning"]


def cameras_in(path: Path) -> list[dict[str, Any]]:
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return json.loads(header["__metadata__"]["bozzetto"]).get("cameras", [])


def test_without_refinement_the_first_result_is_whole(start_worker, weights, picture, tmp_path) -> None:
    worker = start(start_worker, weights)
    messages = worker.run(job_for("reconviagen-python", picture, **STEPS), tmp_path / "job")
    assert messages[-1]["event"] == "done", messages[-1]
    stages = [message["stage"] for message in messages if message["event"] == "stage"]
    assert stages == ["prepare", "prepare", "structure", "latent", "decode"]
    told = [message["done"] for message in messages if message["event"] == "progress" and message["total"] == 5]
    assert told == sorted(told)
    assert told[-1] == 5, "steps of both samplers count"
    asset = read_safetensors(tmp_path / "job" / "asset.safetensors")
    assert np.allclose(asset["splats.positions"][0], [0, 0.2, -0.1])
    assert np.allclose(asset["splats.log_scales"], np.log(0.01))
    assert cameras_in(tmp_path / "job" / "asset.safetensors") == []


@pytest.mark.parametrize("mode", ["refine", "cameras"])
def test_cameras_are_exported_in_the_model_frame(start_worker, weights, picture, tmp_path, mode) -> None:
    worker = start(start_worker, weights)
    job = job_for("reconviagen-python", picture, **STEPS, **{"refine.mode": mode})
    messages = worker.run(job, tmp_path / "job")
    assert messages[-1]["event"] == "done", messages[-1]
    assert warnings(messages) == []
    assert any(message["event"] == "cameras" for message in messages)
    asset = read_safetensors(tmp_path / "job" / "asset.safetensors")
    shift = 0.05 if mode == "refine" else 0
    assert np.allclose(asset["mesh.positions"][0], [shift, 0.2 + shift, -0.1 - shift])
    (camera,) = cameras_in(tmp_path / "job" / "asset.safetensors")
    # From upstream's front (-Y) two metres away, looking at the centre: our +Z.
    eye = camera["world_from_view"][9:]
    assert np.allclose(eye, [0, 0, 2], atol=1e-6)
    assert np.allclose(camera["world_from_view"][:9], np.eye(3).ravel(), atol=1e-6)
    assert np.isclose(camera["projection"]["fov_y_rad"], 2 * np.arctan(0.5 / 1.5))


def test_upstreams_own_glb_is_made_of_what_was_refined(start_worker, weights, picture, tmp_path) -> None:
    worker = start(start_worker, weights, TMPDIR=str(tmp_path))
    params = {**STEPS, "refine.mode": "refine", "decode.splats": False, "decode.upstream_glb": True}
    messages = worker.run(job_for("reconviagen-python", picture, **params), tmp_path / "job")
    assert messages[-1]["event"] == "done", messages[-1]
    told = (message["message"] for message in messages if message["event"] == "log")
    asked = json.loads(upstreams_glb(told).read_text())
    assert asked == {"splats": 3, "faces": 1, "simplify": 0.95, "texture_size": 1024}


def test_a_first_pass_after_a_refinement_is_as_exact_as_before(start_worker, weights, picture, tmp_path) -> None:
    worker = start(start_worker, weights)
    job = job_for("reconviagen-python", picture, **STEPS, **{"refine.mode": "cameras"})
    for number in (1, 2):
        messages = worker.run({**job, "seed": number}, tmp_path / "job", number)
        assert messages[-1]["event"] == "done", messages[-1]


@pytest.mark.parametrize(
    ("fault", "wanted", "has_cameras"),
    [("fails to refine", "singular matrix", True), ("finds no cameras", "no matches", False)],
)
def test_a_silent_fall_back_is_told(start_worker, weights, picture, tmp_path, fault, wanted, has_cameras) -> None:
    worker = start(start_worker, weights, STAND_IN_FAULT=fault)
    job = job_for("reconviagen-python", picture, **STEPS, **{"refine.mode": "refine"})
    messages = worker.run(job, tmp_path / "job")
    assert messages[-1]["event"] == "done"
    (warning,) = warnings(messages)
    assert wanted in warning
    assert "first result is kept" in warning
    assert bool(cameras_in(tmp_path / "job" / "asset.safetensors")) == has_cameras
    # The first pass is kept: another try begins with the refinement.
    again = worker.run(job, tmp_path / "job", 2)
    assert [message["stage"] for message in again if message["event"] == "reused"] == ["prepare", "structure"]


@pytest.mark.parametrize(("is_fork", "strength"), [(False, 7.5), (True, 6.5)])
def test_guidance_is_asked_for_in_upstreams_own_terms(monkeypatch, weights, picture, is_fork, strength) -> None:
    from bozzetto_bridge.adapter import Job, JobContext, View
    from bozzetto_bridge.adapters.reconviagen import ReconViaGenAdapter
    from test_trellis2 import Recorder

    for folder in (STAND_INS, UPSTREAM):
        monkeypatch.syspath_prepend(str(folder))
    if is_fork:
        monkeypatch.setenv("STAND_IN_IS_FORK", "1")
    adapter = ReconViaGenAdapter(str(weights))
    context = JobContext(Recorder())
    adapter.load(context)
    from trellis.pipelines.trellis_image_to_3d import CALLS

    CALLS.clear()
    params = {spec.key: spec.default for spec in adapter.info().params}
    adapter.run(Job(views=(View(picture), View(picture)), params=params, seed=3), context)
    ((_, seed, count, formats, structure, latent),) = [call for call in CALLS if call[0] == "run"]
    assert (seed, count, formats) == (3, 2, ["gaussian", "mesh"])
    assert structure["cfg_strength"] == latent["cfg_strength"] == strength
    assert ("guidance_rescale" in structure) != is_fork
    assert (structure["steps"], structure["rescale_t"], latent["steps"]) == (30, 5.0, 12)
