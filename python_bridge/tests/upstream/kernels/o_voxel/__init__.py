"""o-voxel's conversions on PyTorch alone."""

from . import convert as convert
