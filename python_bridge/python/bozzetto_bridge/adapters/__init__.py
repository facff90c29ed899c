"""The upstream pipelines that this package can drive, one module each."""

from collections.abc import Callable

from bozzetto_bridge.adapter import Adapter
from bozzetto_bridge.adapters.nvdiffrec import NvdiffrecAdapter
from bozzetto_bridge.adapters.reconviagen import ReconViaGenAdapter, ReconViaGenHybridAdapter
from bozzetto_bridge.adapters.trellis import TrellisAdapter
from bozzetto_bridge.adapters.trellis2 import Trellis2Adapter, Trellis2TexturingAdapter

ADAPTERS: dict[str, Callable[..., Adapter]] = {
    adapter.ID: adapter
    for adapter in (
        Trellis2Adapter,
        Trellis2TexturingAdapter,
        TrellisAdapter,
        ReconViaGenAdapter,
        ReconViaGenHybridAdapter,
        NvdiffrecAdapter,
    )
}
"""Adapters by engine id; each is made for weights in a folder or a repository."""


def create(engine: str, weights: str | None) -> Adapter:
    """Make an engine's adapter, for its usual weights unless others are named."""
    return ADAPTERS[engine](weights)
