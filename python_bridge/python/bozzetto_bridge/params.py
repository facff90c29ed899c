"""What can be set: the program draws its panels from it and validates every job against it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ParamSpec:
    """A parameter: `key` is stage and name, `stage` the first stage that depends on it."""

    key: str
    label: str
    stage: str
    kind: dict[str, Any]
    help: str
    unit: str = ""
    advanced: bool = False

    @property
    def default(self) -> bool | int | float | str:
        """The value when nothing is set."""
        return self.kind["default"]


def switch(default: bool) -> dict[str, Any]:
    """On or off."""
    return {"type": "bool", "default": default}


def whole(minimum: int, maximum: int, default: int, step: int = 1) -> dict[str, Any]:
    """Give the kind of a whole number in a range."""
    return {"type": "int", "min": minimum, "max": maximum, "step": step, "default": default}


def number(minimum: float, maximum: float, default: float, step: float) -> dict[str, Any]:
    """Give the kind of a number in a range."""
    return {"type": "float", "min": minimum, "max": maximum, "step": step, "default": default}


def choice(options: dict[str, str], default: str) -> dict[str, Any]:
    """One of a list of ids with their labels."""
    return {"type": "choice", "options": [list(option) for option in options.items()], "default": default}


@dataclass(frozen=True)
class StageInfo:
    """A step of an engine, in the order they run."""

    id: str
    label: str


@dataclass(frozen=True)
class PartLicence:
    """The licence of a part that an engine uses and that does not come with the program."""

    part: str
    licence: str
    permits_commercial_use: bool
    """Where that is not settled, it is not permitted."""
    page: str


@dataclass(frozen=True)
class EngineInfo:
    """What an engine is and what can be set."""

    id: str
    label: str
    summary: str
    stages: tuple[StageInfo, ...]
    params: tuple[ParamSpec, ...]
    device: str
    max_views: int | None = None
    uses_seed: bool = True
    licences: tuple[PartLicence, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the description as the protocol has it."""
        return asdict(self)
