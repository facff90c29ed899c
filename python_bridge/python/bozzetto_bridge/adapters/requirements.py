"""Packages that pipelines have in common."""

from bozzetto_bridge.adapter import Requirement

COMMON = "Install it into this Python environment with pip."
TORCH = Requirement("torch", "torch", "Install PyTorch for the CUDA of your driver: https://pytorch.org.")
PYTORCH = (
    TORCH,
    Requirement("torchvision", "torchvision", "Install the torchvision that belongs to your PyTorch."),
    Requirement("transformers", "transformers", COMMON),
    Requirement("safetensors", "safetensors", COMMON),
    Requirement("huggingface_hub", "huggingface_hub", COMMON),
    Requirement("easydict", "easydict", COMMON),
    Requirement("tqdm", "tqdm", COMMON),
    Requirement("PIL", "pillow", COMMON),
)
