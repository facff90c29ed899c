"""What upstream needs of its environment."""

from contextlib import AbstractContextManager

from bozzetto_bridge.adapter import Requirement
from bozzetto_bridge.adapters.requirements import COMMON
from bozzetto_bridge.adapters.trellis import identity
from bozzetto_bridge.adapters.trellis.environment import NEEDED, check_tensor
from bozzetto_bridge.deferred import deferring

_MODELS = (
    *NEEDED,
    Requirement("scipy", "scipy", COMMON),
    Requirement("einops", "einops", COMMON),
    Requirement("timm", "timm", COMMON),
    Requirement("kornia", "kornia", COMMON),
)
_DOWNLOAD = (
    "Download the branch {} of https://github.com/GAP-LAB-CUHK-SZ/ReconViaGen and name its folder as the source."
)

REQUIREMENTS = (
    *_MODELS,
    Requirement("dreamsim", "dreamsim", COMMON),
    Requirement(
        "trellis",
        "ReconViaGen v0.2",
        _DOWNLOAD.format("v0.2"),
        check=lambda: identity.problem(identity.RECONVIAGEN),
    ),
)

_RENDERED = (
    Requirement("open3d", "open3d", COMMON),
    Requirement("cv2", "opencv-python-headless", COMMON),
    Requirement("utils3d", "utils3d", "Install https://github.com/EasternJournalist/utils3d at 9a4eb15 with pip."),
)
REFINEMENT_REQUIREMENTS = (
    *_RENDERED,
    Requirement("lpips", "lpips", COMMON),
    Requirement(
        "diff_gaussian_rasterization",
        "diff-gaussian-rasterization",
        "Install that of mip-splatting with the setup.sh of ReconViaGen v0.2, for the PyTorch and CUDA of this "
        "environment.",
    ),
)
"""What the refinement of v0.2 needs besides. Upstream would swallow that it is missing, after minutes of work."""

_KERNELS = "Install it with the setup.sh of ReconViaGen v0.5, for the PyTorch and CUDA of this environment."
HYBRID_REQUIREMENTS = (
    *_MODELS,
    Requirement("flex_gemm", "FlexGEMM", _KERNELS),
    Requirement("cumesh", "CuMesh", _KERNELS),
    Requirement("o_voxel", "o-voxel", _KERNELS),
    Requirement(
        "trellis",
        "ReconViaGen v0.5",
        _DOWNLOAD.format("v0.5"),
        check=lambda: identity.problem(identity.RECONVIAGEN_HYBRID),
    ),
)
WHOLE_MESH_REQUIREMENTS = (
    *_RENDERED,
    Requirement("trimesh", "trimesh", COMMON),
    Requirement("pyvista", "pyvista", COMMON),
    Requirement("pymeshfix", "pymeshfix", COMMON),
    Requirement("igraph", "igraph", COMMON),
    Requirement("nvdiffrast", "nvdiffrast", _KERNELS),
)
"""What v0.5 needs besides to take its structure from a whole mesh."""

_DEFERRED = (
    "cv2",
    "diso",
    "gsplat",
    "igraph",
    "imageio",
    "kaolin",
    "lpips",
    "nvdiffrast",
    "open3d",
    "plyfile",
    "pymeshfix",
    "pyvista",
    "rembg",
    "trimesh",
    "utils3d",
    "xatlas",
)
"""What upstream imports for its own export, previews, matting and refinement."""


def importing() -> AbstractContextManager[None]:
    """Let upstream be imported without what only parts of it use."""
    return deferring(_DEFERRED, {"kaolin.utils.testing.check_tensor": check_tensor})
