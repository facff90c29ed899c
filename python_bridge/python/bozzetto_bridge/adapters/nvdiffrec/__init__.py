"""nvdiffrec: textures, and if wanted the shape, of a mesh that is given, fitted to pictures with cameras.

Drives `train.py` of NVlabs/nvdiffrec at a3e7390 from its second pass on. It is a script and no library, so it runs in a
child process, which ends with the job.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid
from collections import deque
from pathlib import Path
from typing import Any

from bozzetto_bridge import licences
from bozzetto_bridge._native import Asset
from bozzetto_bridge.adapter import Adapter, Job, JobContext, Requirement
from bozzetto_bridge.adapters.given_mesh import GivenMesh
from bozzetto_bridge.adapters.nvdiffrec import data
from bozzetto_bridge.adapters.nvdiffrec.params import PARAMS, STAGES
from bozzetto_bridge.adapters.requirements import COMMON, TORCH
from bozzetto_bridge.adapters.staged import require, require_card
from bozzetto_bridge.errors import EngineFailure, Internal, MissingPackage
from bozzetto_bridge.failures import explain, explain_text
from bozzetto_bridge.params import EngineInfo
from bozzetto_bridge.probe import graphics_card

_ITERATION = re.compile(r"iter= *(\d+)")
_POLL_SECS = 0.2
_LAST_LINES = 40


def train_script() -> Path | None:
    """Find upstream's script in the folders of pipelines' code."""
    for folder in map(Path, sys.path):
        script = folder / "train.py"
        if script.is_file() and (folder / "geometry" / "dlmesh.py").is_file():
            return script
    return None


REQUIREMENTS = (
    TORCH,
    Requirement("numpy", "numpy", COMMON),
    Requirement("PIL", "pillow", COMMON),
    Requirement("imageio", "imageio", COMMON),
    Requirement("nvdiffrast", "nvdiffrast", "Install it from https://github.com/NVlabs/nvdiffrast."),
    Requirement(
        "nvdiffrec",
        "nvdiffrec",
        "Download https://github.com/NVlabs/nvdiffrec and name its folder as the pipeline's source.",
        check=lambda: "is not installed" if train_script() is None else "",
    ),
)


class NvdiffrecAdapter(Adapter):
    """Upstream's script, one process a job."""

    ID = "nvdiffrec-python"

    def __init__(self, weights: str | None = None) -> None:
        del weights  # it learns all it knows from the pictures

    def info(self) -> EngineInfo:
        """Say what it is and what can be set."""
        return EngineInfo(
            id=self.ID,
            label="nvdiffrec (Python)",
            summary="Fits the materials of a mesh to pictures whose cameras are known. Not for commercial use.",
            stages=STAGES,
            params=PARAMS,
            device=graphics_card() or "Graphics card",
            needs_mesh=True,
            licences=(licences.NVDIFFREC, licences.NVDIFFRAST),
        )

    def requirements(self) -> tuple[Requirement, ...]:
        """Name the modules that its second pass uses."""
        return REQUIREMENTS

    def load(self, context: JobContext) -> None:
        """Look whether all is there."""
        context.stage("prepare")
        require(REQUIREMENTS)
        require_card()

    def run(self, job: Job, context: JobContext) -> Asset:
        """Fit a mesh's materials to the pictures."""
        script = train_script()
        if script is None:
            raise MissingPackage(package="nvdiffrec", problem="is not installed", advice=REQUIREMENTS[-1].advice)
        context.stage("prepare")
        given = GivenMesh.read(job.mesh)
        # Upstream writes nowhere but below its own folder.
        out = script.parent / "out" / f"bozzetto-{uuid.uuid4().hex}"
        try:
            with tempfile.TemporaryDirectory(prefix="bozzetto-nvdiffrec-") as name:
                folder = Path(name)
                data.write_pictures(job, folder)
                mesh = folder / "mesh.obj"
                data.write_mesh(given, mesh)
                config = data.write_config(job, folder, mesh, out.name)
                context.stage("refine")
                _train(script, config, job.params["refine.iterations"], context)
            return data.read_result(out / "mesh")
        finally:
            shutil.rmtree(out, ignore_errors=True)


def _train(script: Path, config: Path, iterations: int, context: JobContext) -> None:
    """Run the script to its end, or end it when the job is cancelled or fails."""
    command = [sys.executable, "-u", "-m", "bozzetto_bridge.adapters.nvdiffrec.launch", str(script), str(config)]
    child = subprocess.Popen(  # noqa: S603, our own interpreter and code
        command,
        cwd=script.parent,  # it reads tables from there
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    output = _Output(child.stdout)
    try:
        while child.poll() is None:
            context.progress(min(output.iteration, iterations), iterations)
            output.ended.wait(_POLL_SECS)
    finally:
        child.kill()
        child.wait()
        output.ended.wait()
    if child.returncode != 0:
        raise _failure(child.returncode, list(output.last_lines))
    context.progress(iterations, iterations)


class _Output:
    """What the script says, read by a thread that ends with it."""

    def __init__(self, lines: Any) -> None:
        self.iteration = 0
        self.last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self.ended = threading.Event()
        threading.Thread(target=self._read, args=(lines,), name="nvdiffrec-output", daemon=True).start()

    def _read(self, lines: Any) -> None:
        for line in lines:
            print(line, end="")
            found = _ITERATION.search(line)
            if found:
                self.iteration = int(found.group(1))
            elif line.strip():
                self.last_lines.append(line.strip())
        self.ended.set()


def _failure(code: int, lines: list[str]) -> EngineFailure:
    """Give what the last lines of a script that failed mean."""
    last = next((line for line in reversed(lines) if re.match(r"[\w.]*(Error|Exception|Interrupt)\b", line)), "")
    if last.startswith(("ModuleNotFoundError", "ImportError")):
        return MissingPackage(package="nvdiffrec", problem=explain_text(last), advice=COMMON)
    if last:
        return explain(RuntimeError(last), "refine")
    return Internal(reason=f"nvdiffrec ended with code {code}: {lines[-1] if lines else 'it said nothing'}".rstrip("."))
