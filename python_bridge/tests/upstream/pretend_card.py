"""Lets upstream, which asks for a graphics card by name in many places, run on the processor."""

import sys
from functools import partial
from pathlib import Path

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
    torch.cuda.is_current_stream_capturing = lambda: False  # optimisers ask
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


def add_fallbacks():
    """Let packages that are missing be found here, and those that are there before."""
    sys.path.append(str(Path(__file__).parent / "fallbacks"))


def shrink_reconviagens_encoders():
    """Makes small models of what upstream loads by name, with random weights.

    VGGT, MASt3R and LPIPS are of upstream's own classes, and BiRefNet is nothing: the pictures are cut out.
    """
    import huggingface_hub
    import torchvision
    import transformers

    add_fallbacks()

    def small(cls, name, **options):
        torch.manual_seed(5)  # as with any model that is made, other random numbers come next
        return (_small_vggt if cls.__name__ == "VGGT" else _small_mast3r)(cls)

    def birefnet(name, **options):
        return torch.nn.Linear(1, 1)

    make_vgg = torchvision.models.vgg16

    def vgg(**options):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            return make_vgg()

    huggingface_hub.PyTorchModelHubMixin.from_pretrained = classmethod(small)
    transformers.AutoModelForImageSegmentation.from_pretrained = birefnet
    torchvision.models.vgg16 = vgg
    torch.cuda.is_bf16_supported = lambda *arguments, **options: True


def leave_meshes_whole():
    """Leaves out what upstream does to a mesh before it takes the voxels of it: decimation and holes need a card."""
    from trellis.utils import postprocessing_utils

    postprocessing_utils.postprocess_mesh = lambda vertices, faces, **options: (vertices, faces)


def _small_vggt(cls):
    """Two layers deep, each handed over twelve times: upstream takes tokens of four of 24."""
    module = sys.modules[cls.__module__]
    aggregator, camera_head = module.Aggregator, module.CameraHead

    def shallow(**options):
        made = aggregator(**options, depth=2, patch_embed="conv", mlp_ratio=0.25)
        forward = made.forward

        def deep(pictures):
            tokens, start = forward(pictures)
            return [tokens[layer // 12] for layer in range(24)], start

        made.forward = deep
        return made

    module.Aggregator = shallow
    module.CameraHead = partial(camera_head, trunk_depth=1, mlp_ratio=1)
    module.TrackHead = lambda **options: torch.nn.Identity()  # upstream deletes it
    made = cls()
    # Poses are sums of four steps. A lens with no opening would have no focal length.
    last = made.camera_head.pose_branch.fc2
    last.weight.data *= 0.1
    last.bias.data.copy_(torch.tensor([0, 0, 2, 0, 0, 0, 1, 0.7, 0.7]) / 4)
    return made


def _small_mast3r(cls):
    made = cls(
        output_mode="pts3d+desc24",
        head_type="catmlp+dpt",
        patch_embed_cls="ManyAR_PatchEmbed",
        pos_embed="RoPE100",
        img_size=(512, 512),
        landscape_only=False,
        two_confs=True,
        desc_conf_mode=("exp", 0, float("inf")),
        enc_embed_dim=64,
        enc_depth=1,
        enc_num_heads=2,
        dec_embed_dim=64,
        dec_depth=10,
        dec_num_heads=2,
    )
    # Two pictures of one thing have something in common.
    made.downstream_head2.load_state_dict(made.downstream_head1.state_dict())
    compare = made.forward

    def compare_by_place(*views):
        predictions = compare(*views)
        for prediction in predictions:
            prediction["desc"] = _tell_places(prediction["desc"])
        return predictions

    made.forward = compare_by_place
    return made


def _tell_places(descriptors):
    """Random descriptors match all over the picture, from which no camera can be found; these match about in place."""
    height, width, channels = descriptors.shape[-3:]
    waves = torch.pi * 2 ** torch.arange(channels // 4, device=descriptors.device)

    def along(length):
        angles = torch.arange(length, device=descriptors.device)[:, None] / length * waves
        return torch.cat([angles.cos(), angles.sin()], dim=-1)

    shape = (height, width, channels // 2)
    places = torch.cat([along(height)[:, None].expand(shape), along(width)[None].expand(shape)], dim=-1)
    return torch.nn.functional.normalize(places + 0.05 * descriptors, dim=-1)
