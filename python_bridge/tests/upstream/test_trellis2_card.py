"""The TRELLIS.2 worker on a real card with upstream's compiled kernels: its results, and its memory when it dies.

Skipped where there is no card. `BOZZETTO_TEST_CHECKPOINTS` may name a folder that make_trellis2.py wrote; a small one
is made otherwise.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import job_for, read_safetensors

from upstream import own_glb
from upstream.conftest import HERE, environment, run_script, upstream
from upstream.test_trellis2_upstream import SEED, STEP_OPTIONS, STEP_PARAMS, check_volume, given_ball, y_up

STAGES = ("prepare", "structure", "shape", "material", "decode")
FREED_WITHIN_SECS = 20
SLACK_BYTES = 64 << 20


@pytest.fixture(scope="module", autouse=True)
def card() -> Any:
    """The first card as its driver sees it: bytes in use, whoever uses them."""
    torch = pytest.importorskip("torch")
    nvml = pytest.importorskip("pynvml")
    pytest.importorskip("flex_gemm", exc_type=ImportError)
    if not torch.cuda.is_available():
        pytest.skip("there is no graphics card")
    nvml.nvmlInit()
    handle = nvml.nvmlDeviceGetHandleByIndex(0)
    return lambda: nvml.nvmlDeviceGetMemoryInfo(handle).used


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if "BOZZETTO_TEST_CHECKPOINTS" in os.environ:
        return Path(os.environ["BOZZETTO_TEST_CHECKPOINTS"])
    folder = tmp_path_factory.mktemp("trellis2")
    sizes = ("--width", 256, "--heads", 2, "--blocks", 4, "--codec", 16, "--condition", 64, "--dtype", "bfloat16")
    run_script("make_trellis2.py", upstream("TRELLIS.2"), folder, *sizes, env=environment())
    return folder


def start(start_worker: Any, checkpoints: Path, *script: str, engine: str = "trellis2-python") -> Any:
    arguments = ["--source", str(upstream("TRELLIS.2")), "--weights", str(checkpoints)]
    worker = start_worker([*(script or ("-m", "bozzetto_bridge")), engine, *arguments], environment())
    worker.patience_secs = 300
    worker.next()
    return worker


def wait_for_memory(card: Any, before: int) -> float:
    """Seconds until the card is as empty as before."""
    started = time.monotonic()
    while card() > before + SLACK_BYTES:
        assert time.monotonic() < started + FREED_WITHIN_SECS, f"{card() - before} bytes are still in use"
        time.sleep(0.02)
    return time.monotonic() - started


def job_of(picture: Path, kind: str = "512") -> dict[str, Any]:
    return job_for("trellis2-python", picture, **{"structure.pipeline_type": kind, **STEP_PARAMS})


@pytest.mark.parametrize(("kind", "resolution"), [("512", 512), ("1024_cascade", 1024)])
def test_results_are_upstreams(start_worker, checkpoints, cut_out, tmp_path, kind, resolution) -> None:
    runs = []
    for name in ("first", "again"):
        out = tmp_path / f"{name}.npz"
        options = json.dumps({"seed": SEED, "pipeline_type": kind, **STEP_OPTIONS})
        env = {**environment(), "WITH_CARD": "1"}
        run_script("reference_trellis2.py", upstream("TRELLIS.2"), checkpoints, cut_out, out, options, env=env)
        with np.load(out) as arrays:
            runs.append(dict(arrays))
    wanted, again = runs
    worker = start(start_worker, checkpoints)
    messages = worker.run(job_of(cut_out, kind), tmp_path / "job")
    assert messages[-1]["event"] == "done", (messages[-1], worker.errors[-2000:])
    asset = read_safetensors(tmp_path / "job" / "asset.safetensors")
    print(kind, {name: array.shape for name, array in wanted.items()})
    for name in wanted:
        is_same = wanted[name].shape == again[name].shape and np.array_equal(wanted[name], again[name])
        print(f"  two runs of upstream's own: {name} {'agree to the bit' if is_same else 'differ'}")
    assert len(wanted["faces"]) > 100
    np.testing.assert_allclose(asset["mesh.positions"], y_up(wanted["vertices"]), atol=1e-6)
    assert np.array_equal(asset["mesh.triangles"], wanted["faces"].astype(int))
    check_volume(asset, wanted, resolution)


def test_materials_for_a_given_mesh_are_upstreams(start_worker, checkpoints, cut_out, tmp_path) -> None:
    mesh, out = given_ball(tmp_path), tmp_path / "reference.npz"
    options = json.dumps({"seed": SEED, "resolution": 512, "tex_slat_sampler_params": {"steps": 3}})
    arguments = (upstream("TRELLIS.2"), checkpoints, cut_out, out, options, mesh)
    run_script("reference_trellis2.py", *arguments, env={**environment(), "WITH_CARD": "1"})
    with np.load(out) as arrays:
        wanted = dict(arrays)
    worker = start(start_worker, checkpoints, engine="trellis2-texturing-python")
    job = job_for("trellis2-texturing-python", cut_out, **{"shape.resolution": "512", "material.steps": 3})
    messages = worker.run({**job, "mesh": str(mesh)}, tmp_path / "job")
    assert messages[-1]["event"] == "done", (messages[-1], worker.errors[-2000:])
    asset = read_safetensors(tmp_path / "job" / "asset.safetensors")
    print("texturing", {name: array.shape for name, array in wanted.items()})
    np.testing.assert_allclose(asset["mesh.positions"], y_up(wanted["vertices"]), atol=1e-6)
    check_volume(asset, wanted, 512)


def test_upstreams_own_glb_shows_the_same(start_worker, checkpoints, cut_out, tmp_path, monkeypatch) -> None:
    asked = own_glb.asked_for(own_glb.FOR_MATERIALS, tmp_path, monkeypatch)
    worker = start(start_worker, checkpoints)
    job = job_of(cut_out)
    messages = worker.run({**job, "params": {**job["params"], **asked}}, tmp_path / "job")
    assert messages[-1]["event"] == "done", (messages[-1], worker.errors[-2000:])
    own_glb.check(messages, tmp_path / "job", texture_px=2048)


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_worker_gives_the_card_back(start_worker, checkpoints, cut_out, tmp_path, card, stage) -> None:
    before = card()
    worker = start(start_worker, checkpoints)
    (tmp_path / "job").mkdir()
    worker.send(request="run", id=1, job=job_of(cut_out, "1024_cascade"), folder=str(tmp_path / "job"))
    while True:
        message = worker.next()
        assert message["event"] not in ("done", "failed"), message
        if message["event"] == "stage" and message["stage"] == stage and stage in ("prepare", "decode"):
            time.sleep(0.2)
            break
        if message["event"] == "progress" and message["stage"] == stage:
            break
    held = card() - before
    worker.kill()
    print(f"killed in {stage}: {held >> 20} MiB held, given back after {wait_for_memory(card, before):.2f} s")
    assert stage == "prepare" or held > SLACK_BYTES


def test_a_gigabyte_of_prints_and_a_fork_do_no_harm(start_worker, checkpoints, cut_out, tmp_path, card) -> None:
    before = card()
    for fault in ("prints", "forks"):
        worker = start(start_worker, checkpoints, str(HERE / "misbehaving_worker.py"), fault)
        for number in (1, 2):
            messages = worker.run(job_of(cut_out), tmp_path / "job", number)
            assert messages[-1]["event"] == "done", messages[-1]
        assert worker.shut_down() == 0
        print(f"{fault}: card given back {wait_for_memory(card, before):.2f} s after the end")


def test_a_worker_that_blocks_signals_is_killed_all_the_same(
    start_worker, checkpoints, cut_out, tmp_path, card
) -> None:
    before = card()
    worker = start(start_worker, checkpoints, str(HERE / "misbehaving_worker.py"), "blocks")
    (tmp_path / "job").mkdir()
    worker.send(request="run", id=1, job=job_of(cut_out), folder=str(tmp_path / "job"))
    while (message := worker.next())["event"] != "stage" or message["stage"] != "shape":
        assert message["event"] not in ("done", "failed"), message
    time.sleep(1)
    worker.process.terminate()
    time.sleep(1)
    assert worker.process.poll() is None, "a polite signal is blocked"
    worker.kill()
    print(f"blocks: card given back after {wait_for_memory(card, before):.2f} s")
