"""The bridge's worker in a process whose PyTorch takes the processor for a graphics card."""

import pretend_card
from bozzetto_bridge.__main__ import main

pretend_card.install()
main()
