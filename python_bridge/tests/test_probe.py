"""The command line, and what it says of an environment."""

import json
import os
import subprocess
import sys

from conftest import STAND_INS


def test_an_unknown_engine_is_refused_before_it_greets() -> None:
    done = subprocess.run([sys.executable, "-m", "bozzetto_bridge", "nonsense"], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")


def probe(*arguments: str, **variables: str) -> dict:
    command = [sys.executable, "-m", "bozzetto_bridge", "--probe", *arguments]
    env = {**os.environ, **variables}
    return json.loads(subprocess.run(command, capture_output=True, check=True, env=env).stdout)


def test_the_probe_names_what_is_missing() -> None:
    report = probe()["engines"]["trellis2-python"]
    assert not report["can_run"]
    problems = {problem["package"]: problem["problem"] for problem in report["problems"]}
    assert problems["FlexGEMM"] == problems["o-voxel"] == "is not installed"


def test_each_engine_says_how_its_own_upstream_installs_what_is_missing() -> None:
    engines = probe()["engines"]
    for engine, way in [
        ("trellis2-python", "the kernels of TRELLIS.2 with its setup.sh"),
        ("reconviagen-v05-python", "the setup.sh of ReconViaGen v0.5"),
    ]:
        advice = {problem["package"]: problem["advice"] for problem in engines[engine]["problems"]}
        assert way in advice["FlexGEMM"]


def test_the_probe_knows_an_environment_that_can_run() -> None:
    report = probe("--source", str(STAND_INS))
    assert report["torch"]["cards"] == [{"name": "Card", "memory": 8 << 30, "capability": [9, 0]}]
    wanted = {"can_run": True, "weights": "microsoft/TRELLIS.2-4B", "problems": []}
    assert report["engines"]["trellis2-python"] == wanted
    assert report["engines"]["nvdiffrec-python"]["weights"] is None


def test_the_probe_knows_modules_without_a_card_and_modules_that_crash(tmp_path) -> None:
    (tmp_path / "cumesh.py").write_text("import os\nos.abort()\n")
    (tmp_path / "o_voxel.py").write_text("raise ImportError('o_voxel/_C.so: undefined symbol: _ZN3c10')\n")
    report = probe("--source", str(tmp_path), "--source", str(STAND_INS), STAND_IN_HAS_NO_CARD="1")
    problems = {entry["package"]: entry["problem"] for entry in report["engines"]["trellis2-python"]["problems"]}
    assert problems.keys() == {"torch", "CuMesh", "o-voxel"}
    assert "signal 6" in problems["CuMesh"]
    assert "built for another version" in problems["o-voxel"]
