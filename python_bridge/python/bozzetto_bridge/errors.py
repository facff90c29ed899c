"""Why a job did not give an asset, in the words of the worker protocol.

The classes mirror the kinds of `EngineError` (crates/engine/src/error.rs) that an engine may end a job with. The
program knows what to advise for each.
"""

import dataclasses
import json
from typing import ClassVar


class EngineFailure(Exception):  # noqa: N818, the program's errors are made from it
    """A failure that the program can name."""

    kind: ClassVar[str]

    @property
    def engine_error(self) -> str:
        """The failure as the protocol's JSON."""
        fields = dataclasses.asdict(self) if dataclasses.is_dataclass(self) else {}
        return json.dumps({"kind": self.kind, **fields})

    def __str__(self) -> str:
        return self.engine_error


class Cancelled(EngineFailure):
    """The artist stopped it."""

    kind = "cancelled"


@dataclasses.dataclass(eq=False)
class BadView(EngineFailure):
    """A picture could not be read or used; `reason` is the tail of the sentence."""

    kind = "bad_view"
    name: str
    reason: str


@dataclasses.dataclass(eq=False)
class NoResult(EngineFailure):
    """There is nothing to build from; `reason` is a sentence without its full stop."""

    kind = "no_result"
    reason: str
    advice: str


@dataclasses.dataclass(eq=False)
class MissingFile(EngineFailure):
    """Weights or other files are missing; `what` is what an artist would call them."""

    kind = "missing_file"
    what: str
    path: str


@dataclasses.dataclass(eq=False)
class GatedWeights(EngineFailure):
    """Weights that only those may fetch whom their maker let; `page` is where to ask."""

    kind = "gated_weights"
    what: str
    page: str


@dataclasses.dataclass(eq=False)
class WrongCuda(EngineFailure):
    """Driver, graphics card and libraries do not fit together; `reason` is the tail of the sentence."""

    kind = "wrong_cuda"
    reason: str


@dataclasses.dataclass(eq=False)
class MissingPackage(EngineFailure):
    """A library is missing or was built for another environment; `problem` is the tail of the sentence."""

    kind = "missing_package"
    package: str
    problem: str
    advice: str


@dataclasses.dataclass(eq=False)
class OutOfMemory(EngineFailure):
    """Memory ran out; `device` is `The graphics card` or `The computer`."""

    kind = "out_of_memory"
    device: str
    stage: str


@dataclasses.dataclass(eq=False)
class DeviceLost(EngineFailure):
    """The graphics card gave up; this process cannot use it again, and the program starts another."""

    kind = "device_lost"
    reason: str


@dataclasses.dataclass(eq=False)
class Internal(EngineFailure):
    """Anything else."""

    kind = "internal"
    reason: str
