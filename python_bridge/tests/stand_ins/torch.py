"""As much of PyTorch as the TRELLIS.2 adapter itself calls, on NumPy. Random numbers are a counter of draws."""

import contextlib
import os
import sys
from types import ModuleType, SimpleNamespace

import numpy as np

__version__ = "0.0"
version = SimpleNamespace(cuda="13.0")

_draws = [0, 0]


class Tensor(np.ndarray):
    def cpu(self):
        return self

    def detach(self):
        return self

    def numpy(self):
        return np.asarray(self)

    def int(self):
        return self.astype(np.int32)

    def float(self):
        return self.astype(np.float32)


def tensor(values):
    return np.asarray(values).view(Tensor)


def manual_seed(seed):
    _draws[:] = [seed, 0]


def draw():
    """A number that tells the seed and how many were drawn before it."""
    _draws[1] += 1
    return tuple(_draws)


def get_rng_state():
    return tuple(_draws)


def set_rng_state(state):
    _draws[:] = state


def device(name):
    return name


@contextlib.contextmanager
def no_grad():
    yield


cuda = SimpleNamespace(
    is_available=lambda: "STAND_IN_HAS_NO_CARD" not in os.environ,
    device_count=lambda: 1,
    get_device_properties=lambda index: SimpleNamespace(name="Card", total_memory=8 << 30, major=9, minor=0),
    synchronize=lambda: None,
    mem_get_info=lambda: (3 << 30, 8 << 30),
    empty_cache=lambda: None,
)

backends = SimpleNamespace(cuda=SimpleNamespace(matmul=SimpleNamespace(allow_tf32=False)))


class _Utils(ModuleType):
    cpp_extension = SimpleNamespace(load=None)


sys.modules["torch.utils"] = utils = _Utils("torch.utils")
