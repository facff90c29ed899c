"""The nvdiffrec adapter against a stand-in for upstream's script."""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bozzetto_bridge.adapters.nvdiffrec.cameras import as_one_lens, z_up_from_view
from conftest import STAND_INS, job_for, read_safetensors
from PIL import Image

UPSTREAM = STAND_INS.with_name("stand_ins_nvdiffrec")
FRONT = {
    "world_from_view": [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 2],
    "projection": {"kind": "perspective", "fov_y_rad": 0.8},
    "aspect": 1.0,
}


@pytest.fixture
def cut_out(tmp_path: Path) -> Path:
    path = tmp_path / "cut_out.png"
    picture = Image.new("RGBA", (40, 20), (255, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (10, 5, 30, 15))
    picture.save(path)
    return path


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    path = tmp_path / "quad.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\n")
    return path


def start(start_worker: Any, tmp_path: Path, fault: str = "") -> Any:
    sources = [argument for folder in (UPSTREAM, STAND_INS) for argument in ("--source", str(folder))]
    env = {**os.environ, "STAND_IN_FAULT": fault, "STAND_IN_SCENE": str(tmp_path / "scene.json")}
    env["PYTHONPATH"] = os.pathsep.join([str(STAND_INS), env.get("PYTHONPATH", "")])
    worker = start_worker(["-m", "bozzetto_bridge", "nvdiffrec-python", *sources], env)
    worker.next()
    return worker


def job(picture: Path, mesh: Path, **changes: Any) -> dict[str, Any]:
    made = job_for("nvdiffrec-python", picture, **{"refine.iterations": 100, "refine.picture_px": 256})
    made["views"][0]["camera"] = FRONT
    return {**made, "mesh": str(mesh), **changes}


def test_maps_come_back_over_the_meshs_uvs(start_worker, tmp_path, cut_out, mesh) -> None:
    worker = start(start_worker, tmp_path)
    messages = worker.run(job(cut_out, mesh), tmp_path / "job")
    assert messages[-1]["event"] == "done", (messages[-1], worker.errors)
    done = [message["done"] for message in messages if message["event"] == "progress"]
    assert done[-1] == 100
    asset = read_safetensors(tmp_path / "job" / "asset.safetensors")
    assert asset["mesh.positions"].tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert asset["mesh.uvs"].tolist() == [[0, 1], [1, 1], [0, 0]]
    assert asset["material.base_color"][0, 0].tolist() == [200, 100, 50, 255]
    assert asset["material.orm"][0, 0].tolist() == [255, 90, 30], "what upstream keeps in red is no occlusion"
    assert asset["material.normal"].shape == (4, 4, 3)
    (frame,) = json.loads((tmp_path / "scene.json").read_text())["frames"]
    # NeRF's front is -Y: two metres away, looking along +Y with +Z up.
    assert np.allclose(frame["transform_matrix"], [[1, 0, 0, 0], [0, 0, -1, -2], [0, 1, 0, 0], [0, 0, 0, 1]])
    assert list((UPSTREAM / "out").iterdir()) == []


def test_what_is_missing_is_named(start_worker, tmp_path, cut_out, mesh, picture) -> None:
    worker = start(start_worker, tmp_path)
    without_camera = job(cut_out, mesh)
    del without_camera["views"][0]["camera"]
    for number, (wrong, kind, words) in enumerate(
        [
            (job(picture, mesh), "bad_view", "not cut out"),
            (without_camera, "no_result", "1 pictures and 0 cameras"),
            (job(cut_out, tmp_path / "nothing.obj"), "no_result", "nothing.obj"),
        ]
    ):
        error = worker.run(wrong, tmp_path / "job", number)[-1]["error"]
        assert error["kind"] == kind
        assert words in error["reason"]


def test_a_script_that_fails_says_why(start_worker, tmp_path, cut_out, mesh) -> None:
    worker = start(start_worker, tmp_path, "out of memory")
    error = worker.run(job(cut_out, mesh), tmp_path / "job")[-1]["error"]
    assert error == {"kind": "out_of_memory", "device": "The graphics card", "stage": "refine"}


def test_the_script_ends_with_a_cancelled_job(start_worker, tmp_path, cut_out, mesh) -> None:
    worker = start(start_worker, tmp_path, "takes long")
    (tmp_path / "job").mkdir()
    worker.send(request="run", id=1, job=job(cut_out, mesh), folder=str(tmp_path / "job"))
    while (message := worker.next())["event"] != "progress" or message["done"] < 100:
        pass
    children = Path(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children")
    assert children.read_text().split() or not children.exists()
    worker.send(request="cancel", id=1)
    assert worker.rest_of(1)[-1]["event"] == "cancelled"
    time.sleep(0.1)
    assert not children.exists() or children.read_text().split() == []


def test_cameras_of_a_result_stand_in_for_those_of_the_views(tmp_path) -> None:
    from bozzetto_bridge.adapter import View
    from bozzetto_bridge.adapters.nvdiffrec.cameras import cameras_of
    from bozzetto_bridge.errors import NoResult

    path = tmp_path / "asset.safetensors"
    notes = json.dumps({"cameras": [FRONT]})
    header = json.dumps({"__metadata__": {"bozzetto": notes}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    assert cameras_of((View(path),), path) == [FRONT]
    with pytest.raises(NoResult, match="2 pictures and 1 cameras"):
        cameras_of((View(path), View(path)), path)
    path.write_bytes(b"\xff" * 20)
    with pytest.raises(NoResult):
        cameras_of((View(path),), path)


def test_pictures_of_different_lenses_become_those_of_one() -> None:
    wide, narrow = Image.new("RGBA", (40, 20), "red"), Image.new("RGBA", (20, 20), "red")
    squares, angle = as_one_lens([wide, narrow], [0.8, 0.4], 128)
    assert angle == pytest.approx(2 * np.arctan(2 * np.tan(0.4)))
    assert [square.size for square in squares] == [(128, 128)] * 2
    assert squares[0].getbbox() == (0, 32, 128, 96)
    left, top, right, bottom = squares[1].getbbox()
    assert (right - left, bottom - top) == (round(64 * np.tan(0.2) / np.tan(0.4)),) * 2


def test_a_camera_on_the_left_is_on_nerfs_right() -> None:
    # Our +X stays NeRF's +X.
    camera = {"world_from_view": [0, 0, -1, 0, 1, 0, 1, 0, 0, 2, 0.5, 0]}
    assert np.allclose(z_up_from_view(camera)[:3, 3], [2, 0, 0.5])
