"""Upstream's refinement, which only its demo has: `app_fine.py` of ReconViaGen v0.2 at f672092.

The demo is run as it is, without its user interface. Its cameras are local variables there, so they are taken from what
it hands to `run_refine`; and it keeps the first result in silence when anything goes wrong, so what it prints is kept.
"""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from bozzetto_bridge.adapters.reconviagen.environment import REFINEMENT_REQUIREMENTS, importing
from bozzetto_bridge.adapters.staged import require
from bozzetto_bridge.deferred import Inert

MAST3R_WEIGHTS = "naver/MASt3R_ViTLarge_BaseDecoder_512_catmlpdpt_metric"
_INTERFACE = ("gradio", "gradio_litmodel3d")


@dataclass
class Refined:
    """What became of a refinement."""

    outputs: dict[str, Any] | None = None
    """Upstream's outputs, where it came to its end."""
    view_from_world: Any = None
    """Matrices `[N, 4, 4]` from upstream's frame to OpenCV's view space, where they were found."""
    intrinsics: Any = None
    """`[N, 3, 3]` over the picture's size."""
    complaints: list[str] = field(default_factory=list)
    """What upstream printed."""


class _Enough(BaseException):
    """Leaves the demo once it has what is wanted. None of its own rules for exceptions catch it."""


def load_app(pipeline: Any, folder: Path) -> ModuleType:
    """Import the demo from upstream's folder, and give it its models."""
    require(REFINEMENT_REQUIREMENTS)
    with _precision_kept(), _without_interface(), inside(folder), importing():
        app = importlib.import_module("app_fine")
    app.pipeline = pipeline
    app.mast3r_model = app.AsymmetricMASt3R.from_pretrained(MAST3R_WEIGHTS).eval()
    return app


def refine(
    app: ModuleType,
    first_pass: Callable[..., tuple[dict[str, Any], Any, Any]],
    pictures: list[Any],
    arguments: dict[str, Any],
    cameras_only: bool,
) -> Refined:
    """Run the demo's generation on a first pass that is there already."""
    pipeline = app.pipeline
    refined = Refined()
    run_refine = pipeline.run_refine

    def watched(*positional: Any, extrinsics: Any, intrinsics: Any, **named: Any) -> Any:
        refined.view_from_world, refined.intrinsics = extrinsics, intrinsics
        if cameras_only:
            raise _Enough
        refined.outputs = run_refine(*positional, extrinsics=extrinsics, intrinsics=intrinsics, **named)
        return refined.outputs

    def enough(*positional: Any, **named: Any) -> None:
        raise _Enough

    replaced = {"run": first_pass, "run_refine": watched}
    rendering = app.render_utils
    app.render_utils = SimpleNamespace(**{**vars(rendering), "render_video": enough})
    app.print = lambda *words, **options: refined.complaints.append(" ".join(map(str, words)))
    vars(pipeline).update(replaced)
    try:
        app.generate_and_extract_glb(
            [(picture, str(index)) for index, picture in enumerate(pictures)],
            multiimage_algo="multidiffusion",
            mesh_simplify=0.95,
            texture_size=1024,
            refine="Yes",
            req=SimpleNamespace(session_hash="bozzetto"),
            **arguments,
        )
    except _Enough:
        pass
    finally:
        app.render_utils = rendering
        for name in replaced:
            del vars(pipeline)[name]
    return refined


@contextmanager
def _precision_kept() -> Iterator[None]:
    """Parts of the demo let the whole process multiply in TF32: the next first pass would be another than this one."""
    import torch

    allowed = torch.backends.cuda.matmul.allow_tf32
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = allowed


@contextmanager
def _without_interface() -> Iterator[None]:
    """Let the demo build its user interface out of nothing."""
    kept = {name: sys.modules.get(name) for name in _INTERFACE}
    sys.modules.update({name: _InertModule(name) for name in _INTERFACE})
    try:
        yield
    finally:
        for name, module in kept.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


class _InertModule(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Inert()


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder for a while: the demo reads its examples from where it is started."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
