"""Runs upstream's latent flow with random weights, at full size where there is a graphics card, and compares ours with it.

    python compare_flow.py PATH_OF_A_TRELLIS.2_CHECKOUT PATH_OF_THE_BUILT_EXAMPLE

Upstream runs in bf16 with two attention kernels of torch (flash, and cuDNN or, without a card, plain mathematics), whose
difference is the yardstick, and in f32. On a card it is timed too, with torch's own choice of kernels.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import torch
from safetensors.torch import save_file
from torch.nn.attention import SDPBackend, sdpa_kernel

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fixtures"))
import trellis2_upstream  # noqa: E402

trellis2_upstream.load(sys.argv[1])

from trellis2.models.sparse_structure_flow import SparseStructureFlowModel  # noqa: E402
from trellis2.models.structured_latent_flow import SLatFlowModel  # noqa: E402
from trellis2.modules import sparse as sp  # noqa: E402

IS_CARD = torch.cuda.is_available()
DEVICE = "cuda" if IS_CARD else "cpu"
# Without a card, what a processor gets done in a minute.
NUM_TOKENS, NUM_CONDITION_TOKENS, T = (8192, 4101, 0.6) if IS_CARD else (512, 65, 0.6)
BACKENDS = (SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION if IS_CARD else SDPBackend.MATH)
SIZES = [(3032, 1029), (13688, 4101), (31064, 4101), (51760, 4101)]
WIDTHS = dict(
    resolution=64,
    in_channels=32,
    out_channels=32,
    model_channels=1536 if IS_CARD else 256,
    cond_channels=1024,
    num_blocks=30,
    num_heads=12 if IS_CARD else 2,
    mlp_ratio=5.3334,
    pe_mode="rope",
    share_mod=True,
    qk_rms_norm=True,
    qk_rms_norm_cross=True,
)


def redraw(model):
    """Upstream starts many parameters at zero, which would make a comparison say nothing."""
    for name, parameter in model.named_parameters():
        fan_in = parameter[0].numel() if parameter.dim() > 1 else 100
        parameter.normal_(0, fan_in**-0.5)
        if "gamma" in name or ("norm" in name and name.endswith("weight")):
            parameter.add_(1)
        parameter.copy_(parameter.bfloat16())


def tokens(count):
    coords = torch.randint(0, 64, (count, 4), device=DEVICE, dtype=torch.int32)
    coords[:, 0] = 0
    return sp.SparseTensor(torch.randn(count, 32, device=DEVICE), coords)


def median_ms(model, x, t, cond):
    times = []
    for run in range(8):
        torch.cuda.synchronize()
        start = time.perf_counter()
        model(x, t, cond)
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times[1:])


with torch.no_grad(), tempfile.TemporaryDirectory() as folder:
    torch.manual_seed(1)
    torch.cuda.manual_seed_all(1)
    with torch.device(DEVICE):
        model = SLatFlowModel(**WIDTHS).eval()
    redraw(model)
    weights = os.path.join(folder, "weights.safetensors")
    save_file({key: value.bfloat16().contiguous() for key, value in model.state_dict().items()}, weights)
    x, cond = tokens(NUM_TOKENS), torch.randn(1, NUM_CONDITION_TOKENS, 1024, device=DEVICE)
    t = torch.tensor([1000 * T], device=DEVICE)
    tensors = {"x": x.feats, "coords": x.coords, "cond": cond}
    # The rotary embedding is kept with the voxels.
    again = lambda: sp.SparseTensor(x.feats, x.coords)  # noqa: E731
    for suffix, seen in (("", cond), (".zeros", torch.zeros_like(cond))):
        tensors["f32" + suffix] = model(again(), t, seen).feats
    model.convert_to(torch.bfloat16)
    for name, backend in zip(("first", "second"), BACKENDS):
        for suffix, seen in (("", cond), (".zeros", torch.zeros_like(cond))):
            with sdpa_kernel(backend):
                tensors[name + suffix] = model(again(), t, seen).feats
    run = os.path.join(folder, "run.safetensors")
    save_file({key: value.contiguous() for key, value in tensors.items()}, run, metadata={"t": str(T), "config": json.dumps(WIDTHS)})
    for count, seen in SIZES if IS_CARD else []:
        cond = torch.randn(1, seen, 1024, device=DEVICE)
        print(f"upstream, {count} tokens, condition {seen}: {median_ms(model, tokens(count), t, cond):.1f} ms", flush=True)
    del model, tensors
    if IS_CARD:
        with torch.device(DEVICE):
            model = SparseStructureFlowModel(**WIDTHS | dict(resolution=16, in_channels=8, out_channels=8)).eval()
        model.convert_to(torch.bfloat16)
        x, cond = torch.randn(1, 8, 16, 16, 16, device=DEVICE), torch.randn(1, 1029, 1024, device=DEVICE)
        print(f"upstream, structure, 4096 tokens, condition 1029: {median_ms(model, x, t, cond):.1f} ms", flush=True)
        del model
    torch.cuda.empty_cache()
    subprocess.run([sys.argv[2], weights, run], check=True)
