"""Times upstream's decoder as `decoder.rs` times ours: the same voxels, weights at random, half precision.

    python decoder_upstream.py PATH_OF_A_TRELLIS.2_CHECKOUT [TOKENS_ALONG_AN_EDGE]

FlexGEMM has to be installed, with the algorithm that upstream chooses by default.
"""

import os
import sys
import types

import torch

RUNS = 9
RADIUS = 26 / 64

os.environ["SPARSE_CONV_BACKEND"] = "flex_gemm"
os.environ["ATTN_BACKEND"] = "sdpa"
sys.path.insert(0, sys.argv[1])
# Of no use to the decoder, and not to be had without a compiler.
sys.modules["cumesh"] = types.ModuleType("cumesh")
sys.modules["cumesh"].CuMesh = object
sys.modules["o_voxel"] = types.ModuleType("o_voxel")
sys.modules["o_voxel.convert"] = types.ModuleType("o_voxel.convert")
sys.modules["o_voxel.convert"].flexible_dual_grid_to_mesh = None

from trellis2.models.sc_vaes.sparse_unet_vae import SparseUnetVaeDecoder  # noqa: E402
from trellis2.modules import sparse as sp  # noqa: E402


def surface(voxels, side):
    low = voxels.float() - side / 2
    high = low + 1
    farthest = torch.maximum(low.abs(), high.abs()).norm(dim=1)
    nearest = torch.minimum(low.abs(), high.abs()).norm(dim=1)
    radius = RADIUS * side
    return (nearest <= radius) & (farthest >= radius)


def ball(side, num_levels):
    ramp = torch.arange(side, device="cuda", dtype=torch.int32)
    grid = torch.stack(torch.meshgrid(ramp, ramp, ramp, indexing="ij"), -1).view(-1, 3)
    voxels = grid[surface(grid, side)]
    tokens, subdivisions = voxels, []
    numbers = torch.arange(8, device="cuda", dtype=torch.int32)
    steps = torch.stack([numbers >> axis & 1 for axis in range(3)], -1)
    for level in range(num_levels):
        children = (2 * voxels[:, None] + steps).view(-1, 3)
        there = surface(children, side << (level + 1))
        masks = there.view(-1, 8)
        batch = torch.zeros_like(voxels[:, :1])
        # A decoder takes what is above zero for a child.
        subdivisions.append(sp.SparseTensor(masks.half() * 2 - 1, torch.cat([batch, voxels], 1)))
        voxels = children[there]
    return torch.cat([torch.zeros_like(tokens[:, :1]), tokens], 1), subdivisions, len(voxels)


@torch.no_grad()
def main():
    side = int(sys.argv[2]) if len(sys.argv) > 2 else 64
    torch.manual_seed(1)
    decoder = SparseUnetVaeDecoder(
        out_channels=6,
        model_channels=[1024, 512, 256, 128, 64],
        latent_channels=32,
        num_blocks=[4, 16, 8, 4, 0],
        block_type=["SparseConvNeXtBlock3d"] * 5,
        up_block_type=["SparseResBlockC2S3d"] * 4,
        block_args=[{}] * 5,
        use_fp16=True,
        pred_subdiv=False,
    )
    for name, parameter in decoder.named_parameters():
        if parameter.dim() > 1:
            parameter.normal_().div_(parameter[0].numel() ** 0.5)
        elif name.endswith("weight"):
            parameter.normal_().mul_(0.1).add_(1.0)
        else:
            parameter.normal_().mul_(0.1)
    decoder = decoder.cuda().eval()
    coords, subdivisions, num_voxels = ball(side, 4)
    features = torch.randn(len(coords), 32, device="cuda")
    print(torch.cuda.get_device_name(), len(coords), "tokens,", num_voxels, "voxels", flush=True)

    def run():
        # Nothing is kept from run to run: neighbours are searched for anew.
        guides = [sp.SparseTensor(sub.feats, sub.coords) for sub in subdivisions]
        return decoder(sp.SparseTensor(features, coords), guide_subs=guides)

    times = []
    for index in range(RUNS + 3):
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        output = run()
        end.record()
        torch.cuda.synchronize()
        assert len(output.feats) == num_voxels and output.feats.isfinite().all()
        del output
        if index >= 3:
            times.append(start.elapsed_time(end))
    times.sort()
    peak = torch.cuda.max_memory_allocated() / 2**30
    print(f"median of {RUNS}: {times[RUNS // 2]:.1f} ms; fastest {times[0]:.1f}, slowest {times[-1]:.1f}; peak {peak:.2f} GiB")


main()
