"""The TRELLIS.2 worker with a pipeline that misbehaves in a step of its sampler: python misbehaving_worker.py FAULT ...

Faults: `prints` a gigabyte, `forks` a child that lives on, `blocks` every signal and waits.
"""

import os
import signal
import sys
import time

from bozzetto_bridge.__main__ import main
from bozzetto_bridge.adapters.trellis2 import Trellis2Adapter


def prints() -> None:
    piece = b"x" * 65535 + b"\n"
    for _ in range(1 << 14):
        view = memoryview(piece)
        while view:
            view = view[os.write(1, view) :]


def forks() -> None:
    if os.fork() == 0:
        time.sleep(3)
        os._exit(0)


def blocks() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.valid_signals()))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # other threads would take it
    time.sleep(600)


def misbehave(fault) -> None:
    load = Trellis2Adapter.load

    def load_with_fault(self, context) -> None:
        load(self, context)
        sampler = self._pipeline.shape_slat_sampler
        sample_once = sampler.sample_once

        def sample(*arguments, **options):
            nonlocal fault
            fault, now = None, fault
            if now is not None:
                now()
            return sample_once(*arguments, **options)

        sampler.sample_once = sample

    Trellis2Adapter.load = load_with_fault


if __name__ == "__main__":
    misbehave({"prints": prints, "forks": forks, "blocks": blocks}[sys.argv.pop(1)])
    main()
