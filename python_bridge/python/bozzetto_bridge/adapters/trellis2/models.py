"""What upstream's two TRELLIS.2 pipelines have in common: loading, pictures, memory, materials."""

import os
from typing import Any

import numpy as np

from bozzetto_bridge.adapter import Job, JobContext, Requirement
from bozzetto_bridge.adapters.pictures import content_hash, open_picture
from bozzetto_bridge.adapters.staged import StagedAdapter, is_folder, is_lost, require, require_card
from bozzetto_bridge.adapters.trellis2.environment import environment_variables
from bozzetto_bridge.adapters.trellis2.loading import load_upstream
from bozzetto_bridge.errors import NoResult
from bozzetto_bridge.probe import has_module, version
from bozzetto_bridge.stages import stage_key
from bozzetto_bridge.weights import check_folder

DEFAULT_WEIGHTS = "microsoft/TRELLIS.2-4B"


class Trellis2Models(StagedAdapter):
    """A pipeline of upstream's with its models."""

    DEFAULT_WEIGHTS = DEFAULT_WEIGHTS
    CONFIG_FILE: str
    PIPELINE: str
    NEEDED_MODELS: tuple[str, ...]
    REQUIREMENTS: tuple[Requirement, ...]

    def __init__(self, weights: str | None = None) -> None:
        super().__init__(weights)
        self._conditions: dict[tuple[str, int], Any] = {}

    def requirements(self) -> tuple[Requirement, ...]:
        """Name the modules that upstream imports on the way to a result."""
        return self.REQUIREMENTS

    def load(self, context: JobContext) -> None:
        """Import upstream and load all of its models."""
        context.stage("prepare")
        require(self.REQUIREMENTS)
        os.environ.update(environment_variables(has_module, "rocm" in (version("torch") or ""), os.environ))
        require_card()
        if is_folder(self._weights):
            check_folder(self._weights, self.CONFIG_FILE, self.NEEDED_MODELS)
        context.log("Loading the models of TRELLIS.2. The first time they are downloaded, about 15 GB.")
        self._pipeline = load_upstream(self.PIPELINE, self._weights, self.CONFIG_FILE, lambda: self.context)
        context.check()
        self._pipeline.cuda()
        samplers = [value for name, value in vars(self._pipeline).items() if name.endswith("_sampler")]
        self.watch(samplers, self._pipeline.models.values())
        stems = self._pipeline._pretrained_args["models"]
        self.hash_weights(self._weights, [stems[name] for name in self.NEEDED_MODELS])

    def release_scratch(self) -> None:
        """Take the models that a stopped stage left there off the graphics card again."""
        self._conditions.clear()
        if self._pipeline is None:
            return
        import torch

        if is_lost(torch):
            return
        if self._pipeline.low_vram:
            self._move_models("cpu")
        torch.cuda.empty_cache()

    def prepare(self, job: Job, context: JobContext) -> tuple[str, Any]:
        """Give the cut-out picture and its key, and show it."""
        view = job.views[0]
        is_cut_out = job.params["prepare.cut_out"]
        key = stage_key("prepare", content_hash(view), view.is_inverted, view.ignores_alpha, is_cut_out)

        def make() -> Any:
            picture = open_picture(view)
            if not is_cut_out:
                return picture.convert("RGB")
            try:
                return self._pipeline.preprocess_image(picture)
            except ValueError as error:
                raise no_object(error) from None

        image = self.cache.get_or_run("prepare", key, context, make)
        color = np.asarray(image)
        # Upstream has cut it out already and put it on black.
        context.preview_views([(view.name, color, np.full(color.shape[:2], 255, dtype=np.uint8))])
        return key, image

    def condition(self, image: tuple[str, Any], resolution: int) -> Any:
        """Give what the models see of the picture. It takes no random numbers, so it may be made at any time."""
        image_key, picture = image
        wanted = (image_key, resolution)
        if wanted not in self._conditions:
            self._conditions = {key: value for key, value in self._conditions.items() if key[0] == image_key}
            self._conditions[wanted] = self._pipeline.get_cond([picture], resolution)
        return self._conditions[wanted]

    def use_memory(self, saves_memory: bool) -> None:
        """Keep all models on the graphics card, or each only while it works."""
        if self._pipeline.low_vram != saves_memory:
            self._move_models("cpu" if saves_memory else "cuda")
            self._pipeline.low_vram = saves_memory

    def _move_models(self, device: str) -> None:
        for model in (*self._pipeline.models.values(), self._pipeline.image_cond_model, self._pipeline.rembg_model):
            model.to(device)


def no_object(error: ValueError) -> Exception:
    """Give what an error of upstream's preprocessing means: it asks for the smallest of no pixels."""
    if "zero-size array" not in str(error):
        return error
    return NoResult(
        reason="There is no object to be seen in the picture",
        advice="Use a picture that shows one object clearly, or cut it out by hand.",
    )
