"""The bridge's worker in a process whose PyTorch takes the processor for a graphics card, unless WITH_CARD is set."""

import importlib.util
import os
import sys

import pretend_card
from bozzetto_bridge.__main__ import main
from bozzetto_bridge.adapters.reconviagen import ReconViaGenHybridAdapter

if not os.environ.get("WITH_CARD"):
    pretend_card.install()
    if importlib.util.find_spec("spconv") is not None:
        pretend_card.add_bias_outside_spconv()
if any(argument.startswith("reconviagen") for argument in sys.argv):
    pretend_card.shrink_reconviagens_encoders()
    load = ReconViaGenHybridAdapter.load

    def load_and_leave_meshes_whole(self, context):
        load(self, context)
        pretend_card.leave_meshes_whole()

    ReconViaGenHybridAdapter.load = load_and_leave_meshes_whole
main()
