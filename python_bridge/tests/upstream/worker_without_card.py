"""The bridge's worker in a process whose PyTorch takes the processor for a graphics card."""

import importlib.util

import pretend_card
from bozzetto_bridge.__main__ import main

pretend_card.install()
if importlib.util.find_spec("spconv") is not None:
    pretend_card.add_bias_outside_spconv()
main()
