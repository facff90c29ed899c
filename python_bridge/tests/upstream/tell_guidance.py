"""Prints whether upstream's sampler is taken for ReconViaGen's: python tell_guidance.py SOURCE

Only its samplers are imported: the packages above them import all of upstream.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from bozzetto_bridge import attention
from bozzetto_bridge.adapters.reconviagen.environment import importing
from bozzetto_bridge.adapters.reconviagen.vggt import knows_rescale

if __name__ == "__main__":
    source = sys.argv[1]
    for name in ("trellis", "trellis.pipelines"):
        sys.modules[name] = package = ModuleType(name)
        package.__path__ = [str(Path(source, *name.split(".")))]
    with importing(), attention.importable():
        samplers = importlib.import_module("trellis.pipelines.samplers")
    print(knows_rescale(samplers.FlowEulerGuidanceIntervalSampler(sigma_min=1e-5)))
