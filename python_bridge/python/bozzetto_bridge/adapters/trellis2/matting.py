"""The model that cuts out the object."""

from collections.abc import Callable
from typing import Any

from bozzetto_bridge.adapter import JobContext
from bozzetto_bridge.errors import GatedWeights
from bozzetto_bridge.failures import explain

FREE_MODEL = "ZhengPeng7/BiRefNet"
"""Of the same kind as the gated one in upstream's `pipeline.json`, and under the MIT licence."""


class LazyMatting:
    """Upstream's matting model, loaded when the first picture needs it; the free one where that is not to be had."""

    def __init__(self, make: Callable[[str], Any], model_name: str, context: Callable[[], JobContext | None]) -> None:
        self._make = make
        self._model_name = model_name
        self._context = context
        self._model: Any = None
        self._device: Any = "cpu"

    def to(self, device: Any) -> None:
        """Move it, now or when it is loaded."""
        self._device = device
        if self._model is not None:
            self._model.to(device)

    def cpu(self) -> None:
        """Move it off the graphics card."""
        self.to("cpu")

    def __call__(self, picture: Any) -> Any:
        """Give the picture with transparency."""
        if self._model is None:
            self._model = self._load()
            self._model.to(self._device)
        return self._model(picture)

    def _load(self) -> Any:
        try:
            return self._make(self._model_name)
        except Exception as error:
            if self._model_name == FREE_MODEL or not isinstance(explain(error, "prepare"), GatedWeights):
                raise
        context = self._context()
        if context is not None:
            context.log(f"{self._model_name} is gated, so {FREE_MODEL} cuts out the object.", "warning")
        return self._make(FREE_MODEL)
