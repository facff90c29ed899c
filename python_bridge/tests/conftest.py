"""What several tests need: stand-ins for upstream, a picture, and a worker process seen from the program's side."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

STAND_INS = Path(__file__).parent / "stand_ins"
PATIENCE_SECS = 60


class WorkerProcess:
    """A worker process and the lines it says."""

    def __init__(self, arguments: list[str], env: dict[str, str] | None = None, program: str = sys.executable) -> None:
        self.process = subprocess.Popen(
            [program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
        )
        self.patience_secs = PATIENCE_SECS
        self._lines: queue.Queue[bytes] = queue.Queue()
        self.errors = b""
        self._pumps = [threading.Thread(target=pump, daemon=True) for pump in (self._read_lines, self._read_errors)]
        for pump in self._pumps:
            pump.start()

    def _read_lines(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line)

    def _read_errors(self) -> None:
        for line in self.process.stderr:
            self.errors = (self.errors + line)[-100_000:]

    def send(self, **request: Any) -> None:
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def next(self) -> dict[str, Any]:
        """The next message; whatever is none fails the test."""
        return json.loads(self._lines.get(timeout=self.patience_secs))

    def run(self, job: dict[str, Any], folder: Path, id: int = 1) -> list[dict[str, Any]]:
        """Run a job and give its messages, the last of which ends it."""
        folder.mkdir(exist_ok=True)
        self.send(request="run", id=id, job=job, folder=str(folder))
        return self.rest_of(id)

    def rest_of(self, id: int) -> list[dict[str, Any]]:
        messages = []
        while True:
            message = self.next()
            if message.get("id") == id:
                messages.append(message)
            if message["event"] in ("done", "failed", "cancelled"):
                return messages

    def shut_down(self) -> int:
        self.send(request="shutdown")
        code = self.process.wait(PATIENCE_SECS)
        for pump in self._pumps:
            pump.join(PATIENCE_SECS)
        return code

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A red disc on black."""
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    pixels = np.zeros((32, 32, 3), dtype=np.uint8)
    pixels[x**2 + y**2 < 0.5] = (255, 40, 20)
    path = tmp_path / "disc.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder in upstream's layout."""
    from bozzetto_bridge.adapters import trellis2

    folder = tmp_path / "weights"
    (folder / "ckpts").mkdir(parents=True)
    models = {name: f"ckpts/{name}" for name in trellis2.Trellis2Adapter.NEEDED_MODELS}
    for stem in models.values():
        (folder / f"{stem}.json").write_text("{}")
        (folder / f"{stem}.safetensors").write_bytes(stem.encode())
    (folder / "pipeline.json").write_text(json.dumps({"args": {"models": models}}))
    return folder


@pytest.fixture
def start_worker() -> Iterator[Any]:
    """A function that starts workers, which end with the test."""
    workers = []

    def start(arguments: list[str], env: dict[str, str] | None = None, **options: Any) -> WorkerProcess:
        workers.append(WorkerProcess(arguments, env, **options))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a file, read by the format's own description."""
    kinds = {"F32": np.float32, "I32": np.int32, "U32": np.uint32, "U8": np.uint8}
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(content[start:][slice(*entry["data_offsets"])], kinds[entry["dtype"]]).reshape(
            entry["shape"]
        )
        for name, entry in header.items()
    }


def job_for(engine: str, path: Path, **params: Any) -> dict[str, Any]:
    """A job as the program sends it."""
    view = {"path": str(path), "matte": {"threshold": 0.5, "inverted": False, "ignores_alpha": False}, "enabled": True}
    return {"engine": engine, "params": params, "views": [view], "seed": 7}


def upstreams_glb(lines: Iterable[str]) -> Path:
    """Where upstream's own GLB is, as a job's log tells it."""
    lines = list(lines)
    told = [line for line in lines if "own GLB is" in line]
    assert len(told) == 1, lines
    return Path(told[0].removeprefix("Upstream's own GLB is ").removesuffix("."))
