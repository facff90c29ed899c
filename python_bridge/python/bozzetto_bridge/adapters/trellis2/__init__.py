"""TRELLIS.2: one picture to a mesh with materials, and materials for a mesh that is given."""

from bozzetto_bridge.adapters.trellis2.image import Trellis2Adapter as Trellis2Adapter
from bozzetto_bridge.adapters.trellis2.texturing import Trellis2TexturingAdapter as Trellis2TexturingAdapter
