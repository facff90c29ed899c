"""Licences of the parts that upstream pipelines bring along, for the artist to see before the first job.

As their own files and pages state them; the program tells nobody what he may do, but nobody learns of it too late.
"""

from bozzetto_bridge.params import PartLicence


def _hub(repository: str) -> str:
    return f"https://huggingface.co/{repository}"


def _code(repository: str, file: str = "LICENSE") -> str:
    return f"https://github.com/{repository}/blob/HEAD/{file}"


NVDIFFRAST = PartLicence("nvdiffrast", "NVIDIA Source Code License", False, _code("NVlabs/nvdiffrast", "LICENSE.txt"))
NVDIFFREC = PartLicence("nvdiffrec", "NVIDIA Source Code License", False, _code("NVlabs/nvdiffrec", "LICENSE.txt"))
TINY_CUDA_NN = PartLicence("tiny-cuda-nn", "BSD 3-Clause", True, _code("NVlabs/tiny-cuda-nn", "LICENSE.txt"))
DINOV3 = PartLicence("DINOv3 weights", "DINOv3 License", True, _hub("facebook/dinov3-vitl16-pretrain-lvd1689m"))
DINOV2 = PartLicence("DINOv2", "Apache 2.0", True, _code("facebookresearch/dinov2"))
RMBG = PartLicence("RMBG-2.0 weights", "CC BY-NC 4.0", False, _hub("briaai/RMBG-2.0"))
BIREFNET = PartLicence("BiRefNet", "MIT", True, _hub("ZhengPeng7/BiRefNet"))
U2NET = PartLicence("U2-Net weights of rembg", "Apache 2.0", True, _code("xuebinqin/U-2-Net"))
TRELLIS2 = PartLicence("TRELLIS.2", "MIT", True, _code("microsoft/TRELLIS.2"))
TRELLIS = PartLicence("TRELLIS", "MIT", True, _code("microsoft/TRELLIS"))
RECONVIAGEN = PartLicence("ReconViaGen", "MIT", True, _code("GAP-LAB-CUHK-SZ/ReconViaGen"))
FLEXICUBES = PartLicence("FlexiCubes", "Apache 2.0", True, _code("MaxtirError/FlexiCubes", "LICENSE.txt"))
OLD_FLEXICUBES = PartLicence(
    "FlexiCubes, as ReconViaGen has it", "NVIDIA proprietary", False, _code("GAP-LAB-CUHK-SZ/ReconViaGen")
)
VGGT = PartLicence(
    "VGGT-1B weights, from which ReconViaGen's are made", "CC BY-NC 4.0", False, _hub("facebook/VGGT-1B")
)
MAST3R = PartLicence("MASt3R and DUSt3R", "CC BY-NC-SA 4.0", False, _code("naver/mast3r"))
GAUSSIAN_RASTERIZER = PartLicence(
    "diff-gaussian-rasterization",
    "Inria and MPII, research only",
    False,
    _code("graphdeco-inria/diff-gaussian-rasterization", "LICENSE.md"),
)
