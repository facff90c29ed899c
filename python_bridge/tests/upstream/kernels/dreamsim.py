"""Refinement's measure of likeness, which upstream loads in any case."""

import torch


def dreamsim(**options):
    return torch.nn.Linear(1, 1), None
