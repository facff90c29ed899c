"""The ReconViaGen adapters in the worker against upstream's own demos, from the same random weights.

VGGT, MASt3R and LPIPS are upstream's classes made small; see `pretend_card.shrink_reconviagens_encoders`.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import job_for, read_safetensors
from PIL import Image

from upstream import own_glb
from upstream.conftest import HERE, KERNELS, environment, run_script, upstream
from upstream.test_trellis2_upstream import check_volume, y_up
from upstream.test_trellis_upstream import SEED, STEP_PARAMS, STEPS, check, env_with_hub

STRUCTURE = {"steps": STEPS, "guidance_rescale": 0.7, "rescale_t": 5.0}
LATENT = {"steps": STEPS, "guidance_rescale": 0.5, "rescale_t": 3.0}
GUIDANCE = {"cfg_strength": 7.5, "cfg_interval": [0.6, 1.0]}


def complete(name: str, *paths: str) -> Path:
    """A checkout that has all that a test runs of it."""
    folder = upstream(name)
    pytest.importorskip("spconv")
    for path in paths:
        if not (folder / path).exists():
            pytest.skip(f"The checkout of {name} lacks {path}")
    return folder


def variables(folder: Path) -> dict[str, str]:
    kernels = [] if os.environ.get("WITH_CARD") else [KERNELS]
    # What is measured by DreamSim is drawn from its stand-in even where its kernels are compiled.
    path = environment(*kernels, HERE / "likeness")["PYTHONPATH"]
    return {**env_with_hub(folder), "PYTHONPATH": path}


def start(start_worker: Any, engine: str, source: Path, folder: Path) -> Any:
    arguments = [str(HERE / "worker_without_card.py"), engine, "--source", str(source), "--weights", str(folder)]
    worker = start_worker(arguments, variables(folder))
    worker.patience_secs = 1500
    worker.next()
    return worker


def reference(release: str, source: Path, folder: Path, options: dict[str, Any], *pictures: Path) -> dict[str, Any]:
    out = folder / "reference.npz"
    text = json.dumps({"seed": SEED, **options})
    run_script("reference_reconviagen.py", release, source, folder, out, text, *pictures, env=variables(folder))
    with np.load(out) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = complete("ReconViaGen")
    folder = tmp_path_factory.mktemp("reconviagen") / "weights"
    here = Path.cwd()
    os.chdir(source)  # upstream's own code is found from where it is started
    run_script("make_trellis.py", source, folder, env=variables(folder))
    os.chdir(here)
    return folder


def job_with(engine: str, *pictures: Path, **params: Any) -> dict[str, Any]:
    job = job_for(engine, pictures[0], **params)
    job["views"] = [{**job["views"][0], "path": str(path)} for path in pictures]
    return job


AT_LENGTH = pytest.mark.skipif(
    not {"WITH_CARD", "BOZZETTO_TEST_ALL"} & set(os.environ), reason="it takes a processor many minutes"
)


def test_the_first_pass_is_upstreams(start_worker, checkpoints, cut_out, second_picture, tmp_path) -> None:
    source = complete("ReconViaGen")
    samplers = {
        "sparse_structure_sampler_params": {**STRUCTURE, **GUIDANCE},
        "slat_sampler_params": {**LATENT, **GUIDANCE},
    }
    wanted = reference("v0.2", source, checkpoints, samplers, cut_out, second_picture)
    worker = start(start_worker, "reconviagen-python", source, checkpoints)
    job = job_with("reconviagen-python", cut_out, second_picture, **STEP_PARAMS)
    messages = worker.run(job, tmp_path / "job")
    assert messages[-1]["event"] == "done", (messages[-1], worker.errors[-3000:])
    check(read_safetensors(tmp_path / "job" / "asset.safetensors"), wanted)


@own_glb.ON_A_CARD
def test_upstreams_own_glb_shows_the_same(
    start_worker, checkpoints, cut_out, second_picture, tmp_path, monkeypatch
) -> None:
    asked = own_glb.asked_for(own_glb.FOR_SPLATS, tmp_path, monkeypatch)
    worker = start(start_worker, "reconviagen-python", complete("ReconViaGen"), checkpoints)
    job = job_with("reconviagen-python", cut_out, second_picture, **STEP_PARAMS, **asked)
    messages = worker.run(job, tmp_path / "job")
    assert messages[-1]["event"] == "done", (messages[-1], worker.errors[-3000:])
    own_glb.check(messages, tmp_path / "job", texture_px=1024)


@pytest.fixture(scope="module")
def dim_pictures(cut_out: Path, second_picture: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Pictures of a dark ball: upstream tunes by those alone that a result is close to, and random splats are few."""
    folder = tmp_path_factory.mktemp("dim")
    for path in (cut_out, second_picture):
        pixels = np.array(Image.open(path))
        pixels[..., :3] //= 50
        Image.fromarray(pixels).save(folder / path.name)
    return [folder / path.name for path in (cut_out, second_picture)]


@AT_LENGTH
@pytest.mark.parametrize("way", ["No", "noise", "deltav"])
def test_the_refinement_is_upstreams(start_worker, checkpoints, dim_pictures, tmp_path, way) -> None:
    source = complete("ReconViaGen", "wheels/mast3r", "wheels/dust3r/croco", "assets/example_multi_image")
    pytest.importorskip("lpips")
    options = {
        "ss_guidance_strength": 7.5,
        "ss_sampling_steps": STEPS,
        "ss_guidance_rescale": 0.7,
        "ss_rescale_t": 5.0,
        "slat_guidance_strength": 7.5,
        "slat_sampling_steps": STEPS,
        "slat_guidance_rescale": 0.5,
        "slat_rescale_t": 3.0,
        "multiimage_algo": "multidiffusion",
        "mesh_simplify": 0.95,
        "texture_size": 1024,
        "refine": "Yes",
        "ss_refine": way,
        "registration_num_frames": 10,
        "trellis_stage1_lr": 0.1,
        "trellis_stage1_start_t": 0.5,
        "trellis_stage2_lr": 0.1,
        "trellis_stage2_start_t": 0.5,
        "low_vram": True,
    }
    wanted = reference("v0.2", source, checkpoints, options, *dim_pictures)
    worker = start(start_worker, "reconviagen-python", source, checkpoints)
    params = {**STEP_PARAMS, "refine.mode": "refine", "refine.structure": way, "refine.num_frames": 10}
    messages = worker.run(job_with("reconviagen-python", *dim_pictures, **params), tmp_path / "job")
    assert messages[-1]["event"] == "done", (messages[-1], worker.errors[-3000:])
    told = [message["message"] for message in messages if message["event"] == "log"]
    assert not any("first result is kept" in words for words in told), (told, worker.errors[-3000:])
    asset = read_safetensors(tmp_path / "job" / "asset.safetensors")
    if "WITH_CARD" not in os.environ:
        check(asset, wanted)
    elif way != "noise":  # the voxels that come of tuning it are others in each of upstream's own runs
        check_tuned(asset, wanted)
    content = (tmp_path / "job" / "asset.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    cameras = json.loads(header["__metadata__"]["bozzetto"])["cameras"]
    for camera, view_from_world, intrinsics in zip(cameras, wanted["extrinsics"], wanted["intrinsics"], strict=True):
        eye = np.linalg.inv(view_from_world.astype(np.float64))[:3, 3]
        np.testing.assert_allclose(camera["world_from_view"][9:], y_up(eye[None])[0], atol=1e-4)
        opening = 2 * np.arctan(0.5 / intrinsics[1, 1])
        assert np.isclose(camera["projection"]["fov_y_rad"], opening, rtol=1e-4)


def check_tuned(asset: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    """The rasteriser adds its gradients in any order, and Adam makes much of the smallest: not even the same twice."""
    away = np.abs(asset["splats.positions"] - y_up(wanted["xyz"])).mean()
    assert away < 1e-6
    if "untuned" in wanted:
        moved = np.abs(wanted["xyz"] - wanted["untuned"]).mean()
        assert away < moved / 10, moved


TRELLIS2 = "microsoft/TRELLIS.2-4B"


@pytest.fixture(scope="module")
def hybrid_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = complete("ReconViaGen-v0.5", "wheels/TRELLIS.2/trellis2")
    folder = tmp_path_factory.mktemp("hybrid")
    here = Path.cwd()
    os.chdir(source)
    run_script("make_trellis.py", source, folder, env=variables(folder))
    os.chdir(here)
    run_script("make_trellis2.py", source / "wheels" / "TRELLIS.2", folder / TRELLIS2, env=variables(folder))
    return folder


HYBRID_STEP_PARAMS = {f"{stage}.steps": STEPS for stage in ("structure", "latent", "shape", "material")}


@pytest.mark.parametrize(
    ("num_pictures", "kind", "origin", "strategy"),
    [
        (2, "512", "direct", "adaptive_guidance_weight"),
        (2, "1024_cascade", "mesh", "average"),
        (1, "512", "mvtrellis2", "sequential"),
        pytest.param(2, "512", "mvtrellis2", "fixed_guidance_rescale", marks=AT_LENGTH),
        pytest.param(2, "1024", "direct", "weighted_average", marks=AT_LENGTH),
        pytest.param(2, "512", "direct", "average_right", marks=AT_LENGTH),
        pytest.param(2, "512", "direct", "sequential", marks=AT_LENGTH),
    ],
)
def test_the_hybrid_is_upstreams(
    start_worker,
    hybrid_checkpoints,
    cut_out,
    second_picture,
    tmp_path,
    monkeypatch,
    num_pictures,
    kind,
    origin,
    strategy,
) -> None:
    source = complete("ReconViaGen-v0.5", "wheels/TRELLIS.2/trellis2")
    # Weights are named by a path that is a repository's name too.
    monkeypatch.chdir(hybrid_checkpoints)
    pictures = (cut_out, second_picture)[:num_pictures]
    worker = start(start_worker, "reconviagen-v05-python", source, hybrid_checkpoints)
    options = {
        "strategy": strategy,
        "pipeline_type": kind,
        "ss_source": origin,
        "ss_sampler_params": {**STRUCTURE, **GUIDANCE},
        "slat_sampler_params": {**LATENT, **GUIDANCE},
        "shape_slat_sampler_params": {"steps": STEPS},
        "tex_slat_sampler_params": {"steps": STEPS},
    }
    wanted = reference("v0.5", source, hybrid_checkpoints, options, *pictures)
    assert len(wanted["coords"]) > 500
    assert len(wanted["faces"]) > 100
    params: dict[str, Any] = {**HYBRID_STEP_PARAMS}
    for name, value in (("pipeline_type", kind), ("structure_from", origin), ("strategy", strategy)):
        params[f"generate.{name}"] = value
    messages = worker.run(job_with("reconviagen-v05-python", *pictures, **params), tmp_path / "job")
    assert messages[-1]["event"] == "done", (messages[-1], worker.errors[-3000:])
    told = [(message["done"], message["total"]) for message in messages if message["event"] == "progress"]
    total = told[-1][1]
    steps = [done for done, of in told if of == total]
    # Some quick ones are passed over.
    assert steps == sorted(steps), told
    assert steps[-1] == total, told
    asset = read_safetensors(tmp_path / "job" / "asset.safetensors")
    np.testing.assert_allclose(asset["mesh.positions"], y_up(wanted["vertices"]), atol=1e-6)
    assert np.array_equal(asset["mesh.triangles"], wanted["faces"].astype(int))
    check_volume(asset, wanted, int(wanted["resolution"]))


@own_glb.ON_A_CARD
def test_the_hybrids_own_glb_shows_the_same(
    start_worker, hybrid_checkpoints, cut_out, second_picture, tmp_path, monkeypatch
) -> None:
    source = complete("ReconViaGen-v0.5", "wheels/TRELLIS.2/trellis2")
    asked = own_glb.asked_for(own_glb.FOR_MATERIALS, tmp_path, monkeypatch)
    monkeypatch.chdir(hybrid_checkpoints)
    worker = start(start_worker, "reconviagen-v05-python", source, hybrid_checkpoints)
    params = {**HYBRID_STEP_PARAMS, "generate.pipeline_type": "512", **asked}
    messages = worker.run(job_with("reconviagen-v05-python", cut_out, second_picture, **params), tmp_path / "job")
    assert messages[-1]["event"] == "done", (messages[-1], worker.errors[-3000:])
    own_glb.check(messages, tmp_path / "job", texture_px=2048)
