"""The part of utils3d that ReconViaGen's cameras need: on PyPI is another package of the name."""

from . import torch as torch
