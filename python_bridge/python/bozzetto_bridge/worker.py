"""The worker process: streams, jobs and what becomes of exceptions."""

import json
import os
import sys
import traceback
from typing import NoReturn

from bozzetto_bridge._native import Asset, Context, Streams, take_streams
from bozzetto_bridge.adapter import Adapter, Job, JobContext
from bozzetto_bridge.errors import EngineFailure
from bozzetto_bridge.failures import explain


def guard_streams() -> Streams:
    """Keep the protocol's streams to ourselves. Call it before any pipeline is imported.

    What pipelines print from now on goes to standard error, line by line, so that the last lines before a crash are
    known.
    """
    streams = take_streams()
    # Python's own objects still remember what the descriptors were.
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    return streams


def serve(streams: Streams, adapter: Adapter) -> NoReturn:
    """Run jobs until the program asks to stop or is gone, then leave at once.

    Threads that a pipeline has started may never end, and libraries that tidy up at exit may wait for them.
    """
    streams.serve(json.dumps(adapter.info().to_json()), Handler(adapter))
    sys.stderr.flush()
    os._exit(0)


class Handler:
    """Runs jobs for the native side, which knows exceptions by their `engine_error` alone."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._is_loaded = False
        self._process = os.getpid()

    def run(self, job: str, native: Context) -> Asset:
        """Run a job given as JSON. Raises nothing but `EngineFailure`."""
        context = JobContext(native)
        try:
            if not self._is_loaded:
                self._adapter.load(context)
                self._is_loaded = True
            return self._adapter.run(Job.parse(job), context)
        except EngineFailure as failure:
            ending = failure.with_traceback(None)
        except BaseException as error:
            traceback.print_exc()
            known = self._adapter.explain(error, context.current_stage)
            ending = known or explain(error, context.current_stage)
        finally:
            if os.getpid() != self._process:
                # A process that the pipeline forked has come back here by mistake.
                os._exit(1)
        # Out here the exception is gone, and with it the arrays that its frames held.
        try:
            self._adapter.release_scratch()
        except Exception:
            traceback.print_exc()
        raise ending
