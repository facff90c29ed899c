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
