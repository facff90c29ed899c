"""ReconViaGen: several pictures to one shape, with what VGGT sees of their cameras."""

from bozzetto_bridge.adapters.reconviagen.hybrid import ReconViaGenHybridAdapter as ReconViaGenHybridAdapter
from bozzetto_bridge.adapters.reconviagen.vggt import ReconViaGenAdapter as ReconViaGenAdapter
