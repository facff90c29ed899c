"""What only Python can have of the protocol. The faults are in the engine crate's suite, which runs this worker too."""

import os
from pathlib import Path

import numpy as np
import pytest
from bozzetto_bridge._native import Asset
from conftest import job_for, read_safetensors

FAULTY = str(Path(__file__).parent / "faulty_worker.py")


@pytest.fixture
def faulty_env(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "faults"
    folder.mkdir()
    faults = {"BOZZETTO_FAULT": "is healthy", "BOZZETTO_FAULT_ID": "test", "BOZZETTO_FAULT_FOLDER": str(folder)}
    return {**os.environ, **faults}


def test_a_job_is_one_stream_of_whole_messages(start_worker, faulty_env, picture, tmp_path) -> None:
    worker = start_worker([FAULTY], faulty_env)
    hello = worker.next()
    assert (hello["event"], hello["engine"]["id"]) == ("hello", "test")
    messages = worker.run(job_for("test", picture), tmp_path / "job")
    assert messages[0] == {
        "event": "stage",
        "id": 1,
        "stage": "carve",
        "label": "Carving the shape",
        "index": 0,
        "count": 1,
    }
    assert messages[-2] == {"event": "progress", "id": 1, "stage": "carve", "done": 10, "total": 10}
    assert messages[-1] == {"event": "done", "id": 1, "artifact": "asset.safetensors"}
    tensors = read_safetensors(tmp_path / "job" / "asset.safetensors")
    assert tensors["mesh.triangles"].tolist() == [[0, 1, 2]]
    assert worker.shut_down() == 0


def test_a_job_of_the_wrong_kind_is_refused_and_the_next_one_runs(start_worker, faulty_env, picture, tmp_path) -> None:
    worker = start_worker([FAULTY], faulty_env)
    worker.next()
    (failed,) = worker.run(job_for("test", picture, resolution=3), tmp_path / "job")
    assert failed["error"]["kind"] == "params"
    assert worker.run(job_for("test", picture), tmp_path / "job", 2)[-1]["event"] == "done"


def test_a_closed_input_ends_the_worker(start_worker, faulty_env) -> None:
    worker = start_worker([FAULTY], faulty_env)
    worker.next()
    worker.process.stdin.close()
    assert worker.process.wait(60) == 0


def test_no_socket_listens(start_worker, faulty_env) -> None:
    worker = start_worker([FAULTY], faulty_env)
    worker.next()
    links = [os.readlink(entry) for entry in Path(f"/proc/{worker.process.pid}/fd").iterdir()]
    assert not any(link.startswith("socket:") for link in links), links


TRIANGLE = np.array([[0, 1, 2]], dtype=np.int32)


@pytest.mark.parametrize(
    ("positions", "triangles", "frame", "wanted"),
    [
        (np.zeros((3, 2)), TRIANGLE, "z_up", "[any, 3]"),
        (np.zeros((2, 3)), TRIANGLE, "z_up", "corners that do not exist"),
        (np.zeros((3, 3)), -TRIANGLE, "z_up", "corners that do not exist"),
        (np.full((3, 3), np.nan), TRIANGLE, "z_up", "not finite"),
        (np.zeros((3, 3)), TRIANGLE, "upside_down", "no frame"),
    ],
)
def test_broken_meshes_are_refused(positions, triangles, frame, wanted) -> None:
    with pytest.raises(ValueError, match=wanted.replace("[", r"\[")):
        Asset().set_mesh(positions.astype(np.float32), triangles, frame)


@pytest.mark.parametrize(
    ("coords", "change", "wanted"),
    [
        ([[0, 0, 4]], {}, "outside its grid"),
        ([[0, -1, 0]], {}, "outside its grid"),
        ([[0, 0, 0], [1, 0, 0]], {}, "entries of"),
        ([[0, 0, 0]], {"alpha": np.array([np.nan], dtype=np.float32)}, "not finite"),
        ([[0, 0, 0]], {"resolution": 0}, "outside its grid"),
        ([[0, 0, 0]], {"resolution": 1 << 31}, "too fine"),
    ],
)
def test_broken_volumes_are_refused(coords, change, wanted) -> None:
    one = np.array([0.5], dtype=np.float32)
    arrays = {
        "base_color": np.zeros((1, 3), dtype=np.float32),
        "alpha": one,
        "metallic": one,
        "roughness": one,
        "resolution": 4,
        "frame": "z_up",
    }
    with pytest.raises(ValueError, match=wanted):
        Asset().set_volume(np.array(coords, dtype=np.int32), **{**arrays, **change})
