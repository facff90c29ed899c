"""Stage outputs between runs."""

import pytest
from bozzetto_bridge.adapter import JobContext
from bozzetto_bridge.errors import Cancelled
from bozzetto_bridge.stages import StageCache, stage_key


class Recorder:
    """The native side of a job, as far as the cache speaks to it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.is_cancelled = False

    def stage(self, stage: str) -> None:
        self.told.append(f"runs {stage}")

    def reused(self, stage: str) -> None:
        self.told.append(f"keeps {stage}")


def test_an_output_is_made_once_for_each_key() -> None:
    recorder, cache = Recorder(), StageCache()
    context = JobContext(recorder)
    for key in ["a", "a", "b", "a"]:
        assert cache.get_or_run("shape", key, context, key.upper) == key.upper()
    assert recorder.told == ["runs shape", "keeps shape", "runs shape", "runs shape"]


def test_failures_and_cancelled_runs_are_not_kept() -> None:
    recorder, cache = Recorder(), StageCache()
    context = JobContext(recorder)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_run("shape", "a", context, lambda: 1 / 0)
    assert cache.get_or_run("shape", "a", context, lambda: 7) == 7
    recorder.is_cancelled = True
    with pytest.raises(Cancelled):
        cache.get_or_run("shape", "a", context, lambda: 8)


def test_keys_tell_stages_parts_and_their_bounds_apart() -> None:
    keys = {
        stage_key("a", "bc"),
        stage_key("ab", "c"),
        stage_key("a", "b", "c"),
        stage_key("a", 1),
        stage_key("a", "1"),
        stage_key("a", None),
        stage_key("a", {"x": 1}),
    }
    assert len(keys) == 7
    assert stage_key("a", {"x": 1, "y": 2}) == stage_key("a", {"y": 2, "x": 1})
