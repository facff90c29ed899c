"""A worker whose pipeline misbehaves in one way, once: started again, it is healthy.

The fault suite of the engine crate (crates/engine/tests/faults) starts it and knows its faults by the same names and
variables as those of its own worker.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from bozzetto_bridge import worker
from bozzetto_bridge._native import Asset
from bozzetto_bridge.adapter import Adapter, Job, JobContext, Requirement
from bozzetto_bridge.errors import NoResult
from bozzetto_bridge.params import EngineInfo, StageInfo

FOLDER = Path(os.environ["BOZZETTO_FAULT_FOLDER"])
LIFETIME_SECS = 120


def take_fault() -> str:
    """The fault to have, or an empty text when it was had before."""
    fault = os.environ["BOZZETTO_FAULT"]
    try:
        (FOLDER / fault).touch(exist_ok=False)
    except FileExistsError:
        return ""
    return fault


def die(code: int) -> None:
    os.write(2, b"first line\nthe driver is too old\n")
    os._exit(code)


def flood(descriptor: int) -> None:
    piece = b"x" * 65535 + b"\n"
    for _ in range(1 << 14):
        view = memoryview(piece)
        while view:
            view = view[os.write(descriptor, view) :]


class OutOfMemoryError(RuntimeError):
    """Called as PyTorch's own."""


def fork_and_return(context: JobContext) -> None:
    """A forked process that goes on as if it were the worker, and speaks."""
    if os.fork() == 0:
        context.progress(5, 10)


def ask_for_input() -> None:
    if sys.stdin.read() or subprocess.run(["/bin/cat"], check=True, capture_output=True).stdout:
        raise RuntimeError("requests of the program can be read")


def hold_interpreter() -> None:
    """The interpreter's lock is never released in here."""
    deadline = time.monotonic() + 4.5
    sys.setswitchinterval(LIFETIME_SECS)
    while time.monotonic() < deadline:
        pass


class FaultyAdapter(Adapter):
    """Makes a triangle."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.has_lost_device = False

    def info(self) -> EngineInfo:
        return EngineInfo(
            id=os.environ["BOZZETTO_FAULT_ID"],
            label="Test",
            summary="Makes a triangle.",
            stages=(StageInfo("carve", "Carving the shape"),),
            params=(),
            device=f"process {os.getpid()}",
        )

    def requirements(self) -> tuple[Requirement, ...]:
        return ()

    def load(self, context: JobContext) -> None:
        if self.fault == "fails to load":
            self.fault = ""
            raise ModuleNotFoundError("No module named 'flex_gemm'", name="flex_gemm")

    def run(self, job: Job, context: JobContext) -> Asset:
        context.stage("carve")
        fault, self.fault = self.fault, ""
        self.has_lost_device = fault == "loses the device"
        self.have_fault(fault, context)
        asset = Asset()
        positions = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0.1]], dtype=np.float32)
        positions[2] = [0, 0.1, 0]
        asset.set_mesh(positions, np.array([[0, 1, 2]], dtype=np.int32), "model")
        for done in range(11):
            context.progress(done, 10)
        return asset

    def release_scratch(self) -> None:
        if self.has_lost_device:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

    def have_fault(self, fault: str, context: JobContext) -> None:  # noqa: PLR0912
        match fault:
            case "exits in mid-job":
                die(4)
            case "is killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hangs":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "prints rubbish":
                os.write(1, b'Loading weights: 40%\r\n{"event":"user logged in"}\n\xff\xfe\n[1,2]\n\n')
                print('{"event":"done","id":1,"artifact":"nonsense"}')
            case "floods with lines":
                flood(1)
            case "floods standard error":
                flood(2)
            case "floods with progress":
                for done in range(20_000):
                    context.progress(done, 20_000)
            case "holds the interpreter":
                hold_interpreter()
            case "asks for input":
                ask_for_input()
            case "forks":
                fork_and_return(context)
            case "blocks signals":
                signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.valid_signals()))
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(LIFETIME_SECS)
            case "leaves a child behind":
                child = subprocess.Popen(["/bin/sleep", str(LIFETIME_SECS)])
                (FOLDER / "sleeper.pid").write_text(str(child.pid))
                die(6)
            case "ignores cancel" | "is busy":
                time.sleep(LIFETIME_SECS)
            case "is cancelled politely":
                while True:
                    context.progress(1, 10)
                    time.sleep(0.001)
            case "fails politely":
                raise NoResult(reason="The views show nothing", advice="Show something.")
            case "panics":
                raise ValueError("the grid is upside down")
            case "asks to exit":
                sys.exit(7)
            case "runs out of device memory":
                raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
            case "runs out of memory":
                raise MemoryError
            case "needs gated weights":
                raise OSError(
                    "You are trying to access a gated repo.\nMake sure to have access to it at "
                    "https://huggingface.co/facebook/dinov3-vitl16-pretrain-lvd1689m."
                )
            case "needs missing weights":
                Path("/nowhere/model.safetensors").read_bytes()
            case "has the wrong CUDA":
                raise RuntimeError("CUDA error: no kernel image is available for execution on the device")
            case "loses the device":
                raise RuntimeError("CUDA error: an illegal memory access was encountered\nCUDA kernel errors might")
            case "is healthy" | "exits at once" | "fails to load" | "":
                pass
            case other:
                raise AssertionError(f"there is no fault '{other}'")


if __name__ == "__main__":
    wanted = take_fault()
    if wanted == "exits at once":
        die(3)
    worker.serve(worker.guard_streams(), FaultyAdapter(wanted))
