"""Several pictures of a job, cut out by upstream's own preprocessing."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bozzetto_bridge.adapter import Job, JobContext
from bozzetto_bridge.adapters.pictures import content_hash, open_picture
from bozzetto_bridge.errors import BadView
from bozzetto_bridge.stages import StageCache, stage_key


def prepare(
    job: Job, context: JobContext, cache: StageCache, preprocess: Callable[[Any], Any] | None
) -> tuple[str, list[Any]]:
    """Give the prepared pictures and their key, and show them; without `preprocess` they stay as they are."""
    views = [[content_hash(view), view.is_inverted, view.ignores_alpha] for view in job.views]
    key = stage_key("prepare", views, preprocess is not None)

    def make() -> list[Any]:
        pictures = []
        for done, view in enumerate(job.views):
            context.progress(done, len(job.views))
            picture = open_picture(view)
            try:
                pictures.append(picture if preprocess is None else preprocess(picture))
            except ValueError as error:
                # Upstream asks for the smallest of no pixels.
                if "zero-size array" not in str(error):
                    raise
                raise BadView(name=view.name, reason="no object is to be seen in it") from None
        context.progress(len(job.views), len(job.views))
        return pictures

    pictures = cache.get_or_run("prepare", key, context, make)
    context.preview_views([_shown(view.name, picture) for view, picture in zip(job.views, pictures, strict=True)])
    return key, pictures


def _shown(name: str, picture: Any) -> tuple[str, np.ndarray, np.ndarray]:
    pixels = np.asarray(picture.convert("RGBA"))
    return name, np.ascontiguousarray(pixels[..., :3]), np.ascontiguousarray(pixels[..., 3])
