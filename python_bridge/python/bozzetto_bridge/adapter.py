"""What an upstream pipeline must look like to be an engine."""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bozzetto_bridge._native import Asset, Context
from bozzetto_bridge.errors import Cancelled, EngineFailure
from bozzetto_bridge.params import EngineInfo


@dataclass(frozen=True)
class View:
    """A picture of a job."""

    path: Path
    is_inverted: bool = False
    ignores_alpha: bool = False
    camera: Mapping[str, Any] | None = None
    """Where it was taken from, as the program's JSON has it, in the model frame."""

    @property
    def name(self) -> str:
        """File name without its folder."""
        return self.path.name


@dataclass(frozen=True)
class Job:
    """What to make, checked by the program's own rules: every parameter has a value in its range."""

    views: tuple[View, ...]
    params: dict[str, Any]
    seed: int
    mesh: Path | None = None
    """The mesh to work on, for engines that need one; in the model frame."""

    @classmethod
    def parse(cls, text: str) -> "Job":
        """Read the protocol's JSON; views that are switched off take no part."""
        job = json.loads(text)
        views = (
            View(
                path=Path(view["path"]),
                is_inverted=view["matte"]["inverted"],
                ignores_alpha=view["matte"]["ignores_alpha"],
                camera=view.get("camera"),
            )
            for view in job["views"]
            if view["enabled"]
        )
        mesh = job.get("mesh")
        return cls(
            views=tuple(views),
            params=job["params"],
            seed=job["seed"],
            mesh=None if mesh is None else Path(mesh),
        )


class JobContext:
    """What a run reports to and listens to. Every report raises `Cancelled` once the artist has asked for an end."""

    def __init__(self, native: Context) -> None:
        self._native = native
        self._process = os.getpid()
        self.current_stage = ""

    def check(self) -> None:
        """Raise `Cancelled` once the artist has asked for an end."""
        if os.getpid() != self._process:
            raise RuntimeError("A forked process cannot speak for the worker.")
        if self._native.is_cancelled:
            raise Cancelled

    def stage(self, stage: str) -> None:
        """Announce the next stage."""
        self.check()
        self.current_stage = stage
        self._native.stage(stage)

    def progress(self, done: int, total: int) -> None:
        """Report work done in the stage that runs."""
        self.check()
        self._native.progress(self.current_stage, done, total)

    def reused(self, stage: str) -> None:
        """Say that a stage's kept output is used again."""
        self.check()
        self._native.reused(stage)

    def memory(self, used: int, total: int) -> None:
        """Report the memory of the device, in bytes."""
        self.check()
        self._native.memory(used, total)

    def log(self, message: str, level: str = "info") -> None:
        """Write a line to the program's log; `level` is `debug`, `info` or `warning`."""
        self.check()
        self._native.log(level, message)

    def preview_structure(self, coords: NDArray[np.int32], resolution: int, frame: str) -> None:
        """Show active voxels of the unit cube, `[N, 3]`."""
        self.check()
        self._native.preview_structure(np.asarray(coords, dtype=np.int32), resolution, frame)

    def preview_cameras(
        self,
        view_from_world: NDArray[np.float32],
        fov_y_rad: NDArray[np.float32],
        aspect: NDArray[np.float32],
        frame: str,
    ) -> None:
        """Show the cameras that were found; see `Asset.set_cameras`."""
        self.check()
        self._native.preview_cameras(view_from_world, fov_y_rad, aspect, frame)

    def preview_views(self, views: list[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]]) -> None:
        """Show pictures as the engine sees them: name, sRGB `[H, W, 3]`, matte `[H, W]`."""
        self.check()
        self._native.preview_views(views)


@dataclass(frozen=True)
class Requirement:
    """A module that an adapter cannot do without."""

    module: str
    package: str
    """Name that its installer or its maker knows it by."""
    advice: str
    check: Callable[[], str] | None = None
    """Says what is wrong with it, as the tail of a sentence, where importing it would not tell."""


class Adapter(ABC):
    """An upstream pipeline as an engine. One adapter lives as long as its process and runs one job at a time."""

    DEFAULT_WEIGHTS: str | None = None
    """The repository of its weights, where no others are named; `None` for a pipeline without any."""

    @abstractmethod
    def info(self) -> EngineInfo:
        """Say what it is and what can be set, without importing anything heavy."""

    @abstractmethod
    def requirements(self) -> tuple[Requirement, ...]:
        """Name the modules it cannot do without."""

    @abstractmethod
    def load(self, context: JobContext) -> None:
        """Import the pipeline and load its weights. Called before the first run, and again if it failed."""

    @abstractmethod
    def run(self, job: Job, context: JobContext) -> Asset:
        """Make an asset."""

    def explain(self, error: BaseException, stage: str) -> EngineFailure | None:
        """Say what an exception means when this adapter knows better than the common rules."""
        del error, stage
        return None

    def release_scratch(self) -> None:  # noqa: B027, most have nothing to do
        """Free what a failed run may have left behind, such as cached device memory."""
