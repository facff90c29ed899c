"""FlexGEMM's interface, as far as upstream calls it, on PyTorch alone: for processors."""

from . import ops as ops
