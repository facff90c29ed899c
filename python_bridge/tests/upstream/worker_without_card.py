"""The bridge's worker in a process whose PyTorch takes the processor for a graphics card."""

import importlib.util
import sys

import pretend_card
from bozzetto_bridge.__main__ import main

pretend_card.install()
if importlib.util.find_spec("spconv") is not None:
    pretend_card.add_bias_outside_spconv()
if "reconviagen-python" in sys.argv:
    pretend_card.stand_in_for_reconviagens_encoders()
main()
