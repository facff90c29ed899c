"""Runs upstream's `train.py` in a process of its own.

    python -m bozzetto_bridge.adapters.nvdiffrec.launch TRAIN CONFIG

With CUDA to draw, so that no display is needed, and without what only its first pass uses.
"""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bozzetto_bridge.deferred import deferring


def main() -> None:
    """Start it as its command line does."""
    script, config = sys.argv[1:]
    sys.path.insert(0, str(Path(script).parent))
    sys.argv = [script, "--config", config]
    with deferring(("tinycudann", "xatlas", "glfw")):
        import nvdiffrast.torch as rasterizer
        from render import light
        from torch.utils import cpp_extension

        rasterizer.RasterizeGLContext = rasterizer.RasterizeCudaContext
        cpp_extension.load = _registering(cpp_extension.load)
        # Nobody reads the light that was found, and writing it takes a library for such pictures.
        light.save_env_map = lambda *arguments: None
        runpy.run_path(script, run_name="__main__")


def _registering(load: Callable[..., Any]) -> Callable[..., Any]:
    """Let compiled modules be imported by their names, as PyTorch did when upstream was written."""

    def call(name: str, *arguments: Any, **options: Any) -> Any:
        sys.modules[name] = module = load(name, *arguments, **options)
        return module

    return call


if __name__ == "__main__":
    main()
