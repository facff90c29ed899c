"""Stage outputs that an adapter keeps between runs, so that a run starts at the first stage whose key changed."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

from bozzetto_bridge.adapter import JobContext

Output = TypeVar("Output")


def stage_key(stage: str, *parts: object) -> str:
    """Give a key of a stage's inputs: equal keys mean equal outputs. Keys of earlier stages are parts like others."""
    text = json.dumps([stage, *parts], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class StageCache:
    """The newest output of each stage."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, Any]] = {}

    def get_or_run(self, stage: str, key: str, context: JobContext, make: Callable[[], Output]) -> Output:
        """Give the kept output of a stage with this key, or make a new one. Only success is remembered."""
        context.check()
        kept = self._kept.get(stage)
        if kept is not None and kept[0] == key:
            context.reused(stage)
            return kept[1]
        # The room is needed for the new one.
        self._kept.pop(stage, None)
        context.stage(stage)
        output = make()
        self._kept[stage] = (key, output)
        return output

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
