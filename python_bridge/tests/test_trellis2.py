"""The TRELLIS.2 adapter against stand-ins for upstream: what it asks of the pipeline and makes of the answers."""

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bozzetto_bridge import attention
from bozzetto_bridge.adapter import Job, JobContext, View
from bozzetto_bridge.adapters.trellis2 import Trellis2Adapter
from bozzetto_bridge.adapters.trellis2.environment import environment_variables
from bozzetto_bridge.errors import Cancelled, Internal, MissingFile, NoResult
from bozzetto_bridge.weights import weight_hashes
from conftest import STAND_INS, job_for, read_safetensors, upstreams_glb
from PIL import Image


class Recorder:
    """The native side of a job."""

    def __init__(self) -> None:
        self.told: list[tuple] = []
        self.is_cancelled = False
        self.cancels_at: tuple | None = None

    def __getattr__(self, name: str) -> Any:
        def tell(*arguments: Any) -> None:
            self.told.append((name, *arguments))
            if self.told[-1] == self.cancels_at:
                self.is_cancelled = True

        return tell

    def names(self, kind: str) -> list[str]:
        return [told[1] for told in self.told if told[0] == kind]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list:
    monkeypatch.syspath_prepend(str(STAND_INS))
    for name in ("SPARSE_CONV_BACKEND", "ATTN_BACKEND", "SPARSE_ATTN_BACKEND", "PYTORCH_CUDA_ALLOC_CONF"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    from trellis2.pipelines import CALLS

    CALLS.clear()
    return CALLS


@pytest.fixture
def adapter(calls: list, weights: Path) -> Trellis2Adapter:
    adapter = Trellis2Adapter(str(weights))
    adapter.load(JobContext(Recorder()))
    calls.clear()
    return adapter


def job(adapter: Trellis2Adapter, path: Path, seed: int = 7, **changes: Any) -> Job:
    params = {spec.key: spec.default for spec in adapter.info().params}
    changes = {key.replace("__", "."): value for key, value in changes.items()}
    assert changes.keys() <= params.keys()
    return Job(views=(View(path),), params={**params, **changes}, seed=seed)


def drawn(calls: list, stage: str) -> Any:
    (call,) = [call for call in calls if call[0] == stage]
    return next(part for part in call if isinstance(part, tuple))


def test_the_defaults_are_upstreams(adapter, calls, picture) -> None:
    adapter.run(job(adapter, picture), JobContext(Recorder()))
    structure = {"steps": 12, "guidance_strength": 7.5, "guidance_rescale": 0.7, "rescale_t": 5.0}
    material = {"steps": 12, "guidance_strength": 1.0, "guidance_rescale": 0.0, "rescale_t": 3.0}
    assert calls == [
        "preprocess",
        "loads briaai/RMBG-2.0",
        "loads ZhengPeng7/BiRefNet",
        "condition 512",
        ("structure", 512, 32, (7, 1), {**structure, "guidance_interval": [0.6, 1.0]}),
        "condition 1024",
        ("cascade", 512, 1024, 512, 1024, ((7, 2), (7, 3)), 49152),
        ("material", 1024, (7, 4), {**material, "guidance_interval": [0.6, 0.9]}),
        ("decode", 1024),
    ]


@pytest.mark.parametrize(
    ("kind", "structure", "shape"),
    [("512", 32, ("shape", 512, (7, 2))), ("1024", 64, ("shape", 1024, (7, 2)))],
)
def test_types_without_a_cascade_use_one_model_each(adapter, calls, picture, kind, structure, shape) -> None:
    adapter.run(job(adapter, picture, structure__pipeline_type=kind), JobContext(Recorder()))
    found = {call[0]: call for call in calls if isinstance(call, tuple)}
    assert found["structure"][2] == structure
    assert found["shape"][:3] == shape
    assert found["material"][1:3] == (int(kind), (7, 3))
    assert ("condition 1024" in calls) == (kind == "1024")


def test_stages_are_kept_and_their_random_numbers_with_them(adapter, calls, picture) -> None:
    adapter.run(job(adapter, picture), JobContext(Recorder()))
    whole = drawn(calls, "material")
    for change, kept in [
        ({}, ["prepare", "structure", "shape", "material"]),
        ({"material__steps": 5}, ["prepare", "structure", "shape"]),
        ({"shape__steps": 5}, ["prepare", "structure"]),
        ({"structure__pipeline_type": "1536_cascade"}, ["prepare", "structure"]),
        ({"structure__steps": 5}, ["prepare"]),
        ({"prepare__low_vram": False}, ["prepare"]),
        ({"prepare__cut_out": False}, []),
    ]:
        calls.clear()
        recorder = Recorder()
        adapter.run(job(adapter, picture, **change), JobContext(recorder))
        assert recorder.names("reused") == kept, change
        if "material" not in kept:
            assert drawn(calls, "material") == whole, change
    calls.clear()
    adapter.run(job(adapter, picture, seed=8, prepare__cut_out=False), JobContext(Recorder()))
    assert drawn(calls, "structure") == (8, 1), "the picture's stage does not bring the old seed back"


def test_progress_counts_the_steps_of_both_models_of_a_cascade(adapter, picture) -> None:
    recorder = Recorder()
    adapter.run(job(adapter, picture, shape__steps=3), JobContext(recorder))
    assert recorder.names("stage") == ["prepare", "structure", "shape", "material", "decode"]
    told = [entry[2:] for entry in recorder.told if entry[:2] == ("progress", "shape")]
    assert told == [(done, 6) for done in range(1, 7)]
    assert ("memory", 5 << 30, 8 << 30) in recorder.told
    (preview,) = [entry for entry in recorder.told if entry[0] == "preview_structure"]
    assert (preview[1].tolist(), *preview[2:]) == ([[1, 2, 3], [0, 0, 31]], 32, "z_up")


def test_a_lower_resolution_than_asked_is_told(adapter, calls, picture) -> None:
    recorder = Recorder()
    adapter.run(job(adapter, picture, structure__pipeline_type="1536_cascade"), JobContext(recorder))
    assert ("decode", 1408) in calls
    assert any(entry[:2] == ("log", "warning") and "made at 1408" in entry[2] for entry in recorder.told)


def test_a_cancel_stops_within_a_step_and_clears_the_card(adapter, picture) -> None:
    recorder = Recorder()
    recorder.cancels_at = ("progress", "shape", 2, 24)
    model = adapter._pipeline.models["shape_slat_flow_model_512"]
    model.to("cuda")
    with pytest.raises(Cancelled):
        adapter.run(job(adapter, picture), JobContext(recorder))
    assert ("progress", "shape", 3, 24) not in recorder.told
    adapter.release_scratch()
    assert model.device == "cpu"
    again = Recorder()
    adapter.run(job(adapter, picture), JobContext(again))
    assert again.names("reused") == ["prepare", "structure"]


def test_an_empty_picture_gives_advice(adapter, tmp_path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "black.png")
    with pytest.raises(NoResult, match="no object"):
        adapter.run(job(adapter, tmp_path / "black.png"), JobContext(Recorder()))


def test_transparency_spares_the_matting_model(adapter, calls, tmp_path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 200)).save(tmp_path / "cut.png")
    adapter.run(job(adapter, tmp_path / "cut.png"), JobContext(Recorder()))
    assert not any(str(call).startswith("loads") for call in calls)


def test_a_missing_model_is_named_before_anything_loads(calls, weights) -> None:
    missing = weights / "ckpts" / "tex_slat_decoder.safetensors"
    missing.unlink()
    with pytest.raises(MissingFile, match="tex_slat_decoder"):
        Trellis2Adapter(str(weights)).load(JobContext(Recorder()))
    assert calls == []


@pytest.mark.parametrize("description", ["", "[]", '{"args": {"models": 3}}', '{"args": {}}'])
def test_a_description_that_is_none_is_named(calls, weights, description) -> None:
    (weights / "pipeline.json").write_text(description)
    with pytest.raises(Internal, match="does not describe a pipeline"):
        Trellis2Adapter(str(weights)).load(JobContext(Recorder()))
    assert calls == []


def test_models_of_other_repositories_are_left_to_upstream(calls, weights) -> None:
    config = json.loads((weights / "pipeline.json").read_text())
    config["args"]["models"]["sparse_structure_decoder"] = "owner/repository/ckpts/decoder"
    (weights / "pipeline.json").write_text(json.dumps(config))
    Trellis2Adapter(str(weights)).load(JobContext(Recorder()))


def test_attention_stands_in_for_upstream_alone(adapter) -> None:
    for name in ("trellis2.modules.sparse.attention", "trellis2.modules.sparse.attention.full_attn"):
        assert sys.modules[name].sparse_scaled_dot_product_attention() is attention
    assert "flash_attn" not in sys.modules


def test_weights_are_remembered_by_their_hashes(adapter) -> None:
    adapter._hashing.join()
    assert len(adapter._hashes) == 8
    decoder = hashlib.sha256(b"ckpts/tex_slat_decoder").hexdigest()
    assert adapter._hashes["tex_slat_decoder.safetensors"] == decoder


def test_a_cached_file_is_known_by_its_name(tmp_path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(STAND_INS))
    blob = tmp_path / ("ab" * 32)
    blob.write_bytes(b"content")
    (tmp_path / "model.safetensors").symlink_to(blob)
    assert weight_hashes(str(tmp_path), ["model", "missing"]) == {"model.safetensors": "ab" * 32}


def test_variables_are_set_for_what_is_installed_unless_they_are_set() -> None:
    def wanted(*installed: str, is_rocm: bool = False, **given: str) -> dict[str, str]:
        return environment_variables(lambda name: name in installed, is_rocm, given)

    assert wanted()["ATTN_BACKEND"] == "sdpa"
    assert wanted()["SPARSE_ATTN_BACKEND"] == "flash_attn"
    assert wanted("xformers")["SPARSE_ATTN_BACKEND"] == "xformers"
    assert wanted("flash_attn_interface")["ATTN_BACKEND"] == "flash_attn_3"
    assert "ATTN_BACKEND" not in wanted(ATTN_BACKEND="naive")
    assert "PYTORCH_CUDA_ALLOC_CONF" not in wanted(is_rocm=True)


def start_trellis2(start_worker: Any, weights: Path, **variables: str) -> Any:
    arguments = ["-m", "bozzetto_bridge", "trellis2-python", "--source", str(STAND_INS), "--weights", str(weights)]
    return start_worker(arguments, {**os.environ, **variables})


def test_the_worker_makes_an_asset_in_the_model_frame(start_worker, weights, picture, tmp_path) -> None:
    worker = start_trellis2(start_worker, weights)
    hello = worker.next()
    assert [stage["id"] for stage in hello["engine"]["stages"]][-1] == "decode"
    messages = worker.run(job_for("trellis2-python", picture), tmp_path / "job")
    assert messages[-1]["event"] == "done", messages[-1]
    assert [message["content"] for message in messages if message["event"] == "preview"] == ["views", "structure"]
    structure = read_safetensors(tmp_path / "job" / "preview-2.safetensors")["structure.coords"]
    assert structure.tolist() == [[1, 3, 31 - 2], [0, 31, 31]]
    asset = read_safetensors(tmp_path / "job" / "asset.safetensors")
    positions = np.array([[0, 0.2, -0.1], [0.3, 0, 0], [0, 0.4, 0]], dtype=np.float32)
    assert np.array_equal(asset["mesh.positions"], positions)
    assert asset["volume.coords"].tolist() == [[1, 3, 1023 - 2]]
    red = ((0.5 + 0.055) / 1.055) ** 2.4
    assert np.allclose(asset["volume.samples"], [[red, 1, 0, 1, 0.25, 0.75]], atol=1e-6)
    assert worker.shut_down() == 0
    assert b"Conv backend: flex_gemm" in worker.errors


def test_upstreams_own_glb_is_written_beside_the_result(adapter, picture, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    recorder = Recorder()
    adapter.run(job(adapter, picture, decode__upstream_glb=True), JobContext(recorder))
    path = upstreams_glb(told[2] for told in recorder.told if told[0] == "log")
    asked = json.loads(path.read_text())
    assert asked == {
        "grid_size": 1024,
        "aabb": [[-0.5] * 3, [0.5] * 3],
        "decimation_target": 500_000,
        "texture_size": 2048,
        "remesh": True,
        "remesh_band": 1,
        "remesh_project": 0,
        "faces": 1,
        "voxels": 1,
        "attributes": 4,
        "extension_webp": True,
    }
    assert [file.name for file in path.parent.iterdir()] == ["upstream.glb"]


def test_a_result_is_not_lost_for_upstreams_glb(adapter, picture, monkeypatch) -> None:
    monkeypatch.setenv("STAND_IN_FAULT", "cannot bake")
    recorder = Recorder()
    assert adapter.run(job(adapter, picture, decode__upstream_glb=True), JobContext(recorder)) is not None
    assert ("log", "warning", "Upstream's own GLB could not be made: RuntimeError: no rasteriser") in recorder.told


def test_the_worker_survives_a_full_card(start_worker, weights, picture, tmp_path) -> None:
    worker = start_trellis2(start_worker, weights, STAND_IN_FAULT="out of memory at 3")
    worker.next()
    job = job_for("trellis2-python", picture)
    failed = worker.run(job, tmp_path / "job")[-1]
    assert failed["error"] == {"kind": "out_of_memory", "device": "The graphics card", "stage": "structure"}
    job["params"] = {f"{stage}.steps": 3 for stage in ("structure", "shape", "material")}
    assert worker.run(job, tmp_path / "job", 2)[-1]["event"] == "done"


def test_a_picture_that_is_none_is_named(start_worker, weights, tmp_path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    worker = start_trellis2(start_worker, weights)
    worker.next()
    failed = worker.run(job_for("trellis2-python", tmp_path / "text.png"), tmp_path / "job")[-1]
    assert failed["error"]["kind"] == "bad_view"
    assert failed["error"]["name"] == "text.png"
