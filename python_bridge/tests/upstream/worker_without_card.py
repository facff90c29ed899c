"""The bridge's worker in a process whose PyTorch takes the processor for a graphics card, unless WITH_CARD is set."""

import importlib.util
import os
import sys

import pretend_card
from bozzetto_bridge.__main__ import main

if not os.environ.get("WITH_CARD"):
    pretend_card.install()
    if importlib.util.find_spec("spconv") is not None:
        pretend_card.add_bias_outside_spconv()
if "reconviagen-python" in sys.argv:
    pretend_card.stand_in_for_reconviagens_encoders()
main()
