"""What adapters on PyTorch share: stages that are kept, steps that are counted, random numbers that go on.

Upstream draws its noise on the processor from the global generator. The generator's state is kept beside each stage's
output, so that a run that starts in the middle goes on exactly as a whole one would.
"""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from bozzetto_bridge._native import Asset
from bozzetto_bridge.adapter import Adapter, JobContext, Requirement
from bozzetto_bridge.errors import MissingPackage, WrongCuda
from bozzetto_bridge.probe import graphics_card, has_module
from bozzetto_bridge.stages import StageCache
from bozzetto_bridge.weights import weight_hashes

Output = TypeVar("Output")


class StagedAdapter(Adapter):
    """An upstream pipeline that is driven stage by stage."""

    DEFAULT_WEIGHTS: str
    """A repository, where no other weights are named."""

    def __init__(self, weights: str | None = None) -> None:
        self._weights = self.DEFAULT_WEIGHTS if weights is None else weights
        self._pipeline: Any = None
        self.cache = StageCache()
        self.context: JobContext | None = None
        self._steps_done = 0
        self._steps_total = 0
        self._random_state: Any = None
        self._hashes: dict[str, str] = {}
        self._hashing: threading.Thread | None = None

    def seed(self, seed: int) -> None:
        """Start the random numbers, as upstream does between the pictures and the first stage."""
        import torch

        torch.manual_seed(seed)
        self._random_state = torch.get_rng_state()

    def stage(self, stage: str, key: str, num_steps: int, context: JobContext, make: Callable[[], Output]) -> Output:
        """Keep or make a stage's output, with the random numbers that come after it."""
        import torch

        def made() -> tuple[Output, Any]:
            torch.set_rng_state(self._random_state)
            self._steps_done, self._steps_total = 0, num_steps
            return make(), torch.get_rng_state()

        output, self._random_state = self.cache.get_or_run(stage, key, context, made)
        return output

    def go_on_with_random_numbers(self) -> None:
        """Take up the random numbers after the last stage again, whatever drew some since."""
        import torch

        torch.set_rng_state(self._random_state)

    def watch(self, samplers: Iterable[Any], models: Iterable[Any]) -> None:
        """Let every sampler tell its steps, and every model look for a cancel before it starts."""
        for sampler in samplers:
            sampler.sample_once = self._counted(sampler.sample_once)
        for model in models:
            model.register_forward_pre_hook(lambda *_: self._check())

    def hash_weights(self, weights: str, stems: list[str]) -> None:
        """Hash weight files while the first job runs."""
        arguments = (weights, stems)
        self._hashing = threading.Thread(target=self._hash, args=arguments, name="weight-hashes", daemon=True)
        self._hashing.start()

    def remember_weights(self, asset: Asset) -> None:
        """Write down which weights made an asset."""
        if self._hashing is not None:
            self._hashing.join()
        asset.set_weights(self._hashes)

    def _hash(self, weights: str, stems: list[str]) -> None:
        try:
            self._hashes = weight_hashes(weights, stems)
        except OSError as error:
            print(f"The weights could not be hashed: {error}")

    def _check(self) -> None:
        if self.context is not None:
            self.context.check()

    def step_done(self) -> None:
        """Tell that one more step of the samplers is done."""
        import torch

        # Otherwise the steps would be told when they are queued, not when they are done.
        torch.cuda.synchronize()
        self._steps_done += 1
        if self.context is not None:
            self.context.progress(self._steps_done, self._steps_total)
            free, total = torch.cuda.mem_get_info()
            self.context.memory(total - free, total)

    def _counted(self, sample_once: Callable[..., Output]) -> Callable[..., Output]:
        def counted(*args: Any, **kwargs: Any) -> Output:
            self._check()
            step = sample_once(*args, **kwargs)
            self.step_done()
            return step

        return counted


def require(requirements: Iterable[Requirement]) -> None:
    """Raise `MissingPackage` for the first module that is not there."""
    for need in requirements:
        problem = need.check() if need.check is not None else "" if has_module(need.module) else "is not installed"
        if problem:
            raise MissingPackage(package=need.package, problem=problem, advice=need.advice)


def require_card() -> None:
    """Raise `WrongCuda` where PyTorch sees no graphics card."""
    import torch

    if not torch.cuda.is_available():
        raise WrongCuda(reason=cuda_problem(torch))


def cuda_problem(torch: Any) -> str:
    """Say why PyTorch sees no graphics card, as the tail of a sentence."""
    if torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
        return "the installed PyTorch is one for processors alone"
    if not graphics_card():
        return "no driver for it is found"
    return f"PyTorch for CUDA {torch.version.cuda} and the driver do not fit together"


def is_lost(torch: Any) -> bool:
    """Whether the device answers no more, after which every call fails."""
    try:
        torch.cuda.synchronize()
    except RuntimeError:
        return True
    return False


def is_folder(weights: str) -> bool:
    """Whether weights are named by a folder, and not by a repository."""
    return Path(weights).is_dir()
