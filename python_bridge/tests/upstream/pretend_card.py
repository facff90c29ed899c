"""Lets upstream, which asks for a graphics card by name in many places, run on the processor."""

import torch
from torch.overrides import TorchFunctionMode


class Processor(TorchFunctionMode):
    """Turns every device that is a card into the processor."""

    def __torch_function__(self, function, types, arguments=(), options=None):
        if function is torch.Tensor.cuda:
            return arguments[0]
        arguments = tuple(map(_elsewhere, arguments))
        return function(*arguments, **{name: _elsewhere(value) for name, value in (options or {}).items()})


def _elsewhere(argument):
    is_card = isinstance(argument, (str, torch.device)) and str(argument).startswith("cuda")
    return torch.device("cpu") if is_card else argument


def install():
    Processor().__enter__()
    torch.cuda.is_available = lambda: True
    torch.cuda.synchronize = lambda: None
    torch.cuda.empty_cache = lambda: None
    torch.cuda.mem_get_info = lambda: (1 << 30, 8 << 30)
    torch.cuda.get_device_capability = lambda *arguments: (9, 0)


def add_bias_outside_spconv():
    """Its processor kernels know no bias, which its layers hand them all the same when they do not train."""
    import inspect

    from spconv.pytorch import ops

    convolve = ops.indice_conv
    signature = inspect.signature(convolve)

    def convolve_and_add(*arguments, **options):
        given = signature.bind(*arguments, **options)
        bias = given.arguments.pop("bias", None)
        made = convolve(*given.args, **given.kwargs)
        return made if bias is None else made + bias

    ops.indice_conv = convolve_and_add


def stand_in_for_reconviagens_encoders():
    """Makes VGGT and BiRefNet of nothing: they are large, upstream loads them by name, and their code is not ours."""
    import huggingface_hub
    import transformers

    def vggt(cls, name, **options):
        return _Vggt()

    def birefnet(name, **options):
        return torch.nn.Linear(1, 1)

    huggingface_hub.PyTorchModelHubMixin.from_pretrained = classmethod(vggt)
    transformers.AutoModelForImageSegmentation.from_pretrained = birefnet
    torch.cuda.is_bf16_supported = lambda *arguments, **options: True


class _Aggregator(torch.nn.Module):
    """Tokens of 24 layers that depend on the pictures."""

    def __init__(self):
        super().__init__()
        self.patches = torch.nn.Conv2d(3, 2048, 14, 14, bias=False)
        generator = torch.Generator().manual_seed(5)
        self.patches.weight.data.copy_(torch.randn(self.patches.weight.shape, generator=generator) * 0.02)

    def forward(self, pictures):
        tokens = self.patches(pictures[0]).flatten(2).transpose(1, 2)
        tokens = torch.cat([tokens[:, :5] * 0, tokens], dim=1)[None]  # [1, views, 5 + 1369, 2048]
        return [torch.sin(tokens * (1 + layer / 8)) for layer in range(24)], 5


class _Vggt(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.aggregator = _Aggregator()
        for name in ("camera_head", "point_head", "depth_head", "track_head"):
            setattr(self, name, torch.nn.Linear(1, 1))
