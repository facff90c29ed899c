"""What a Python environment has, and which engines it can run."""

import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bozzetto_bridge.adapter import Requirement
from bozzetto_bridge.failures import explain_text

_IMPORT_LIMIT_SECS = 120
_CARD_ADVICE = "Update the graphics driver, or install a PyTorch that fits it into this environment."

_TORCH_REPORT = """
import json, torch
cards = []
if torch.cuda.is_available():
    for index in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(index)
        cards.append({"name": card.name, "memory": card.total_memory, "capability": [card.major, card.minor]})
print("REPORT " + json.dumps({"version": torch.__version__, "cuda": torch.version.cuda, "cards": cards}))
"""


def has_module(name: str) -> bool:
    """Whether a module can be found, without importing it."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def graphics_card() -> str:
    """Name the first graphics card as its driver knows it, without loading anything; empty when it is not known."""
    for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        for line in path.read_text(errors="replace").splitlines():
            label, _, value = line.partition(":")
            if label == "Model":
                return value.strip()
    return ""


def probe(source: list[str]) -> dict[str, Any]:
    """Report on this environment. Modules are imported in processes of their own: a broken one may crash."""
    from bozzetto_bridge.adapters import ADAPTERS

    engines = {engine: create() for engine, create in ADAPTERS.items()}
    wanted = {need.package: need for adapter in engines.values() for need in adapter.requirements()}
    problems = _problems(wanted.values(), source)
    torch = _torch(source)
    has_card = torch is None or torch["cards"]
    if not has_card:
        problems["torch"] = "finds no graphics card that it can use"

    def entry(need: Requirement) -> dict[str, str]:
        is_card = need.package == "torch" and not has_card
        # Pipelines share packages and install them in different ways.
        return {
            "package": need.package,
            "problem": problems[need.package],
            "advice": _CARD_ADVICE if is_card else need.advice,
        }

    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "bridge": version("bozzetto-bridge"),
        "graphics_card": graphics_card(),
        "torch": torch,
        "engines": {
            engine: {
                "can_run": not any(need.package in problems for need in adapter.requirements()),
                "weights": adapter.DEFAULT_WEIGHTS,
                "problems": [entry(need) for need in adapter.requirements() if need.package in problems],
            }
            for engine, adapter in engines.items()
        },
    }


def version(package: str) -> str | None:
    """Give the version of an installed package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _problems(wanted: Iterable[Requirement], source: list[str]) -> dict[str, str]:
    """Give what is wrong with each package that cannot be used, by its name."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = pool.map(lambda need: (need, _problem(need, source)), wanted)
        return {need.package: problem for need, problem in found if problem}


def _problem(need: Requirement, source: list[str]) -> str:
    if need.check is not None:
        return need.check()
    if not has_module(need.module):
        return "is not installed"
    try:
        done = _run(f"import {need.module}", source)
    except subprocess.TimeoutExpired:
        return f"did not load within {_IMPORT_LIMIT_SECS} seconds"
    if done.returncode == 0:
        return ""
    if done.returncode < 0:
        return f"crashes while it loads (signal {-done.returncode})"
    return explain_text(done.stderr.strip().rsplit("\n", 1)[-1])


def _torch(source: list[str]) -> dict[str, Any] | None:
    """Report on PyTorch and the graphics cards that it can use."""
    if not has_module("torch"):
        return None
    try:
        done = _run(_TORCH_REPORT, source)
    except subprocess.TimeoutExpired:
        return None
    reports = [line for line in done.stdout.splitlines() if line.startswith("REPORT ")]
    return json.loads(reports[-1].removeprefix("REPORT ")) if reports else None


def _run(code: str, source: list[str]) -> subprocess.CompletedProcess[str]:
    paths = [*source, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(  # noqa: S603, our own interpreter and code
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_IMPORT_LIMIT_SECS,
        check=False,
    )
