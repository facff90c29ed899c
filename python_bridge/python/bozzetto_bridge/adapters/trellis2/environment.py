"""What upstream needs of its environment, and what must be set before it is imported."""

from collections.abc import Callable, Mapping

from bozzetto_bridge.adapter import Requirement
from bozzetto_bridge.adapters.requirements import COMMON, PYTORCH

_KERNELS = "Install the kernels of TRELLIS.2 with its setup.sh, for the PyTorch and CUDA of this environment."
REQUIREMENTS = (
    *PYTORCH,
    Requirement("flex_gemm", "FlexGEMM", _KERNELS),
    Requirement("cumesh", "CuMesh", _KERNELS),
    Requirement("o_voxel", "o-voxel", _KERNELS),
    Requirement(
        "trellis2",
        "TRELLIS.2",
        "Download https://github.com/microsoft/TRELLIS.2 and name its folder as the pipeline's source.",
    ),
)
"""Modules that upstream imports on the way to a mesh."""

TEXTURING_REQUIREMENTS = (
    *REQUIREMENTS,
    Requirement("trimesh", "trimesh", COMMON),
    Requirement("cv2", "opencv-python-headless", COMMON),
    Requirement("nvdiffrast", "nvdiffrast", _KERNELS),
)
"""Modules that upstream's texturing imports; those of its own baking among them, which is not used."""


def environment_variables(has: Callable[[str], bool], is_rocm: bool, given: Mapping[str, str]) -> dict[str, str]:
    """Give what must be set before upstream is imported, and is not set by the user.

    Upstream's sparse transformers know three attention libraries and ignore any other name in silence, so the name of
    one that is there must be given. Without any, `flash_attn` is our own stand-in.
    """
    libraries = (("flash_attn", "flash_attn"), ("flash_attn_3", "flash_attn_interface"), ("xformers", "xformers"))
    installed = next((name for name, module in libraries if has(module)), None)
    wanted = {
        # The other backends lay out their weights in another way: the released ones would be passed over in silence.
        "SPARSE_CONV_BACKEND": "flex_gemm",
        "ATTN_BACKEND": installed or "sdpa",
        "SPARSE_ATTN_BACKEND": installed or "flash_attn",
    }
    if not is_rocm:
        # Fewer failures for want of one large piece. On AMD it is said to spoil numbers.
        wanted["PYTORCH_CUDA_ALLOC_CONF"] = "expandable_segments:True"
    return {name: value for name, value in wanted.items() if name not in given}
