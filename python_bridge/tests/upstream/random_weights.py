"""Random weights for upstream's classes, in the layout of released checkpoints."""

import json
from pathlib import Path
from typing import Any


def draw(model: Any, deviation: float = 0.05) -> None:
    """Draw every parameter anew: upstream starts with zeros where a network ends, and its outputs would be nothing."""
    import torch

    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float32)
        is_scale = (parameter.dim() == 1 and name.endswith("weight")) or name.endswith("gamma")
        fan_in = parameter[0].numel() if parameter.dim() > 1 else 1
        scale = 1.2 * fan_in**-0.5 if parameter.dim() > 1 and not is_scale else deviation
        parameter.data.copy_(((1.0 if is_scale else 0.0) + noise * scale).to(parameter.dtype))


def save(folder: Path, stem: str, kind: str, arguments: dict[str, Any], model: Any) -> str:
    """Write a model's description and weights, and give its name in `pipeline.json`."""
    from safetensors.torch import save_file

    path = folder / "ckpts" / stem
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".json").write_text(json.dumps({"name": kind, "args": arguments}))
    state = {name: value.contiguous() for name, value in model.state_dict().items() if not value.is_complex()}
    save_file(state, path.with_suffix(".safetensors"))
    return f"ckpts/{stem}"


def thin_out(decoder: Any, share: float) -> None:
    """Choose the last bias of a structure decoder for a share of the voxels: a random one fills space at random."""
    import torch

    with torch.no_grad():
        latents = torch.randn(4, 8, 16, 16, 16, generator=torch.Generator().manual_seed(2))
        logits = decoder.eval().float()(latents)
        decoder.out_layer[2].bias -= torch.quantile(logits.flatten()[::7], 1 - share)
