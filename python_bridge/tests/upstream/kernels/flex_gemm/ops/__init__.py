"""Sparse operations."""

from . import grid_sample as grid_sample
from . import spconv as spconv
