"""The wheel in a clean environment. `BOZZETTO_TEST_WHEEL` names it; packaging/wheel.sh builds it and runs this."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

WHEEL = os.environ.get("BOZZETTO_TEST_WHEEL", "")
ENGINES = {
    "trellis2-python",
    "trellis2-texturing-python",
    "trellis-python",
    "reconviagen-python",
    "reconviagen-v05-python",
    "nvdiffrec-python",
}

pytestmark = pytest.mark.skipif(not WHEEL, reason="BOZZETTO_TEST_WHEEL names no wheel")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel and what it asks for, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    interpreter = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", WHEEL]
    subprocess.run(install, check=True)
    return interpreter


def run(python: Path, *arguments: str, folder: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(python), "-I", "-m", "bozzetto_bridge", *arguments]
    return subprocess.run(command, cwd=folder, input=given, capture_output=True, text=True, check=False, timeout=120)


def test_it_is_one_wheel_for_every_python_from_3_10_on() -> None:
    assert "-cp310-abi3-" in Path(WHEEL).name
    with zipfile.ZipFile(WHEEL) as wheel:
        names = {Path(name).name for name in wheel.namelist()}
    assert {"py.typed", "_native.pyi", "_native.abi3.so" if os.name != "nt" else "_native.pyd"} <= names
    assert not any(name.startswith("test_") for name in names)


def test_the_probe_runs_with_nothing_but_numpy(python, tmp_path) -> None:
    done = run(python, "--probe", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["bridge"] is not None
    assert report["torch"] is None
    assert set(report["engines"]) == ENGINES
    for engine in report["engines"].values():
        assert not engine["can_run"]
        assert all(problem["advice"].endswith(".") for problem in engine["problems"])


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_every_engine_greets_with_its_licences(python, tmp_path, engine) -> None:
    done = run(python, engine, folder=tmp_path, given='{"request":"shutdown"}\n')
    assert done.returncode == 0, done.stderr
    hello = json.loads(done.stdout.splitlines()[0])["engine"]
    assert hello["id"] == engine
    assert all(licence["part"] and licence["page"].startswith("https://") for licence in hello["licences"])
    assert hello["licences"]
