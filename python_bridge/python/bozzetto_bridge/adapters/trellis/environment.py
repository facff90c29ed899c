"""What upstream needs of its environment, and what must be set before it is imported."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from bozzetto_bridge.adapter import Requirement
from bozzetto_bridge.adapters.requirements import PYTORCH
from bozzetto_bridge.adapters.trellis import identity
from bozzetto_bridge.deferred import deferring

NEEDED = (
    *PYTORCH,
    Requirement("spconv", "spconv", "Install the spconv for your CUDA, such as spconv-cu120."),
)
"""What every pipeline on TRELLIS cannot do without."""

REQUIREMENTS = (
    *NEEDED,
    Requirement(
        "trellis",
        "TRELLIS",
        "Download https://github.com/microsoft/TRELLIS with its submodules and name its folder as the pipeline's "
        "source.",
        check=lambda: identity.problem(identity.MICROSOFT),
    ),
)

_DEFERRED = (
    "cv2",
    "igraph",
    "imageio",
    "kaolin",
    "nvdiffrast",
    "open3d",
    "plyfile",
    "pymeshfix",
    "pyvista",
    "rembg",
    "scipy",
    "trimesh",
    "utils3d",
    "xatlas",
)
"""What upstream imports for its own export, previews and matting."""


def environment_variables(has: Callable[[str], bool], given: Mapping[str, str]) -> dict[str, str]:
    """Give what must be set before upstream is imported, and is not set by the user.

    Upstream's sparse transformers know two attention libraries. Without either, `flash_attn` is our own stand-in.
    """
    installed = next((name for name in ("flash_attn", "xformers") if has(name)), None)
    wanted = {
        "ATTN_BACKEND": installed or "sdpa",
        "SPARSE_ATTN_BACKEND": installed or "flash_attn",
        "SPARSE_BACKEND": "spconv",
        # The other way tries all kernels at the first call of every shape.
        "SPCONV_ALGO": "native",
    }
    return {name: value for name, value in wanted.items() if name not in given}


def importing() -> AbstractContextManager[None]:
    """Let upstream be imported without what only its own export, previews and matting use."""
    return deferring(_DEFERRED, {"kaolin.utils.testing.check_tensor": check_tensor})


def check_tensor(
    tensor: Any, shape: tuple[int | None, ...] | None = None, dtype: Any = None, device: Any = None, throw: bool = True
) -> bool:
    """Check a tensor's shape, where `None` stands for any length, and its type, as Kaolin's function of the name."""
    is_right = shape is None or (
        tensor.ndim == len(shape)
        and all(wanted in (None, length) for wanted, length in zip(shape, tensor.shape, strict=True))
    )
    is_right = is_right and dtype in (None, tensor.dtype) and (device is None or tensor.device.type == device)
    if throw and not is_right:
        raise ValueError(f"A tensor has the shape {tuple(tensor.shape)} where {shape} belongs.")
    return is_right
